//! A and AAAA of the host name: whether they lead to this server.

use super::{
    Code, Findings, Options, codes,
    reach::{Reach, is_private, list, reach},
    unanswered,
};
use crate::mail::{
    dns::{Data, Entry, Inquiry, Kind, Name},
    finding::{Finding, Verdict},
    server::Server,
};
use std::net::IpAddr;

/// Judges the addresses of the host name.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, _options: &Options) -> Findings {
    let host = Name::from(&server.host);
    let found = reach(inquiry, &host)?;
    let mut findings = Vec::new();
    if let Some((question, why)) = &found.silent {
        findings.push(unanswered(&codes::ADDRESS_UNCHECKED, &host, question, why));
        if found.addresses.is_empty() {
            return Some(findings);
        }
    }
    let case = Case { server, host: &host, found: &found };
    if let Some(real) = found.aliases.last() {
        findings.push(
            case.told(&codes::ADDRESS_ALIAS, format!("{host} is a CNAME; the target of an MX must not be"))
                .found(format!("{host}. IN CNAME {real}."))
                .remedy(format!("replace the CNAME at {host} by A (and AAAA) records")),
        );
    }
    if found.addresses.is_empty() {
        findings.push(case.missing());
    } else if server.addresses.is_empty() {
        findings.extend(case.private());
        if findings.is_empty() {
            let summary = format!("{host} has {}; nothing to compare with", list(&found.addresses));
            let finding = case.told(&codes::ADDRESS_ASSUMED, summary);
            findings.push(finding.remedy("set dns.addresses in mailctl.toml, and they are compared"));
        }
    } else {
        findings.extend(case.private());
        findings.extend(case.compared());
    }
    if findings.iter().all(|finding| finding.verdict == Verdict::Ok) && !server.addresses.is_empty() {
        findings.push(case.told(&codes::ADDRESS_OK, format!("{host} leads to this server")));
    }
    Some(findings)
}

/// The record of an address.
pub(super) fn entry(name: &Name, address: IpAddr) -> Entry {
    match address {
        IpAddr::V4(v4) => Entry::new(name, Data::A(v4)),
        IpAddr::V6(v6) => Entry::new(name, Data::Aaaa(v6)),
    }
}

struct Case<'a> {
    server: &'a Server,
    host: &'a Name,
    found: &'a Reach<'a>,
}

