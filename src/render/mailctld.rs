//! Our own daemon: what the directory does not hold, and the pages that it serves.

use super::{ConfigFile, Fault, ids, template::Templates};
use crate::{
    mail::policy::Rules,
    settings::{BruteForce, Settings},
};
use serde::Serialize;

/// Where mailctld tells how it does, in its container.
pub const STATUS_PORT: u16 = 9154;

/// Where other hosts' Postfix asks it, in its container.
pub const POLICY_PORT: u16 = 9155;

/// What its template sees.
#[derive(Serialize)]
struct Context<'a> {
    hostname: &'a str,
    admin: String,
    domains: Vec<&'a str>,
    sender_restrictions: String,
    group: u32,
    any: &'static str,
    tell: bool,
    web: bool,
    policy_tcp: Option<String>,
    policy_proxies: Vec<String>,
    status: String,
    dovecot: u32,
    brute_force: &'a BruteForce,
    spared: Vec<String>,
    trusted: String,
    policies: &'a Rules,
    dnsbl: Vec<String>,
    resolver: Option<String>,
}

/// What the pages for mail programs see.
#[derive(Serialize)]
struct Client<'a> {
    hostname: &'a str,
    imap: bool,
    pop3: bool,
    ports: Ports,
}

/// As mail programs reach them. Where the engine picks one, the usual: there, something in front must lead from it.
#[derive(Serialize)]
struct Ports {
    imaps: u16,
    imap: u16,
    pop3s: u16,
    pop3: u16,
    submissions: u16,
    submission: u16,
}

/// Its files.
pub(super) fn render(settings: &Settings, templates: &Templates) -> Result<Vec<ConfigFile>, Fault> {
    // One socket for both, where there are both.
    let any = if settings.network.subnet6.is_some() { "[::]" } else { "0.0.0.0" };
    let told = if settings.web.metrics.is_some() { any } else { "127.0.0.1" };
    let context = Context {
        hostname: settings.hostname.as_str(),
        admin: settings.admin.to_string(),
        domains: settings.domains().map(|domain| domain.as_str()).collect(),
        sender_restrictions: settings.sender_restrictions.to_string(),
        group: ids::POSTFIX,
        any,
        tell: settings.forward_tell,
        web: settings.web.enabled,
        policy_tcp: settings.policy_door.listen.map(|_| format!("{any}:{POLICY_PORT}")),
        policy_proxies: settings.policy_door.proxies.iter().map(ToString::to_string).collect(),
        status: format!("{told}:{STATUS_PORT}"),
        dovecot: ids::DOVECOT,
        brute_force: &settings.brute_force,
        spared: spared(settings),
        trusted: settings.trusted.to_postfix().join(" "),
        policies: &settings.policies,
        dnsbl: settings.dnsbl.iter().map(ToString::to_string).collect(),
        // A resolver on this host's loopback is not there in a container; the engine leads to it from there.
        resolver: settings.dns.resolver.filter(|at| !at.ip().is_loopback()).map(|at| at.to_string()),
    };
    let name = "mailctld/daemon.toml";
    let mut files = vec![ConfigFile::public(name, templates.render(name, &context)?)];
    if let Some(policy) = settings.policy() {
        files.push(ConfigFile::public("mailctld/mta-sts.txt", policy.text()));
        let client = client(settings);
        for name in ["mailctld/autoconfig.xml", "mailctld/autodiscover.xml", "mailctld/profile.mobileconfig"]
        {
            files.push(ConfigFile::public(name, templates.render(name, &client)?));
        }
    }
    Ok(files)
}

/// In Postfix's form, with `!` for what is left out; the first match counts.
fn spared(settings: &Settings) -> Vec<String> {
    let ignored = settings.brute_force.ignore.iter().map(ToString::to_string);
    ignored.chain(settings.trusted.to_postfix()).collect()
}

fn client(settings: &Settings) -> Client<'_> {
    let or = |port: u16, usual: u16| if port == 0 { usual } else { port };
    let ports = settings.ports;
    Client {
        hostname: settings.hostname.as_str(),
        imap: settings.protocols.imap,
        pop3: settings.protocols.pop3,
        ports: Ports {
            imaps: or(ports.imaps, 993),
            imap: or(ports.imap, 143),
            pop3s: or(ports.pop3s, 995),
            pop3: or(ports.pop3, 110),
            submissions: or(ports.submissions, 465),
            submission: or(ports.submission, 587),
        },
    }
}
