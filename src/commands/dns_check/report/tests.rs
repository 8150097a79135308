use super::*;
use crate::mail::{
    check::codes,
    dns::{Data, Entry},
    provider,
};
use std::{fs, path::Path};

/// A server and a domain with one finding of each kind.
fn sections() -> Vec<Section> {
    let name = |text: &str| Name::parse(text).unwrap();
    let key =
        Entry::txt(name("m202611._domainkey.example.org"), &format!("v=DKIM1; k=rsa; p={}", "A".repeat(290)));
    let host = vec![
        codes::ADDRESS_OK.of("mail.example.org", "mail.example.org leads to this server"),
        codes::REVERSE_UNCHECKED
            .of("mail.example.org", "25.2.0.192.in-addr.arpa PTR: the server answered SERVFAIL")
            .found("25.2.0.192.in-addr.arpa PTR: the server answered SERVFAIL")
            .remedy("mailctl dns-check --watch asks again until there is an answer; --resolver ADDRESS asks another resolver"),
    ];
    let domain = vec![
        codes::MX_BACKUP
            .of("example.org", "mx.example.net takes mail when this server does not answer")
            .found("example.org. IN MX 10 mail.example.org.")
            .found("example.org. IN MX 20 mx.example.net.")
            .remedy("keep it only if that server knows your users and hands mail on to this one"),
        codes::DKIM_TRUNCATED
            .of("example.org", "key m202611: cut off: 238 of the 290 characters of the key")
            .found(Entry::txt(&key.name, &format!("v=DKIM1; k=rsa; p={}", "A".repeat(238))))
            .publish(key)
            .remedy("put the expected record in its place; the strings join without a blank"),
        codes::MX_MISSING
            .of("example.org", "nobody can write to example.org: it has no MX")
            .publish(Entry::new(
                name("example.org"),
                Data::Mx { preference: 10, exchange: name("mail.example.org") },
            ))
            .remedy("publish the MX record at the provider of the zone"),
    ];
    let section = |about: &str, role, findings: Vec<Finding>| Section {
        about: about.to_owned(),
        role,
        verdict: crate::mail::check::worst(&findings),
        findings,
    };
    vec![section("mail.example.org", Role::Host, host), section("example.org", Role::Served, domain)]
}

/// Proves: issue 4 (golden outputs for 80 and 120 columns, without colour where there is no terminal).
#[test]
fn the_report_is_the_committed_one() {
    let hetzner = provider::find("hetzner");
    for (file, style) in [
        ("dns-check-80.txt", Style { page: Page { terminal: true, ..Page::PLAIN }, all: false, at: None }),
        (
            "dns-check-120.txt",
            Style {
                page: Page { width: 120, unicode: true, terminal: true, colour: false },
                all: true,
                at: hetzner,
            },
        ),
        ("dns-check-pipe.txt", Style { page: Page::PLAIN, all: false, at: None }),
    ] {
        let made = text(&sections(), style);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
        if std::env::var_os("MAILCTL_BLESS").is_some() {
            fs::write(&path, &made).unwrap();
        }
        assert_eq!(
            made,
            fs::read_to_string(&path).unwrap_or_default(),
            "{file}: make bless, and read the difference"
        );
        assert!(!made.contains('\u{1b}'), "{file} has colour");
        // What is to be copied is never broken; all else keeps to the width.
        let copied = |line: &str| line.contains("IN TXT \"") || line.contains("Value: \"");
        let wide = made.lines().find(|line| line.chars().count() > style.page.width && !copied(line));
        assert_eq!(wide, None, "{file}");
    }
}

/// Proves: colour is only added, words stay.
#[test]
fn colour_is_never_the_only_sign() {
    let plain = Style { page: Page { terminal: true, ..Page::PLAIN }, all: true, at: None };
    let coloured = Style { page: Page { colour: true, ..plain.page }, ..plain };
    let (plain, coloured) = (text(&sections(), plain), text(&sections(), coloured));
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(console::strip_ansi_codes(&coloured), plain);
}
