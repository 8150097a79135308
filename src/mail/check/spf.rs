//! SPF: whether mail from this server passes, judged by what comes out (RFC 7208).

mod weak;

use super::{
    Code, Findings, Options, codes,
    reach::{list, ours},
    unanswered,
};
use crate::mail::{
    dns::{Data, Entry, Inquiry, Kind, Name, Question},
    finding::{Finding, Verdict},
    record,
    server::{Served, Server},
    spf::{self, Evaluation, Request, Survey, Trouble},
};
use std::net::IpAddr;

/// Judges the SPF record of a domain.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, served: &Served, options: &Options) -> Findings {
    let domain = Name::from(&served.domain);
    let question = Question::new(&domain, Kind::Txt);
    let answer = inquiry.ask(question.clone());
    let survey = spf::survey(inquiry, &domain);
    let judged = !options.foreign && server.relay.is_none();
    let outcomes = if judged { outcomes(inquiry, server, &domain) } else { Some(Vec::new()) };
    let (answer, survey, outcomes) = (answer?, survey?, outcomes?);
    if let Err(why) = answer.records() {
        return Some(vec![unanswered(&codes::SPF_UNCHECKED, &domain, &question, why)]);
    }
    let records = answer.records().unwrap_or_default();
    let texts =
        records.iter().filter(|data| data.text().is_some_and(|text| is_meant(&text))).cloned().collect();
    let case = Case { server, options, domain: &domain, texts, survey: &survey };
    if let Some(finding) = case.without_record() {
        return Some(vec![finding]);
    }
    let mut findings = weak::findings(&case);
    if judged && outcomes.is_empty() {
        let finding =
            case.told(&codes::SPF_UNKNOWN, "no address of this server is known, so nothing can be evaluated");
        findings.push(finding.remedy("set dns.addresses in mailctl.toml"));
    }
    findings.extend(case.judged(&outcomes, &findings));
    findings.extend(case.relayed());
    if findings.iter().all(|finding| finding.verdict == Verdict::Ok) {
        findings.push(case.fine(&outcomes));
    }
    Some(findings)
}

/// An address of ours, and what others make of mail from it.
type Outcome = (IpAddr, Evaluation);

fn outcomes(inquiry: &Inquiry<'_>, server: &Server, domain: &Name) -> Option<Vec<Outcome>> {
    let sender = format!("postmaster@{domain}");
    let evaluated: Vec<Option<Outcome>> = ours(inquiry, server)?
        .into_iter()
        .map(|address| {
            let request = Request::mail_from(address, &sender, server.host.as_str());
            Some((address, spf::check_host(inquiry, &request)?))
        })
        .collect();
    evaluated.into_iter().collect()
}

/// Whether a text looks as if it were for SPF.
fn is_meant(text: &str) -> bool {
    text.to_ascii_lowercase().contains("spf1")
}

struct Case<'a> {
    server: &'a Server,
    options: &'a Options,
    domain: &'a Name,
    /// The TXT records that look like SPF.
    texts: Vec<Data>,
    survey: &'a Survey,
}

