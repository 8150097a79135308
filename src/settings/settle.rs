//! Words become [`Settings`]: every value parsed, then the values checked against each other.

use super::{
    Dns, Limits, Loaded, Network, PolicyDoor, Ports, Protocols, Raw, Relay, Secret, Settings, Shown, Web,
    Webhook,
    keys::{KEYS, Key, find},
    source::{Fault, Origin, Words},
    trust::Trust,
    value,
};
use crate::mail::{
    address::{Address, Domain, Selector},
    cert::{Inline, Source},
    dns::place,
    mta_sts::Mode,
    record::Wishes,
    relay::RelayMode,
    rights::Restriction,
};
use std::{collections::BTreeMap, net::IpAddr};

impl Words {
    /// Keys whose value is in a file, and the file: give its content back with [`Words::secret_read`].
    pub fn secrets_wanted(&self) -> Vec<(&'static Key, String)> {
        // An explicit value wins over its from-file variant, whichever layer either comes from.
        let lacking = KEYS.iter().filter(|key| key.secret && !self.set.contains_key(key.name));
        lacking.filter_map(|key| Some((key, self.set.get(file_of(key).as_str())?.text.clone()))).collect()
    }

    /// Whether `settings.env` itself holds a secret.
    pub fn holds_secret(&self) -> bool {
        KEYS.iter().filter(|key| key.secret).any(|key| matches!(self.origin(key.name), Origin::Line(..)))
    }

    /// Takes what reading that file gave.
    pub fn secret_read(&mut self, key: &'static Key, path: &str, content: Result<String, String>) {
        let name = file_of(key);
        let place = self.origin(&name);
        let text = match content {
            Err(why) => return self.fault(place, format!("{name} {path}: {why}"), None),
            Ok(text) => text,
        };
        match text.lines().next().map(str::trim_end).filter(|line| !line.is_empty()) {
            Some(line) => self.put(key, line, Origin::SecretFile(path.to_owned())),
            None => self.fault(place, format!("{name} {path}: its first line is empty"), None),
        }
    }

    /// Settings, or everything that is wrong with them.
    pub fn settle(mut self) -> Result<Loaded, Vec<Fault>> {
        let settings = self.understand();
        let mut warnings = Vec::new();
        if let Some(settings) = &settings {
            self.cross_check(settings, &mut warnings);
        }
        match settings {
            Some(settings) if self.faults.is_empty() => {
                Ok(Loaded { settings, origins: self.shown(), warnings })
            }
            _ => Err(self.faults),
        }
    }

    /// The origin of a key's value.
    pub(super) fn origin(&self, key: &str) -> Origin {
        self.set.get(key).map_or(Origin::Default, |word| word.origin.clone())
    }

    pub(super) fn text(&self, key: &'static str) -> &str {
        let default = || find(key).map_or("", |key| key.default);
        self.set.get(key).map_or_else(default, |word| &word.text)
    }

