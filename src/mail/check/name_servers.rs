//! The name servers of the zone: whether all answer for it, and alike (RFC 1912 §2.8, RFC 2182).

mod delegation;
mod everywhere;

use super::{
    Code, Findings, Options, codes,
    reach::{list, reach_all},
    unanswered, unchecked,
};
use crate::mail::{
    dmarc,
    dns::{Answer, Data, Inquiry, Kind, Name},
    finding::{Finding, Verdict},
    server::{Served, Server},
    zone::{self, Zone},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// Judges the name servers of the zone that a domain is in.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, served: &Served, options: &Options) -> Findings {
    let domain = Name::from(&served.domain);
    let zone = match zone::of(inquiry, &domain)? {
        Ok(zone) => zone,
        Err(why) => {
            let question = format!("the name servers of {domain}");
            return Some(vec![unchecked(&codes::NS_UNCHECKED, &domain, question, &why)]);
        }
    };
    // A domain that nobody registered is in the zone of its public suffix.
    if zone.apex.labels().count() < dmarc::organisation(domain.as_str()).split('.').count() {
        let summary = format!("{domain} is not delegated: it does not exist");
        let nearest = match zone.apex.labels().next_back() {
            Some(_) => format!("the nearest zone is {}", zone.apex),
            None => "no zone holds it, not even that of its last label".to_owned(),
        };
        let finding = codes::NS_ABSENT.of(&domain, summary).found(nearest);
        let remedy = "register the domain, or renew it; a new one takes some hours to appear";
        return Some(vec![finding.expected(format!("{domain}. IN NS, at the registry")).remedy(remedy)]);
    }
    let delegated = delegation::judge(inquiry, &domain, &zone);
    let reached = reach_all(inquiry, zone.servers.iter().map(|server| server.name.clone()));
    let starts = zone::said(inquiry, &zone, &zone.apex, Kind::Soa);
    let sets = zone::said(inquiry, &zone, &zone.apex, Kind::Ns);
    let everywhere = if options.authoritative {
        everywhere::judge(inquiry, server, served, options, &zone)
    } else {
        Some(Vec::new())
    };
    let (reached, starts, sets, everywhere) = (reached?, starts?, sets?, everywhere?);
    let delegated = delegated?;
    let case = Case { domain: &domain, zone: &zone };
    let mut findings = Vec::new();
    for found in reached.iter().filter(|found| found.addresses.is_empty()) {
        findings.push(match &found.silent {
            Some((question, why)) => unanswered(&codes::NS_UNCHECKED, &domain, question, why),
            None => case
                .told(&codes::NS_NO_ADDRESS, format!("the name server {} has no address", found.name))
                .remedy(format!(
                    "remove {} from the zone and at the registrar, or give it an address",
                    found.name
                )),
        });
    }
    for server in zone.servers.iter().filter(|server| !server.addresses.is_empty()) {
        findings.extend(case.answers(&server.name, &starts));
    }
    findings.extend(case.serials(&starts));
    findings.extend(case.sets(&sets));
    findings.extend(delegated);
    findings.extend(case.spread());
    findings.extend(everywhere);
    if findings.iter().all(|finding| finding.verdict == Verdict::Ok) {
        findings.push(case.told(&codes::NS_OK, format!("{} name servers answer alike", zone.servers.len())));
    }
    Some(findings)
}

struct Case<'a> {
    domain: &'a Name,
    zone: &'a Zone,
}

type Said<'a> = [(Name, IpAddr, &'a Answer)];

