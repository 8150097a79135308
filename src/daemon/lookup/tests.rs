use super::*;
use crate::{
    daemon::{config::Config, memory::unix_now, snapshot::Snapshot},
    mail::forward::Terms,
};

fn state(snapshot: Option<Snapshot>) -> Lookup {
    let text = r#"
        hostname = "mail.example.org"
        admin = "ann@example.org"
        domains = ["example.org"]
        delimiter = "+"
        database = "/nowhere"
        socketmap = "/nowhere"
        policy = "/nowhere"
    "#;
    let state = State::new(&toml::from_str::<Config>(text).unwrap());
    state.write().snapshot = snapshot;
    Lookup(Arc::new(state))
}

fn example() -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.set_domains(["second.test".to_owned()]);
    for mailbox in ["ann@example.org", "bob@second.test"] {
        snapshot.set_mailbox(mailbox, true);
    }
    snapshot.set_targets("info@example.org", "ann@example.org,out@example.net");
    snapshot.set_targets("@second.test", "ann@example.org");
    snapshot
}

fn ask(lookup: &Lookup, map: &str, key: &str) -> String {
    let mut out = Vec::new();
    let request = format!("{}:{map} {key},", map.len() + 1 + key.len());
    let Progress::Used(used) = lookup.answer(request.as_bytes(), &mut out) else {
        panic!("{request} refused")
    };
    assert_eq!(used, request.len());
    let text = String::from_utf8(out).unwrap();
    text.split_once(':').unwrap().1.trim_end_matches(',').trim_end().to_owned()
}

/// Proves: S0-28, S0-41 (a catch-all never shadows a mailbox), S4-20.
#[test]
fn each_map_answers_in_postfix_form() {
    let lookup = state(Some(example()));
    for (map, key, answer) in [
        ("domains", "example.org", "OK 1"),
        ("domains", "Second.Test", "OK 1"),
        ("domains", "mail.example.org", "OK 1"),
        ("domains", "example.net", "NOTFOUND"),
        ("domains", "health.invalid", "NOTFOUND"),
        ("mailboxes", "ann@example.org", "OK 1"),
        ("mailboxes", "ann+tag@example.org", "OK 1"),
        ("mailboxes", "info@example.org", "NOTFOUND"),
        ("mailboxes", "ann@example.net", "NOTFOUND"),
        ("mailboxes", "ann@[192.0.2.1]", "NOTFOUND"),
        ("aliases", "ann@example.org", "OK ann@example.org"),
        ("aliases", "Ann+Tag@example.org", "OK ann+Tag@example.org"),
        ("aliases", "info@example.org", "OK ann@example.org,out@example.net"),
        ("aliases", "bob@second.test", "OK bob@second.test"),
        ("aliases", "free@second.test", "OK ann@example.org"),
        ("aliases", "nobody@example.org", "NOTFOUND"),
        ("aliases", "postmaster@mail.example.org", "OK ann@example.org"),
        ("aliases", "abuse@second.test", "OK ann@example.org"),
        ("aliases", "nobody@mail.example.org", "NOTFOUND"),
        ("aliases", "@second.test", "NOTFOUND"),
        ("aliases", "ann", "NOTFOUND"),
        ("aliases", "out@example.net", "NOTFOUND"),
        ("senders", "info@example.org", "OK ann@example.org"),
        ("senders", "ann+x@example.org", "OK ann@example.org"),
        ("senders", "nobody@example.org", "NOTFOUND"),
        ("senders", "@example.org", "NOTFOUND"),
        ("senders", "ceo@example.net", "NOTFOUND"),
    ] {
        assert_eq!(ask(&lookup, map, key), answer, "{map} {key}");
    }
    assert!(ask(&lookup, "passwords", "ann@example.org").starts_with("PERM "));
}

