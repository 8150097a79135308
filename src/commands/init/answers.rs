//! What `init` must know: from flags, else the environment, else asked.

use super::Args;
use crate::{
    error::{Error, codes},
    mail::address::{Address, Domain},
    settings::{
        Settings, example,
        keys::{Home, KEYS, find},
        near::nearest,
        value,
    },
    ui::Ui,
    world::World,
};

const CERTIFICATES: &str = "CERTIFICATES";
const ACME_EMAIL: &str = "ACME_EMAIL";

/// Settings that say where certificates come from.
const BROUGHT: [&str; 4] = [CERTIFICATES, "TLS_CERT_DIR", "TLS_CERT_FILE", "TLS_CERT_PEM"];

/// What is known so far.
pub struct Answers {
    domain: Option<Domain>,
    hostname: Option<Domain>,
    admin: Option<Address>,
    additional: Option<Vec<Domain>>,
    acme: Option<bool>,
    acme_email: Option<Address>,
    set: Vec<(&'static str, String)>,
}

/// Everything that is needed.
pub struct Complete {
    /// `DOMAIN`.
    pub domain: Domain,
    /// `HOSTNAME`.
    pub hostname: Domain,
    admin: Address,
    additional: Vec<Domain>,
    acme: bool,
    acme_email: Option<Address>,
    set: Vec<(&'static str, String)>,
}

impl Answers {
    /// Parses flags and environment; a malformed name ends here, with nothing written.
    pub fn of(args: &Args, world: &World) -> Result<Self, Error> {
        let given = |flag: &Option<String>, variable: &str| chosen(flag.as_deref(), variable, world);
        let malformed = |e: &dyn std::fmt::Display| Error::new(codes::NAME_MALFORMED, e.to_string());
        let domain =
            |text: Option<String>| text.map(|t| Domain::parse(&t)).transpose().map_err(|e| malformed(&e));
        let additional = given(&args.additional_domains, "MAILCTL_ADDITIONAL_DOMAINS")?;
        let admin = given(&args.admin, "MAILCTL_ADMIN_EMAIL")?;
        let set: Vec<_> = args.set.iter().map(|text| setting(text)).collect::<Result<_, _>>()?;
        if args.acme && set.iter().any(|(name, value)| *name == CERTIFICATES && value != "acme") {
            return Err(Error::new(codes::USAGE, format!("--acme and --set {CERTIFICATES}= contradict")));
        }
        // Who chose in another way is not asked.
        let chosen = set.iter().any(|(name, _)| BROUGHT.contains(name))
            || world.environment.iter().any(|(name, text)| {
                !text.is_empty() && name.strip_prefix("MAILCTL_").is_some_and(|name| BROUGHT.contains(&name))
            });
        let email = args.acme_email.as_deref().map(Address::parse).transpose();
        Ok(Self {
            domain: domain(given(&args.domain, "MAILCTL_DOMAIN")?)?,
            hostname: domain(given(&args.hostname, "MAILCTL_HOSTNAME")?)?,
            admin: admin.map(|t| Address::parse(&t)).transpose().map_err(|e| malformed(&e))?,
            additional: additional.map(|t| value::domains(&t)).transpose().map_err(|e| malformed(&e))?,
            acme: if args.acme { Some(true) } else { chosen.then_some(false) },
            acme_email: email.map_err(|e| malformed(&e))?,
            set,
        })
    }

    /// The secret that `--set` was given, if any.
    pub fn secret(&self) -> Option<&'static str> {
        self.set.iter().map(|(name, _)| *name).find(|name| find(name).is_some_and(|key| key.secret))
    }

    /// Asks for the rest; where nobody can be asked, `--yes` takes the proposals, else the error names the flags.
    pub fn complete(self, ui: &mut Ui) -> Result<Complete, Error> {
        if !ui.can_ask() {
            self.nobody_to_ask(ui.manner().yes)?;
        }
        let asked = ui.can_ask();
        let domain = match self.domain {
            Some(domain) => domain,
            None => ui.ask("Domain to serve (what stands after the @)", None, Domain::parse)?,
        };
        let hostname = match self.hostname {
            Some(hostname) => hostname,
            None => {
                let proposal = format!("mail.{domain}");
                ui.ask("Name of this server", Some(&proposal), |text| {
                    let name = Domain::parse(text).map_err(|e| e.to_string())?;
                    if name == domain { Err(same_name(&name)) } else { Ok(name) }
                })?
            }
        };
        let admin = match self.admin {
            Some(admin) => admin,
            None => ui.ask("Administrator's address", Some(&format!("admin@{domain}")), Address::parse)?,
        };
        let additional = match self.additional {
            Some(domains) => domains,
            None if asked => {
                ui.ask("Further domains (commas between them, or nothing)", Some(""), value::domains)?
            }
            None => Vec::new(),
        };
        let acme = match self.acme {
            Some(acme) => acme,
            None if asked => ui.ask(
                "Certificates from Let's Encrypt? To say yes is to agree to its terms; no makes self-signed ones",
                Some("no"),
                value::flag,
            )?,
            None => false,
        };
        let served = |name: &Domain| *name == domain || additional.contains(name);
        if served(&hostname) {
            return Err(Error::new(codes::SETTINGS_INVALID, same_name(&hostname))
                .cause("Postfix would take that domain for its own, and lose its mail")
                .hint(format!("mailctl init --hostname mail.{domain}")));
        }
        if *admin.domain() == hostname {
            return Err(Error::new(
                codes::SETTINGS_INVALID,
                format!("{admin} is at the host name, which has no mailboxes"),
            )
            .hint(format!("mailctl init --admin {}@{domain}", admin.local())));
        }
        let (acme_email, set) = (self.acme_email, self.set);
        Ok(Complete { domain, hostname, admin, additional, acme, acme_email, set })
    }

