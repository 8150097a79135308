//! Which records there should be.

use super::{Need, Record, txt};
use crate::mail::{
    address::Domain,
    dkim,
    dns::{Data, Name},
    server::{Key, Served, Server, Services, Stage},
};
use std::net::IpAddr;

/// What the operator decides about the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Seconds for which others may keep them.
    pub ttl: u32,
    /// What SPF says of everybody else: `-all` or `~all` (RFC 7208 §8.4, §8.5).
    pub spf_all: String,
    /// `none`, `quarantine` or `reject` (RFC 7489 §6.3).
    pub dmarc_policy: String,
    /// Where DMARC and TLS reports go; `None` = to the postmaster of the domain.
    pub reports: Option<crate::mail::address::Address>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { ttl: 3600, spf_all: "-all".to_owned(), dmarc_policy: "quarantine".to_owned(), reports: None }
    }
}

/// The records of the host itself. That of its reverse name is set where the addresses come from, not in a zone
/// of one's own, and stands last.
pub fn for_host(server: &Server, wishes: &Wishes) -> Vec<Record> {
    let host = Name::from(&server.host);
    let record = |name: Name, data, need, purpose| Record { name, data, ttl: wishes.ttl, need, purpose };
    let mut records: Vec<Record> = server
        .addresses
        .iter()
        .map(|address| {
            let data = match address {
                IpAddr::V4(v4) => Data::A(*v4),
                IpAddr::V6(v6) => Data::Aaaa(*v6),
            };
            record(host.clone(), data, Need::Required, "the server's address")
        })
        .collect();
    // RFC 7208 §2.3: bounces have no sender but the name in the greeting.
    let greeting = txt(&format!("v=spf1 a {}", wishes.spf_all));
    records.push(record(host.clone(), greeting, Need::Recommended, "SPF of the server's own greeting"));
    if let (Some(spki), Ok(name)) = (server.spki, host.child("_25._tcp")) {
        let tlsa = Data::Tlsa { usage: 3, selector: 1, matching: 1, data: spki.to_vec() };
        records.push(record(
            name,
            tlsa,
            Need::Optional,
            "DANE: the server's key; only where the zone is signed",
        ));
    }
    for address in &server.addresses {
        let pointer = Data::Ptr(host.clone());
        records.push(record(
            Name::reverse(*address),
            pointer,
            Need::Required,
            "the address's name; set it where you rent the address",
        ));
    }
    records
}

/// The records of a domain that `server` serves.
pub fn for_domain(server: &Server, served: &Served, wishes: &Wishes) -> Vec<Record> {
    let zone = Name::from(&served.domain);
    let mut records = vec![Record {
        name: zone.clone(),
        data: Data::Mx { preference: 10, exchange: Name::from(&server.host) },
        ttl: wishes.ttl,
        need: Need::Required,
        purpose: "mail for the domain comes to this server",
    }];
    let mut add = |label: &str, data: Data, need, purpose| {
        let name = if label.is_empty() { Ok(zone.clone()) } else { zone.child(label) };
        // A domain so long that a label more does not fit cannot have such a record.
        records.extend(name.map(|name| Record { name, data, ttl: wishes.ttl, need, purpose }));
    };
    add("", txt(&spf(server, wishes)), Need::Required, "SPF: who may send for the domain");
    for key in &served.keys {
        if let Some((text, purpose)) = dkim(key) {
            add(&format!("{}._domainkey", key.selector), txt(&text), Need::Required, purpose);
        }
    }
    add(
        "_dmarc",
        txt(&dmarc(&served.domain, wishes)),
        Need::Required,
        "DMARC: what to do with mail that is neither",
    );
    add(
        "_smtp._tls",
        txt(&tls_reports(&served.domain, wishes)),
        Need::Recommended,
        "TLS-RPT: where others report broken TLS",
    );
    for (label, port) in services(&server.services) {
        let target = if port == 0 { Name::root() } else { Name::from(&server.host) };
        let data = Data::Srv { priority: 0, weight: u16::from(port != 0), port, target };
        let need = if port == 0 { Need::Optional } else { Need::Recommended };
        add(label, data, need, "mail programs find the server by themselves");
    }
    records
}

/// The DMARC policy of a domain.
pub fn dmarc(domain: &Domain, wishes: &Wishes) -> String {
    format!("v=DMARC1; p={}; rua=mailto:{}", wishes.dmarc_policy, reports(domain, wishes))
}

/// Where reports about TLS towards a domain go (RFC 8460 §3).
pub fn tls_reports(domain: &Domain, wishes: &Wishes) -> String {
    format!("v=TLSRPTv1; rua=mailto:{}", reports(domain, wishes))
}

/// By RFC 7208 §5: MX holds this server, and the relay where there is one sends for it.
pub fn spf(server: &Server, wishes: &Wishes) -> String {
    let relay = server.relay.as_deref().map(relay_term);
    let terms: Vec<&str> =
        ["v=spf1", "mx"].into_iter().chain(relay.as_deref()).chain([wishes.spf_all.as_str()]).collect();
    terms.join(" ")
}

/// What authorises a relay: for the big ones what they tell their customers to include, else its own name
/// (S2-26).
pub fn relay_term(relay: &str) -> String {
    let host = match relay.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or(literal),
        None => relay.split(':').next().unwrap_or(relay),
    };
    let host = host.to_ascii_lowercase();
    let host = host.strip_prefix("ipv6:").unwrap_or(&host).to_owned();
    if let Ok(address) = host.parse::<IpAddr>() {
        return if address.is_ipv4() { format!("ip4:{address}") } else { format!("ip6:{address}") };
    }
    let within = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    let include = [
        ("sendgrid.net", "sendgrid.net"),
        ("amazonaws.com", "amazonses.com"),
        ("gmail.com", "_spf.google.com"),
        ("google.com", "_spf.google.com"),
        ("office365.com", "spf.protection.outlook.com"),
        ("outlook.com", "spf.protection.outlook.com"),
        ("mailgun.org", "mailgun.org"),
        ("postmarkapp.com", "spf.mtasv.net"),
    ]
    .into_iter()
    .find(|(relay, _)| within(relay));
    include.map_or_else(|| format!("a:{host}"), |(_, domain)| format!("include:{domain}"))
}

fn dkim(key: &Key) -> Option<(String, &'static str)> {
    Some(match key.stage {
        Stage::Active => (key.record.text(), "DKIM: the key that signs the domain's mail"),
        Stage::Pending => (key.record.text(), "DKIM: the key that will sign next"),
        Stage::Leaving => (key.record.text(), "DKIM: the former key; its mail is still on the way"),
        Stage::Retired => (dkim::RETIRED.to_owned(), "DKIM: says that a former key is withdrawn"),
        Stage::Idle => return None,
    })
}

/// RFC 7489: the role address postmaster always works here.
fn reports(domain: &Domain, wishes: &Wishes) -> String {
    wishes.reports.as_ref().map_or_else(|| format!("postmaster@{domain}"), ToString::to_string)
}

/// SRV labels (RFC 6186 §3, RFC 8314 §5.1, RFC 5804 §1.3) with the port; 0 = not offered.
pub fn services(services: &Services) -> [(&'static str, u16); 7] {
    [
        ("_submissions._tcp", services.submissions),
        ("_submission._tcp", services.submission),
        ("_imaps._tcp", services.imaps),
        ("_imap._tcp", services.imap),
        ("_pop3s._tcp", services.pop3s),
        ("_pop3._tcp", services.pop3),
        ("_sieve._tcp", services.managesieve),
    ]
}

#[cfg(test)]
mod tests;