/// Proves: "a catch-all takes any RFC 5321 mailbox of the domain", and nothing else does.
#[test]
fn a_catch_all_takes_every_local_part_that_mail_allows() {
    let lookup = state(Some(example()));
    let long = "x".repeat(65);
    for local in [
        "\"john doe\"",
        "john doe",
        "a%b",
        "x/y",
        "$x",
        "{x}",
        "a|b",
        "`id`",
        "\"a@b\"",
        "\"\\\"\"",
        "ann+a/b",
        "bob+a/b",
        "a..b",
        ".a",
        "-o",
        "\"\"",
    ] {
        assert_eq!(ask(&lookup, "aliases", &format!("{local}@second.test")), "OK ann@example.org", "{local}");
        for (map, domain) in [
            ("aliases", "example.org"),
            ("aliases", "mail.example.org"),
            ("aliases", "example.net"),
            ("mailboxes", "second.test"),
            ("senders", "second.test"),
        ] {
            assert_eq!(ask(&lookup, map, &format!("{local}@{domain}")), "NOTFOUND", "{map} {local}@{domain}");
        }
    }
    for never in ["", "a\tb", "\u{e4}", "a\u{0}b", &long] {
        assert_eq!(ask(&lookup, "aliases", &format!("{never}@second.test")), "NOTFOUND", "{never:?}");
    }
}

/// Proves: issue 7: forwards of every kind are answered from memory, also of a domain that is led to another; what is off or
/// over is unknown, by the clock and without anybody's command.
#[test]
fn forwards_are_answered_while_they_count() {
    let mut snapshot = example();
    snapshot.set_domains(["second.test".to_owned(), "old.test".to_owned()]);
    snapshot.forwards.set_patterns("old.test", [("@old.test", "@example.org")]);
    snapshot.forwards.set_patterns(
        "example.org",
        [("/^t-([0-9]+)$/@example.org", "t+$1@example.net"), ("sales-*@example.org", "ann@example.org")],
    );
    snapshot.set_targets("brief@example.org", "ann@example.org");
    let now = i64::from(unix_now());
    let until = |until| Terms { until: Some(until), ..Terms::default() };
    snapshot.forwards.set_terms("info@example.org", Some(&Terms { enabled: false, ..Terms::default() }));
    snapshot.forwards.set_terms("brief@example.org", Some(&until(now)));
    snapshot.forwards.set_terms("sales-*@example.org", Some(&until(now + 1000)));
    let lookup = state(Some(snapshot));
    for (map, key, answer) in [
        ("domains", "old.test", "OK 1"),
        ("aliases", "ann@old.test", "OK ann@example.org"),
        ("aliases", "nobody@old.test", "NOTFOUND"),
        ("aliases", "Ann+Work@old.test", "OK ann+Work@example.org"),
        ("aliases", "t-17@example.org", "OK t+17@example.net"),
        ("aliases", "sales-EU@example.org", "OK ann@example.org"),
        ("senders", "sales-eu@example.org", "OK ann@example.org"),
        ("senders", "ann@old.test", "OK ann@example.org"),
        ("aliases", "info@example.org", "NOTFOUND"),
        ("senders", "info@example.org", "NOTFOUND"),
        ("aliases", "brief@example.org", "NOTFOUND"),
        ("aliases", "free@second.test", "OK ann@example.org"),
    ] {
        assert_eq!(ask(&lookup, map, key), answer, "{map} {key}");
    }
    lookup
        .0
        .write()
        .snapshot
        .as_mut()
        .unwrap()
        .forwards
        .set_terms("sales-*@example.org", Some(&until(now - 1)));
    lookup.0.write().snapshot.as_mut().unwrap().forwards.set_terms("info@example.org", None);
    assert_eq!(ask(&lookup, "aliases", "sales-eu@example.org"), "NOTFOUND");
    assert_eq!(ask(&lookup, "senders", "sales-eu@example.org"), "NOTFOUND");
    assert_eq!(ask(&lookup, "aliases", "info@example.org"), "OK ann@example.org,out@example.net");
}

