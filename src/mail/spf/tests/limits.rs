//! What is counted, where it ends, and the way to a verdict.

use super::{Zone, own, records};
use crate::mail::{
    dns::Name,
    spf::{Request, Trouble, check_host},
};

/// Proves: RFC 7208 §4.6.4: ten terms that ask, in the order of evaluation.
#[test]
fn ten_terms_may_ask() {
    let a = "example.org A 192.0.2.9";
    let ten = "a ".repeat(10);
    records(&[
        ("4.6.4 ten", &format!("v=spf1 {ten} ip4:192.0.2.1; {a}"), "pass"),
        ("4.6.4 eleven", &format!("v=spf1 {ten} a ip4:192.0.2.1; {a}"), "permerror"),
        ("4.6.4 the eleventh is not reached", &format!("v=spf1 {ten} ip4:192.0.2.1 a; {a}"), "pass"),
        (
            "4.6.4 redirect counts",
            &format!("v=spf1 {ten} redirect=b.org; {a}; b.org TXT v=spf1"),
            "permerror",
        ),
        ("4.6.4 exp does not", &format!("v=spf1 {ten} -all exp=b.org; {a}; b.org TXT x"), "fail"),
        (
            "4.6.4 across includes",
            &format!("v=spf1 include:b.org {} -all; {a}; b.org TXT v=spf1 a:example.org", "a ".repeat(9)),
            "permerror",
        ),
    ]);
    let found = own(&format!("v=spf1 {ten} a -all; {a}"));
    assert_eq!((found.lookups, found.trouble.clone()), (10, Some(Trouble::LookupLimit)));
    assert_eq!(found.decided().map(|place| place.position), Some(11));
}

/// Proves: RFC 7208 §4.6.4: two terms may ask in vain, and a term counts once.
#[test]
fn two_terms_may_ask_in_vain() {
    records(&[
        ("4.6.4 two", "v=spf1 a:x.org a:y.org ip4:192.0.2.1", "pass"),
        ("4.6.4 three", "v=spf1 a:x.org mx:y.org exists:z.org ip4:192.0.2.1", "permerror"),
        ("4.6.4 a name without such records", "v=spf1 a mx exists:z.org ip4:192.0.2.1", "permerror"),
        (
            "4.6.4 three names of one term",
            "v=spf1 mx -all; example.org MX 1 x.org; example.org MX 2 y.org; example.org MX 3 z.org",
            "fail",
        ),
    ]);
    let request = Request { voids: 5, ..Request::mail_from([192, 0, 2, 1].into(), "a@example.org", "h") };
    let zone = Zone::parse("example.org TXT v=spf1 a:u.org a:v.org a:w.org -all");
    let found = zone.drive(|inquiry| check_host(inquiry, &request)).0;
    assert_eq!((found.verdict.as_str(), found.voids), ("fail", 3));
}

/// Proves: RFC 7208 §4.6.4: ten mail servers, ten names of the client.
#[test]
fn ten_names_are_looked_at() {
    let servers = |count: usize| -> String {
        (0..count).map(|n| format!("; example.org MX {n} m{n}.org; m{n}.org A 192.0.2.{}", n + 10)).collect()
    };
    let wide = |count| own(&format!("v=spf1 mx/24 -all{}", servers(count)));
    assert_eq!(wide(10).verdict.as_str(), "pass");
    assert_eq!(wide(11).trouble, Some(Trouble::MxLimit(Name::parse("example.org").unwrap(), 11)));
    let names = |count: usize| -> String {
        (0..count).map(|n| format!("; 1.2.0.192.in-addr.arpa PTR p{n}.org; p{n}.org A 192.0.2.9")).collect()
    };
    let last = "; 1.2.0.192.in-addr.arpa PTR example.org; example.org A 192.0.2.1";
    assert_eq!(own(&format!("v=spf1 ptr -all{}{last}", names(9))).verdict.as_str(), "pass");
    assert_eq!(own(&format!("v=spf1 ptr -all{}{last}", names(10))).verdict.as_str(), "fail");
}

/// Proves: RFC 7208 §4.6.4, §5.2, §6.1: what leads back to itself is an error with a name.
#[test]
fn loops_have_a_name() {
    let name = |text| Name::parse(text).unwrap();
    let include =
        own("v=spf1 include:a.org -all; a.org TXT v=spf1 include:b.org; b.org TXT v=spf1 include:a.org");
    assert_eq!(include.trouble, Some(Trouble::Loop(name("a.org"))));
    let shown = "permerror: the record of a.org leads back to itself, by \"include:b.org\" of a.org, by \"include:a.org\" of example.org";
    assert_eq!(include.to_string(), shown);
    assert_eq!(own("v=spf1 redirect=example.org").trouble, Some(Trouble::Loop(name("example.org"))));
    let twice = own("v=spf1 include:a.org include:a.org -all; a.org TXT v=spf1 ~all");
    assert_eq!(twice.verdict.as_str(), "fail", "twice is no loop");
}

/// Proves: S4-32: the verdict names the term that decided, and the way to it.
#[test]
fn the_way_to_a_verdict_is_told() {
    let zone = "v=spf1 mx include:a.org -all; example.org MX 1 m.org; m.org A 192.0.2.7; a.org TXT v=spf1 redirect=b.org; b.org TXT v=spf1 ip4:192.0.2.0/28 ~all";
    let found = own(zone);
    let path: Vec<String> = found.path.iter().map(ToString::to_string).collect();
    assert_eq!(
        path,
        ["\"include:a.org\" of example.org", "\"redirect=b.org\" of a.org", "\"ip4:192.0.2.0/28\" of b.org"]
    );
    assert_eq!((found.lookups, found.voids), (3, 0));
    assert_eq!(own("v=spf1 ip4:192.0.2.9").to_string(), "neutral: no term matches");
    let broken = own("v=spf1 include:a.org -all; a.org TXT v=spf1 foo");
    assert!(
        broken.to_string().contains("in the record of a.org, term 1 \"foo\" is no known mechanism"),
        "{broken}"
    );
}

/// Proves: everything that can be foreseen is asked at once, and nothing behind a sure match.
#[test]
fn questions_go_out_together() {
    let rounds = |zone: &str| {
        let request = Request::mail_from([192, 0, 2, 1].into(), "a@example.org", "h");
        let (_, rounds, known) = Zone::parse(zone).drive(|inquiry| check_host(inquiry, &request));
        (rounds, known.answers.len())
    };
    let wide = "example.org TXT v=spf1 a mx include:a.org include:b.org exists:c.org -all;
        example.org A 192.0.2.5; example.org MX 1 m.org; example.org MX 2 n.org; m.org A 192.0.2.6; n.org A 192.0.2.7;
        a.org TXT v=spf1 a:d.org include:e.org; b.org TXT v=spf1 a:f.org; c.org TXT x; d.org A 192.0.2.8;
        e.org TXT v=spf1; f.org A 192.0.2.9";
    assert_eq!(rounds(wide), (3, 11));
    assert_eq!(rounds("example.org TXT v=spf1 ip4:192.0.2.1 a mx -all"), (1, 1));
    assert_eq!(
        rounds("example.org TXT v=spf1 a ip4:192.0.2.1 mx include:x.org -all; example.org A 192.0.2.2"),
        (2, 2)
    );
}
