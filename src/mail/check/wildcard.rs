//! Wildcards: records that answer for names that should not exist (RFC 4592).

use super::{Findings, Options, codes, unanswered};
use crate::mail::{
    dns::{Data, Entry, Inquiry, Kind, Name, Question},
    server::{Served, Server},
};

/// A label that nobody publishes; always the same, so that resolvers need to learn it once.
const PROBE: &str = "mailctl-asks-for-a-wildcard";

/// Where a wildcard hurts: below it, and of this kind.
const TRAPS: [(&str, Kind); 4] =
    [("", Kind::Txt), ("", Kind::Mx), ("_domainkey", Kind::Txt), ("_tcp", Kind::Tlsa)];

/// Judges what a domain answers for a name that does not exist.
pub fn judge(inquiry: &Inquiry<'_>, _server: &Server, served: &Served, _options: &Options) -> Findings {
    let domain = &served.domain;
    let zone = Name::from(domain);
    let at = |below: &str| if below.is_empty() { Ok(zone.clone()) } else { zone.child(below) };
    let traps: Vec<(Name, Question)> = TRAPS
        .iter()
        .filter_map(|(below, kind)| {
            let above = at(below).ok()?;
            let probe = above.child(PROBE).ok()?;
            Some((above, Question::new(&probe, *kind)))
        })
        .collect();
    let answers: Vec<_> = traps.iter().map(|(_, question)| inquiry.ask(question.clone())).collect();
    let mut findings = Vec::new();
    for ((above, question), answer) in traps.iter().zip(answers) {
        let answer = answer?;
        match answer.records() {
            Err(why) => findings.push(unanswered(&codes::WILDCARD_UNCHECKED, domain, question, why)),
            Ok([]) => {}
            Ok(records) => {
                let (code, what) = match question.kind {
                    Kind::Mx => (&codes::WILDCARD_MX, "mail for invented subdomains goes somewhere"),
                    _ => (&codes::WILDCARD_TXT, "every name that is looked for seems to be there"),
                };
                let kind = question.kind;
                let finding = code.of(domain, format!("*.{above} {kind} answers for every name: {what}"));
                let stands = |data: &Data| match answer.aliases.first() {
                    Some(alias) => format!("*.{above}. IN CNAME {alias}."),
                    None => Entry::new(above, data.clone()).to_string().replacen(
                        above.as_str(),
                        &format!("*.{above}"),
                        1,
                    ),
                };
                let finding =
                    records.iter().take(3).fold(finding, |finding, data| finding.found(stands(data)));
                findings.push(
                    finding
                        .expected(format!("no {kind} at *.{above}"))
                        .remedy(format!("remove the record at *.{above}; nothing of mail needs it")),
                );
            }
        }
    }
    if findings.is_empty() {
        findings.push(codes::WILDCARD_OK.of(domain, "names that do not exist are not there"));
    }
    Some(findings)
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    /// Proves: issue 4 (wildcard traps), RFC 4592 §2.2.
    #[test]
    fn a_wildcard_is_a_trap() {
        let probe = format!("{PROBE}.example.org");
        for (zone, code) in [
            (String::new(), "dns.wildcard.ok"),
            (format!("{probe} A 192.0.2.80"), "dns.wildcard.ok"),
            (format!("{probe} TXT \"v=spf1 -all\""), "dns.wildcard.txt"),
            (format!("{probe} CNAME x.net\nx.net TXT \"hello\""), "dns.wildcard.txt"),
            (format!("{probe} MX 10 mx.net"), "dns.wildcard.mx"),
            (format!("{PROBE}._domainkey.example.org TXT \"p=\""), "dns.wildcard.txt"),
            (format!("{probe} TXT !timeout"), "dns.wildcard.unchecked"),
        ] {
            assert_eq!(codes_of(judge, &zone), [code], "{zone}");
        }
        let findings = findings_of(judge, &format!("{probe} TXT \"v=spf1 -all\""));
        assert_eq!(findings[0].found, ["*.example.org. IN TXT \"v=spf1 -all\""]);
    }
}
