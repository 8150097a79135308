use super::*;
use crate::mail::{address::Selector, dkim::Algorithm, mta_sts::Policy};

fn server() -> Server {
    Server {
        host: Domain::parse("mail.example.net").unwrap(),
        addresses: vec!["192.0.2.25".parse().unwrap(), "2001:db8::25".parse().unwrap()],
        services: Services {
            submissions: 465,
            submission: 587,
            imaps: 993,
            imap: 143,
            ..Services::default()
        },
        spki: vec![[0xab; 32]],
        policy: None,
        relay: None,
    }
}

fn key(name: &str, stage: Stage) -> Key {
    let record = dkim::Record { algorithm: Algorithm::Ed25519, public: vec![0; 32] };
    Key { selector: Selector::parse(name).unwrap(), record, stage }
}

fn lines(records: &[Record]) -> Vec<String> {
    records.iter().map(ToString::to_string).collect()
}

/// Proves: S0-6, S4-10, S4-12, S2-28 (A, PTR and greeting agree).
#[test]
fn the_host_has_addresses_names_and_a_key() {
    let lines = lines(&for_host(&server(), &Wishes::default()));
    assert_eq!(
        lines[..3],
        [
            "mail.example.net. 3600 IN A 192.0.2.25",
            "mail.example.net. 3600 IN AAAA 2001:db8::25",
            "mail.example.net. 3600 IN TXT \"v=spf1 a -all\"",
        ]
    );
    assert!(lines[3].starts_with("_25._tcp.mail.example.net. 3600 IN TLSA 3 1 1 abab"));
    assert_eq!(lines[4], "25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.net.");
    assert_eq!(lines.len(), 6);
}

/// Proves: S0-5, S0-6, S0-32, S4-12.
#[test]
fn a_domain_has_mail_policies_and_every_key_that_somebody_may_ask_for() {
    let keys = vec![
        key("now", Stage::Active),
        key("next", Stage::Pending),
        key("old", Stage::Leaving),
        key("gone", Stage::Retired),
        key("spare", Stage::Idle),
    ];
    let served = Served { domain: Domain::parse("example.org").unwrap(), keys };
    let records = for_domain(&server(), &served, &Wishes::default());
    let lines = lines(&records);
    assert_eq!(lines[0], "example.org. 3600 IN MX 10 mail.example.net.");
    assert_eq!(lines[1], "example.org. 3600 IN TXT \"v=spf1 mx -all\"");
    assert!(lines[2].starts_with("now._domainkey.example.org. 3600 IN TXT \"v=DKIM1; k=ed25519; p=AAAA"));
    assert_eq!(lines[5], "gone._domainkey.example.org. 3600 IN TXT \"v=DKIM1; p=\"");
    assert!(!lines.iter().any(|line| line.starts_with("spare")));
    let dmarc =
        "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org\"";
    assert_eq!(lines[6], dmarc);
    assert_eq!(
        lines[7],
        "_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1; rua=mailto:postmaster@example.org\""
    );
    assert!(lines.contains(&"_imaps._tcp.example.org. 3600 IN SRV 0 1 993 mail.example.net.".to_owned()));
    // RFC 6186 §3.4: "." says that a service is not there.
    assert!(lines.contains(&"_pop3s._tcp.example.org. 3600 IN SRV 0 0 0 .".to_owned()));
    assert!(records.iter().all(|record| record.need == Need::Optional || record.name != Name::root()));
}

/// Proves: S2-26.
#[test]
fn a_relay_may_send_for_the_domain() {
    for (relay, term) in [
        ("[smtp.sendgrid.net]:587", "include:sendgrid.net"),
        ("email-smtp.eu-west-1.amazonaws.com:587", "include:amazonses.com"),
        ("[smtp-relay.gmail.com]:587", "include:_spf.google.com"),
        ("[relay.example.com]:2525", "a:relay.example.com"),
        ("[192.0.2.7]:25", "ip4:192.0.2.7"),
        ("[IPv6:2001:db8::7]:25", "ip6:2001:db8::7"),
        ("notsendgrid.net", "a:notsendgrid.net"),
    ] {
        assert_eq!(relay_term(relay), term, "{relay}");
    }
    let server = Server { relay: Some("[relay.example.com]:25".to_owned()), ..server() };
    let served = Served { domain: Domain::parse("example.org").unwrap(), keys: vec![] };
    let wishes = Wishes { spf_all: "~all".to_owned(), ..Wishes::default() };
    let records = for_domain(&server, &served, &wishes);
    assert_eq!(records[1].data.text().unwrap(), "v=spf1 mx a:relay.example.com ~all");
}

/// Proves: RFC 8461 §3.1, issue 5: what mailctld serves has names, and the policy's id follows its text.
#[test]
fn what_is_served_over_https_has_names() {
    let served = Served { domain: Domain::parse("example.org").unwrap(), keys: vec![] };
    let with = |policy| lines(&for_domain(&Server { policy, ..server() }, &served, &Wishes::default()));
    let policy = |mode| Policy { mode, hosts: vec!["mail.example.net".to_owned()], max_age: 604_800 };
    let names = ["autoconfig", "autodiscover"]
        .map(|label| format!("{label}.example.org. 3600 IN CNAME mail.example.net."));
    let sts =
        |lines: &[String]| lines.iter().filter(|line| line.contains("mta-sts")).cloned().collect::<Vec<_>>();
    let (without, off) = (with(None), with(Some(policy(Mode::None))));
    assert!(names.iter().all(|name| off.contains(name) && !without.contains(name)), "{off:?}");
    assert!(sts(&without).is_empty() && sts(&off).is_empty());
    let on = sts(&with(Some(policy(Mode::Testing))));
    assert_eq!(on[0], "mta-sts.example.org. 3600 IN CNAME mail.example.net.");
    assert_eq!(
        on[1],
        format!("_mta-sts.example.org. 3600 IN TXT \"v=STSv1; id={}\"", policy(Mode::Testing).id())
    );
    assert_ne!(on, sts(&with(Some(policy(Mode::Enforce)))));
}