    fn nobody_to_ask(&self, yes: bool) -> Result<(), Error> {
        let missing: Vec<&str> = [
            ("--domain example.org", self.domain.is_none()),
            // With --yes the proposals are taken.
            ("--hostname mail.example.org", self.hostname.is_none() && !yes),
            ("--admin admin@example.org", self.admin.is_none() && !yes),
        ]
        .into_iter()
        .filter_map(|(flag, missing)| missing.then_some(flag))
        .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = missing.iter().filter_map(|flag| flag.split(' ').next()).collect();
        Err(Error::new(codes::USAGE, format!("init needs {}", names.join(", ")))
            .cause("nobody can be asked: --yes was given, or this is not a terminal")
            .hint(format!("mailctl init {}", missing.join(" "))))
    }

    /// Where settings exist, flags may repeat them and nothing else: `init` never edits the operator's file.
    pub fn agree_with(&self, settings: &Settings, world: &World) -> Result<(), Error> {
        let differs = [
            (
                "--domain",
                self.domain.as_ref().is_some_and(|d| *d != settings.domain),
                settings.domain.to_string(),
            ),
            (
                "--hostname",
                self.hostname.as_ref().is_some_and(|h| *h != settings.hostname),
                settings.hostname.to_string(),
            ),
            (
                "--admin",
                self.admin.as_ref().is_some_and(|a| *a != settings.admin),
                settings.admin.to_string(),
            ),
            (
                "--additional-domains",
                self.additional.as_ref().is_some_and(|a| *a != settings.additional_domains),
                settings.additional_domains.iter().map(Domain::as_str).collect::<Vec<_>>().join(","),
            ),
            ("--acme", self.acme == Some(true) && settings.acme.is_none(), "self-signed".to_owned()),
            (
                "--acme-email",
                self.acme_email.is_some()
                    && settings.acme.as_ref().map(|acme| &acme.contact) != self.acme_email.as_ref(),
                settings.acme.as_ref().map(|acme| acme.contact.to_string()).unwrap_or_default(),
            ),
        ];
        let Some((flag, _, value)) = differs.into_iter().find(|(_, differs, _)| *differs) else {
            return Ok(());
        };
        let file = world.paths.settings_env();
        Err(Error::new(codes::USAGE, format!("{flag} is not what {} says: {value:?}", file.display()))
            .cause("init writes settings once; after that they are yours")
            .hint(format!("edit {}, then: mailctl config check, mailctl up", file.display())))
    }
}

impl Complete {
    /// The file to write.
    pub fn settings_env(&self) -> String {
        let additional = self.additional.iter().map(Domain::as_str).collect::<Vec<_>>().join(",");
        let (domain, hostname, admin) =
            (self.domain.to_string(), self.hostname.to_string(), self.admin.to_string());
        let mut values = vec![("DOMAIN", domain.as_str()), ("HOSTNAME", &hostname), ("ADMIN_EMAIL", &admin)];
        if !additional.is_empty() {
            values.push(("ADDITIONAL_DOMAINS", &additional));
        }
        let email = self.acme_email.as_ref().map(ToString::to_string);
        // `--set` may say the same.
        let told = |name: &str| self.set.iter().any(|(set, _)| *set == name);
        if self.acme && !told(CERTIFICATES) {
            values.push((CERTIFICATES, "acme"));
        }
        values.extend(email.as_deref().filter(|_| !told(ACME_EMAIL)).map(|email| (ACME_EMAIL, email)));
        values.extend(self.set.iter().map(|(key, value)| (*key, value.as_str())));
        example::settings_env(&values)
    }

    /// Every domain that will be served.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        std::iter::once(&self.domain).chain(self.additional.iter().filter(|other| **other != self.domain))
    }
}

/// The flag, or else the environment. Both, and different, would be a file that never counts.
fn chosen(flag: Option<&str>, variable: &str, world: &World) -> Result<Option<String>, Error> {
    let set = world.environment.iter().find(|(name, text)| name == variable && !text.is_empty());
    let flag = flag.filter(|text| !text.is_empty());
    match (flag, set) {
        (Some(flag), Some((_, text))) if flag != text => Err(Error::new(
            codes::USAGE,
            format!("{variable} in the environment says {text:?}, the flag {flag:?}"),
        )
        .cause("the environment wins over settings.env, so the flag would have no effect")
        .hint(format!("unset {variable}"))),
        (flag, set) => Ok(flag.map(str::to_owned).or_else(|| set.map(|(_, text)| text.clone()))),
    }
}

/// `KEY=VALUE` of `--set`. The four that have a flag of their own are not taken here.
fn setting(text: &str) -> Result<(&'static str, String), Error> {
    let wrong = |what: String| Error::new(codes::USAGE, what);
    let (name, value) = text.split_once('=').ok_or_else(|| {
        wrong(format!("--set {text:?} is not KEY=VALUE")).hint("mailctl init --set TZ=Europe/Berlin")
    })?;
    let own_flag = ["DOMAIN", "HOSTNAME", "ADMIN_EMAIL", "ADDITIONAL_DOMAINS"];
    let mut known = KEYS.iter().filter(|key| key.home == Home::Env && !own_flag.contains(&key.name));
    if let Some(key) = known.clone().find(|key| key.name == name) {
        if value.chars().any(char::is_control) {
            return Err(wrong(format!("--set {name} has a line end or control character inside")));
        }
        return Ok((key.name, value.to_owned()));
    }
    let error = wrong(format!("--set {name} is not a setting that can be given here"));
    Err(match nearest(name, known.by_ref().map(|key| key.name)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint("mailctl help settings"),
    })
}

fn same_name(name: &Domain) -> String {
    format!("{name} cannot be both a served domain and the host name")
}
