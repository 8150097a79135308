//! The whole tree, and what is weak in it.

use super::Zone;
use crate::mail::{
    dns::Name,
    spf::{Flaw, Nearly, Survey, Trouble, Why, survey},
};

fn of(zone: &str) -> Survey {
    let domain = Name::parse("example.org").unwrap();
    Zone::parse(&format!("example.org TXT {zone}")).drive(|inquiry| survey(inquiry, &domain)).0
}

fn flaws(zone: &str) -> Vec<Flaw> {
    of(zone).weaknesses.into_iter().map(|weakness| weakness.flaw).collect()
}

/// Proves: the tree has every record and every address, and counts as evaluation would in the worst case.
#[test]
fn the_tree_is_whole() {
    let found = of("v=spf1 mx include:a.org a:%{i}.x.org -all; example.org MX 1 m.org; m.org A 192.0.2.7;
        m.org AAAA 2001:db8::7; a.org TXT v=spf1 include:b.org ~all mx; b.org TXT v=spf1 redirect=c.org; c.org TXT v=spf1 ip4:192.0.2.0/24 -all");
    assert_eq!((found.lookups, found.voids, found.whole), (5, 0, true));
    let leaf = |at: usize| &found.root.leaves[at];
    assert_eq!(leaf(0).addresses.len(), 2);
    let a = leaf(1).below.as_ref().unwrap();
    assert_eq!((a.domain.as_str(), a.lookups), ("a.org", 2));
    let c = a.leaves[0].below.as_ref().unwrap().leaves[0].below.as_ref().unwrap();
    assert_eq!(c.record.as_deref(), Some("v=spf1 ip4:192.0.2.0/24 -all"));
    assert_eq!(found.weaknesses.iter().map(|w| w.flaw.clone()).collect::<Vec<_>>(), [Flaw::AfterAll]);
    assert!(!of("v=spf1 include:%{i}.x.org -all").whole);
    assert!(
        !of("v=spf1 exists:%{d}.x.org -all; example.org.x.org A 127.0.0.1")
            .weaknesses
            .iter()
            .any(|w| w.flaw.breaks())
    );
}

/// Proves: RFC 7208 §4.7, §5.1, §5.5, §6, §6.1: what weakens a record.
#[test]
fn weaknesses_are_told() {
    for (record, wanted) in [
        ("v=spf1 -all", vec![]),
        ("v=spf1 +all", vec![Flaw::AllPass]),
        ("v=spf1 all", vec![Flaw::AllPass]),
        ("v=spf1 ?all", vec![Flaw::AllNeutral]),
        ("v=spf1 ip4:192.0.2.1", vec![Flaw::NoAll]),
        ("v=spf1 -all mx", vec![Flaw::AfterAll]),
        ("v=spf1 redirect=a.org -all", vec![Flaw::RedirectBesideAll]),
        ("v=spf1 ptr -all", vec![Flaw::Ptr]),
        ("v=spf1 ip4:192.0.2.1/0 -all", vec![Flaw::WideNetwork(0)]),
        ("v=spf1 ip4=192.0.2.1 -all", vec![Flaw::ModifierForMechanism]),
        ("v=spf1 -all v=spf1", vec![Flaw::VersionInside]),
        ("v=spf1 foo=bar -all", vec![Flaw::UnknownModifier]),
        ("v=spf1 a:x.org -all", vec![Flaw::Void]),
        ("v=spf1 a|mx -all", vec![Flaw::Syntax(Why::UnknownMechanism(None)), Flaw::Glued]),
        ("v=spf1 ipv4:192.0.2.1 -all", vec![Flaw::Syntax(Why::UnknownMechanism(Some("ip4:")))]),
        ("v=spf1 include:a.org include:a.org -all; a.org TXT v=spf1 ?all", vec![Flaw::IncludedTwice]),
        ("v=spf1 include:a.org -all; a.org TXT v=spf1 +all", vec![Flaw::AllPass]),
    ] {
        assert_eq!(flaws(record), wanted, "{record}");
    }
}

/// Proves: RFC 7208 §3.4, §4.4, §4.5, §4.6.4: what breaks a record.
#[test]
fn what_breaks_is_told() {
    let name = |text: &str| Name::parse(text).unwrap();
    let broken = |trouble| vec![Flaw::Broken(trouble)];
    assert_eq!(
        flaws("v=spf1 -all; example.org TXT v=spf1 a"),
        broken(Trouble::ManyRecords(name("example.org"), 2))
    );
    assert_eq!(flaws("v=spf1 include:a.org -all"), broken(Trouble::TargetWithoutRecord(name("a.org"))));
    assert_eq!(flaws("v=spf1 redirect=example.org"), broken(Trouble::Loop(name("example.org"))));
    let silent = flaws("v=spf1 a:a.org -all; a.org SILENT");
    assert!(silent[0].unknown() && !silent[0].breaks(), "{silent:?}");
    for (text, nearly) in [
        ("\"v=spf1 -all\"", Nearly::Quoted),
        ("v=spf10 -all", Nearly::NoBlank),
        ("\u{feff}v=spf1 -all", Nearly::Unseen),
        ("spf1 -all", Nearly::NoVersion),
    ] {
        let found = flaws(text);
        assert_eq!(
            found,
            [Flaw::Nearly(nearly), Flaw::Broken(Trouble::NoRecord(name("example.org")))],
            "{text}"
        );
    }
    let many = flaws(&format!("v=spf1 {} -all; a.org A 192.0.2.1", "a:a.org ".repeat(12)));
    assert_eq!(many, [Flaw::Lookups(12)]);
    let voids = flaws("v=spf1 a:x.org a:y.org mx:z.org -all");
    assert_eq!(voids, [Flaw::Void, Flaw::Void, Flaw::Void, Flaw::Voids(3)]);
    let long = flaws(&format!("v=spf1 {} -all", "ip4:192.0.2.1 ".repeat(40)));
    assert!(matches!(long[..], [Flaw::LongAnswer(590..620)]), "{long:?}");
}

/// Proves: no tree of records, however it grows, takes long.
#[test]
fn a_tree_that_grows_is_cut() {
    let mut zone = String::from("v=spf1 include:n0.org -all");
    for n in 0..40 {
        let next = (n * 7 + 1) % 40;
        zone += &format!("; n{n}.org TXT v=spf1 include:n{}.org include:n{next}.org", (n + 1) % 40);
    }
    let found = of(&zone);
    assert!(!found.whole && found.lookups > 10, "{}", found.lookups);
}
