use super::{
    super::zone::{codes_of, findings_of, rsa, served, server, settled, told},
    *,
};
use crate::mail::{
    address::Selector,
    dkim::Algorithm,
    server::Stage::{Active, Idle, Leaving, Pending, Retired},
};

const AT: &str = "m202611._domainkey.example.org";

fn key() -> String {
    rsa(2048).text().split_once("p=").unwrap().1.to_owned()
}

fn text(text: &str) -> String {
    let quoted: Vec<String> = text
        .as_bytes()
        .chunks(255)
        .map(|piece| {
            format!(
                "\"{}\"",
                String::from_utf8(piece.to_vec()).unwrap().replace('\\', "\\\\").replace('"', "\\\"")
            )
        })
        .collect();
    format!("{AT} TXT {}", quoted.join(" "))
}

/// Proves: S0-32, S4-11 (the published key is compared with ours): right forms.
#[test]
fn a_right_record_is_right_in_every_form() {
    let p = key();
    let (head, tail) = p.split_at(200);
    for zone in [
        text(&format!("v=DKIM1; k=rsa; p={p}")),
        text(&format!("v=DKIM1;k=rsa;p={p};")),
        text(&format!("p={p}")),
        text(&format!("v=DKIM1; h=sha1:sha256; s=email; t=s; n=a note; p={p}")),
        format!("{AT} TXT \"v=DKIM1; k=rsa; p={head}\" \"{tail}\""),
        format!("{AT} CNAME keys.example.net\nkeys.example.net TXT \"v=DKIM1; p={head}\" \"{tail}\""),
    ] {
        assert_eq!(codes_of(judge, &zone), ["dns.dkim.ok"], "{zone}");
    }
}

/// Proves: issue 4: truncated, doubled quotes, doubled domain name, wrong split, revoked, each named.
#[test]
fn each_wrong_form_is_named() {
    let p = key();
    let (head, tail) = p.split_at(240);
    let other = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1111";
    for (zone, code) in [
        (String::new(), "dns.dkim.missing"),
        (text(&format!("v=DKIM1; k=rsa; p={head}")), "dns.dkim.truncated"),
        (text(&format!("v=DKIM1; p={}{}", &p[..100], &p[200..])), "dns.dkim.pieces"),
        (text(&format!("v=DKIM1; p={tail}{head}")), "dns.dkim.pieces"),
        (text(&format!("v=DKIM1; p={}", p.to_lowercase())), "dns.dkim.case"),
        (text(&format!("\"v=DKIM1; p={head}\" \"{tail}\"")), "dns.dkim.quotes"),
        (text(&format!("v=DKIM1\\; p={p}")), "dns.dkim.backslash"),
        (text(&format!("v=DKIM1; p={head} {tail}")), "dns.dkim.blanks"),
        (text("v=DKIM1; k=rsa; p="), "dns.dkim.revoked"),
        (text(&format!("v=DKIM1; p={other}")), "dns.dkim.other_key"),
        (text(&format!("v=DKIM1; k=ed25519; p={p}")), "dns.dkim.type"),
        (text(&format!("v=DKIM1; t=y:s; p={p}")), "dns.dkim.testing"),
        (text(&format!("v=DKIM1; h=sha1; p={p}")), "dns.dkim.hash"),
        (text(&format!("v=DKIM1; s=tlsrpt; p={p}")), "dns.dkim.service"),
        (text(&format!("v=DKIM2; p={p}")), "dns.dkim.syntax"),
        (text(&format!("k=rsa; v=DKIM1; p={p}")), "dns.dkim.syntax"),
        (text("v=DKIM1; k=rsa"), "dns.dkim.syntax"),
        (text("hello"), "dns.dkim.syntax"),
        (text(&format!("v=DKIM1; p={p}; p={p}")), "dns.dkim.syntax"),
        (format!("{}\n{}", text(&format!("p={p}")), text("v=spf1 -all")), "dns.dkim.several"),
        (text(&format!("p={p}")).replace(AT, &format!("{AT}.example.org")), "dns.dkim.doubled_name"),
        (format!("{AT} CNAME gone.example.net"), "dns.dkim.alias_dead"),
        (format!("{AT} TXT !timeout"), "dns.dkim.unchecked"),
        (format!("{AT} TXT !servfail"), "dns.dkim.unchecked"),
        (format!("{AT} TXT !refused"), "dns.dkim.unchecked"),
    ] {
        assert_eq!(codes_of(judge, &zone), [code], "{zone}");
    }
}

#[test]
fn the_remedy_is_the_whole_record_in_strings() {
    let findings = findings_of(judge, "");
    let record = &findings[0].expected[0];
    assert!(record.starts_with(&format!("{AT}. IN TXT \"v=DKIM1; k=rsa; p=")), "{record}");
    assert!(record.split('"').all(|string| string.len() <= 255), "{record}");
}

fn staged(zone: &str, record: Record, stage: Stage) -> Vec<&'static str> {
    let key = Key { selector: Selector::parse("m202611").unwrap(), record, stage };
    let served = Served { keys: vec![key], ..served() };
    let options = Options::default();
    told(&settled(zone, |inquiry| judge(inquiry, &server(), &served, &options)))
}

/// Proves: RFC 6376 §3.6.1 (an empty p= withdraws), and what each stage of a rotation needs.
#[test]
fn a_stage_says_what_must_be_there() {
    let good = text(&rsa(2048).text());
    let at = |zone: &str, stage| staged(zone, rsa(2048), stage);
    assert_eq!(at("", Pending), ["dns.dkim.pending"]);
    assert_eq!(at(&good, Pending), ["dns.dkim.ok"]);
    assert_eq!(at("", Active), ["dns.dkim.missing"]);
    assert_eq!(at("", Leaving), ["dns.dkim.left_early", "dns.dkim.no_key"]);
    assert_eq!(at(&good, Leaving), ["dns.dkim.no_key"]);
    assert_eq!(at(&good, Retired), ["dns.dkim.not_retired", "dns.dkim.no_key"]);
    assert_eq!(at(&text("v=DKIM1; k=rsa; p="), Retired), ["dns.dkim.no_key"]);
    assert_eq!(at("", Idle), ["dns.dkim.no_key"]);
}

/// Proves: RFC 8301 §3.2 (1024 bits), RFC 8463 §4 (Ed25519 is 32 octets).
#[test]
fn sizes_and_kinds() {
    let small = text(&rsa(1024).text());
    assert_eq!(staged(&small, rsa(1024), Active), ["dns.dkim.small"]);
    let record = Record { algorithm: Algorithm::Ed25519, public: vec![9; 32] };
    assert_eq!(staged(&text(&record.text()), record, Active), ["dns.dkim.ok"]);
}

#[test]
fn selectors_of_a_foreign_domain_are_not_guessed() {
    let options = Options { foreign: true, ..Options::default() };
    let findings = settled("", |inquiry| judge(inquiry, &server(), &served(), &options));
    assert_eq!(told(&findings), ["dns.dkim.foreign"]);
}
