//! Which records there should be.

use super::{Need, Record, txt};
use crate::mail::{
    address::Domain,
    dkim,
    dmarc::organisation,
    dns::{Data, Name},
    mta_sts::Mode,
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
    let greeting = txt(&spf_of_greeting(wishes));
    records.push(record(host.clone(), greeting, Need::Recommended, "SPF of the server's own greeting"));
    if let Ok(name) = host.child("_25._tcp") {
        // One for each key that a client may meet.
        let dane = "DANE: the server's key; only where the zone is signed";
        let tlsa = |spki: &[u8; 32]| Data::Tlsa { usage: 3, selector: 1, matching: 1, data: spki.to_vec() };
        let keys = server.spki.iter().map(tlsa);
        records.extend(keys.map(|data| record(name.clone(), data, Need::Optional, dane)));
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
    records.extend(reports_welcome(served, wishes));
    let mut add = |label: &str, data: Data, need, purpose| {
        let name = zone.child(label);
        records.extend(name.map(|name| Record { name, data, ttl: wishes.ttl, need, purpose }));
    };
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
    if let Some(policy) = &server.policy {
        let here = || Data::Cname(Name::from(&server.host));
        for label in SETUP {
            add(label, here(), Need::Recommended, "mail programs ask there for their settings");
        }
        if policy.mode != Mode::None {
            add("mta-sts", here(), Need::Recommended, "MTA-STS: where the policy is");
            let purpose = "MTA-STS: that there is a policy, and which";
            add("_mta-sts", txt(&policy.record()), Need::Recommended, purpose);
        }
    }
    records
}

/// What a domain says that takes the DMARC reports of another (RFC 7489 §7.1).
pub const REPORTS_WELCOME: &str = "v=DMARC1";

/// Where the reports go to another organisation's domain, that one has to say that it takes them.
fn reports_welcome(served: &Served, wishes: &Wishes) -> Option<Record> {
    let there = wishes.reports.as_ref()?.domain();
    if organisation(there.as_str()) == organisation(served.domain.as_str()) {
        return None;
    }
    let name = Name::parse(&format!("{}._report._dmarc.{there}", served.domain)).ok()?;
    let purpose = "DMARC: the domain that gets the reports takes them";
    Some(Record { name, data: txt(REPORTS_WELCOME), ttl: wishes.ttl, need: Need::Recommended, purpose })
}

/// Names under which mail programs ask for their settings: Thunderbird and its like, Outlook.
pub const SETUP: [&str; 2] = ["autoconfig", "autodiscover"];

/// The DMARC policy of a domain.
pub fn dmarc(domain: &Domain, wishes: &Wishes) -> String {
    format!("v=DMARC1; p={}; rua=mailto:{}", wishes.dmarc_policy, reports(domain, wishes))
}

/// Where reports about TLS towards a domain go (RFC 8460 §3).
pub fn tls_reports(domain: &Domain, wishes: &Wishes) -> String {
    format!("v=TLSRPTv1; rua=mailto:{}", reports(domain, wishes))
}

/// SPF of the host's own name: the address that greets is that of the name.
pub fn spf_of_greeting(wishes: &Wishes) -> String {
    format!("v=spf1 a {}", wishes.spf_all)
}

/// A term of SPF that names one address.
pub fn address_term(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("ip4:{v4}"),
        IpAddr::V6(v6) => format!("ip6:{v6}"),
    }
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
        return address_term(address);
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
