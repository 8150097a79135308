//! DKIM: whether the published keys are ours, and what went wrong on the way to the zone where they are not.

mod compare;

use super::{Code, Findings, Options, codes, unanswered};
use crate::mail::{
    address::Domain,
    dkim::{RETIRED, Record},
    dns::{Data, Entry, Inquiry, Kind, Name, Outcome, Question},
    finding::Finding,
    server::{Key, Served, Server, Stage},
};

/// Judges every key of a domain.
pub fn judge(inquiry: &Inquiry<'_>, _server: &Server, served: &Served, options: &Options) -> Findings {
    let domain = &served.domain;
    if options.foreign {
        let summary = "not looked at: which selectors a foreign domain uses cannot be asked";
        return Some(vec![codes::DKIM_FOREIGN.of(domain, summary)]);
    }
    let keys: Vec<&Key> = served.keys.iter().filter(|key| key.stage != Stage::Idle).collect();
    let mut findings: Vec<Findings> = keys.iter().map(|key| published(inquiry, domain, key)).collect();
    if !keys.iter().any(|key| matches!(key.stage, Stage::Active | Stage::Pending)) {
        let finding = codes::DKIM_NO_KEY
            .of(domain, format!("mail of {domain} leaves unsigned: it has no key"))
            .expected("a key that signs, and its record in DNS")
            .remedy(format!("mailctl dkim generate {domain}"));
        findings.push(Some(vec![finding]));
    }
    super::all(findings)
}

/// A key with the place of its record.
struct Place<'a> {
    domain: &'a Domain,
    key: &'a Key,
    name: Name,
}

impl Place<'_> {
    /// The record as it should be.
    fn wanted(&self) -> Entry {
        match self.key.stage {
            Stage::Retired => Entry::txt(&self.name, RETIRED),
            _ => Entry::txt(&self.name, &self.key.record.text()),
        }
    }

    fn told(&self, code: &Code, summary: impl std::fmt::Display) -> Finding {
        code.of(self.domain, format!("key {}: {summary}", self.key.selector))
    }

    fn wrong(&self, code: &Code, summary: impl std::fmt::Display) -> Finding {
        self.told(code, summary).publish(self.wanted())
    }
}

fn published(inquiry: &Inquiry<'_>, domain: &Domain, key: &Key) -> Findings {
    let Ok(name) = Name::parse(&Record::name(domain, &key.selector)) else {
        let finding = codes::DKIM_SYNTAX
            .of(domain, format!("key {}: its name is longer than DNS allows", key.selector))
            .remedy(format!("mailctl dkim generate {domain} --selector SHORTER"));
        return Some(vec![finding]);
    };
    let place = Place { domain, key, name };
    let question = Question::new(&place.name, Kind::Txt);
    let answer = inquiry.ask(question.clone())?;
    let records = match answer.records() {
        Ok(records) => records,
        Err(why) => return Some(vec![unanswered(&codes::DKIM_UNCHECKED, domain, &question, why)]),
    };
    let found = |finding: Finding| {
        let finding = match answer.aliases.last() {
            Some(real) => finding.found(format!("{}. IN CNAME {real}.", place.name)),
            None => finding,
        };
        records.iter().fold(finding, |finding, data| finding.found(Entry::new(&place.name, data.clone())))
    };
    match records {
        [] => missing(inquiry, &place, answer.aliases.last()).map(|finding| vec![found(finding)]),
        [one] => Some(compare::record(&place, one).into_iter().map(found).collect()),
        several => {
            let ours = several.iter().any(|data| data.text().as_deref() == Some(&place.key.record.text()));
            let which = if ours { "ours is among them; remove the others" } else { "ours is not among them" };
            let summary = format!("{} TXT records where one must stand", several.len());
            let finding = place.wrong(&codes::DKIM_SEVERAL, summary).remedy(format!(
                "leave the one record that is expected at {}; {which} (RFC 6376 §3.6.2.2)",
                place.name
            ));
            Some(vec![found(finding)])
        }
    }
}

/// Nothing at the name: perhaps at the name that forms make of it when they append the zone once more.
fn missing(inquiry: &Inquiry<'_>, place: &Place<'_>, alias: Option<&Name>) -> Option<Finding> {
    let name = &place.name;
    if place.key.stage == Stage::Retired {
        return Some(place.told(&codes::DKIM_OK, "retired, and its record is gone"));
    }
    if let Some(real) = alias {
        let finding =
            place.wrong(&codes::DKIM_ALIAS_DEAD, format!("a CNAME leads to {real}, which has no record"));
        return Some(finding.remedy(format!("publish the record at {real}, or in the place of the CNAME")));
    }
    if let Some(doubled) = doubled(inquiry, name, place.domain)? {
        let summary = format!("published at {doubled}: the domain stands in the name twice");
        return Some(place.wrong(&codes::DKIM_DOUBLED_NAME, summary).remedy(format!(
            "the form adds {} by itself: fill in the name without it, {}",
            place.domain,
            name.as_str().strip_suffix(&format!(".{}", place.domain)).unwrap_or(name.as_str())
        )));
    }
    let (code, summary) = match place.key.stage {
        Stage::Pending => (&codes::DKIM_PENDING, "not published yet, and signs nothing yet"),
        Stage::Leaving => {
            (&codes::DKIM_LEFT_EARLY, "its record is gone while mail that it signed is on its way")
        }
        _ => (&codes::DKIM_MISSING, "signs, and its record is not published"),
    };
    Some(place.wrong(code, summary).remedy(format!("publish the record at {name}")))
}

/// `NAME.DOMAIN`, where something is published.
pub(super) fn doubled(inquiry: &Inquiry<'_>, name: &Name, domain: &Domain) -> Option<Option<Name>> {
    let Ok(doubled) = Name::parse(&format!("{name}.{domain}")) else { return Some(None) };
    let answer = inquiry.ask(Question::new(&doubled, Kind::Txt))?;
    let there =
        matches!(&answer.outcome, Outcome::Found(all) if all.iter().any(|data| matches!(data, Data::Txt(_))));
    Some(there.then_some(doubled))
}

#[cfg(test)]
mod tests;