/// A pattern that nobody can read makes those wait who would be held against it, and nobody else.
#[test]
fn a_damaged_pattern_is_temporary() {
    let mut snapshot = example();
    snapshot.forwards.set_patterns("example.org", [("/^(/@example.org", "ann@example.org")]);
    let lookup = state(Some(snapshot));
    assert!(ask(&lookup, "aliases", "x@example.org").starts_with("TEMP "));
    assert_eq!(ask(&lookup, "aliases", "ann@example.org"), "OK ann@example.org");
    assert_eq!(ask(&lookup, "aliases", "info@example.org"), "OK ann@example.org,out@example.net");
}

proptest::proptest! {
    /// Proves: whatever is asked, the answer is one of three: nobody, the catch-all's, or that of the address
    /// as it is written; a mailbox is reached by its own name only.
    #[test]
    fn no_key_reaches_a_mailbox_that_it_does_not_name(
        local in "[ -~]{0,70}|\\PC{0,20}|(ann|bob)[+@%/!\" ]{1,2}[a-z]{0,3}|\"(ann|bob)\"",
        domain in "example\\.org|second\\.test|SECOND\\.test\\.?|mail\\.example\\.org|example\\.net|[ -~]{0,20}",
    ) {
        let lookup = state(Some(example()));
        let key = format!("{local}@{domain}");
        let answer = ask(&lookup, "aliases", &key);
        if Address::parse(&key).is_err() {
            let catches = Domain::parse(key.rsplit_once('@').unwrap().1).is_ok_and(|d| d.as_str() == "second.test");
            let expected = if catches { &["OK ann@example.org", "NOTFOUND"][..] } else { &["NOTFOUND"][..] };
            proptest::prop_assert!(expected.contains(&&*answer), "{} -> {}", key, answer);
            proptest::prop_assert_eq!(ask(&lookup, "mailboxes", &key), "NOTFOUND");
            proptest::prop_assert_eq!(ask(&lookup, "senders", &key), "NOTFOUND");
        }
    }
}

/// Proves: fault 8 (without a directory nobody is unknown, for now).
#[test]
fn without_a_directory_everything_is_temporary() {
    let lookup = state(None);
    for map in ["domains", "mailboxes", "aliases", "senders"] {
        for key in ["ann@example.org", "example.org", "\u{fffd}", ""] {
            assert!(ask(&lookup, map, key).starts_with("TEMP "), "{map} {key}");
        }
    }
}

#[test]
fn a_damaged_row_is_temporary() {
    let mut snapshot = example();
    snapshot.set_targets("odd@example.org", "not an address");
    let lookup = state(Some(snapshot));
    assert!(ask(&lookup, "aliases", "odd@example.org").starts_with("TEMP "));
    assert_eq!(ask(&lookup, "aliases", "ann@example.org"), "OK ann@example.org");
}

#[test]
fn several_requests_and_a_half_one_in_one_buffer() {
    let lookup = state(Some(example()));
    let mut out = Vec::new();
    let bytes = b"19:domains example.org,19:domains example.net,19:doma";
    assert!(matches!(lookup.answer(bytes, &mut out), Progress::Used(46)));
    assert_eq!(out, b"4:OK 1,9:NOTFOUND ,");
    out.clear();
    assert!(matches!(lookup.answer(b"19:domains example.org,rubbish", &mut out), Progress::Refused(_)));
    assert_eq!(out, b"4:OK 1,");
    out.clear();
    lookup.answer(b"10:aliases \xff\xfe,", &mut out);
    assert_eq!(out, b"9:NOTFOUND ,");
}

/// Proves: S4-27 (the `+` delimiter leads into the folder as it is written).
#[test]
fn a_tag_stays_as_it_was_written() {
    let target = |text: &str| Address::parse(text).unwrap();
    assert_eq!(
        as_asked("Ann+Work@example.org", &target("ann+work@example.org"), '+'),
        "ann+Work@example.org"
    );
    assert_eq!(as_asked("info+X@example.org", &target("bob@example.org"), '+'), "bob@example.org");
    assert_eq!(as_asked("ann+A@example.org", &target("ann+b@example.org"), '+'), "ann+b@example.org");
    assert_eq!(as_asked("ann@example.org", &target("ann@example.org"), '+'), "ann@example.org");
}
