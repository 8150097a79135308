use super::*;
use proptest::prelude::*;

fn parts(source: &str, local: &str) -> Option<Vec<String>> {
    let own = |parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect();
    match Source::parse(source).unwrap() {
        Source::Pattern(Pattern::Wildcard(wildcard)) => wildcard.parts(local).map(own),
        Source::Pattern(Pattern::Expression(expression)) => expression.parts(local).map(own),
        other => panic!("{other}"),
    }
}

#[test]
fn stars_stand_for_any_run() {
    for (source, local, found) in [
        ("sales-*@example.org", "sales-eu", Some(&["eu"][..])),
        ("sales-*@example.org", "sales-", Some(&[""])),
        ("sales-*@example.org", "sale", None),
        ("*-sales@example.org", "eu-sales", Some(&["eu"])),
        ("a*b*c@example.org", "abbc", Some(&["", "b"])),
        ("a*b*c@example.org", "axbybc", Some(&["x", "yb"])),
        ("a*b*c@example.org", "ab", None),
        ("a*a@example.org", "a", None),
        ("*x*@example.org", "axb", Some(&["a", "b"])),
        (r"/^ticket-(\d+)$/@example.org", "ticket-17", Some(&["17"])),
        (r"/^ticket-(\d+)$/@example.org", "ticket-17x", None),
        (r"/^ticket-(\d+)$/@example.org", "my-ticket-17", None),
        ("/^a|b$/@example.org", "ax", None),
        ("/^a|b$/@example.org", "b", Some(&[])),
        ("/^(x)?y$/@example.org", "y", Some(&[""])),
        ("/^UPPER$/@example.org", "upper", Some(&[])),
        (r"/^a\$$/@example.org", "a", None),
    ] {
        let found = found.map(|found| found.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_eq!(parts(source, local), found, "{source} {local}");
    }
}

/// Proves: issue 7 ("anchored regex with captures"), threat: no expression is slow or large.
#[test]
fn what_cannot_be_a_pattern_says_why() {
    let long = format!("/^{}$/@example.org", "a".repeat(200));
    for (text, word) in [
        ("*@example.org", "write it as @example.org"),
        ("a**b@example.org", "two stars"),
        ("a b*@example.org", "may hold only"),
        (".*@example.org", "dot"),
        ("-*@example.org", "hyphen"),
        ("a*@example", "two parts"),
        ("/ticket/@example.org", "begin with ^ and end with $"),
        (r"/^ticket\$/@example.org", "begin with ^ and end with $"),
        ("/^ticket$/", "is written like"),
        ("/^(a$/@example.org", "no regular expression"),
        ("/^a)|(?:b$/@example.org", "no regular expression"),
        ("/^(?:(?:a{100}){100}){100}$/@example.org", "too large"),
        ("/^\u{e4}$/@example.org", "not ASCII"),
        (r"/^(a)\1$/@example.org", "no regular expression"),
        ("/^(?=a)$/@example.org", "no regular expression"),
        (&long, "longer than 200"),
    ] {
        let told = Source::parse(text).unwrap_err();
        assert!(told.contains(word) && told.lines().count() == 1, "{text}: {told}");
    }
    for (text, word) in [
        ("$@example.org", "$1 or ${1}"),
        ("$0@example.org", "$1 or ${1}"),
        ("$100@example.org", "$1 or ${1}"),
        ("${1@example.org", "without its }"),
        ("a/$1@example.org", "may hold only"),
        ("a@$1.example.org", "letters, digits"),
    ] {
        let told = Aim::parse(text).unwrap_err();
        assert!(told.contains(word), "{text}: {told}");
    }
}

#[test]
fn targets_take_up_parts() {
    for (text, parts, filled) in [
        ("team-$1@example.net", &["eu"][..], Some("team-eu@example.net")),
        ("${1}0-$2@example.net", &["a", "b"], Some("a0-b@example.net")),
        ("$2@example.net", &["a"], None),
        ("x$1@example.net", &["..y"], None),
        ("$1@example.net", &["-o"], None),
        ("ann@example.net", &[], Some("ann@example.net")),
    ] {
        let aim = Aim::parse(text).unwrap();
        assert_eq!(aim.to_string(), text);
        assert_eq!(aim.filled(parts).ok().map(|address| address.to_string()).as_deref(), filled, "{text}");
    }
    assert_eq!(Aim::parse("${2}x$1@example.net").unwrap().highest(), 2);
}

#[test]
fn the_nearest_pattern_is_asked_first() {
    let patterns = Patterns::new([
        ("a*@example.org", "one@example.org"),
        ("ab*@example.org", "two@example.org"),
        ("ab*@example.org", "three@example.org"),
        ("/^(a)(.*)$/@example.org", "$2@example.org"),
        ("/^z(.*)$/@example.org", "x$1@example.org"),
        ("@example.org", "@example.net"),
    ])
    .unwrap();
    let found = |local: &str, untagged| patterns.find(local, untagged).map(|hit| (hit.source, hit.untagged));
    assert_eq!(found("abc", None), Some(("ab*@example.org".to_owned(), false)));
    assert_eq!(found("axc", None), Some(("a*@example.org".to_owned(), false)));
    assert_eq!(found("z+t", Some("z")), Some(("/^z(.*)$/@example.org".to_owned(), false)));
    assert_eq!(found("q", None), None);
    let hit = patterns.find("ab", None).unwrap();
    assert_eq!(hit.targets.unwrap().len(), 2);
    assert_eq!(patterns.whole().unwrap().as_str(), "example.net");
    assert!(patterns.find("z..", None).unwrap().targets.is_none());
    assert!(Patterns::new([("@example.org", "a@example.net")]).is_err());
}

#[test]
fn terms_end_in_their_second() {
    let terms = Terms { until: Some(100), ..Terms::default() };
    assert_eq!((terms.off(99), terms.off(100)), (None, Some(Off::Expired(100))));
    assert_eq!(Terms { enabled: false, ..terms }.off(200), Some(Off::Disabled));
}

proptest! {
    /// A star is `.*`: the same names match, by an engine of others.
    #[test]
    fn a_wildcard_is_its_regular_expression(
        local in "[ab-]{0,3}(\\*[ab-]{0,2}){1,3}", name in "[ab-]{0,8}",
    ) {
        if let Ok(Source::Pattern(Pattern::Wildcard(wildcard))) = Source::parse(&format!("{local}@example.org")) {
            let same = regex::Regex::new(&format!("^{}$", local.replace('*', "(.*?)"))).unwrap();
            let found = same.captures(&name);
            prop_assert_eq!(wildcard.parts(&name).is_some(), found.is_some());
            if let (Some(parts), Some(found)) = (wildcard.parts(&name), found) {
                let theirs: Vec<&str> = found.iter().skip(1).flatten().map(|part| part.as_str()).collect();
                prop_assert_eq!(parts, theirs);
            }
        }
    }

    /// Whatever is read is written alike and read again; samples are matched.
    #[test]
    fn any_source_is_read_and_written_alike(
        text in "[a-z*+.-]{0,8}@[a-z.]{1,12}|/\\^[a-c()|*+?.\\[\\]\\\\d-]{0,10}\\$/@example\\.org|\\PC{0,20}",
    ) {
        if let Ok(source) = Source::parse(&text) {
            prop_assert_eq!(&Source::parse(&source.to_string()), &Ok(source.clone()));
            for sample in source.samples() {
                prop_assert!(source.holds(&sample), "{} {}", source, sample);
            }
        }
        if let Ok(aim) = Aim::parse(&text) {
            prop_assert_eq!(Aim::parse(&aim.to_string()), Ok(aim));
        }
    }
}