impl Case<'_> {
    fn told(&self, code: &Code, summary: impl Into<String>) -> Finding {
        let finding = code.of(self.host, summary);
        self.found.addresses.iter().fold(finding, |finding, one| finding.found(entry(self.host, *one)))
    }

    /// With all addresses of this server to publish.
    fn publish(&self, finding: Finding) -> Finding {
        self.server.addresses.iter().fold(finding, |finding, one| finding.publish(entry(self.host, *one)))
    }

    fn missing(&self) -> Finding {
        let finding = self.told(&codes::ADDRESS_MISSING, format!("{} has no address", self.host));
        let finding = finding.found(format!("neither A nor AAAA at {}", self.host));
        if self.server.addresses.is_empty() {
            let remedy =
                format!("publish an A record at {} with the public address of this server", self.host);
            return finding.expected(format!("{}. IN A ADDRESS", self.host)).remedy(remedy);
        }
        self.publish(finding.remedy(format!("publish the records at {}", self.host)))
    }

    fn private(&self) -> Option<Finding> {
        let ours = &self.server.addresses;
        let private = self.found.addresses.iter().filter(|one| is_private(**one) && !ours.contains(one));
        let private = list(private);
        if private.is_empty() {
            return None;
        }
        let finding =
            self.told(&codes::ADDRESS_PRIVATE, format!("{private} cannot be reached from the Internet"));
        Some(
            self.publish(finding.remedy(format!("replace {private} at {} by the public address", self.host))),
        )
    }

    /// With the addresses that are known to be ours.
    fn compared(&self) -> Vec<Finding> {
        let ours = &self.server.addresses;
        let mut findings = Vec::new();
        let foreign = self.found.addresses.iter().filter(|one| !ours.contains(one) && !is_private(**one));
        let (six, other): (Vec<&IpAddr>, Vec<&IpAddr>) =
            foreign.partition(|one| one.is_ipv6() && !ours.iter().any(IpAddr::is_ipv6));
        if !other.is_empty() {
            let other = list(other);
            let finding =
                self.told(&codes::ADDRESS_OTHER, format!("{other} is not an address of this server"));
            findings.push(self.publish(finding.remedy(format!(
                "remove {other} at {}; or, if it is this server's, name it in dns.addresses in mailctl.toml",
                self.host
            ))));
        }
        if !six.is_empty() {
            let six = list(six);
            let finding =
                self.told(&codes::ADDRESS_SIX, format!("{six} is published, and this server has no IPv6"));
            findings.push(finding.expected("no AAAA record").remedy(format!(
                "remove the AAAA record at {}; or give the server IPv6 and name it in dns.addresses in mailctl.toml",
                self.host
            )));
        }
        let silent = self.found.silent.as_ref().map(|(question, _)| question.kind);
        let missing = ours.iter().filter(|one| {
            let kind = if one.is_ipv4() { Kind::A } else { Kind::Aaaa };
            !self.found.addresses.contains(one) && silent != Some(kind)
        });
        let missing: Vec<&IpAddr> = missing.collect();
        if !missing.is_empty() {
            let summary = format!("{} is not in DNS", list(&missing));
            let finding = self.told(&codes::ADDRESS_INCOMPLETE, summary);
            let finding =
                missing.iter().fold(finding, |finding, one| finding.publish(entry(self.host, **one)));
            findings.push(finding.remedy(format!("publish it at {}", self.host)));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    const FOUR: &str = "mail.example.org A 192.0.2.25";
    const SIX: &str = "mail.example.org AAAA 2001:db8::25";

    /// Proves: S4-10, S4-11 (host A = public IP), S2-28, S4-32 (IPv6 as well).
    #[test]
    fn each_form_of_address_is_told_apart() {
        let both = format!("{FOUR}\n{SIX}");
        for (zone, codes) in [
            (both.clone(), &["dns.address.ok"][..]),
            (String::new(), &["dns.address.missing"]),
            (FOUR.to_owned(), &["dns.address.incomplete"]),
            (format!("{both}\nmail.example.org A 198.51.100.9"), &["dns.address.other"]),
            (
                format!("{SIX}\nmail.example.org A 198.51.100.9"),
                &["dns.address.other", "dns.address.incomplete"],
            ),
            (format!("{both}\nmail.example.org A 10.0.0.5"), &["dns.address.private"]),
            (
                "mail.example.org CNAME h.net\nh.net A 192.0.2.25\nh.net AAAA 2001:db8::25".to_owned(),
                &["dns.address.alias"],
            ),
            (
                "mail.example.org A !timeout\nmail.example.org AAAA !timeout".to_owned(),
                &["dns.address.unchecked"],
            ),
            (format!("{FOUR}\nmail.example.org AAAA !servfail"), &["dns.address.unchecked"]),
            ("mail.example.org A !refused".to_owned(), &["dns.address.unchecked"]),
        ] {
            assert_eq!(host_codes(judge, &zone), codes, "{zone}");
        }
    }

    #[test]
    fn ipv6_that_the_server_does_not_have() {
        let server = Server { addresses: vec!["192.0.2.25".parse().unwrap()], ..server() };
        let zone = format!("{FOUR}\n{SIX}");
        let findings = settled(&zone, |inquiry| judge(inquiry, &server, &Options::default()));
        assert_eq!(told(&findings), ["dns.address.six"]);
    }

    /// Proves: issue 4: the address is found from what the name says where nothing else tells; never from others.
    #[test]
    fn without_an_address_of_its_own_the_name_is_believed() {
        let server = Server { addresses: Vec::new(), ..server() };
        let look = |zone: &str| told(&settled(zone, |inquiry| judge(inquiry, &server, &Options::default())));
        assert_eq!(look(FOUR), ["dns.address.assumed"]);
        assert_eq!(look("mail.example.org A 192.168.1.2"), ["dns.address.private"]);
        assert_eq!(look(""), ["dns.address.missing"]);
    }
}
