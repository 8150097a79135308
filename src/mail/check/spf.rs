//! SPF: whether mail from this server passes, judged by what comes out (RFC 7208).

mod mend;
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
    let wanted = record::spf(server, &options.wishes);
    look(inquiry, server, options, (&Name::from(&served.domain), &codes::SPF_MISSING, wanted))
}

/// Judges the record of the server's own name: bounces have no sender but the greeting (RFC 7208 §2.3, §2.4).
pub fn host(inquiry: &Inquiry<'_>, server: &Server, options: &Options) -> Findings {
    // Through a relay others see its greeting; of a served domain there is a judgement anyway.
    if server.relay.is_some() || options.served.contains(&server.host) {
        return Some(Vec::new());
    }
    let wanted = record::spf_of_greeting(&options.wishes);
    look(inquiry, server, options, (&Name::from(&server.host), &codes::SPF_HELO, wanted))
}

/// Whose record, what it is called where there is none, and which one there should be.
fn look(
    inquiry: &Inquiry<'_>,
    server: &Server,
    options: &Options,
    (domain, missing, wanted): (&Name, &Code, String),
) -> Findings {
    let question = Question::new(domain, Kind::Txt);
    let answer = inquiry.ask(question.clone());
    let survey = spf::survey(inquiry, domain);
    let judged = !options.foreign && server.relay.is_none();
    let outcomes = if judged { outcomes(inquiry, server, domain) } else { Some(Vec::new()) };
    let (answer, survey, outcomes) = (answer?, survey?, outcomes?);
    if let Err(why) = answer.records() {
        return Some(vec![unanswered(&codes::SPF_UNCHECKED, domain, &question, why)]);
    }
    let records = answer.records().unwrap_or_default();
    let texts =
        records.iter().filter(|data| data.text().is_some_and(|text| is_meant(&text))).cloned().collect();
    let mut case = Case { server, options, domain, texts, survey: &survey, finished: None };
    if let Some(finding) = case.without_record(missing, wanted) {
        return Some(vec![finding]);
    }
    let fails = outcomes.iter().any(|(_, why)| why.verdict != spf::Verdict::Pass);
    if !options.foreign && (fails || !survey.weaknesses.is_empty()) {
        let ours: Vec<IpAddr> = outcomes.iter().map(|(address, _)| *address).collect();
        case.finished = mend::finished(&case, inquiry, &ours)?;
    }
    if let Some(Trouble::ManyRecords(_, count)) = survey.root.trouble {
        let summary = format!("{count} SPF records: others take none of them");
        let remedy = format!("publish one record at {domain} in the place of all");
        return Some(vec![case.finish(case.told(&codes::SPF_SEVERAL, summary)).remedy(remedy)]);
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
    /// The record as it should be.
    finished: Option<String>,
}

impl Case<'_> {
    fn told(&self, code: &Code, summary: impl Into<String>) -> Finding {
        let finding = code.of(self.domain, summary);
        self.texts.iter().fold(finding, |finding, data| finding.found(Entry::new(self.domain, data.clone())))
    }

    /// With the record that ends it, where there is one and it is another than the one that is there.
    fn finish(&self, finding: Finding) -> Finding {
        match &self.finished {
            Some(text) if self.survey.root.record.as_ref() != Some(text) => {
                finding.publish(Entry::txt(self.domain, text))
            }
            _ => finding,
        }
    }

    /// No record that counts.
    fn without_record(&self, missing: &Code, wanted: String) -> Option<Finding> {
        let publish = |finding: Finding| {
            if self.options.foreign { finding } else { finding.publish(Entry::txt(self.domain, &wanted)) }
        };
        match self.survey.root.trouble.as_ref()? {
            Trouble::NoRecord(_) | Trouble::NoDomain(_) => {
                Some(match weak::nearly(self.survey) {
                    Some(why) => publish(self.told(&codes::SPF_NEARLY, why))
                        .remedy(format!("put the record right at {}", self.domain)),
                    None if *missing == codes::SPF_HELO => publish(self.told(
                        missing,
                        "the name in the greeting has no SPF record; bounces are judged by it",
                    ))
                    .found(format!("no TXT record at {} begins with v=spf1", self.domain))
                    .remedy(format!("publish the record at {}", self.domain)),
                    None if self.options.foreign => self
                        .told(missing, "no SPF record: anybody may pretend to send")
                        .found(format!("no TXT record at {} begins with v=spf1", self.domain))
                        .expected(format!("{}. IN TXT \"v=spf1 -all\" where it sends no mail", self.domain))
                        .remedy("whoever runs it publishes a record that names its servers, or nobody"),
                    None => publish(self.told(missing, "no SPF record: anybody may pretend to send"))
                        .found(format!("no TXT record at {} begins with v=spf1", self.domain))
                        .remedy(format!("publish the record at {}", self.domain)),
                })
            }
            Trouble::Silent(question, why) => {
                Some(unanswered(&codes::SPF_UNCHECKED, self.domain, question, why))
            }
            _ => None,
        }
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
                    findings.push(self.finish(finding).remedy(format!("mend the record at {}", self.domain)));
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
            let remedy = match &self.finished {
                Some(_) => format!("put that record in the place of the one at {}", self.domain),
                None => format!(
                    "shorten the record at {} to ten lookups, then name {addresses} in it",
                    self.domain
                ),
            };
            findings.push(self.finish(finding).remedy(remedy));
        }
        findings.dedup();
        findings
    }

    /// Through a relay mail leaves from its addresses, which nobody here knows (S2-26).
    fn relayed(&self) -> Option<Finding> {
        let relay = self.server.relay.as_ref().filter(|_| !self.options.foreign)?;
        let term = record::relay_term(relay);
        let record = self.survey.root.record.as_deref();
        let text = self.finished.as_deref().or(record).filter(|text| !text.is_empty())?;
        let there =
            text.split_whitespace().any(|other| other.trim_start_matches('+').eq_ignore_ascii_case(&term));
        if there {
            return None;
        }
        let summary = format!("mail leaves through {relay}, and the record does not name it as {term}");
        let remedy =
            format!("ask who runs {relay} what to include; where the record has it already, all is well");
        let entry = Entry::txt(self.domain, &mend::with(text, &[term]));
        Some(self.told(&codes::SPF_RELAY, summary).publish(entry).remedy(remedy))
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