impl Case<'_> {
    fn told(&self, code: &Code, summary: impl Into<String>) -> Finding {
        let finding = code.of(self.domain, summary);
        self.zone.servers.iter().fold(finding, |finding, server| {
            finding.found(format!("{}. IN NS {}. ({})", self.zone.apex, server.name, list(&server.addresses)))
        })
    }

    /// Whether one server answers for the zone. It counts by those of its addresses that answer: this host may have
    /// no way to the others, like IPv6.
    fn answers(&self, server: &Name, starts: &Said<'_>) -> Option<Finding> {
        let of: Vec<_> = starts.iter().filter(|(name, ..)| name == server).collect();
        let heard: Vec<_> = of.iter().filter(|(_, _, answer)| answer.records().is_ok()).collect();
        if heard.is_empty() {
            let (_, address, answer) = of.first()?;
            let why = answer.records().err()?;
            let question = format!("{} SOA at {server} ({address})", self.zone.apex);
            return Some(unchecked(&codes::NS_UNCHECKED, self.domain, question, why));
        }
        let knows = |answer: &Answer| {
            answer.authoritative && answer.records().is_ok_and(|records| !records.is_empty())
        };
        let lame = heard.iter().find(|(_, _, answer)| !knows(answer))?;
        let summary = format!("{server} ({}) does not answer for {}: it is lame", lame.1, self.zone.apex);
        let remedy = format!("let {server} serve the zone, or remove it from the zone and at the registrar");
        Some(self.told(&codes::NS_LAME, summary).expected("an authoritative answer").remedy(remedy))
    }

    fn serials(&self, starts: &Said<'_>) -> Option<Finding> {
        let mut serials: BTreeMap<u32, BTreeSet<&Name>> = BTreeMap::new();
        for (name, _, answer) in starts {
            for data in answer.records().unwrap_or_default() {
                if let Data::Soa { serial, .. } = data {
                    serials.entry(*serial).or_default().insert(name);
                }
            }
        }
        if serials.len() < 2 {
            return None;
        }
        let finding = self.told(&codes::NS_SERIAL, "the name servers have different versions of the zone");
        let finding = serials.iter().fold(finding, |finding, (serial, names)| {
            finding.found(format!("serial {serial}: {}", list(names)))
        });
        let remedy = "after a change this passes within minutes; if it stays, zone transfers are broken";
        Some(finding.expected("one serial everywhere").remedy(remedy))
    }

    fn sets(&self, sets: &Said<'_>) -> Option<Finding> {
        let mut all: BTreeMap<Vec<&Data>, BTreeSet<&Name>> = BTreeMap::new();
        for (name, _, answer) in sets {
            let mut records: Vec<&Data> = answer.records().unwrap_or_default().iter().collect();
            records.sort();
            if !records.is_empty() {
                all.entry(records).or_default().insert(name);
            }
        }
        if all.len() < 2 {
            return None;
        }
        let finding = self.told(&codes::NS_DIFFER, "the name servers name different name servers");
        let finding = all.iter().fold(finding, |finding, (records, names)| {
            finding.found(format!("{}: {}", list(names), list(records)))
        });
        Some(
            finding.expected("the same NS records everywhere").remedy("bring the copies of the zone in line"),
        )
    }

    /// RFC 2182 §3.1: at least two, and not in one place.
    fn spread(&self) -> Option<Finding> {
        if let [only] = &self.zone.servers[..] {
            let finding = self.told(&codes::NS_ONE, format!("{} is the only name server", only.name));
            return Some(
                finding.expected("two or more (RFC 2182 §5)").remedy("add a second name server to the zone"),
            );
        }
        let network = |address: &IpAddr| match address {
            IpAddr::V4(v4) => format!("{}.{}.{}.0/24", v4.octets()[0], v4.octets()[1], v4.octets()[2]),
            IpAddr::V6(v6) => {
                format!("{:x}:{:x}:{:x}::/48", v6.segments()[0], v6.segments()[1], v6.segments()[2])
            }
        };
        let fours: BTreeSet<String> = self
            .zone
            .servers
            .iter()
            .flat_map(|server| server.addresses.iter().filter(|address| address.is_ipv4()))
            .map(network)
            .collect();
        let sixes =
            self.zone.servers.iter().flat_map(|server| server.addresses.iter().filter(|one| one.is_ipv6()));
        let sixes: BTreeSet<String> = sixes.map(network).collect();
        let one = fours.len() == 1 && sixes.len() <= 1;
        let network = fours.first().filter(|_| one)?;
        let finding =
            self.told(&codes::NS_NETWORK, format!("all name servers are in one network, {network}"));
        Some(
            finding
                .expected("networks that do not fail together (RFC 2182 §3.1)")
                .remedy("add a name server elsewhere"),
        )
    }
}

#[cfg(test)]
mod tests;
