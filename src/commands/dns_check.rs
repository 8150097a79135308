//! `mailctl dns-check`.

mod metrics;
mod report;
mod watch;

use super::{dns::Resolver, names};
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        check::{self, Options},
        dns::{Inquiry, Name},
        finding::{Finding, Proven, Subject, Verdict},
        provider::{self, PROVIDERS, Provider},
        record::Wishes,
        server::{Served, Server},
    },
    settings::{LETS_ENCRYPT, Settings},
    ui::{Page, Ui},
    world::{
        World, acme,
        dns::{Asking, Dns, settle},
    },
};
use clap::builder::PossibleValuesParser;
use report::{Counts, Role, Section, Style};
use std::sync::Arc;

/// Check what DNS says of this server and its domains, and say how to mend it
///
/// Without settings, domains that are named can be looked at all the same. What only settings tell is left out then:
/// whose server it is, and which DKIM keys there are.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only these domains; without any, all that are served. Others may be named too, and need no settings: they are
    /// looked at, and compared with nothing
    #[arg(value_name = "DOMAIN")]
    domains: Vec<String>,
    /// Only these subjects
    #[arg(long, value_name = "SUBJECT", value_delimiter = ',', value_parser = subjects())]
    only: Vec<String>,
    #[command(flatten)]
    resolver: Resolver,
    /// Ask every name server of the zone for every record, and report where they disagree
    #[arg(long)]
    authoritative: bool,
    /// Show what to type into the form of this DNS provider
    #[arg(long, value_name = "PROVIDER", value_parser = PossibleValuesParser::new(PROVIDERS.iter().map(|p| p.name)))]
    at: Option<String>,
    /// Show details also of what is right
    #[arg(long)]
    all: bool,
    /// Print a plain report with date and version, to be pasted into a ticket
    #[arg(long, conflicts_with_all = ["json", "prometheus", "watch"])]
    report: bool,
    /// Print metrics for Prometheus
    #[arg(long, conflicts_with_all = ["json", "watch"])]
    prometheus: bool,
    /// Ask again until everything is right; Ctrl-C ends
    #[arg(long)]
    watch: bool,
    /// Seconds between two looks of --watch
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
}

fn subjects() -> PossibleValuesParser {
    PossibleValuesParser::new(Subject::ALL.map(Subject::name))
}

/// What is looked at, and how.
struct Task {
    /// `None`: there are no settings, and all domains are foreign.
    server: Option<Server>,
    options: Options,
    /// Whom.
    asking: Asking,
    /// The host itself as well.
    host: bool,
    domains: Vec<(Served, Role)>,
}

/// One look.
struct Look {
    sections: Vec<Section>,
    counts: Counts,
}

/// Looks, reports; exit status 1 when something is wrong, 75 when something could not be checked.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let task = Arc::new(task(&args, world, ui).await?);
    let dns = Dns::new(task.asking.clone());
    if args.watch {
        return watch::run(&args, &task, &dns, ui).await;
    }
    let look = {
        // A timer that collects metrics has nobody to tell.
        let progress = (!args.prometheus).then(|| ui.progress());
        progress.iter().for_each(|progress| progress.phase("asking DNS"));
        look(&task, &dns, ui).await?
    };
    remember(world, &look);
    show(&args, &task, &look, ui);
    outcome(&look)
}

/// `domain list` tells how the last check ended. Whoever may look but not write here has looked all the same.
fn remember(world: &World, look: &Look) {
    let served = look.sections.iter().filter(|section| section.role == Role::Served);
    let found: Vec<(Domain, Option<Proven>)> = served
        .filter_map(|section| Some((Domain::parse(&section.about).ok()?, Proven::of(&section.findings))))
        .collect();
    if !found.is_empty() {
        let _ = world.note_dns(&found, names::now());
    }
}

