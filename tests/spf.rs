//! SPF held against others: the openspf.org suite for RFC 7208, and mail-auth on zones made at random.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[allow(dead_code, reason = "the unit tests use the rest")]
#[path = "../src/mail/spf/tests/zone.rs"]
mod zone;

use mailctl::mail::{
    dns::{self, Data},
    spf::{Request, check_host},
};
use serde_json::Value;
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
