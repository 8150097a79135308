//! SPF held against others: the openspf.org suite for RFC 7208, and mail-auth on zones made at random.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "spf/peer.rs"]
mod peer;
#[path = "../src/mail/spf/tests/zone.rs"]
mod zone;

use mailctl::mail::{
    dns::{self, Data},
    spf::{Request, check_host},
};
use peer::Peer;
use proptest::prelude::*;
use serde_json::Value;
use std::net::IpAddr;
use zone::{Zone, data};

const SUITE: &str = include_str!("spf/rfc7208-tests.json");

/// Proves: every case of the openspf.org suite (see `tests/spf/README.md`).
#[test]
fn the_openspf_suite_agrees() {
    let sections: Vec<Value> = serde_json::from_str(SUITE).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for section in &sections {
        let zone = zone(&section["zonedata"]);
        for (name, case) in section["tests"].as_object().unwrap() {
            count += 1;
            wrong.extend(judge(&zone, case).map(|how| format!("{name} ({}): {how}", case["spec"])));
        }
    }
    assert_eq!(count, 203);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong, if anything.
fn judge(zone: &Zone, case: &Value) -> Option<String> {
    let text = |key: &str| case[key].as_str().unwrap();
    let request = Request::mail_from(text("host").parse().unwrap(), text("mailfrom"), text("helo"));
    let (found, _, _) = zone.drive(|inquiry| check_host(inquiry, &request));
    let wanted: Vec<&str> = case["result"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    if !wanted.contains(&found.verdict.as_str()) {
        return Some(format!("{found}, not {wanted:?}"));
    }
    // `DEFAULT` is the suite's word for an explanation of the receiver's own. The one IPv6 address in the suite is
    // in capitals, that of RFC 7208 §7.4 is not.
    let wanted = case["explanation"].as_str().unwrap_or("DEFAULT");
    let explained = found.explanation.as_deref().unwrap_or("DEFAULT");
    let same = case["explanation"].is_null() || explained.eq_ignore_ascii_case(wanted);
    (!same).then(|| format!("explained by {explained:?}, not {wanted:?}"))
}

/// As pyspf's driver reads it.
fn zone(zonedata: &Value) -> Zone {
    let mut zone = Zone::default();
    for (name, records) in zonedata.as_object().unwrap() {
        let records = records.as_array().unwrap();
        let own = records.iter().any(|record| record.get("TXT").is_some());
        for record in records {
            let Value::Object(record) = record else {
                zone.add(name, None);
                continue;
            };
            let (kind, value) = record.iter().next().unwrap();
            match (kind.as_str(), value) {
                ("SPF", _) if own => {}
                ("TXT", Value::String(text)) if text == "NONE" => {}
                ("SPF" | "TXT", Value::String(text)) => zone.add(name, Some(txt(&[text]))),
                ("SPF" | "TXT", Value::Array(texts)) => {
                    let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
                    zone.add(name, Some(txt(&texts)));
                }
                ("MX", Value::Array(pair)) => {
                    zone.add(name, data("MX", &format!("{} {}", pair[0], pair[1].as_str().unwrap())));
                }
                (kind, value) => zone.add(name, data(kind, value.as_str().unwrap())),
            }
        }
    }
    zone
}

fn txt(texts: &[&str]) -> Data {
    Data::Txt(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
}

const NAMES: [&str; 5] = ["a.org", "b.org", "c.org", "d.org", "e.org"];

/// Addresses of clients and of records, few enough to meet.
const ADDRESSES: [&str; 5] = ["192.0.2.1", "192.0.2.130", "198.51.100.7", "2001:db8::1", "2001:db8:1::1"];

/// A term about which both say the same. Left out is where mail-auth is known to differ from RFC 7208:
/// a second record, unknown mechanisms and bad addresses (it skips them); void lookups (it has no limit); `exists`
/// of a name with AAAA alone (it takes it); `ip6` networks of /2 and wider (it finds IPv4 clients in them); a
/// qualified include around another include (it forgets the outer qualifier: with `-include:a`, and in a
/// `include:b`, it passes whom b passes); `ptr` (it counts each name).
fn term() -> impl Strategy<Value = String> {
    let name = prop::sample::select(&NAMES[..]);
    let qualifier = prop::sample::select(&["", "+", "-", "~", "?"][..]);
    let four = prop::sample::select(&ADDRESSES[..3]);
    let six = prop::sample::select(&ADDRESSES[3..]);
    let prefixes = prop::sample::select(&["", "/0", "/24", "/25", "/32", "//0", "//48", "/24//48"][..]);
    let target = prop_oneof![
        name.clone().prop_map(|name| format!(":{name}")),
        Just(String::new()),
        Just(":%{d}".to_owned()),
        Just(":%{D2}".to_owned()),
        Just(":%{o}".to_owned()),
        Just(":%{l}.org".to_owned()),
        Just(":%{h2}".to_owned()),
    ];
    prop_oneof![
        3 => (qualifier.clone(), four, 0..=32u8).prop_map(|(q, address, bits)| format!("{q}ip4:{address}/{bits}")),
        2 => (qualifier.clone(), six, 3..=128u8).prop_map(|(q, address, bits)| format!("{q}ip6:{address}/{bits}")),
        4 => (qualifier.clone(), prop::sample::select(&["a", "mx", "A", "Mx"][..]), target, prefixes)
            .prop_map(|(q, mechanism, target, prefixes)| format!("{q}{mechanism}{target}{prefixes}")),
        4 => name.prop_map(|name| format!("include:{name}")),
        1 => qualifier.clone().prop_map(|q| format!("{q}exists:four.org")),
        1 => qualifier.prop_map(|q| format!("{q}all")),
        1 => Just("x-y.z=%{d}".to_owned()),
    ]
}

/// A name's record, its addresses and mail servers.
fn published(name: &'static str) -> impl Strategy<Value = String> {
    let record = (prop::collection::vec(term(), 0..6), prop::option::of(prop::sample::select(&NAMES[..])));
    let record = prop::option::weighted(0.9, record);
    let addresses = prop::collection::hash_set(prop::sample::select(&ADDRESSES[..]), 0..4);
    let servers = prop::collection::hash_set(prop::sample::select(&NAMES[..]), 0..3);
    (record, addresses, servers).prop_map(move |(record, addresses, servers)| {
        let mut text = String::new();
        if let Some((terms, redirect)) = record {
            let redirect = redirect.map(|to| format!(" redirect={to}")).unwrap_or_default();
            text += &format!("{name} TXT v=spf1 {}{redirect};", terms.join(" "));
        }
        for address in addresses {
            text += &format!("{name} {} {address};", if address.contains(':') { "AAAA" } else { "A" });
        }
        for (preference, server) in servers.iter().enumerate() {
            text += &format!("{name} MX {preference} {server};");
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Proves: on zones within the grammar, ours and mail-auth come to the same verdict.
    #[test]
    fn mail_auth_agrees(
        zone in NAMES.map(published),
        client in prop::sample::select(&ADDRESSES[..]),
        sender in prop::sample::select(&["a@a.org", "b@A.org", "c@b.org", "", "@c.org"][..]),
    ) {
        let text = zone.concat() + "four.org A 127.0.0.2";
        let zone = Zone::parse(&text);
        let client: IpAddr = client.parse().unwrap();
        let helo = "d.org";
        let request = Request { voids: usize::MAX, ..Request::mail_from(client, sender, helo) };
        let (ours, _, _) = zone.drive(|inquiry| check_host(inquiry, &request));
        let names: Vec<&str> = NAMES.into_iter().chain(["four.org"]).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let theirs = runtime.block_on(async { Peer::new(&zone, &names).verdict(client, sender, helo).await });
        // It has one word for "no record" and another for "no such name" where it asks itself; from its cache
        // both are the same.
        prop_assert_eq!(ours.verdict.as_str(), theirs, "{} from {}: {}\n{}", sender, client, ours, text.replace(';', "\n"));
    }
}