async fn task(args: &Args, world: &World, ui: &mut Ui) -> Result<Task, Error> {
    let mut domains: Vec<Domain> = Vec::new();
    for text in &args.domains {
        let domain = names::domain(text, ui)?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    let wanted = |subject: &Subject| args.only.iter().any(|name| name == subject.name());
    let options = Options {
        subjects: Subject::ALL.into_iter().filter(wanted).collect(),
        authoritative: args.authoritative,
        ..Options::default()
    };
    let foreign = |domain: Domain| (Served { domain, keys: Vec::new() }, Role::Foreign);
    let settings = match world.settings() {
        Ok(loaded) => loaded.settings,
        Err(absent) if absent.code() == codes::SETTINGS_MISSING && !domains.is_empty() => {
            ui.say("there are no settings here: the domains are looked at, and compared with nothing");
            let asking = args.resolver.asking(None)?;
            let domains = domains.into_iter().map(foreign).collect();
            return Ok(Task { server: None, options, asking, host: false, domains });
        }
        Err(absent) if absent.code() == codes::SETTINGS_MISSING => {
            return Err(absent.hint("a domain can be looked at without: mailctl dns-check example.org"));
        }
        Err(error) => return Err(error),
    };
    let store = world.store_to_read().await?;
    let served = names::domains(&settings, &store).await?;
    // Who names the server itself means the server, which is no domain of mail.
    let is_host = |domain: &Domain| *domain == settings.hostname && !served.contains(domain);
    let host = domains.is_empty() || domains.iter().any(|domain| served.contains(domain) || is_host(domain));
    if domains.is_empty() {
        domains.clone_from(&served);
    }
    domains.retain(|domain| !is_host(domain));
    let options = authority(world, &settings, options);
    let options = Options {
        served: served.clone(),
        blocklists: settings.dns.blocklists.clone(),
        zones: settings.dnsbl.clone(),
        wishes: settings.dns.wishes.clone(),
        ..options
    };
    let mut of = Vec::new();
    for domain in domains {
        of.push(if served.contains(&domain) {
            (world.served(&settings, &store, &domain).await?, Role::Served)
        } else {
            foreign(domain)
        });
    }
    store.close().await;
    let asking = args.resolver.asking(Some(&settings))?;
    Ok(Task { server: Some(world.server(&settings)), options, asking, host, domains: of })
}

/// Whom CAA has to let issue, for which account, and how; what is known of them without asking.
fn authority(world: &World, settings: &Settings, options: Options) -> Options {
    let Some(acme) = &settings.acme else { return options };
    let methods = vec![acme.challenge.name().to_owned()];
    match acme::known(&world.paths, &acme.directory) {
        Some((account, authorities)) => Options { methods, account: Some(account), authorities, ..options },
        None if acme.directory == LETS_ENCRYPT => Options { methods, ..options },
        // Its directory will tell its name with the first order.
        None => Options { methods, authorities: Vec::new(), ..options },
    }
}

/// Asks everything at once; a section per host and domain. Each is a task of its own: judging takes time too.
async fn look(task: &Arc<Task>, dns: &Dns, ui: &Ui) -> Result<Look, Error> {
    let mut parts = Vec::new();
    if let Some(server) = task.server.clone().filter(|_| task.host) {
        let (of, dns) = (Arc::clone(task), dns.clone());
        parts.push((
            server.host.clone(),
            Role::Host,
            tokio::spawn(
                async move { settled(&dns, |inquiry| check::host(inquiry, &server, &of.options)).await },
            ),
        ));
    }
    for (index, (served, role)) in task.domains.iter().enumerate() {
        let (of, dns) = (Arc::clone(task), dns.clone());
        let foreign = *role == Role::Foreign;
        // What this server's operator wishes is nothing to others.
        let wishes = if foreign { Wishes::default() } else { task.options.wishes.clone() };
        let options = Options { foreign, wishes, ..task.options.clone() };
        let server = task.server.clone().unwrap_or_else(|| Server::nowhere(served.domain.clone()));
        parts.push((
            served.domain.clone(),
            *role,
            tokio::spawn(async move {
                let served = &of.domains[index].0;
                settled(&dns, |inquiry| check::domain(inquiry, &server, served, &options)).await
            }),
        ));
    }
    let mut sections: Vec<Section> = Vec::new();
    for (about, role, asking) in parts {
        let findings = asking
            .await
            .map_err(|cause| Error::new(codes::BUG, "a check of DNS broke off").cause(cause))??;
        if !findings.is_empty() {
            sections.push(section(Name::from(&about), role, findings, ui));
        }
    }
    Ok(Look { counts: Counts::of(&sections), sections })
}

async fn settled(
    dns: &Dns,
    judge: impl FnMut(&Inquiry<'_>) -> Option<Vec<Finding>>,
) -> Result<Vec<Finding>, Error> {
    let settled = settle(dns, judge).await;
    settled
        .map(|settled| settled.verdict)
        .map_err(|cause| Error::new(codes::BUG, "a check of DNS has no end").cause(cause))
}

fn section(about: Name, role: Role, mut findings: Vec<Finding>, ui: &Ui) -> Section {
    for line in findings.iter_mut().flat_map(|finding| &mut finding.remedy) {
        *line = ui.typed(line);
    }
    Section { about: about.to_string(), role, verdict: check::worst(&findings), findings }
}

fn show(args: &Args, task: &Task, look: &Look, ui: &mut Ui) {
    if ui.manner().json {
        ui.json(&document(task, look));
    } else if args.prometheus {
        ui.write(&metrics::text(&look.sections, names::now()));
    } else {
        let page = if args.report { Page::PLAIN } else { ui.page() };
        if args.report {
            ui.write(&heading(task));
        }
        ui.write(&report::text(&look.sections, style(args, page)));
    }
}

fn style(args: &Args, page: Page) -> Style {
    let at: Option<&'static Provider> = args.at.as_deref().and_then(provider::find);
    Style { page, all: args.all || args.report, at }
}

/// The document of `--json`; its schema stands in the manual page `dns`.
fn document(task: &Task, look: &Look) -> serde_json::Value {
    serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "time": time(),
        "resolvers": task.asking.resolvers,
        "host": task.server.as_ref().map_or("", |server| server.host.as_str()),
        "addresses": task.server.as_ref().map_or(&[][..], |server| &server.addresses),
        "verdict": look.verdict(),
        "counts": look.counts,
        "sections": look.sections,
    })
}

