//! What an SPF record that is there already lacks, judged by what comes out of it and not by its words.

use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        dns::{Kind, Name, Outcome, Question},
        record::{Record, txt},
        server::Server,
        spf::{Request, Verdict, check_host, survey},
    },
    world::dns::{Dns, settle},
};
use std::net::IpAddr;

/// Terms that may ask DNS in all (RFC 7208 §4.6.4).
const LOOKUPS: usize = 10;

/// Leaves our SPF record out of `records` where the domain's own lets all our addresses send; where one term more
/// would be one too many, names the addresses instead of asking for them.
pub async fn fit(
    dns: &Dns,
    server: &Server,
    domain: &Domain,
    records: &mut Vec<Record>,
) -> Result<(), Error> {
    let name = Name::from(domain);
    let sender = format!("postmaster@{domain}");
    let judged = settle(dns, |inquiry| {
        let there = inquiry.ask(Question::new(&name, Kind::Txt));
        let survey = survey(inquiry, &name);
        let passes: Vec<_> = server
            .addresses
            .iter()
            .map(|address| check_host(inquiry, &Request::mail_from(*address, &sender, server.host.as_str())))
            .collect();
        let passes: Option<Vec<_>> = passes.into_iter().collect();
        let passes = passes?.iter().all(|evaluation| evaluation.verdict == Verdict::Pass);
        Some((matches!(there?.outcome, Outcome::Found(_)), survey?.lookups, passes))
    })
    .await;
    let (there, lookups, passes) = judged
        .map(|settled| settled.verdict)
        .map_err(|cause| Error::new(codes::BUG, "judging SPF has no end").cause(cause))?;
    // With a relay it is the relay that sends, and nobody knows from where.
    if !there || server.relay.is_some() || server.addresses.is_empty() {
        return Ok(());
    }
    let ours = |record: &Record| {
        record.name == name && record.data.text().is_some_and(|text| text.starts_with("v=spf1"))
    };
    if passes {
        records.retain(|record| !ours(record));
    } else if lookups >= LOOKUPS {
        let terms: Vec<String> = server.addresses.iter().map(term).collect();
        for record in records.iter_mut().filter(|record| ours(record)) {
            let text =
                record.data.text().unwrap_or_default().replace(" mx", &format!(" {}", terms.join(" ")));
            record.data = txt(&text);
        }
    }
    Ok(())
}

fn term(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("ip4:{address}"),
        IpAddr::V6(address) => format!("ip6:{address}"),
    }
}
