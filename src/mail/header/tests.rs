//! What is read, what is not, and that nobody else reads something different.

use super::{
    author::{Author, list},
    forged::{received_spf, spf_result},
};
use mail_parser::MessageParser;
use proptest::prelude::*;

fn read(value: &str) -> Result<Vec<String>, &'static str> {
    list(value.as_bytes()).map(|all| all.iter().map(|one| format!("{}@{}", one.local, one.domain)).collect())
}

#[test]
fn addresses_are_found_wherever_they_may_stand() {
    for (value, wanted) in [
        ("ann@example.org", &["ann@example.org"][..]),
        ("<ann@example.org>", &["ann@example.org"]),
        (" Ann <Ann@Example.org> ", &["Ann@Example.org"]),
        ("\"Ann, the first\" <ann@example.org>", &["ann@example.org"]),
        ("John Q. Public <j.p@example.org>, bob@example.org", &["j.p@example.org", "bob@example.org"]),
        ("ann@example.org (Ann (of \\) Example))", &["ann@example.org"]),
        ("(first) ann@example.org", &["ann@example.org"]),
        ("Ann\n <ann@example.org>,\r\n\tbob@example.org", &["ann@example.org", "bob@example.org"]),
        ("=?utf-8?q?J=C3=B6rg?= =?utf-8?b?TcO8bGxlcg==?= <j@example.org>", &["j@example.org"]),
        ("Jörg Müller <j@xn--mller-kva.example>", &["j@xn--mller-kva.example"]),
        ("us: ann@example.org, Bob <bob@example.org>;", &["ann@example.org", "bob@example.org"]),
        ("nobody:;", &[]),
        ("us:;, them: x@example.net;", &["x@example.net"]),
        ("\"john doe\"@example.org", &["john doe@example.org"]),
        ("\"ann\"@example.org", &["ann@example.org"]),
        ("ann@[192.0.2.1]", &["ann@[192.0.2.1]"]),
        ("\"ceo@bank.example\" <ann@example.org>", &["ann@example.org"]),
        ("ann@example.org\n", &["ann@example.org"]),
    ] {
        assert_eq!(read(value).unwrap(), wanted, "{value:?}");
    }
}

/// Proves: issue 6 (header From), threats 11: what mail programs read each in its own way is refused.
#[test]
fn what_could_be_read_in_two_ways_is_not_read() {
    for value in [
        "",
        "Ann",
        "ann@example.org bob@example.org",
        "ann@example.org <ceo@bank.example>",
        "ceo@bank.example <ann@example.org>",
        "<ann@example.org> <ceo@bank.example>",
        "<ann@example.org>ceo@bank.example",
        "<@a.example,@b.example:ann@example.org>",
        "<@a.example:ann@example.org>",
        "Doe, John <ann@example.org>",
        "ann@example.org,",
        ",ann@example.org",
        "ann@example.org,,bob@example.org",
        "ann (x) @example.org",
        "ann@(x)example.org",
        "ann@example .org",
        "ann @ example.org",
        "a . b@example.org",
        "ann.@example.org",
        ".ann@example.org",
        "a..b@example.org",
        "ann@example..org",
        "ann@example.org.",
        "ann@",
        "@example.org",
        "<>",
        "<ann@example.org",
        "ann@example.org>",
        "Ann <ann@example.org (>)",
        "Ann <ann@example.org> x",
        "\"Ann <ann@example.org>",
        "Ann (x <ann@example.org>",
        "Ann) <ann@example.org>",
        "us: ann@example.org",
        "us: them: ann@example.org;;",
        ": ann@example.org;",
        "ann@example.org; bob@example.org",
        "jörg@example.org",
        "ann@müller.example",
        "=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQA=?=@example.org",
        "\"=?utf-8?q?ceo?=\"@example.org",
        "=?utf-8?q?ceo=40bank.example?=",
        "ann@example.org\0, ceo@bank.example",
        "ann@example.org\rFrom: ceo@bank.example",
        "ann@example.org\nFrom: ceo@bank.example",
        "ann\\@example.org",
        "\"a\"b@example.org",
        "a\"b\"@example.org",
        "\"a\".b@example.org",
    ] {
        assert!(read(value).is_err(), "{value:?}: {:?}", read(value));
    }
    assert!(list(b"J\xf6rg <j@example.org>").is_err());
}