/// What a ticket must say first: who asked, when, whom, with which program.
fn heading(task: &Task) -> String {
    let list = |items: Vec<String>| if items.is_empty() { "not known".to_owned() } else { items.join(", ") };
    let server = task.server.as_ref();
    format!(
        "mailctl {} dns-check, {}\nhost      {}\naddresses {}\nresolver  {}\n\n",
        env!("CARGO_PKG_VERSION"),
        time(),
        list(server.map(|server| server.host.to_string()).into_iter().collect()),
        list(server.iter().flat_map(|server| &server.addresses).map(ToString::to_string).collect()),
        list(task.asking.resolvers.iter().map(ToString::to_string).collect()),
    )
}

fn time() -> String {
    let now = time::OffsetDateTime::now_utc();
    now.replace_nanosecond(0)
        .unwrap_or(now)
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}

impl Look {
    fn verdict(&self) -> Verdict {
        self.sections.iter().map(|section| section.verdict).max().unwrap_or(Verdict::Ok)
    }
}

/// Wrong wins over not checked.
fn outcome(look: &Look) -> Result<(), Error> {
    match look.verdict() {
        Verdict::Ok | Verdict::Warning => Ok(()),
        Verdict::Error => {
            let wrong: Vec<&Section> =
                look.sections.iter().filter(|section| section.verdict == Verdict::Error).collect();
            let error = Error::new(codes::DNS_WRONG, look.counts.line());
            // The records are ours to know only where the domain is.
            let ours = wrong.iter().any(|section| section.role != Role::Foreign);
            let error = if ours { error.hint("mailctl dns-records --format form") } else { error };
            let about = wrong.first().map(|section| section.about.as_str()).unwrap_or_default();
            Err(error.hint(format!("mailctl dns-check {about} --watch")))
        }
        Verdict::CouldNotCheck => Err(Error::new(codes::DNS_UNCHECKED, look.counts.line())
            .hint("mailctl dns-check --watch")
            .hint("mailctl dns-check --resolver ADDRESS")),
    }
}