impl Case<'_> {
    fn told(&self, code: &Code, summary: impl Into<String>) -> Finding {
        let finding = code.of(self.domain, summary);
        self.texts.iter().fold(finding, |finding, data| finding.found(Entry::new(self.domain, data.clone())))
    }

    fn wanted(&self) -> Entry {
        Entry::txt(self.domain, &record::spf(self.server, &self.options.wishes))
    }

    /// No record that counts, or several.
    fn without_record(&self) -> Option<Finding> {
        let publish =
            |finding: Finding| if self.options.foreign { finding } else { finding.publish(self.wanted()) };
        match self.survey.root.trouble.as_ref()? {
            Trouble::NoRecord(_) | Trouble::NoDomain(_) => Some(match weak::nearly(self.survey) {
                Some(why) => publish(self.told(&codes::SPF_NEARLY, why))
                    .remedy(format!("put the record right at {}", self.domain)),
                None => publish(self.told(&codes::SPF_MISSING, "no SPF record: anybody may pretend to send"))
                    .found(format!("no TXT record at {} begins with v=spf1", self.domain))
                    .remedy(format!("publish the record at {}", self.domain)),
            }),
            Trouble::ManyRecords(_, count) => {
                let summary = format!("{count} SPF records: others take none of them");
                Some(self.joined(self.told(&codes::SPF_SEVERAL, summary)))
            }
            Trouble::Silent(question, why) => {
                Some(unanswered(&codes::SPF_UNCHECKED, self.domain, question, why))
            }
            _ => None,
        }
    }

    /// All terms of several records in one. Beside `all` a `redirect` is ignored (RFC 7208 §6.1): as an `include` it
    /// goes on to let the same servers send.
    fn joined(&self, finding: Finding) -> Finding {
        let texts: Vec<String> = self.texts.iter().filter_map(Data::text).collect();
        let mut terms: Vec<String> = Vec::new();
        let mut all = "-all";
        for term in texts.iter().flat_map(|text| text.split_whitespace().skip(1)) {
            let redirect = term.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("redirect"));
            let kept = redirect.map_or_else(|| term.to_owned(), |(_, target)| format!("include:{target}"));
            if term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all") {
                all = term;
            } else if !terms.contains(&kept) {
                terms.push(kept);
            }
        }
        let terms = terms.iter().map(String::as_str);
        let text = ["v=spf1"].into_iter().chain(terms).chain([all]).collect::<Vec<_>>().join(" ");
        let remedy = format!("publish one record at {} in the place of all", self.domain);
        finding.publish(Entry::txt(self.domain, &text)).remedy(remedy)
    }

    /// By outcome: a record without `a` and `mx` that passes is right (S4-32).
    fn judged(&self, outcomes: &[Outcome], known: &[Finding]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut refused: Vec<&Outcome> = Vec::new();
        for outcome in outcomes {
            match &outcome.1.trouble {
                Some(Trouble::Silent(question, why)) => {
                    findings.push(unanswered(&codes::SPF_UNCHECKED, self.domain, question, why));
                }
                Some(trouble) if !known.iter().any(|finding| finding.verdict == Verdict::Error) => {
                    let finding =
                        self.told(&codes::SPF_BROKEN, format!("others cannot evaluate it: {trouble}"));
                    findings.push(finding.remedy(format!("mend the record at {}", self.domain)));
                }
                Some(_) => {}
                None if outcome.1.verdict == spf::Verdict::Pass => {}
                None => refused.push(outcome),
            }
        }
        if !refused.is_empty() {
            let addresses = list(refused.iter().map(|(address, _)| address));
            let why = &refused[0].1;
            let finding = self.told(&codes::SPF_FAILS, format!("mail from {addresses} does not pass: {why}"));
            findings.push(
                finding
                    .publish(self.with(refused.iter().map(|(address, _)| *address)))
                    .remedy(format!("put that record in the place of the one at {}", self.domain)),
            );
        }
        findings.dedup();
        findings
    }

    /// The record with these addresses before all else: whoever may send goes on to be allowed.
    fn with(&self, addresses: impl Iterator<Item = IpAddr>) -> Entry {
        let terms = addresses.map(|address| match address {
            IpAddr::V4(v4) => format!("ip4:{v4}"),
            IpAddr::V6(v6) => format!("ip6:{v6}"),
        });
        self.before(terms.collect())
    }

    fn before(&self, new: Vec<String>) -> Entry {
        let text = self.survey.root.record.clone().unwrap_or_default();
        let rest = text.split_whitespace().skip(1).map(str::to_owned);
        let terms: Vec<String> = ["v=spf1".to_owned()].into_iter().chain(new).chain(rest).collect();
        Entry::txt(self.domain, &terms.join(" "))
    }

    /// Through a relay mail leaves from its addresses, which nobody here knows (S2-26).
    fn relayed(&self) -> Option<Finding> {
        let relay = self.server.relay.as_ref().filter(|_| !self.options.foreign)?;
        let term = record::relay_term(relay);
        let text = self.survey.root.record.clone().unwrap_or_default();
        let there =
            text.split_whitespace().any(|other| other.trim_start_matches('+').eq_ignore_ascii_case(&term));
        if there {
            return None;
        }
        let summary = format!("mail leaves through {relay}, and the record does not name it as {term}");
        let remedy =
            format!("ask who runs {relay} what to include; where the record has it already, all is well");
        Some(self.told(&codes::SPF_RELAY, summary).publish(self.before(vec![term])).remedy(remedy))
    }

    fn fine(&self, outcomes: &[Outcome]) -> Finding {
        let lookups = format!("{} of 10 lookups", self.survey.lookups);
        let summary = match outcomes {
            [] => format!("can be evaluated, with {lookups}"),
            [(address, why), ..] => match why.decided() {
                Some(place) => {
                    format!("{} may send, by {place}; {lookups}", list(outcomes.iter().map(|(a, _)| a)))
                }
                None => format!("{address} may send; {lookups}"),
            },
        };
        self.told(&codes::SPF_OK, summary)
    }
}

#[cfg(test)]
mod tests;
