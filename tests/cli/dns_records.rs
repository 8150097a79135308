//! `mailctl dns-records` in a temporary home; what it prints is read by BIND.

use crate::common::home::Home;
use std::{fs, process::Command};

fn home() -> Home {
    let home = Home::new();
    let settings = "[dns]\naddresses = \"192.0.2.25 2001:db8::25\"\nspf_all = \"~all\"\nttl = 300\n";
    fs::write(home.path().join("mailctl.toml"), settings).unwrap();
    home.ok(&["dkim", "generate", "--selector", "mail", "--bits", "2048"]);
    home
}

/// Proves: S0-6, S0-32, S4-11 and S4-12 (the exact records, with their names), S2-28.
#[test]
fn every_record_is_there_in_every_form() {
    let home = home();
    let table = home.ok(&["dns-records"]);
    for line in [
        "required    mail.example.org. ",
        "required    example.org. ",
        "MX    10 mail.example.org.",
        "TXT   v=spf1 mx ~all",
        "TXT   v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org",
        "SRV   0 1 993 mail.example.org.",
        "25.2.0.192.in-addr.arpa. ",
    ] {
        assert!(table.contains(line), "{line:?} is not in\n{table}");
    }
    let json = home.json(&["dns-records", "example.org"]);
    assert_eq!(
        json,
        serde_json::from_str::<serde_json::Value>(&home.ok(&["dns-records", "--format", "json"])).unwrap()
    );
    let of_domain = json[1]["records"].as_array().unwrap();
    let dkim = of_domain.iter().find(|record| record["name"] == "mail._domainkey.example.org").unwrap();
    assert_eq!(dkim["value"], home.json(&["dkim", "show"])[0]["record"]);
    assert_eq!(dkim["ttl"], 300);
    let form = home.ok(&["dns-records", "--format", "form"]);
    assert!(form.contains("name   mail._domainkey   (or, in full: mail._domainkey.example.org.)"), "{form}");
    assert!(form.contains("name   mail   (or, in full: mail.example.org.)"), "{form}");
    let terraform = home.ok(&["dns-records", "--format", "terraform"]);
    assert!(terraform.contains("resource \"dns_mx_record_set\" \"mx_example_org\""), "{terraform}");
    let needed = home.ok(&["dns-records", "--needed"]);
    assert!(!needed.contains("TLSA") && needed.contains("SRV   0 1 993"), "{needed}");
    home.refused(&["dns-records", "foreign.example"], 65, "domain add");
}

/// Proves: the zone file is one (RFC 1035 §5), with no string over 255 octets: BIND's own checker reads it.
#[test]
fn bind_reads_the_zone_file() {
    let home = home();
    let head = "$ORIGIN example.org.\n@ 300 IN SOA ns.example.net. root.example.org. 1 3600 600 86400 300\n@ 300 IN NS ns.example.net.\n";
    let zone = format!("{head}{}", home.ok(&["dns-records", "--format", "zone"]));
    let file = home.path().join("example.org.zone");
    fs::write(&file, &zone).unwrap();
    let checked = Command::new("named-checkzone").args(["-D", "example.org"]).arg(&file).output().unwrap();
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{text}\n{zone}");
    for record in home
        .json(&["dns-records"])
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|part| part["records"].as_array().unwrap().clone())
    {
        let name = record["name"].as_str().unwrap();
        if !name.ends_with("arpa") {
            let kind = record["kind"].as_str().unwrap();
            let there = text.lines().any(|line| line.starts_with(&format!("{name}.")) && line.contains(kind));
            assert!(there, "BIND does not see {record} in\n{text}");
        }
    }
}

#[test]
fn without_an_address_it_says_what_to_set() {
    let home = Home::new();
    let ran = home.run(&["dns-records"]);
    assert_eq!(ran.status, 0);
    if !ran.out.contains(" A ") {
        assert!(ran.err.contains("dns.addresses"), "{}", ran.err);
    }
}
