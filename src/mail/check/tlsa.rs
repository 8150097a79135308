//! TLSA of the server's port 25 (RFC 6698, RFC 7671, RFC 7672).

use super::{Code, Findings, Options, codes, unanswered};
use crate::mail::{
    dns::{Data, Doubt, Entry, Inquiry, Kind, Name, Proof, Question, Whom},
    server::Server,
};

/// Judges the TLSA records of the host.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, _options: &Options) -> Findings {
    let host = &server.host;
    let Ok(name) = Name::from(host).child("_25._tcp") else {
        return Some(vec![codes::TLSA_ABSENT.of(host, "not used")]);
    };
    let question = Question::new(&name, Kind::Tlsa).to(Whom::Validating);
    let answer = inquiry.ask(question.clone())?;
    let records = match answer.records() {
        Ok(records) => records,
        Err(why) => return Some(vec![unanswered(&codes::TLSA_UNCHECKED, host, &question, why)]),
    };
    let tlsa = |spki: &[u8; 32]| Data::Tlsa { usage: 3, selector: 1, matching: 1, data: spki.to_vec() };
    let wanted: Vec<Entry> = server.spki.iter().map(|spki| Entry::new(&name, tlsa(spki))).collect();
    let told = |code: &Code, summary: &str| {
        let finding = code.of(host, summary);
        records.iter().fold(finding, |finding, data| finding.found(Entry::new(&name, data.clone())))
    };
    let publish = |finding: crate::mail::finding::Finding| {
        wanted.iter().fold(finding, |finding, entry| finding.publish(entry.clone()))
    };
    if answer.proof == Proof::Bogus {
        let finding = told(&codes::TLSA_BOGUS, "the signatures do not hold: who uses DANE does not deliver");
        return Some(vec![
            finding.remedy("mend DNSSEC of the zone; https://dnsviz.net shows where it breaks"),
        ]);
    }
    if records.is_empty() {
        return Some(vec![match answer.proof {
            Proof::Secure => {
                publish(told(&codes::TLSA_ABSENT, "not used, and the zone is signed: it could be"))
            }
            _ => told(&codes::TLSA_ABSENT, "not used (optional, and only for signed zones)"),
        }]);
    }
    let mut findings = Vec::new();
    if answer.proof == Proof::Insecure {
        let finding =
            told(&codes::TLSA_UNSIGNED, "published in a zone that DNSSEC does not sign: nobody looks at it");
        findings.push(
            finding.expected("a signed zone, or no TLSA").remedy("sign the zone, or remove the record"),
        );
    } else if answer.proof == Proof::Unchecked {
        let doubt = answer.doubt.unwrap_or(Doubt::Gap);
        let summary = format!("its signatures could not be checked: {doubt}");
        findings.push(told(&codes::TLSA_UNCHECKED, &summary).remedy(doubt.remedy()));
    }
    let usable: Vec<&Data> = records.iter().filter(|data| usable(data)).collect();
    let published = |entry: &Entry| usable.iter().any(|data| **data == entry.data);
    let ours = wanted.iter().filter(|entry| published(entry)).count();
    let by_key = |data: &Data| matches!(data, Data::Tlsa { usage: 3, selector: 1, matching: 1, .. });
    if usable.is_empty() {
        let finding = told(&codes::TLSA_UNUSABLE, "none of the records is of a kind that mail uses");
        findings.push(publish(finding).remedy("publish 3 1 1 with the server's key (RFC 7672 §3.1.3)"));
    } else if ours > 0 && ours < wanted.len() {
        let finding =
            told(&codes::TLSA_MISMATCH, "a key of the server has no record: who meets it does not deliver");
        findings.push(publish(finding).remedy(format!("publish a record for each key at {name}")));
    } else if ours > 0 {
        if findings.is_empty() {
            findings.push(told(&codes::TLSA_OK, "signed, and it is the server's key"));
        }
    } else if server.spki.is_empty() {
        let finding = told(&codes::TLSA_UNKNOWN, "the server has no certificate yet to compare with");
        findings.push(finding.remedy("mailctl cert import, or mailctl up, which makes a first one"));
    } else if usable.iter().all(|data| by_key(data)) {
        let finding =
            told(&codes::TLSA_MISMATCH, "another key than the server's: who uses DANE does not deliver");
        findings
            .push(publish(finding).remedy(format!("publish the record at {name}, and remove the others")));
    } else if usable.iter().any(|data| matches!(data, Data::Tlsa { usage: 2, .. })) {
        let finding = told(&codes::TLSA_AUTHORITY, "bound to an authority, which is not compared here");
        findings
            .push(publish(finding).remedy("publish 3 1 1 with the server's key beside it (RFC 7671 §5.1)"));
    } else {
        let finding =
            told(&codes::TLSA_CERTIFICATE, "bound to a certificate, not to the key: it breaks at a renewal");
        findings.push(publish(finding).remedy("publish 3 1 1 with the server's key (RFC 7671 §5.1)"));
    }
    Some(findings)
}