    /// Parses a key's value; `None` where it has none, or a wrong one (then there is a fault).
    pub(super) fn take<T, E: ToString>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(key).to_owned();
        if text.is_empty() {
            if find(key).is_some_and(|key| key.required) {
                let remedy = Some(format!("add a line {key}={}", find(key).map_or("", |key| key.example)));
                self.fault(Origin::Default, format!("{key} is missing from settings.env"), remedy);
            }
            return None;
        }
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(self.origin(key), format!("{key}: {}", error.to_string()), None);
                None
            }
        }
    }

    /// Like `take`, with a value to go on with: once there is a fault nothing of it is used.
    pub(super) fn or<T, E: ToString>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        instead: T,
    ) -> T {
        self.take(key, parse).unwrap_or(instead)
    }

    /// `None` only where one of the required keys is missing or wrong.
    fn understand(&mut self) -> Option<Settings> {
        let domain = self.take("DOMAIN", Domain::parse);
        let hostname = self.take("HOSTNAME", Domain::parse);
        let admin = self.take("ADMIN_EMAIL", Address::parse);
        let additional_domains = self.or("ADDITIONAL_DOMAINS", value::domains, Vec::new());
        let dkim_selector = self.take("DKIM_SELECTOR", Selector::parse);
        let trusted = self.or("TRUSTED_NETWORKS", Trust::parse, Trust::loopback());
        let sender_restrictions = self.or("SENDER_RESTRICTIONS", str::parse, Restriction::Email);
        let relay_mode = self.or("RELAY_MODE", str::parse, RelayMode::AllowAuth);
        let message_size_limit = self.or("MESSAGE_SIZE_LIMIT", value::size, 50 << 20);
        let mailbox_size_limit = self.or("MAILBOX_SIZE_LIMIT", value::size, 0);
        let protocols = Protocols {
            imap: self.or("ENABLE_IMAP", value::flag, true),
            pop3: self.or("ENABLE_POP3", value::flag, true),
            managesieve: self.or("ENABLE_MANAGESIEVE", value::flag, true),
        };
        let enabled = self.or("ENABLE_WEB", value::flag, true);
        let web = Web {
            enabled,
            metrics: self.take("metrics.listen", value::own_place),
            mta_sts: self.or("mta_sts.mode", str::parse, Mode::None),
            mta_sts_age: self.or("mta_sts.max_age", value::policy_age, 604_800),
        };
        let relay = self.relay();
        let interval = self.or("UPDATE_INTERVAL", value::interval, 86_400);
        let update_interval = self.or("UPDATE_CHECK", value::flag, true).then_some(interval);
        let certificate = self.certificate();
        let webhook = self.webhook();
        let acme = self.acme(admin.as_ref(), certificate.is_some());
        let timezone = self.or("TZ", value::zone, "UTC".to_owned());
        let ports = Ports {
            smtp: self.or("ports.smtp", value::port, 0),
            submissions: self.or("ports.submissions", value::port, 0),
            submission: self.or("ports.submission", value::port, 0),
            imap: self.or("ports.imap", value::port, 0),
            imaps: self.or("ports.imaps", value::port, 0),
            pop3: self.or("ports.pop3", value::port, 0),
            pop3s: self.or("ports.pop3s", value::port, 0),
            managesieve: self.or("ports.managesieve", value::port, 0),
            http: self.or("ports.http", value::port, 0),
            https: self.or("ports.https", value::port, 0),
        };
        let listen = |text: &str| text.parse().map_err(|_| format!("{text:?} is not an IP address"));
        let network = Network {
            listen: self.or("network.listen", listen, IpAddr::from([0, 0, 0, 0])),
            subnet: self.take("network.subnet", |text| {
                let net = text
                    .parse::<ipnet::Ipv4Net>()
                    .ok()
                    .filter(|net| net.addr() == net.network() && net.prefix_len() <= 28);
                net.ok_or_else(|| {
                    format!("{text:?} is not an IPv4 network of /28 or larger, like 172.20.0.0/24")
                })
            }),
            subnet6: self.take("network.subnet6", |text| {
                let net = text
                    .parse::<ipnet::Ipv6Net>()
                    .ok()
                    .filter(|net| net.addr() == net.network() && net.prefix_len() <= 124);
                net.ok_or_else(|| format!("{text:?} is not an IPv6 network, like fd00:6d61:696c::/64"))
            }),
            mtu: self.or("network.mtu", value::mtu, None),
        };
        let limits = Limits {
            memory: self.or("limits.memory", value::size, u64::MAX),
            millicpus: self.or("limits.cpus", value::millicpus, 0),
            pids: self.or("limits.pids", value::pids, 0),
        };
        let dns = self.dns();
        let brute_force = self.brute_force();
        let policy_door = PolicyDoor {
            listen: self.take("policy.listen", value::own_place),
            proxies: self.or("policy.proxies", value::networks, Vec::new()),
        };
        let policies = self.policies();
        let forward_tell = self.or("forward.tell", value::flag, false);
        let forward_targets = self.or("forward.targets", |text| value::whole(text, 1, 100), 10);
        let dnsbl = self.dnsbl();
        let raw = self.raw_tables();
        Some(Settings {
            domain: domain?,
            hostname: hostname?,
            admin: admin?,
            additional_domains,
            dkim_selector,
            trusted,
            sender_restrictions,
            relay_mode,
            message_size_limit,
            mailbox_size_limit,
            protocols,
            web,
            relay,
            update_interval,
            certificate,
            webhook,
            acme,
            timezone,
            ports,
            network,
            limits,
            dns,
            brute_force,
            policy_door,
            policies,
            forward_tell,
            forward_targets,
            dnsbl,
            raw,
        })
    }

    fn dns(&mut self) -> Dns {
        let wishes = Wishes {
            ttl: self.or("dns.ttl", value::ttl, 3600),
            spf_all: self.or("dns.spf_all", |text| value::one_of(text, &["-all", "~all"]), "-all".to_owned()),
            dmarc_policy: self.or(
                "dns.dmarc_policy",
                |text| value::one_of(text, &["none", "quarantine", "reject"]),
                "quarantine".to_owned(),
            ),
            reports: self.take("dns.reports", Address::parse),
        };
        Dns {
            addresses: self.or("dns.addresses", value::addresses, Vec::new()),
            wishes,
            blocklists: self.or("dns.blocklists", value::blocklists, Vec::new()),
            resolver: self.take("dns.resolver", place),
            trust_anchor_file: self.take("dns.trust_anchor_file", value::absolute_path),
            update_server: self.take("dns.update_server", place),
            update_key_file: self.take("dns.update_key_file", value::absolute_path),
        }
    }

    fn certificate(&mut self) -> Option<Source> {
        let folder = self.take("TLS_CERT_DIR", value::absolute_path);
        let files = self.both(("TLS_CERT_FILE", "TLS_KEY_FILE"), value::absolute_path);
        let inline = self.both(("TLS_CERT_PEM", "TLS_KEY_PEM"), value::pem);
        let files = files.map(|(certificate, key)| Source::Files { certificate, key });
        let inline = inline.map(|(certificate, key)| Source::Settings(Inline { certificate, key }));
        inline.or(files).or_else(|| folder.map(Source::Folder))
    }

    /// Two values of which neither makes sense without the other.
    fn both(
        &mut self,
        (one, other): (&'static str, &'static str),
        parse: fn(&str) -> Result<String, String>,
    ) -> Option<(String, String)> {
        let (have, lack) = match (self.set.contains_key(one), self.set.contains_key(other)) {
            (true, false) => (one, other),
            (false, true) => (other, one),
            _ => ("", ""),
        };
        if !have.is_empty() {
            let remedy = Some(format!("set {lack}"));
            self.fault(self.origin(have), format!("{have} is set, but not {lack}"), remedy);
        }
        self.take(one, parse).zip(self.take(other, parse))
    }

    fn relay(&mut self) -> Option<Relay> {
        let host = self.take("RELAY_HOST", value::relay_host);
        let user = self.take("RELAY_USER", value::line);
        let password = self.take("RELAY_PASSWORD", |text| value::line(text).map(Secret::new));
        let tls = self.or("RELAY_TLS", value::relay_tls, "encrypt".to_owned());
        if !self.set.contains_key("RELAY_HOST") && (user.is_some() || password.is_some()) {
            let place = self.origin(if user.is_some() { "RELAY_USER" } else { "RELAY_PASSWORD" });
            let remedy = Some("set RELAY_HOST, or remove RELAY_USER and RELAY_PASSWORD".to_owned());
            self.fault(place, "a relay login is set, but no RELAY_HOST", remedy);
        }
        if user.is_some() != password.is_some() && !self.set.contains_key("RELAY_PASSWORD_FILE") {
            let (have, lack) = if user.is_some() {
                ("RELAY_USER", "RELAY_PASSWORD")
            } else {
                ("RELAY_PASSWORD", "RELAY_USER")
            };
            self.fault(
                self.origin(have),
                format!("{have} is set, but not {lack}"),
                Some(format!("set {lack}")),
            );
        }
        if user.as_ref().is_some_and(|user| user.contains(':')) {
            let remedy = Some("ask the provider for a login without one".to_owned());
            self.fault(
                self.origin("RELAY_USER"),
                "RELAY_USER holds a colon, which Postfix reads as the end of the login",
                remedy,
            );
        }
        host.map(|host| Relay { host, user, password, tls })
    }

    fn webhook(&mut self) -> Option<Webhook> {
        let url = self.take("ALERT_WEBHOOK", value::https_url).map(Secret::new);
        let networks = self.or("ALERT_WEBHOOK_NETWORKS", value::networks, Vec::new());
        url.map(|url| Webhook { url, networks })
    }

    fn raw_tables(&self) -> Raw {
        let of = |table: &str| -> BTreeMap<String, String> {
            let entries = self.raw.iter().filter(|((owner, _), _)| *owner == table);
            entries.map(|((_, name), word)| (name.clone(), word.text.clone())).collect()
        };
        Raw { main: of("postfix.main"), master: of("postfix.master"), transport: of("postfix.transport") }
    }

    /// Every value as `config show` shows it.
    fn shown(&self) -> Vec<Shown> {
        let keys = KEYS.iter().map(|key| {
            let text = self.text(key.name);
            let text = if key.secret && !text.is_empty() { "(hidden)" } else { text };
            Shown { key: key.name.to_owned(), value: text.to_owned(), origin: self.origin(key.name) }
        });
        // `smtp_sasl_password_maps = static:user:password` is a secret in Postfix's own words.
        let told =
            |name: &str, text: &str| if name.contains("password") { "(hidden)" } else { text }.to_owned();
        let raw = self.raw.iter().map(|((table, name), word)| Shown {
            key: format!("{table}.{name}"),
            value: told(name, &word.text),
            origin: word.origin.clone(),
        });
        keys.chain(raw).collect()
    }
}

/// The key that names a file with a secret in it.
fn file_of(key: &Key) -> String {
    format!("{}_FILE", key.name)
}
