//! Postfix: the doors and the queue.

mod main_cf;
mod master_cf;

use super::{ConfigFile, Facts, Fault, template::Templates, tls};
use crate::{
    mail::{dkim::Algorithm, rights::Restriction},
    settings::{Raw, Relay, Settings},
};
use serde::Serialize;

/// What `main.cf` sees.
#[derive(Serialize)]
struct Main<'a> {
    hostname: &'a str,
    domain: &'a str,
    protocols: &'static str,
    networks: Vec<String>,
    message_size_limit: u64,
    /// Whether trusted networks may send to other servers, and whether users may.
    network_relays: bool,
    login_relays: bool,
    /// Users send as their own addresses: Postfix can tell at MAIL FROM. mailctld tells everything else at RCPT.
    own_senders: bool,
    transports: bool,
    /// Strangers' mail ends here. With raw settings of this kind it may go on to a server that reads local parts
    /// as ways to elsewhere: then Postfix must refuse those.
    local_only: bool,
    ciphers: &'static [&'static str],
    curves: &'static [&'static str],
    certificate: tls::Host,
    /// Some domains have a certificate of their own.
    sni: bool,
    relay: Option<Next<'a>>,
    /// A second OpenDKIM signs with Ed25519.
    ed25519: bool,
}

#[derive(Serialize)]
struct Next<'a> {
    host: &'a str,
    tls: &'a str,
    /// DANE needs answers that the resolver has validated.
    dnssec: bool,
    login: bool,
}

/// What `master.cf` sees: the doors for users.
#[derive(Serialize)]
struct Master {
    doors: [Door; 2],
}

#[derive(Serialize)]
struct Door {
    service: &'static str,
    wrapped: bool,
}

#[derive(Serialize)]
struct Headers<'a> {
    hostname: &'a str,
    hostname_pattern: String,
}

#[derive(Serialize)]
struct Login<'a> {
    host: &'a str,
    user: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct Sni {
    names: Vec<tls::Name>,
}

#[derive(Serialize)]
struct Routes<'a> {
    routes: Vec<(&'a str, &'a str)>,
}

/// Its files, with the operator's raw settings over what the templates say.
pub(super) fn render(
    settings: &Settings,
    facts: &Facts,
    templates: &Templates,
) -> Result<Vec<ConfigFile>, Fault> {
    let raw = &settings.raw;
    let main = templates.render("postfix/main.cf", &main(settings, facts))?;
    let doors =
        [Door { service: "submission", wrapped: false }, Door { service: "submissions", wrapped: true }];
    let master = templates.render("postfix/master.cf", &Master { doors })?;
    let hostname = settings.hostname.as_str();
    let headers = Headers { hostname, hostname_pattern: hostname.replace('.', "\\.") };
    let mut files = vec![
        ConfigFile::public("postfix/main.cf", main_cf::overridden(&main, &raw.main)),
        ConfigFile::public("postfix/master.cf", master_cf::overridden(&master, &raw.master)?),
        ConfigFile::public(
            "postfix/submission_headers",
            templates.render("postfix/submission_headers", &headers)?,
        ),
        ConfigFile::public(
            "postfix/incoming_headers",
            templates.render("postfix/incoming_headers", &headers)?,
        ),
    ];
    if let Some(login) = settings.relay.as_ref().and_then(login) {
        files.push(ConfigFile::secret(
            "postfix/sasl_passwd",
            templates.render("postfix/sasl_passwd", &login)?,
        ));
    }
    if !facts.certificates.domains.is_empty() {
        let sni = Sni { names: tls::names(&settings.hostname, &facts.certificates) };
        files.push(ConfigFile::public("postfix/sni", templates.render("postfix/sni", &sni)?));
    }
    if !raw.transport.is_empty() {
        let routes = raw.transport.iter().map(|(to, route)| (to.as_str(), route.as_str())).collect();
        files.push(ConfigFile::public(
            "postfix/transport",
            templates.render("postfix/transport", &Routes { routes })?,
        ));
    }
    Ok(files)
}

/// Whether none of the operator's own words can let mail of strangers go on to another server as it came. What
/// he may have said in his own templates and entries is not understood here, so any of those counts.
fn local_only(raw: &Raw, overrides: &[(String, String)]) -> bool {
    const WAYS: &[&str] = &[
        "content_filter",
        "mydestination",
        "relay_",
        "smtpd_proxy_",
        "_checks",
        "_maps",
        "_restrictions",
        "_transport",
        "virtual_",
    ];
    let leads_on = |name: &String| WAYS.iter().any(|way| name.contains(way));
    let own =
        |(name, _): &(String, String)| ["postfix/main.cf", "postfix/master.cf"].contains(&name.as_str());
    raw.transport.is_empty()
        && raw.master.is_empty()
        && !raw.main.keys().any(leads_on)
        && !overrides.iter().any(own)
}

fn main<'a>(settings: &'a Settings, facts: &Facts) -> Main<'a> {
    Main {
        hostname: settings.hostname.as_str(),
        domain: settings.domain.as_str(),
        protocols: if settings.network.subnet6.is_some() { "all" } else { "ipv4" },
        networks: settings.trusted.to_postfix(),
        message_size_limit: settings.message_size_limit,
        network_relays: settings.relay_mode.network(),
        login_relays: settings.relay_mode.login(),
        own_senders: settings.sender_restrictions == Restriction::Email,
        transports: !settings.raw.transport.is_empty(),
        local_only: local_only(&settings.raw, &facts.overrides),
        ciphers: tls::CIPHERS,
        curves: tls::CURVES,
        certificate: tls::host(&facts.certificates),
        sni: !facts.certificates.domains.is_empty(),
        relay: settings.relay.as_ref().map(|relay| Next {
            host: &relay.host,
            tls: &relay.tls,
            dnssec: relay.tls.starts_with("dane"),
            login: login(relay).is_some(),
        }),
        ed25519: facts.sign_with(Algorithm::Ed25519),
    }
}

fn login(relay: &Relay) -> Option<Login<'_>> {
    let (user, password) = (relay.user.as_deref()?, relay.password.as_ref()?);
    Some(Login { host: &relay.host, user, password: password.reveal() })
}
