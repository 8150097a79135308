//! From red to green: what `dns-records` prints is what `dns-check` wants, every single change is found for what it is,
//! and the records that a finding names mend it.

use super::dns_check::{check, codes};
use crate::common::{
    dns::{Dns, Zone},
    home::Home,
    nameserver::{NameServer, Program},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs};

/// All but what needs the real root zone, two networks or a list.
const SUBJECTS: &str = "address,reverse,helo,caa,mx,spf,dkim,dmarc,mta-sts,tls-rpt,autoconfig,wildcard";

/// Zones that are there, published or not.
const ZONES: [&str; 5] =
    ["example.org.", "example.net.", "2.0.192.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.", "relay.test."];

fn home(more: &str) -> Home {
    let home = Home::new();
    fs::write(home.path().join("mailctl.toml"), "[dns]\naddresses = \"192.0.2.25 2001:db8::25\"\n").unwrap();
    let settings = home.path().join("settings.env");
    fs::write(&settings, fs::read_to_string(&settings).unwrap() + more).unwrap();
    home.ok(&["dkim", "generate", "--selector", "m1"]);
    home
}

/// As printed, line by line.
fn printed(home: &Home) -> Vec<String> {
    let lines = home.ok(&["dns-records", "--format", "zone"]);
    let mut records: Vec<String> = Vec::new();
    for section in home.json(&["dns-records"]).as_array().unwrap() {
        for record in section["records"].as_array().unwrap() {
            let line = record["zone"].as_str().unwrap().to_owned();
            assert!(lines.contains(&line), "{line}\nis not in\n{lines}");
            records.push(line);
        }
    }
    records
}

fn serve(lines: &[String]) -> Dns {
    let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let zones = ZONES.map(|origin| {
        let of: Vec<&str> =
            lines.iter().filter(|line| name(line).ends_with(origin)).map(String::as_str).collect();
        Zone::new(origin, &of.join("\n"))
    });
    Dns::start(&zones.into_iter().chain([Zone::new(".", "")]).collect::<Vec<_>>())
}

/// Everything that is not right, and what to publish for it.
fn look(home: &Home, lines: &[String]) -> (i32, BTreeSet<String>, Vec<Value>) {
    let (status, document) = check(home, &serve(lines), &["--only", SUBJECTS]);
    let wrong = ["warning", "error", "could_not_check"].map(|verdict| codes(&document, verdict)).concat();
    let sections = document["sections"].as_array().unwrap().iter();
    let findings = sections.flat_map(|section| section["findings"].as_array().unwrap());
    let bad = findings.filter(|finding| finding["verdict"] != "ok").cloned();
    (status, wrong.into_iter().collect(), bad.collect())
}

/// Proves: S0-6, S0-32, S4-11, issue 4: what is printed is right as it is: with IPv6, for two domains, behind a relay.
#[test]
fn what_is_printed_is_green() {
    let one = home("");
    let two = home("");
    two.ok(&["domain", "add", "example.net"]);
    let relayed = home("RELAY_HOST=[smtp.relay.test]:587\n");
    for (home, more) in [(one, ""), (two, ""), (relayed, "smtp.relay.test. A 198.51.100.7")] {
        let mut lines = printed(&home);
        lines.extend((!more.is_empty()).then(|| more.to_owned()));
        let (status, wrong, findings) = look(&home, &lines);
        assert_eq!((status, wrong), (0, BTreeSet::new()), "{findings:#?}\n{lines:#?}");
    }
}

