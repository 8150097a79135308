//! What the survey of a record finds weak, as findings.

use super::{Case, codes};
use crate::mail::{
    check::{Code, unanswered},
    finding::Finding,
    spf::{Flaw, Survey, Trouble, Weakness},
};

/// A finding per weakness. What is weak in the records of others, and breaks nothing, is theirs to mend.
pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let ours = |weakness: &&Weakness| weakness.flaw.breaks() || weakness.domain == *case.domain;
    let unknown = |weakness: &&Weakness| weakness.flaw.unknown();
    let known = case.survey.weaknesses.iter().filter(|weakness| unknown(weakness) || ours(weakness));
    let mut findings: Vec<Finding> = Vec::new();
    for weakness in known {
        let finding = one(case, weakness);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

/// Why a text that is meant as SPF is none.
pub(super) fn nearly(survey: &Survey) -> Option<String> {
    let flaw = |weakness: &Weakness| match &weakness.flaw {
        Flaw::Nearly(why) => Some(format!("a record {why}")),
        _ => None,
    };
    survey.weaknesses.iter().find_map(flaw)
}

fn one(case: &Case<'_>, weakness: &Weakness) -> Finding {
    if let Flaw::Broken(Trouble::Silent(question, why)) = &weakness.flaw {
        return unanswered(&codes::SPF_UNCHECKED, case.domain, question, why);
    }
    let (code, remedy) = kind(&weakness.flaw);
    let finding =
        case.told(code, weakness.to_string()).remedy(format!("{remedy} (the record at {})", weakness.domain));
    match (&weakness.flaw, &case.finished) {
        // Of these it is no remedy: other texts at the domain, or none at all, are in the way.
        (Flaw::LongAnswer(_) | Flaw::Nearly(_), _) | (_, None) => finding,
        _ if weakness.domain != *case.domain => {
            case.finish(finding).remedy(format!("until {} mends it: the expected record", weakness.domain))
        }
        _ => case.finish(finding),
    }
}

/// Its code, and what to do.
fn kind(flaw: &Flaw) -> (&'static Code, &'static str) {
    match flaw {
        Flaw::Broken(_) => (&codes::SPF_BROKEN, "mend or take out the term"),
        Flaw::Syntax(_) => {
            (&codes::SPF_SYNTAX, "mend or take out the term: one fault voids the whole record")
        }
        Flaw::Glued => (&codes::SPF_SYNTAX, "end each string with a blank, or publish it in one piece"),
        Flaw::Lookups(_) => {
            (&codes::SPF_LOOKUPS, "take out includes that nobody needs, or name networks as ip4: and ip6:")
        }
        Flaw::Voids(_) => (&codes::SPF_VOIDS, "take out the terms that ask for what does not exist"),
        Flaw::Void => (&codes::SPF_VOID, "take out the term"),
        Flaw::AllPass => (&codes::SPF_ALL_PASS, "write -all or ~all in its place"),
        Flaw::AllNeutral | Flaw::NoAll => (&codes::SPF_NEUTRAL, "let it end with -all or ~all"),
        Flaw::AfterAll
        | Flaw::RedirectBesideAll
        | Flaw::UnknownModifier
        | Flaw::ModifierForMechanism
        | Flaw::VersionInside
        | Flaw::Nearly(_) => (&codes::SPF_IGNORED, "mend it or take it out"),
        Flaw::Ptr => (&codes::SPF_PTR, "name the servers by a, mx, ip4 or ip6"),
        Flaw::IncludedTwice => (&codes::SPF_TWICE, "take out one of the two"),
        Flaw::WideNetwork(_) => (&codes::SPF_WIDE, "name the network that is meant"),
        Flaw::LongAnswer(_) => {
            (&codes::SPF_LONG, "shorten the record, or remove texts at the domain that nobody needs")
        }
    }
}
