//! What never happens, whatever is published.

use super::Zone;
use crate::mail::{
    dns::{Data, Name},
    spf::{Record, Request, check_host, received_spf, survey},
};
use proptest::prelude::*;

/// Something that is nearly a term.
fn term() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+~?-]?(a|mx|ptr|all|include|exists|ip4|ip6)",
        "[+~?-]?(a|mx|ptr|include|exists):(%\\{[a-zA-Z][0-9]{0,2}r?[.+-]?\\}\\.)?[a-c]\\.org(//?[0-9]{0,3})?",
        "ip4:[0-9]{1,3}\\.0\\.2\\.[0-9](/[0-9]{1,3})?",
        "(redirect|exp|x)=(%[{_%-]?)?[a-c]\\.org",
        "\\PC{0,12}",
    ]
}

/// A record, well-formed or not.
fn record() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(term(), 0..12).prop_map(|terms| format!("v=spf1 {}", terms.join(" ")).into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(|tail| [b"v=spf1 ".to_vec(), tail].concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Proves: no record, sender or greeting makes an evaluation panic, go on for ever, or ask more than it may
    /// (RFC 7208 §4.6.4), and what is written of it has no line of theirs.
    #[test]
    fn any_zone_ends(
        published in prop::collection::vec(record(), 3),
        sender in "\\PC{0,20}@[a-c]\\.org",
        helo in "\\PC{0,20}",
        six in any::<bool>(),
    ) {
        let mut zone = Zone::parse("a.org A 192.0.2.1; b.org MX 1 a.org; b.org AAAA 2001:db8::1; 1.2.0.192.in-addr.arpa PTR a.org");
        for (name, text) in ["a.org", "b.org", "c.org"].iter().zip(&published) {
            prop_assert_eq!(Record::parse(text).is_err(), !Record::faults(text).is_empty());
            zone.add(name, Some(Data::Txt(text.chunks(255).map(<[u8]>::to_vec).collect())));
        }
        let client = if six { "2001:db8::9" } else { "192.0.2.1" };
        let request = Request::mail_from(client.parse().unwrap(), &sender, &helo);
        let (found, rounds, known) = zone.drive(|inquiry| check_host(inquiry, &request));
        prop_assert!(rounds <= 40 && known.answers.len() <= 250, "{rounds} rounds, {} questions", known.answers.len());
        prop_assert!(found.lookups <= 10 && found.voids <= 3);
        let header = received_spf(&request, &found);
        prop_assert_eq!(header.matches('\n').count(), header.matches("\r\n\t").count());
        prop_assert!(!found.to_string().is_empty());
        let domain = Name::parse("a.org").unwrap();
        let (surveyed, _, _) = zone.drive(|inquiry| survey(inquiry, &domain));
        prop_assert!(surveyed.weaknesses.iter().all(|weakness| !weakness.to_string().is_empty()));
    }
}
