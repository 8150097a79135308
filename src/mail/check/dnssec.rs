//! DNSSEC of the zone: whether validating resolvers see it at all (RFC 4033 §5).

use super::{Findings, Options, codes, unanswered};
use crate::mail::{
    dns::{Doubt, Inquiry, Kind, Name, Proof, Question, Whom},
    server::{Served, Server},
};

/// Judges the signatures over a domain.
pub fn judge(inquiry: &Inquiry<'_>, _server: &Server, served: &Served, _options: &Options) -> Findings {
    let domain = &served.domain;
    // Every zone has it, and of a name within a zone its absence is proven as well.
    let question = Question::new(Name::from(domain), Kind::Soa).to(Whom::Validating);
    let answer = inquiry.ask(question.clone())?;
    let proof = answer.proof;
    if let (Err(why), true) = (answer.records(), proof != Proof::Bogus) {
        return Some(vec![unanswered(&codes::DNSSEC_UNCHECKED, domain, &question, why)]);
    }
    Some(vec![match proof {
        Proof::Secure => codes::DNSSEC_SECURE.of(domain, "signed, and the signatures hold"),
        Proof::Insecure => codes::DNSSEC_UNSIGNED.of(domain, "not signed, which is common"),
        Proof::Bogus => codes::DNSSEC_BOGUS
            .of(domain, "the signatures do not hold: for most receivers the domain does not exist")
            .found(format!("{question}: bogus"))
            .expected("signatures that the DS records at the registry vouch for, or no DS record there")
            .remedy("compare the DS records at the registrar with the zone's keys; https://dnsviz.net shows where it breaks")
            .remedy(format!("delv {domain} SOA")),
        Proof::Unchecked => {
            let doubt = answer.doubt.unwrap_or(Doubt::Gap);
            codes::DNSSEC_UNCHECKED
                .of(domain, doubt.to_string())
                .found(format!("{question}: {doubt}"))
                .remedy(doubt.remedy())
        }
    }])
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    /// Proves: RFC 4033 §5: secure, insecure and bogus are three things, and silence is a fourth.
    #[test]
    fn bogus_is_the_only_error() {
        for (zone, code) in [
            ("example.org SOA ns.net 1", "dns.dnssec.unsigned"),
            ("example.org !secure\nexample.org SOA ns.net 1", "dns.dnssec.secure"),
            ("example.org !bogus\nexample.org SOA ns.net 1", "dns.dnssec.bogus"),
            ("example.org SOA !servfail", "dns.dnssec.unchecked"),
            ("example.org SOA !timeout", "dns.dnssec.unchecked"),
        ] {
            assert_eq!(codes_of(judge, zone), [code], "{zone}");
        }
    }
}