/// RFC 7672 §3.1: usages 2 and 3; known selectors and digests of the right length.
fn usable(data: &Data) -> bool {
    match data {
        Data::Tlsa { usage: 2 | 3, selector: 0 | 1, matching, data } => match matching {
            0 => !data.is_empty(),
            1 => data.len() == 32,
            2 => data.len() == 64,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    /// Proves: RFC 7672 §3.1 (which kinds mail uses), §2.2 (only signed), RFC 7671 §5.1.
    #[test]
    fn each_form_of_tlsa_is_told_apart() {
        let at = "_25._tcp.mail.example.org";
        let secure = format!("{at} !secure\n");
        let ours = "07".repeat(32);
        for (zone, code) in [
            (String::new(), "dns.tlsa.absent"),
            (format!("{secure}{at} TLSA 3 1 1 {ours}"), "dns.tlsa.ok"),
            (format!("{secure}{at} TLSA 3 1 1 {}\n{at} TLSA 3 1 1 {ours}", "08".repeat(32)), "dns.tlsa.ok"),
            (format!("{secure}{at} TLSA 3 1 1 {}", "08".repeat(32)), "dns.tlsa.mismatch"),
            (format!("{secure}{at} TLSA 3 0 1 {ours}"), "dns.tlsa.certificate"),
            (format!("{secure}{at} TLSA 1 1 1 {ours}"), "dns.tlsa.unusable"),
            (format!("{secure}{at} TLSA 3 1 1 0707"), "dns.tlsa.unusable"),
            (format!("{at} TLSA 3 1 1 {ours}"), "dns.tlsa.unsigned"),
            (format!("{at} !bogus\n{at} TLSA 3 1 1 {ours}"), "dns.tlsa.bogus"),
            (format!("{at} TLSA !timeout"), "dns.tlsa.unchecked"),
        ] {
            assert_eq!(host_codes(judge, &zone), [code], "{zone}");
        }
    }

    /// Proves: issue 5 (TLSA follows the keys): with RSA beside ECDSA, each key needs its record.
    #[test]
    fn each_of_two_keys_needs_its_record() {
        let at = "_25._tcp.mail.example.org";
        let one = format!("{at} !secure\n{at} TLSA 3 1 1 {}", "07".repeat(32));
        let both = format!("{one}\n{at} TLSA 3 1 1 {}", "09".repeat(32));
        for (zone, code) in [(one, "dns.tlsa.mismatch"), (both, "dns.tlsa.ok")] {
            let judged = |inquiry: &Inquiry<'_>, server: &Server, options: &Options| {
                let two = Server { spki: vec![[7; 32], [9; 32]], ..server.clone() };
                judge(inquiry, &two, options)
            };
            assert_eq!(host_codes(judged, &zone), [code], "{zone}");
        }
    }
}
