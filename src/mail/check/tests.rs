//! What holds for all subjects together.

use super::{zone::*, *};
use crate::mail::dns::{Answer, Data, Fetched, Kind, Outcome};
use proptest::prelude::*;
use std::cell::RefCell;

/// A server and a domain where everything is right.
fn right() -> String {
    let text = rsa(2048).text();
    let (head, tail) = text.split_at(255);
    format!(
        "mail.example.org A 192.0.2.25\nmail.example.org AAAA 2001:db8::25\n\
         25.2.0.192.in-addr.arpa PTR mail.example.org\n{} PTR mail.example.org\n\
         mail.example.org TXT \"v=spf1 a -all\"\n\
         example.org MX 10 mail.example.org\nexample.org TXT \"v=spf1 mx -all\"\nexample.org SOA a.net 1\n\
         m202611._domainkey.example.org TXT \"{head}\" \"{tail}\"\n\
         _dmarc.example.org TXT \"v=DMARC1; p=reject; rua=mailto:a@other.net\"\n\
         example.org._report._dmarc.other.net TXT \"v=DMARC1\"\n\
         _mta-sts.example.org TXT \"v=STSv1; id=1\"\nmta-sts.example.org A 192.0.2.80\n\
         https://mta-sts.example.org/.well-known/mta-sts.txt 200 version: STSv1\\nmode: enforce\\nmx: mail.example.org\\nmax_age: 604800\n\
         example.org NS a.net\nexample.org NS b.net\na.net A 192.0.2.53\nb.net A 198.51.100.53\n\
         @192.0.2.53 example.org SOA a.net 1\n@198.51.100.53 example.org SOA a.net 1\n\
         @192.0.2.53 example.org NS a.net\n@192.0.2.53 example.org NS b.net\n\
         @198.51.100.53 example.org NS a.net\n@198.51.100.53 example.org NS b.net\n",
        crate::mail::dns::Name::reverse("2001:db8::25".parse().unwrap())
    )
}

fn everything(inquiry: &Inquiry<'_>) -> Findings {
    let options = Options::default();
    // Both are called before one is waited for.
    let parts = (host(inquiry, &server(), &options), domain(inquiry, &server(), &served(), &options));
    Some([parts.0?, parts.1?].concat())
}

#[test]
fn a_right_zone_is_right() {
    let findings = settled(&right(), everything);
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Ok), "{:?}", told(&findings));
    let subjects: BTreeSet<Subject> = findings.iter().map(|finding| finding.subject).collect();
    assert_eq!(subjects.len(), Subject::ALL.len() - 1, "all but blocklists");
}

/// Proves: issue 4: whichever question is not answered, nothing right becomes wrong by it; and where none is
/// answered, nothing is said to be right.
#[test]
fn silence_makes_nothing_wrong() {
    let zone = right();
    let asked: RefCell<Vec<Question>> = RefCell::default();
    let ask = |question: &Question| {
        asked.borrow_mut().push(question.clone());
        answer(&zone, question, 0)
    };
    settled_by(ask, |url| page(&zone, url), everything);
    let asked = asked.into_inner();
    assert!(asked.len() > 40, "{}", asked.len());
    let mut unnoticed: BTreeSet<String> = BTreeSet::new();
    for silent in [Silence::Timeout, Silence::ServFail, Silence::Refused] {
        let silence = || Answer::new(Outcome::Silent(silent.clone()));
        for one in &asked {
            let ask =
                |question: &Question| if question == one { silence() } else { answer(&zone, question, 0) };
            let findings = settled_by(ask, |url| page(&zone, url), everything);
            let wrong = findings.iter().find(|finding| finding.verdict == Verdict::Error);
            assert_eq!(wrong, None, "{one} is not answered");
            told(&findings);
            if findings.iter().all(|finding| finding.verdict != Verdict::CouldNotCheck) {
                unnoticed.insert(one.to_string());
            }
        }
        let findings = settled_by(|_| silence(), |_| Fetched::Silent("no".to_owned()), everything);
        let judged = findings.iter().find(|finding| finding.verdict != Verdict::CouldNotCheck);
        assert_eq!(judged, None, "nobody answers");
    }
    assert_eq!(unnoticed.into_iter().collect::<Vec<_>>(), UNNOTICED);
}

/// Questions whose answer only adds to another: a name server counts by those of its addresses that answer and by its
/// first answer, a policy that was fetched needs no address, and the zone above is asked for comparison only.
const UNNOTICED: &[&str] = &[
    "a.net AAAA",
    "b.net AAAA",
    "example.org NS at 192.0.2.53",
    "example.org NS at 198.51.100.53",
    "mta-sts.example.org A",
    "mta-sts.example.org AAAA",
    "org NS",
];

proptest! {
    /// Proves: threat 22: whatever stands in a TXT record or a policy, the judgement ends, and has a remedy.
    #[test]
    fn no_text_of_a_stranger_breaks_a_judgement(
        parts in prop::collection::vec(
            prop_oneof![
                "(v=spf1|v=DMARC1|v=DKIM1|v=STSv1|v=TLSRPTv1)",
                "[;= ]{1,3}",
                "(p|k|sp|rua|id|a|mx|all|include|ip4|t|h)[:=]?",
                "[!-~]{0,12}",
                "\\PC{0,4}",
            ],
            0..12,
        ),
        octets in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let text = [parts.concat().into_bytes(), octets].concat();
        let zone = right();
        let ask = |question: &Question| match question.kind {
            Kind::Txt => Answer::new(Outcome::Found(vec![Data::Txt(vec![text.clone()])])),
            _ => answer(&zone, question, 0),
        };
        let policy = |_: &str| Fetched::Body {
            status: 200,
            media: String::new(),
            text: String::from_utf8_lossy(&text).into_owned(),
        };
        told(&settled_by(ask, policy, everything));
    }
}