/// Proves: the same from BIND, which reads the zone file as it is printed.
#[test]
fn what_is_printed_is_green_from_bind() {
    let home = home("");
    let lines: Vec<String> = printed(&home).into_iter().filter(|line| !line.contains(".arpa. ")).collect();
    let Some(server) = NameServer::start(Program::Bind, "example.org", &lines.join("\n")) else {
        assert!(!rustix::process::geteuid().is_root(), "named is installed by .ci/provision test");
        return;
    };
    let at = server.address().to_string();
    // It answers for no other zone.
    let only = "address,mx,spf,dkim,dmarc,mta-sts,tls-rpt,autoconfig,wildcard";
    let ran = home.run(&["dns-check", "--resolver", &at, "--only", only]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

/// What is done to the records.
enum Change {
    /// The lines with this in them are gone.
    Without(&'static str),
    /// This text is in the place of that.
    Instead(&'static str, &'static str),
    /// One more line.
    With(&'static str),
    /// Of the line with this in it only the first string is there.
    FirstString(&'static str),
}
use Change::{FirstString, Instead, With, Without};

/// How it becomes right again.
enum Mend {
    /// By the records that the findings name.
    Published,
    /// As a remedy says with these words, which leave a choice.
    Hand(&'static str, Change),
}
use Mend::{Hand, Published};

/// A change, everything that is found then, and what mends it.
type Case = (Change, &'static [&'static str], Mend);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (Without("IN A 192"), &["dns.address.incomplete", "dns.reverse.unconfirmed", "dns.spf.fails"], Published),
    (Without("IN AAAA"), &["dns.address.incomplete", "dns.reverse.unconfirmed", "dns.spf.fails"], Published),
    (Instead("IN A 192.0.2.25", "IN A 192.0.2.99"), &["dns.address.incomplete", "dns.address.other", "dns.reverse.unconfirmed", "dns.spf.fails"], Published),
    (With("mail.example.org. IN A 10.0.0.1"), &["dns.address.private"], Published),
    (Without("25.2.0.192.in-addr.arpa."), &["dns.reverse.missing"], Published),
    (Without("ip6.arpa."), &["dns.reverse.missing"], Published),
    (Instead("25.2.0.192.in-addr.arpa. 3600 IN PTR mail.", "25.2.0.192.in-addr.arpa. 3600 IN PTR other."), &["dns.helo.ptr", "dns.reverse.unconfirmed"], Published),
    (Without("IN MX"), &["dns.mx.missing", "dns.spf.fails", "dns.spf.void"], Published),
    (Instead("IN MX 10 mail.example.org.", "IN MX 10 mx.example.net."), &["dns.mx.dead", "dns.mx.elsewhere", "dns.spf.fails", "dns.spf.void"], Published),
    (Instead("IN MX 10 mail.example.org.", "IN MX 10 alias.example.org.\nalias.example.org. IN CNAME mail.example.org."), &["dns.mx.alias"], Published),
    (Instead("IN MX 10 mail.example.org.", "IN MX 0 ."), &["dns.mx.null", "dns.spf.fails"], Published),
    (With("example.org. IN MX 10 mail.example.net.\nmail.example.net. IN A 198.51.100.9"), &["dns.mx.not_first"], Published),
    (With("example.org. IN MX 20 mail.example.net.\nmail.example.net. IN A 198.51.100.9"), &["dns.mx.backup"], Published),
    (Without("v=spf1 mx -all"), &["dns.spf.missing"], Published),
    (With("example.org. IN TXT \"v=spf1 ip4:198.51.100.9 -all\""), &["dns.spf.several"], Published),
    (Instead("v=spf1 mx -all", "v=spf1 -all"), &["dns.spf.fails"], Published),
    (Instead("v=spf1 mx -all", "v=spf1 mx +all"), &["dns.spf.all_pass"], Published),
    (Instead("v=spf1 mx -all", "v=spf1 mx ip4:bogus -all"), &["dns.spf.syntax"], Published),
    (Instead("v=spf1 mx -all", "v=spf1 mx ?all"), &["dns.spf.neutral"], Published),
    (Without("v=spf1 a -all"), &["dns.spf.helo"], Published),
    (Instead("v=spf1 a -all", "v=spf1 mx -all"), &["dns.spf.fails", "dns.spf.void"], Published),
    (Instead("v=spf1 mx -all", "v=spf1; mx -all"), &["dns.spf.nearly"], Published),
    (Without("_domainkey"), &["dns.dkim.missing"], Published),
    (Instead("m1._domainkey.example.org.", "m1._domainkey.example.org.example.org."), &["dns.dkim.doubled_name"], Published),
    (FirstString("_domainkey"), &["dns.dkim.truncated"], Published),
    (Instead("v=DKIM1; k=rsa; p=M", "v=DKIM1; k=rsa; p=N"), &["dns.dkim.other_key"], Published),
    (Instead("v=DKIM1; k=rsa;", "v=DKIM1; t=y;"), &["dns.dkim.testing"], Published),
    (Instead("v=DKIM1; k=rsa; p", "k=ed25519; p"), &["dns.dkim.type"], Published),
    (Without("_dmarc"), &["dns.dmarc.missing"], Published),
    (Instead("p=quarantine", "p=none"), &["dns.dmarc.none"], Published),
    (Instead("p=quarantine; rua", "p=block; ruf"), &["dns.dmarc.policy"], Published),
    (Instead("v=DMARC1; p=quarantine", "p=quarantine; v=DMARC1"), &["dns.dmarc.version"], Published),
    (With("_dmarc.example.org. IN TXT \"v=DMARC1; p=reject\""), &["dns.dmarc.several"], Published),
    (Instead("p=quarantine", "p=quarantine; sp=none; pct=20; fo=9"), &["dns.dmarc.passed_over", "dns.dmarc.percent", "dns.dmarc.subdomains"], Published),
    (Instead("p=quarantine; rua=mailto:postmaster@example.org", "p=quarantine; rua=mailto:a@example.net"), &["dns.dmarc.reports"], Hand("whoever runs example.net publishes that record", With("example.org._report._dmarc.example.net. IN TXT \"v=DMARC1\""))),
    (Instead("v=TLSRPTv1;", "v=TLSRPT1;"), &["dns.tls_rpt.broken"], Published),
    (Instead("_imaps._tcp.example.org. 3600 IN SRV 0 1 993 mail.example.org.", "_imaps._tcp.example.org. 3600 IN SRV 0 1 993 old.example.org."), &["dns.autoconfig.srv"], Published),
    (With("example.org. IN CAA 0 issue \"other.example\""), &["dns.caa.forbids"], Published),
    (With("*.example.org. IN TXT \"hello\""), &["dns.wildcard.txt"], Hand("remove", Without("*.example.org"))),
    (With("_mta-sts.example.org. IN TXT \"v=STSv1;\""), &["dns.mta_sts.record"], Hand("mend the record at _mta-sts.example.org", Without("_mta-sts"))),
];

/// Proves: issue 4: each single change gives exactly these findings, exit status 1 where one is an error, and what
/// they name as a remedy makes it green again.
#[test]
fn each_change_is_found_and_mended() {
    let home = home("");
    let right = printed(&home);
    let mut wrong = Vec::new();
    for (change, expected, mend) in CASES {
        let (changed, shown) = applied(&right, change);
        assert_ne!(changed, right, "{shown}");
        let (status, found, findings) = look(&home, &changed);
        let worst = findings.iter().any(|finding| finding["verdict"] == "error");
        let after = match mend {
            Published => remedied(changed, &findings),
            Hand(words, change) => {
                let remedies = findings.iter().map(|finding| finding["remedy"].to_string());
                assert!(
                    remedies.clone().any(|text| text.contains(words)),
                    "{words} in {:?}",
                    remedies.collect::<Vec<_>>()
                );
                applied(&changed, change).0
            }
        };
        let (status_after, left, _) = look(&home, &after);
        let expected: BTreeSet<String> = expected.iter().map(|code| (*code).to_owned()).collect();
        if found != expected || status != i32::from(worst) || (status_after, left.len()) != (0, 0) {
            wrong.push(format!("{shown}\n   {found:?}, status {status}, then {left:?}, {status_after}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn applied(right: &[String], change: &Change) -> (Vec<String>, String) {
    let (text, shown) = match change {
        Without(text) => {
            let rest: Vec<&str> =
                right.iter().map(String::as_str).filter(|line| !line.contains(text)).collect();
            (rest.join("\n"), format!("without {text}"))
        }
        Instead(text, other) => (right.join("\n").replace(text, other), format!("{other} for {text}")),
        With(line) => (format!("{}\n{line}", right.join("\n")), format!("with {line}")),
        FirstString(text) => {
            let cut = |line: &String| match line.split_once("\" \"").filter(|_| line.contains(text)) {
                Some((first, _)) => format!("{first}\""),
                None => line.clone(),
            };
            (right.iter().map(cut).collect::<Vec<_>>().join("\n"), format!("the first string of {text}"))
        }
    };
    (text.lines().map(str::to_owned).collect(), shown)
}

/// Puts the records of the findings in the place of those of their name and kind, as a person does; of several texts at
/// one name only those for the same purpose.
fn remedied(mut lines: Vec<String>, findings: &[Value]) -> Vec<String> {
    for entry in findings.iter().flat_map(|finding| finding["publish"].as_array().unwrap()) {
        let (name, kind) = (entry["name"].as_str().unwrap(), entry["type"].as_str().unwrap());
        lines.retain(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            !(words[0] == format!("{name}.") && words.contains(&kind))
        });
        lines.push(entry["zone"].as_str().unwrap().to_owned());
    }
    lines
}
