//! `--authoritative`: every name server is asked for every record of ours.

use super::super::{Findings, Options, codes, reach::list, unchecked};
use crate::mail::{
    dns::{Data, Entry, Inquiry, Kind, Name, Question},
    record,
    server::{Served, Server},
    zone::{self, Zone},
};
use std::collections::BTreeSet;

/// Where a name server says something else than the resolver. A server counts by those of its addresses that
/// answer.
pub fn judge(
    inquiry: &Inquiry<'_>,
    server: &Server,
    served: &Served,
    options: &Options,
    zone: &Zone,
) -> Findings {
    let domain = Name::from(&served.domain);
    let mut wanted: BTreeSet<(Name, Kind)> = record::for_domain(server, served, &options.wishes)
        .into_iter()
        .map(|record| (record.name, record.data.kind()))
        .collect();
    wanted.extend(
        record::for_host(server, &options.wishes).into_iter().map(|record| (record.name, record.data.kind())),
    );
    wanted.retain(|(name, _)| name.is_within(&zone.apex));
    let asked: Vec<_> = wanted
        .into_iter()
        .map(|(name, kind)| {
            let seen = inquiry.ask(Question::new(&name, kind));
            let said = zone::said(inquiry, zone, &name, kind);
            (name, kind, seen, said)
        })
        .collect();
    let mut findings = Vec::new();
    let mut silent: BTreeSet<Name> = BTreeSet::new();
    for (name, kind, seen, said) in asked {
        let (seen, said) = (seen?, said?);
        // Where an alias leads out of the zone, these servers know nothing of it.
        let Ok(seen) = (if seen.aliases.is_empty() { seen.records() } else { continue }) else { continue };
        let seen = sorted(seen);
        for server in &zone.servers {
            let of: Vec<_> = said.iter().filter(|(who, ..)| *who == server.name).collect();
            let heard: Vec<Vec<&Data>> =
                of.iter().filter_map(|(_, _, answer)| answer.records().ok()).map(sorted).collect();
            if let (true, Some((_, address, answer))) = (heard.is_empty(), of.first())
                && let (Err(why), true) = (answer.records(), silent.insert(server.name.clone()))
            {
                let question = format!("{name} {kind} at {} ({address})", server.name);
                findings.push(unchecked(&codes::NS_UNCHECKED, &domain, question, why));
            }
            if let Some(other) = heard.into_iter().find(|records| *records != seen) {
                let entries = |records: &[&Data]| match records {
                    [] => format!("no {kind} at {name}"),
                    records => list(records.iter().map(|data| Entry::new(&name, (*data).clone()))),
                };
                let summary = format!("{} says something else for {name} {kind}", server.name);
                findings.push(
                    codes::NS_DISAGREE
                        .of(&domain, summary)
                        .found(format!("{}: {}", server.name, entries(&other)))
                        .expected(format!("as the resolver has it: {}", entries(&seen)))
                        .remedy(format!(
                            "after a change wait for the TTL; if it stays, the copy of the zone at {} is old",
                            server.name
                        )),
                );
            }
        }
    }
    Some(findings)
}

fn sorted(records: &[Data]) -> Vec<&Data> {
    let mut records: Vec<&Data> = records.iter().collect();
    records.sort();
    records
}
