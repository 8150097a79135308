//! SPF: whether mail from this server passes (RFC 7208).

use super::{Findings, Options, codes, unanswered};
use crate::mail::{
    dns::{Entry, Inquiry, Kind, Name, Question},
    record,
    server::{Served, Server},
};

/// Judges the SPF record of a domain.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, served: &Served, options: &Options) -> Findings {
    let domain = &served.domain;
    let name = Name::from(domain);
    let question = Question::new(&name, Kind::Txt);
    let answer = inquiry.ask(question.clone())?;
    let texts = match answer.texts() {
        Ok(texts) => texts,
        Err(why) => return Some(vec![unanswered(&codes::SPF_UNCHECKED, domain, &question, why)]),
    };
    let is_one = |text: &&String| {
        let lower = text.to_ascii_lowercase();
        lower == "v=spf1" || lower.starts_with("v=spf1 ")
    };
    let records: Vec<&String> = texts.iter().filter(is_one).collect();
    let wanted = Entry::txt(&name, &record::spf(server, &options.wishes));
    Some(vec![match records[..] {
        [] => codes::SPF_MISSING
            .of(domain, "no SPF record")
            .found(format!("no TXT record at {name} begins with v=spf1"))
            .publish(wanted)
            .remedy(format!("publish the record at {name}")),
        [one] => codes::SPF_OK.of(domain, "published").found(Entry::txt(&name, one)),
        _ => records
            .iter()
            .fold(codes::SPF_SEVERAL.of(domain, format!("{} SPF records", records.len())), |finding, text| {
                finding.found(Entry::txt(&name, text))
            })
            .remedy(format!("join them to one record at {name}, and remove the others")),
    }])
}
