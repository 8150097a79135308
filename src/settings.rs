//! `settings.env` + `mailctl.toml` + the environment become [`Settings`], every value with its origin.
//!
//! Only this room interprets configuration text. It never touches the disk: text comes in, values go out.

mod acme;
mod brute_force;
mod check;
mod env_file;
pub mod example;
pub mod keys;
pub mod near;
mod policies;
mod settle;
pub mod source;
mod toml_file;
pub mod trust;
pub mod value;

pub use acme::{Acme, Challenge, External, LETS_ENCRYPT};
pub use brute_force::BruteForce;

use crate::mail::{
    address::{Address, Domain, Selector},
    cert::Source,
    check::Blocklist,
    dnsbl::Zone,
    mta_sts::{Mode, Policy},
    policy::Rules,
    record::Wishes,
    relay::RelayMode,
    rights::Restriction,
};
use source::{Fault, Origin, Sources, Words};
use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
};
use trust::Trust;

/// Reads all sources at once; for those that have no secret file to open on the way.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, Vec<Fault>> {
    Words::gather(sources).settle()
}

/// The settings, where each value comes from, and what works but should not stay so.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub settings: Settings,
    /// Every value with its origin, in the order of the table.
    pub origins: Vec<Shown>,
    /// One line each.
    pub warnings: Vec<String>,
}

/// One value as it may be shown: secrets are hidden.
#[derive(Clone, Debug)]
pub struct Shown {
    /// `DOMAIN`, `ports.smtp`, `postfix.main.smtpd_banner`.
    pub key: String,
    /// As written; "" = nothing.
    pub value: String,
    /// Where it was decided.
    pub origin: Origin,
}

/// A value that must never be shown: it prints as `(hidden)` everywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that must write it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Everything the operator decides, parsed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `DOMAIN`: the first served domain.
    pub domain: Domain,
    /// `HOSTNAME`: the server's own name (EHLO, certificate). Never a served domain.
    pub hostname: Domain,
    /// `ADMIN_EMAIL`: mailbox that gets mail for the role addresses.
    pub admin: Address,
    /// `ADDITIONAL_DOMAINS`: further served domains.
    pub additional_domains: Vec<Domain>,
    /// `DKIM_SELECTOR`: selector for new keys; `None` = dated (`mYYYYMM`).
    pub dkim_selector: Option<Selector>,
    /// `TRUSTED_NETWORKS`: clients that may relay without login.
    pub trusted: Trust,
    /// `SENDER_RESTRICTIONS`: what users may send as.
    pub sender_restrictions: Restriction,
    /// `RELAY_MODE`: who may send to other servers.
    pub relay_mode: RelayMode,
    /// `MESSAGE_SIZE_LIMIT`: octets.
    pub message_size_limit: u64,
    /// `MAILBOX_SIZE_LIMIT`: octets; 0 = none.
    pub mailbox_size_limit: u64,
    /// `ENABLE_*`: what Dovecot serves.
    pub protocols: Protocols,
    /// `ENABLE_WEB`, `[mta_sts]`, `[metrics]`: what mailctld serves beside mail.
    pub web: Web,
    /// `RELAY_HOST` and friends: where all outgoing mail goes instead of the recipients' MX.
    pub relay: Option<Relay>,
    /// `UPDATE_CHECK`, `UPDATE_INTERVAL`: seconds that one look for newer packages holds; `None` = nobody asks.
    pub update_interval: Option<u64>,
    /// `TLS_CERT_DIR`, `TLS_CERT_FILE` with `TLS_KEY_FILE`, or `TLS_CERT_PEM` with `TLS_KEY_PEM`: where the server's
    /// certificate is looked for; `None` = mailctl gets it itself, or it is brought in by hand.
    pub certificate: Option<Source>,
    /// `ALERT_WEBHOOK`: who else gets alerts.
    pub webhook: Option<Webhook>,
    /// `CERTIFICATES`, `[acme]`: who issues certificates; `None` = nobody.
    pub acme: Option<Acme>,
    /// `TZ`: zone of the log lines.
    pub timezone: String,
    /// `[ports]`.
    pub ports: Ports,
    /// `[network]`.
    pub network: Network,
    /// `[limits]`: per container.
    pub limits: Limits,
    /// `[dns]`.
    pub dns: Dns,
    /// `[brute_force]`.
    pub brute_force: BruteForce,
    /// `[rates]`, `[greylist]`: what may pass.
    pub policies: Rules,
    /// Blocklists in DNS that are asked about strangers.
    pub dnsbl: Vec<Zone>,
    /// `forward.tell`: whether forwarded messages say so.
    pub forward_tell: bool,
    /// `forward.targets`: to how many addresses a new forward may lead.
    pub forward_targets: u32,
    /// `[policy]`: where other hosts' Postfix asks the policies.
    pub policy_door: PolicyDoor,
    /// `[postfix.main]`, `[postfix.master]`, `[postfix.transport]`: raw, wins over what is rendered.
    pub raw: Raw,
}

