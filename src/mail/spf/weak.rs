//! What is weak in one record, by its text alone.

use super::{
    fault::Fault,
    flaw::{Flaw, Weakness},
    record::{Mechanism, Qualifier, Record, Term},
};
use crate::mail::dns::{Answer, Data, Name, Outcome};

/// In order. `outer`: what is not named falls to this record's end, as in the first record and in those it
/// redirects to; of an included one only a pass counts (RFC 7208 §5.2).
pub(super) fn terms(record: &Record, domain: &Name, outer: bool) -> Vec<Weakness> {
    let mut weaknesses = Vec::new();
    let mut weak = |term: &str, flaw| {
        weaknesses.push(Weakness { domain: domain.clone(), term: term.to_owned(), flaw });
    };
    let mut ended = false;
    for (_, word, term) in record.terms() {
        match term {
            Term::Directive(..) if ended => weak(word, Flaw::AfterAll),
            Term::Directive(qualifier, mechanism) => {
                if let Some(flaw) = directive(*qualifier, mechanism, outer) {
                    weak(word, flaw);
                }
                ended |= *mechanism == Mechanism::All;
            }
            Term::Redirect(_) if record.redirect().is_none() => weak(word, Flaw::RedirectBesideAll),
            Term::Redirect(_) | Term::Explanation(_) => {}
            Term::Unknown(name) => weak(word, modifier(name)),
        }
    }
    if outer && !ended && record.redirect().is_none() {
        weak("", Flaw::NoAll);
    }
    weaknesses
}

fn directive(qualifier: Qualifier, mechanism: &Mechanism, outer: bool) -> Option<Flaw> {
    let passes = qualifier == Qualifier::Pass;
    match mechanism {
        Mechanism::All if passes => Some(Flaw::AllPass),
        Mechanism::All if qualifier == Qualifier::Neutral && outer => Some(Flaw::AllNeutral),
        Mechanism::Ptr(_) => Some(Flaw::Ptr),
        // No network of IPv4 wider than /8 and none of IPv6 wider than /19 was ever given to anybody.
        Mechanism::Ip4(_, bits) if passes && *bits < 8 => Some(Flaw::WideNetwork(*bits)),
        Mechanism::Ip6(_, bits) if passes && *bits < 19 => Some(Flaw::WideNetwork(*bits)),
        Mechanism::A(_, prefixes) | Mechanism::Mx(_, prefixes) if passes && prefixes.v4 < 8 => {
            Some(Flaw::WideNetwork(prefixes.v4))
        }
        Mechanism::A(_, prefixes) | Mechanism::Mx(_, prefixes) if passes && prefixes.v6 < 19 => {
            Some(Flaw::WideNetwork(prefixes.v6))
        }
        _ => None,
    }
}

fn modifier(name: &str) -> Flaw {
    let mechanisms = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];
    if mechanisms.iter().any(|mechanism| name.eq_ignore_ascii_case(mechanism)) {
        return Flaw::ModifierForMechanism;
    }
    if name.eq_ignore_ascii_case("v") { Flaw::VersionInside } else { Flaw::UnknownModifier }
}

/// Octets of the answer, if it may not fit into 512 (RFC 7208 §3.4). Where the size is not known it is reckoned:
/// header, question, and per record the compressed name, its fixed part and its strings (RFC 1035 §4.1).
pub(super) fn long(answer: &Answer, domain: &Name) -> Option<usize> {
    let records = answer.records().ok()?;
    let strings = |data: &Data| match data {
        Data::Txt(strings) => 12 + strings.iter().map(|string| 1 + string.len()).sum::<usize>(),
        _ => 0,
    };
    let reckoned = 12 + domain.as_str().len() + 2 + 4 + records.iter().map(strings).sum::<usize>();
    // The reckoned size counts: the real one has what others may not get, as signatures and additional records.
    (reckoned > 512).then_some(reckoned)
}

/// Whether a broken term reaches across the seam of two strings that have no blank there (RFC 7208 §3.3).
pub(super) fn glued(answer: &Answer, faults: &[Fault]) -> bool {
    let Outcome::Found(records) = &answer.outcome else { return false };
    let strings = records.iter().find_map(|data| match data {
        Data::Txt(strings) if Record::is_one(&strings.concat()) => Some(strings),
        _ => None,
    });
    let Some(strings) = strings else { return false };
    strings.windows(2).any(|pair| {
        let before = pair[0].rsplit(|&b| b == b' ').next().unwrap_or_default();
        let after = pair[1].split(|&b| b == b' ').next().unwrap_or_default();
        let seam = [before, after].concat();
        !before.is_empty() && !after.is_empty() && faults.iter().any(|fault| fault.term.as_bytes() == seam)
    })
}
