//! What an SPF record that is there already lacks, judged by what comes out of it and not by its words.

use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        dns::{Kind, Name, Outcome, Question},
        record::{Record, address_term, txt},
        server::Server,
        spf::{Request, Verdict, check_host, survey},
    },
    world::dns::{Dns, settle},
};

/// Terms that may ask DNS in all (RFC 7208 §4.6.4).
const LOOKUPS: usize = 10;

/// Leaves our SPF record out of `records` where the domain's own lets all our addresses send; where one term more
/// would be one too many, names the addresses instead of asking for them. Where it cannot be told whether they may send, ours
/// is joined to it all the same, which takes nothing from anybody; the sentence that comes back says so.
pub async fn fit(
    dns: &Dns,
    server: &Server,
    domain: &Domain,
    records: &mut Vec<Record>,
) -> Result<Option<String>, Error> {
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
        let passes = passes?;
        let silent = passes.iter().find(|evaluation| evaluation.verdict == Verdict::TempError);
        let silent = silent.map(ToString::to_string);
        let passes = passes.iter().all(|evaluation| evaluation.verdict == Verdict::Pass);
        Some((matches!(there?.outcome, Outcome::Found(_)), survey?.lookups, passes, silent))
    })
    .await;
    let (there, lookups, passes, silent) = judged
        .map(|settled| settled.verdict)
        .map_err(|cause| Error::new(codes::BUG, "judging SPF has no end").cause(cause))?;
    // With a relay it is the relay that sends, and nobody knows from where.
    if !there || server.relay.is_some() || server.addresses.is_empty() {
        return Ok(None);
    }
    let ours = |record: &Record| {
        record.name == name && record.data.text().is_some_and(|text| text.starts_with("v=spf1"))
    };
    if passes {
        records.retain(|record| !ours(record));
    } else if lookups >= LOOKUPS {
        let terms: Vec<String> = server.addresses.iter().map(|address| address_term(*address)).collect();
        for record in records.iter_mut().filter(|record| ours(record)) {
            let text =
                record.data.text().unwrap_or_default().replace(" mx", &format!(" {}", terms.join(" ")));
            record.data = txt(&text);
        }
    }
    Ok(silent.map(|why| {
        format!("whether the SPF record of {domain} lets this server send could not be checked ({why}), so it is named in it")
    }))
}