impl Settings {
    /// The domains that the settings serve, first `DOMAIN`.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        std::iter::once(&self.domain).chain(&self.additional_domains)
    }

    /// The MTA-STS policy of every served domain; `None` where there is no web server for it.
    pub fn policy(&self) -> Option<Policy> {
        let hosts = vec![self.hostname.to_string()];
        let (mode, max_age) = (self.web.mta_sts, self.web.mta_sts_age);
        self.web.enabled.then_some(Policy { mode, hosts, max_age })
    }
}

/// Which protocols Dovecot serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// 143 and 993.
    pub imap: bool,
    /// 110 and 995.
    pub pop3: bool,
    /// 4190.
    pub managesieve: bool,
}

/// What mailctld serves over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Web {
    /// 80 and 443 at all.
    pub enabled: bool,
    /// Where on this host metrics can be read; `None` = nowhere.
    pub metrics: Option<SocketAddr>,
    /// Of the MTA-STS policy.
    pub mta_sts: Mode,
    /// Seconds for which the policy is kept.
    pub mta_sts_age: u32,
}

/// Where other hosts' Postfix asks the policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDoor {
    /// On this host; `None` = nowhere.
    pub listen: Option<SocketAddr>,
    /// Who connects there with PROXY headers; with none, Postfix servers connect themselves.
    pub proxies: Vec<ipnet::IpNet>,
}

/// The next hop for all outgoing mail.
#[derive(Clone, Debug)]
pub struct Relay {
    /// `[host]:port` or `host:port`, as Postfix's `relayhost`.
    pub host: String,
    /// Login at the relay.
    pub user: Option<String>,
    /// Password at the relay.
    pub password: Option<Secret>,
    /// Postfix's `smtp_tls_security_level` towards it: `none`, `may`, `encrypt`, `verify`, `secure`, `dane`.
    pub tls: String,
}

/// Where alerts are posted.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// An `https://` URL.
    pub url: Secret,
    /// Networks of special addresses that it may be in all the same.
    pub networks: Vec<ipnet::IpNet>,
}

/// Published host ports; 0 = any free one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// 25.
    pub smtp: u16,
    /// 465.
    pub submissions: u16,
    /// 587.
    pub submission: u16,
    /// 143.
    pub imap: u16,
    /// 993.
    pub imaps: u16,
    /// 110.
    pub pop3: u16,
    /// 995.
    pub pop3s: u16,
    /// 4190.
    pub managesieve: u16,
    /// 80.
    pub http: u16,
    /// 443.
    pub https: u16,
}

/// The stack's own bridge network and what it publishes on.
#[derive(Clone, Debug)]
pub struct Network {
    /// Host address that ports are published on; default `0.0.0.0`.
    pub listen: IpAddr,
    /// Fixed IPv4 subnet; `None` = the engine picks one.
    pub subnet: Option<ipnet::Ipv4Net>,
    /// IPv6 subnet; `None` = no IPv6 in the containers, and then none is published.
    pub subnet6: Option<ipnet::Ipv6Net>,
    /// Octets that a packet may have; `None` = what the host's way out takes.
    pub mtu: Option<u32>,
}

/// Limits of each container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets.
    pub memory: u64,
    /// Thousandths of a processor.
    pub millicpus: u32,
    /// Processes and threads.
    pub pids: u32,
}

/// What DNS should say of this server.
#[derive(Clone, Debug)]
pub struct Dns {
    /// Addresses under which others reach it; empty = those that this host uses.
    pub addresses: Vec<IpAddr>,
    /// What the records of its domains say.
    pub wishes: Wishes,
    /// Asked about addresses and domains by `mailctl dns-check`.
    pub blocklists: Vec<Blocklist>,
    /// Who is asked; `None` = as `/etc/resolv.conf` has it.
    pub resolver: Option<SocketAddr>,
    /// The file with the keys that DNSSEC begins at; `None` = the Internet's.
    pub trust_anchor_file: Option<String>,
    /// Who takes changes; `None` = whom the zone's SOA names.
    pub update_server: Option<SocketAddr>,
    /// The file with the key that signs changes.
    pub update_key_file: Option<String>,
}

/// Raw Postfix settings in the operator's own words.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// `parameter = value` of `main.cf`.
    pub main: BTreeMap<String, String>,
    /// `service/type` = the rest of a `master.cf` entry, or `service/type/parameter` = value.
    pub master: BTreeMap<String, String>,
    /// `pattern` = `transport:nexthop`.
    pub transport: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests;