fn author(fields: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let mut author = Author::default();
    fields.iter().for_each(|(name, value)| author.take(name.as_bytes(), value.as_bytes()));
    let found = author.addresses().map_err(|unclear| unclear.0)?;
    Ok(found.iter().map(|(field, written)| format!("{field} {written}")).collect())
}

/// Proves: RFC 5322 §3.6: one From, at most one Sender with one address.
#[test]
fn a_message_has_one_from() {
    assert_eq!(author(&[("To", "x"), ("fRom ", "ann@example.org")]).unwrap(), ["From ann@example.org"]);
    let both = [("Sender", "bob@example.org"), ("From", "ann@example.org")];
    assert_eq!(author(&both).unwrap(), ["From ann@example.org", "Sender bob@example.org"]);
    for (fields, word) in [
        (&[("Subject", "From: ann@example.org")][..], "From is missing"),
        (&[("From", "ann@example.org"), ("FROM", "ann@example.org")], "From is there more than once"),
        (&[("From", "a@b.org"), ("Sender", "a@b.org"), ("Sender", "a@b.org")], "Sender is there more"),
        (&[("From", "a@b.org"), ("Sender", "a@b.org, c@b.org")], "Sender has more than one address"),
        (&[("From", "nobody:;")], "From has no address"),
    ] {
        assert!(author(fields).unwrap_err().starts_with(word), "{fields:?}");
    }
    let long = format!("{} <ann@example.org>", "x".repeat(20_000));
    assert!(author(&[("From", &long)]).unwrap_err().contains("16384"));
    let shown = author(&[("From", "\"a\\\" b\"@example.org")]).unwrap();
    assert_eq!(shown, ["From \"a? b\"@example.org"]);
}

#[test]
fn only_what_bears_our_name_is_forged() {
    let host = "mail.example.org";
    for ours in [
        "pass (MAIL.example.org: domain of x) client-ip=192.0.2.1",
        "pass\n\tclient-ip=192.0.2.1; receiver=mail.example.org; helo=x",
        "Pass receiver = \"Mail.Example.Org.\"",
        "pass (unbalanced receiver=mail.example.org",
    ] {
        assert!(received_spf(ours.as_bytes(), host), "{ours}");
    }
    for theirs in [
        "pass (mx.example.net: domain of x@mail.example.org lets 192.0.2.1 send)",
        "pass receiver=mx.example.net; envelope-from=\"x@mail.example.org\"",
        "pass receiver=mail.example.org.example.net",
        "pass (unbalanced receiver=mx.example.net",
    ] {
        assert!(!received_spf(theirs.as_bytes(), host), "{theirs}");
    }
    for ours in [
        "mail.example.org; spf=pass smtp.mailfrom=x",
        "(c) \"MAIL.example.org\" 1; dkim=pass; SPF (x) = pass",
        "mail.example.org.;spf/1=pass",
        "mail.example.org; spf=pass (unbalanced",
    ] {
        assert!(spf_result(ours.as_bytes(), host), "{ours}");
    }
    for theirs in [
        "mail.example.org; dkim=pass (spf=pass) header.d=x",
        "mail.example.org; dkim=pass reason=\"spf=pass\"",
        "mail.example.org; none",
        "mx.example.net; spf=pass smtp.mailfrom=mail.example.org",
    ] {
        assert!(!spf_result(theirs.as_bytes(), host), "{theirs}");
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(value in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = list(&value);
        received_spf(&value, "a.b");
        spf_result(&value, "a.b");
    }

    /// What is read here is what another parser reads, one that mends what it can as mail programs do.
    #[test]
    fn nobody_reads_other_addresses(
        parts in prop::collection::vec(prop::sample::select(vec![
            "ann", "bob", "@", "example.org", "b.example", "<", ">", ",", ";", ":", " ", "\"", "(", ")", ".", "\\", "\n ",
            "=?utf-8?q?x=40y?=", "ann@example.org", "<bob@b.example>", "ö", "[192.0.2.1]",
        ]), 1..8)
    ) {
        let value = parts.concat();
        let Ok(ours) = read(&value) else { return Ok(()) };
        let message = format!("From: {}\r\n\r\n", value.replace('\n', "\r\n"));
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        let theirs: Vec<String> = parsed.from().into_iter().flat_map(|from| from.clone().into_list())
            .filter_map(|one| one.address.map(|address| address.trim().to_string())).collect();
        for address in &theirs {
            prop_assert!(
                ours.iter().any(|one| one == address) || address.contains('"'),
                "{value:?}: ours {ours:?}, theirs {theirs:?}"
            );
        }
    }
}
