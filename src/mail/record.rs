//! The DNS records that a domain needs so that others deliver to it and believe its mail.

use super::{
    address::{Domain, Selector},
    dkim,
};
use std::fmt;

/// One record to publish.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Record {
    /// Owner name, without the final dot.
    pub name: String,
    /// `MX`, `TXT`.
    pub kind: &'static str,
    /// Its value in one piece.
    pub value: String,
    /// What it is for.
    pub purpose: &'static str,
    /// As a line of a zone file.
    pub zone: String,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.zone)
    }
}

/// The records of `domain`, served by `host`, signed by `key`.
pub fn wanted(domain: &Domain, host: &Domain, key: Option<(&Selector, &dkim::Record)>) -> Vec<Record> {
    let txt = |name: String, value: String, purpose| Record {
        zone: format!("{name}. IN TXT \"{value}\""),
        name,
        kind: "TXT",
        value,
        purpose,
    };
    let mut records = vec![
        Record {
            name: domain.to_string(),
            kind: "MX",
            value: format!("10 {host}."),
            purpose: "mail for the domain comes to this server",
            zone: format!("{domain}. IN MX 10 {host}."),
        },
        // RFC 7208: whoever takes the domain's mail may send it; everybody else may not.
        txt(domain.to_string(), "v=spf1 mx -all".into(), "SPF: this server may send for the domain"),
    ];
    if let Some((selector, record)) = key {
        records.push(Record {
            name: dkim::Record::name(domain, selector),
            kind: "TXT",
            value: record.text(),
            purpose: "DKIM: the key that signs the domain's mail",
            zone: record.zone(domain, selector),
        });
    }
    // RFC 7489: reports come to a role address, which is always deliverable here.
    let policy = format!("v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}");
    records.push(txt(format!("_dmarc.{domain}"), policy, "DMARC: what to do with mail that is neither"));
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_a_line_of_a_zone() {
        let (domain, host) =
            (Domain::parse("example.org").unwrap(), Domain::parse("mail.example.net").unwrap());
        let key = dkim::Record { algorithm: dkim::Algorithm::Ed25519, public: vec![0; 32] };
        let selector = Selector::parse("m202611").unwrap();
        let lines: Vec<String> =
            wanted(&domain, &host, Some((&selector, &key))).iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], "example.org. IN MX 10 mail.example.net.");
        assert!(
            lines[2].starts_with("m202611._domainkey.example.org. IN TXT ( \"v=DKIM1; k=ed25519; p=AAAA")
        );
        assert!(lines[3].starts_with("_dmarc.example.org. IN TXT \"v=DMARC1;"));
        assert_eq!(wanted(&domain, &host, None).len(), 3);
    }
}
