//! CAA: whether the authority that we use may issue for the host (RFC 8659, RFC 8657).

use super::{Findings, Options, codes, reach::list, unanswered};
use crate::mail::{
    cert::caa::{self, Account, Found, Nearest, Verdict, Wish, entry},
    dns::{Entry, Inquiry, Name},
    finding::Finding,
    server::Server,
};

/// Judges the nearest CAA records above the host.
pub fn judge(inquiry: &Inquiry<'_>, server: &Server, options: &Options) -> Findings {
    let host = &server.host;
    if options.authorities.is_empty() {
        let summary =
            "the authority has told no name of its own for CAA, so no record can be held against it";
        return Some(vec![codes::CAA_OK.of(host, summary)]);
    }
    let name = Name::from(host);
    let wish = Wish {
        authorities: &options.authorities,
        account: options.account.as_deref().map_or(Account::Any, Account::Is),
        methods: &options.methods,
    };
    Some(vec![match caa::judge(inquiry, &name, &wish)? {
        Nearest::Nothing => {
            let finding = codes::CAA_ABSENT.of(host, format!("no CAA: every authority may issue for {host}"));
            let authorities = options.authorities.iter();
            authorities.fold(finding, |finding, one| finding.publish(entry(&name, one)))
        }
        Nearest::Found(found) => weighed(&found, server, options),
        Nearest::Silent(question, why) => unanswered(&codes::CAA_UNCHECKED, host, &question, &why),
    }])
}

fn weighed(found: &Found, server: &Server, options: &Options) -> Finding {
    let Found { at, records, verdict } = found;
    let authorities = list(&options.authorities);
    let (code, summary) = match verdict {
        Verdict::Free => {
            (codes::CAA_OK, format!("the CAA at {at} forbids nobody to issue for {}", server.host))
        }
        Verdict::Allowed => (codes::CAA_OK, format!("the CAA at {at} lets {authorities} issue")),
        Verdict::Critical(tag) => {
            (codes::CAA_CRITICAL, format!("the critical tag {tag:?} stops every authority"))
        }
        Verdict::Others(_) => {
            (codes::CAA_FORBIDS, format!("the CAA at {at} does not let {authorities} issue"))
        }
        Verdict::Account(_) => (codes::CAA_ACCOUNT, format!("the CAA at {at} is bound to another account")),
        Verdict::Method(_) => {
            let summary = format!("the CAA at {at} does not allow the ways in which we prove the name");
            (codes::CAA_METHOD, summary)
        }
    };
    let finding = code.of(&server.host, summary);
    let finding = records.iter().fold(finding, |finding, data| finding.found(Entry::new(at, data.clone())));
    match verdict {
        Verdict::Free | Verdict::Allowed => finding,
        Verdict::Critical(_) => finding.remedy(format!("remove it at {at}, or write 0 in the place of 128")),
        Verdict::Others(_) => {
            let authorities = options.authorities.iter();
            authorities.fold(finding, |finding, one| finding.publish(entry(at, one))).remedy(format!(
                "add the record at {at}; if another authority issues your certificate, leave it"
            ))
        }
        Verdict::Account(record) | Verdict::Method(record) => finding
            .publish(record.clone())
            .remedy(format!("put the record at {at} in the place of the one of the same authority")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::zone::*, *};

    /// Proves: RFC 8659 §3 (the nearest above), §4 (tags), and each wrong form.
    #[test]
    fn each_form_of_caa_is_told_apart() {
        for (zone, code) in [
            ("", "dns.caa.absent"),
            ("mail.example.org CAA 0 issue \"letsencrypt.org\"", "dns.caa.ok"),
            ("example.org CAA 0 issue \"letsencrypt.org; validationmethods=http-01\"", "dns.caa.ok"),
            ("example.org CAA 0 iodef \"mailto:a@example.org\"", "dns.caa.ok"),
            ("example.org CAA 0 issue \"other.example\"", "dns.caa.forbids"),
            ("example.org CAA 0 issue \";\"", "dns.caa.forbids"),
            (
                "example.org CAA 0 issue \"letsencrypt.org\"\nmail.example.org CAA 0 issue \"other.example\"",
                "dns.caa.forbids",
            ),
            (
                "example.org CAA 0 issue \"other.example\"\nexample.org CAA 0 issue \"letsencrypt.org\"",
                "dns.caa.ok",
            ),
            (
                "example.org CAA 128 new \"x\"\nexample.org CAA 0 issue \"letsencrypt.org\"",
                "dns.caa.critical",
            ),
            ("mail.example.org CAA !timeout", "dns.caa.unchecked"),
            ("example.org CAA !servfail", "dns.caa.unchecked"),
        ] {
            assert_eq!(host_codes(judge, zone), [code], "{zone}");
        }
    }

    /// Proves: RFC 8657 §4 (how we prove a name), and that an authority without a name in CAA is not judged.
    #[test]
    fn another_way_of_proof_and_an_authority_without_a_name() {
        let zone = "example.org CAA 0 issue \"letsencrypt.org; validationmethods=dns-01\"";
        let look = |options: Options| told(&settled(zone, |inquiry| judge(inquiry, &server(), &options)));
        let methods = vec!["http-01".to_owned()];
        assert_eq!(look(Options { methods, ..Options::default() }), ["dns.caa.method"]);
        assert_eq!(look(Options::default()), ["dns.caa.ok"]);
        assert_eq!(look(Options { authorities: Vec::new(), ..Options::default() }), ["dns.caa.ok"]);
    }

    /// Proves: RFC 8657 §3.
    #[test]
    fn an_account_of_somebody_else_is_named() {
        let options = Options { account: Some("https://a.example/1".to_owned()), ..Options::default() };
        let look = |value: &str| {
            let zone = format!("example.org CAA 0 issue \"letsencrypt.org{value}\"");
            told(&settled(&zone, |inquiry| judge(inquiry, &server(), &options)))
        };
        assert_eq!(look("; accounturi=https://a.example/2"), ["dns.caa.account"]);
        assert_eq!(look("; accounturi=https://a.example/1"), ["dns.caa.ok"]);
        assert_eq!(look(""), ["dns.caa.ok"]);
    }
}
