//! `mailctl dns-check` against a real name server of the test's own.

use crate::common::{
    dns::{Dns, Fault, Zone},
    home::Home,
    resolver::{Kind, Resolver},
    signed::World,
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
};

/// Subjects that need nothing but the records that `mailctl dns-records` prints.
pub const RECORDS: &str = "address,reverse,helo,mx,spf,dkim,dmarc";

/// Two name servers: the test's own, and the same once more under another name.
const NAME_SERVERS: &str = "@ NS ns1\n@ NS ns2\nns1 A {at}\nns2 A {at}";

/// A home whose address is known and whose domain has a key.
pub fn home() -> Home {
    let home = Home::new();
    fs::write(home.path().join("mailctl.toml"), "[dns]\naddresses = \"192.0.2.25\"\n").unwrap();
    home.ok(&["dkim", "generate", "--selector", "m1"]);
    home
}

/// The records that the program prints, as lines of zones.
pub fn records(home: &Home) -> Vec<String> {
    let sections = home.json(&["dns-records"]);
    let all = sections.as_array().unwrap().iter().flat_map(|section| section["records"].as_array().unwrap());
    all.map(|record| record["zone"].as_str().unwrap().to_owned()).collect()
}

/// Serves these lines, and says that nothing else exists.
pub fn serve(lines: &[String]) -> Dns {
    let of = |suffix: &str| {
        let lines = lines.iter().filter(|line| line.split_whitespace().next().unwrap().ends_with(suffix));
        lines.map(String::as_str).collect::<Vec<_>>().join("\n")
    };
    Dns::start(&[
        Zone::new(".", ""),
        Zone::new("example.org.", &format!("{}\n{NAME_SERVERS}", of("example.org."))),
        Zone::new("2.0.192.in-addr.arpa.", &of("in-addr.arpa.")),
    ])
}

/// Exit status and the document of `--json`.
pub fn check(home: &Home, dns: &Dns, words: &[&str]) -> (i32, Value) {
    let at = dns.at().to_string();
    let ran = home.run(&[&["dns-check", "--json", "--resolver", &at], words].concat());
    (ran.status, serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}")))
}

pub fn codes(document: &Value, verdict: &str) -> Vec<String> {
    let sections = document["sections"].as_array().unwrap().iter();
    let findings = sections.flat_map(|section| section["findings"].as_array().unwrap());
    findings
        .filter(|finding| finding["verdict"] == verdict)
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Proves: S0-6, S0-32, S4-11: what `dns-records` prints is what `dns-check` wants.
#[test]
fn what_is_published_as_printed_is_right() {
    let home = home();
    let dns = serve(&records(&home));
    let (status, document) = check(&home, &dns, &["--only", RECORDS]);
    assert_eq!((status, &document["verdict"]), (0, &"ok".into()), "{document:#}");
    assert_eq!(document["sections"][0]["about"], "mail.example.org");
    assert_eq!(document["sections"][1]["role"], "served");
    assert!(document["counts"]["ok"].as_u64().unwrap() >= 7);
}

/// Proves: S0-31 (a domain is pending, verified or failed), S4-13: `domain list` tells how it was found last; silence
/// changes nothing.
#[test]
fn a_domain_is_pending_until_it_was_seen() {
    let home = home();
    let state = || home.json(&["domain", "list"])[0]["dns"].as_str().unwrap().to_owned();
    assert_eq!(state(), "pending");
    let all = records(&home);
    check(&home, &serve(&all), &[]);
    assert_eq!(state(), "verified");
    let some: Vec<String> = all.into_iter().filter(|line| !line.contains("_dmarc")).collect();
    let dns = serve(&some);
    check(&home, &dns, &[]);
    assert_eq!(state(), "failed");
    dns.fault_everywhere(Some(Fault::Refused));
    check(&home, &dns, &[]);
    assert_eq!(state(), "failed");
    assert!(home.ok(&["domain", "list"]).contains("DNS failed on "));
    // S4-14: where else one can look.
    assert!(home.ok(&["help", "dns"]).contains("checktls.com, mxtoolbox.com"));
}

/// Proves: all subjects at once against a real name server, those that need no record too.
#[test]
fn every_subject_is_looked_at() {
    let home = home();
    let dns = serve(&records(&home));
    let (status, document) = check(&home, &dns, &["--authoritative"]);
    // Both name servers are one, and nothing else is wrong. Whether it is signed cannot be seen without the
    // real root zone.
    let warnings = codes(&document, "warning");
    let of_network = ["dns.name_servers.network"];
    if dns.at().port() == 53 {
        assert_eq!((status, &warnings[..]), (75, &of_network.map(str::to_owned)[..]), "{document:#}");
        assert_eq!(codes(&document, "could_not_check"), ["dns.dnssec.unchecked"], "{document:#}");
    }
    assert_eq!(codes(&document, "error"), Vec::<String>::new(), "{document:#}");
    let subjects: std::collections::BTreeSet<&str> = document["sections"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|section| section["findings"].as_array().unwrap())
        .map(|finding| finding["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects.len(), 15, "all but blocklists, which are off: {subjects:?}");
}

/// Proves: exit status 1 with found, expected and the exact record; S4-11.
#[test]
fn what_is_wrong_is_told_with_the_record_to_publish() {
    let home = home();
    let lines: Vec<String> = records(&home).into_iter().filter(|line| !line.contains("_dmarc")).collect();
    let dns = serve(&lines);
    let (status, document) = check(&home, &dns, &["example.org", "--only", RECORDS]);
    assert_eq!(status, 1, "{document:#}");
    assert_eq!(codes(&document, "error"), ["dns.dmarc.missing"]);
    let at = dns.at().to_string();
    let words = ["dns-check", "--resolver", &at, "--only", "dmarc", "--at", "route53"];
    let ran = home.run(&words);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("error[dns.wrong]") && ran.err.contains("dns-records"), "{}", ran.err);
    for wanted in [
        "example.org (served here)",
        "x dmarc        error: no DMARC policy",
        "_dmarc.example.org. IN TXT \"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org\"",
        "Record name: _dmarc",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "colour only on a terminal");
    let report = home.run(&["dns-check", "--resolver", &at, "--only", "dmarc", "--report"]);
    assert!(
        report.out.starts_with(&format!("mailctl {} dns-check, 20", env!("CARGO_PKG_VERSION"))),
        "{report:?}"
    );
}

/// Proves: issue 4, fault 19: SERVFAIL, REFUSED and a dead server are "could not check", with exit status 75.
#[test]
fn silence_is_neither_right_nor_wrong() {
    let home = home();
    let dns = serve(&records(&home));
    for fault in [Fault::ServFail, Fault::Refused] {
        dns.fault_everywhere(Some(fault));
        let (status, document) = check(&home, &dns, &["--only", RECORDS]);
        assert_eq!((status, &document["verdict"]), (75, &"could_not_check".into()), "{document:#}");
        let judged: Vec<String> =
            ["ok", "warning", "error"].iter().flat_map(|v| codes(&document, v)).collect();
        assert!(judged.is_empty(), "{judged:?}");
    }
    dns.fault_everywhere(Some(Fault::Drop));
    let began = std::time::Instant::now();
    let (status, _) = check(&home, &dns, &["--only", "mx,dmarc,dkim"]);
    assert_eq!(status, 75);
    // A dead server costs one deadline, not the sum.
    assert!(began.elapsed().as_secs() < 12, "{:?}", began.elapsed());
}

/// Proves: issue 6: the lists that mailctld asks (`dnsbl.zones`) are put to their test through the resolver; one that fails
/// is named with a remedy, changes no exit status, and nobody is asked about.
#[test]
fn the_lists_that_mailctld_asks_are_tested() {
    let home = home();
    let file = home.path().join("mailctl.toml");
    let text = fs::read_to_string(&file).unwrap();
    let zones = "fit.test/log, refuses.test, all.test, closed.test";
    fs::write(&file, format!("{text}[dnsbl]\nzones = \"{zones}\"\n")).unwrap();
    let dns = Dns::start(&[
        Zone::new("fit.test", "2.0.0.127 A 127.0.0.2\n"),
        Zone::new("refuses.test", "*.0.0.127 A 127.255.255.254\n"),
        Zone::new("all.test", "*.0.0.127 A 127.0.0.2\n"),
        Zone::new("closed.test", "@ TXT \"closed\"\n"),
    ]);
    let (status, document) = check(&home, &dns, &["--only", "blocklist"]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(codes(&document, "ok"), ["dns.blocklist.asked"]);
    let wanted = ["dns.blocklist.refuses", "dns.blocklist.everything", "dns.blocklist.empty"];
    assert_eq!(codes(&document, "warning"), wanted, "{document:#}");
    assert_eq!(dns.asked_for("25.2.0.192.fit.test", "A"), 0, "these lists are not asked about us");
    let at = dns.at().to_string();
    let told = home.ok(&["dns-check", "--resolver", &at, "--only", "blocklist"]);
    assert!(told.contains("refuses.test refuses the resolver") && told.contains("dns.resolver"), "{told}");
    dns.fault_everywhere(Some(Fault::ServFail));
    let (status, document) = check(&home, &dns, &["--only", "blocklist"]);
    assert_eq!((status, codes(&document, "could_not_check").len()), (75, 1), "{document:#}");
}

/// Proves: what is wrong wins over what could not be checked.
#[test]
fn an_error_wins_over_silence() {
    let home = home();
    let lines: Vec<String> = records(&home).into_iter().filter(|line| !line.contains("_dmarc")).collect();
    let dns = serve(&lines);
    dns.fault("m1._domainkey.example.org", Fault::ServFail);
    let (status, document) = check(&home, &dns, &["--only", "dkim,dmarc"]);
    assert_eq!(status, 1);
    assert_eq!(codes(&document, "could_not_check"), ["dns.dkim.unchecked"]);
}

/// Proves: a domain that is not served is looked at, and compared with nothing.
#[test]
fn a_foreign_domain_is_looked_at() {
    let home = home();
    let zone = "@ MX 10 mx\nmx A 198.51.100.7\n@ TXT \"v=spf1 mx -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"";
    let dns = Dns::start(&[Zone::new(".", ""), Zone::new("foreign.test.", zone)]);
    let (status, document) = check(&home, &dns, &["foreign.test", "--only", RECORDS]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(document["sections"].as_array().unwrap().len(), 1, "the host is not part of it");
    assert_eq!(document["sections"][0]["role"], "foreign");
}

/// Proves: S4-29 (DNS gauges): the text format of Prometheus, and no mail address in a label.
#[test]
fn prometheus_reads_it() {
    let home = home();
    let dns = serve(&[]);
    let at = dns.at().to_string();
    let ran = home.run(&["dns-check", "--prometheus", "--resolver", &at, "--only", "mx,dkim"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.starts_with("error[dns.wrong]"), "nothing but the outcome: {}", ran.err);
    assert!(ran.out.contains("# TYPE mailctl_dns_check gauge\n"), "{}", ran.out);
    let sample = "mailctl_dns_check{domain=\"example.org\",subject=\"mx\",code=\"dns.mx.missing\"} 2\n";
    assert!(ran.out.contains(sample), "{}", ran.out);
    assert!(!ran.out.contains('@'), "{}", ran.out);
    for line in ran.out.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<u64>().is_ok(), "{line}");
    }
}

/// Proves: `--watch` asks anew each round and ends when all is right.
#[test]
fn watch_ends_when_it_is_green() {
    let home = home();
    let dns = serve(&records(&home));
    dns.fault("_dmarc.example.org", Fault::ServFail);
    let at = dns.at().to_string();
    let words =
        ["dns-check", "--watch", "--interval", "1", "--json", "--resolver", &at, "--only", "dmarc,dkim,spf"];
    let child = home.command(&words).spawn().unwrap();
    while dns.asked_for("_dmarc.example.org", "TXT") < 2 {
        std::thread::yield_now();
    }
    dns.heal("_dmarc.example.org");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let rounds: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rounds.len() >= 2);
    assert_eq!(rounds[0]["verdict"], "could_not_check");
    assert_eq!(rounds.last().unwrap()["verdict"], "ok");
}

/// Proves: bad words are refused with exit status 64.
#[test]
fn the_command_line_is_judged() {
    let home = Home::new();
    home.refused(&["dns-check", "--only", "nonsense"], 64, "nonsense");
    home.refused(&["dns-check", "--resolver", "nowhere"], 64, "192.0.2.53");
    home.refused(&["dns-check", "not a domain"], 64, "name.malformed");
}

/// Proves: the schema in the manual page `dns` holds for what is printed.
#[test]
fn the_document_obeys_its_schema() {
    let page = mailctl::manual::page("dns").unwrap();
    let schema = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    let home = home();
    let dns = serve(&records(&home)[..3]);
    let (_, document) = check(&home, &dns, &["--only", RECORDS]);
    assert_eq!(faults(&schema, &document, "$"), Vec::<String>::new());
    let mut spoiled = document.clone();
    spoiled["sections"][0]["findings"][0]["verdict"] = "fine".into();
    spoiled["more"] = 1.into();
    assert_eq!(faults(&schema, &spoiled, "$").len(), 2);
}

/// The part of JSON Schema that the page uses.
fn faults(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let is = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        other => other.is_none(),
    };
    if !is {
        found.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => found.extend(faults(schema, inner, &format!("{at}.{name}"))),
            None => found.push(format!("{at}: {name} is not known")),
        }
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(&schema["items"], inner, &format!("{at}[{index}]")));
    }
    found
}

/// Proves: issue 4: blocklists are off by default, named by a setting, and tested before they are believed.
#[test]
fn a_blocklist_is_tested_before_it_is_believed() {
    let home = home();
    let lists = "[dns]\naddresses = \"192.0.2.25\"\nblocklists = \"bl.test, domain:open.test\"\n";
    fs::write(home.path().join("mailctl.toml"), lists).unwrap();
    let dns = Dns::start(&[
        Zone::new(".", ""),
        Zone::new("bl.test.", "2.0.0.127 A 127.0.0.2\n25.2.0.192 A 127.0.0.4"),
        Zone::new("open.test.", "* A 127.255.255.254"),
    ]);
    let (status, document) = check(&home, &dns, &["--only", "blocklist"]);
    assert_eq!(status, 1, "{document:#}");
    assert_eq!(codes(&document, "error"), ["dns.blocklist.listed"]);
    assert_eq!(codes(&document, "could_not_check"), ["dns.blocklist.unchecked"]);
}

/// Proves: Ctrl-C ends `--watch` with how it stood last.
#[test]
fn ctrl_c_ends_the_watch() {
    let home = home();
    let dns = serve(&[]);
    let at = dns.at().to_string();
    let words = ["dns-check", "--watch", "--interval", "3600", "--resolver", &at, "--only", "mx"];
    let mut child = home.command(&words).spawn().unwrap();
    // The line that tells about Ctrl-C comes after the first look.
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    while !said.contains("Ctrl-C") {
        assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// Proves: issue 4: without settings a domain that is named is looked at all the same, compared with nothing; without a
/// domain it is said what to do.
#[test]
fn a_foreign_domain_needs_no_settings() {
    let home = Home::new();
    fs::remove_file(home.path().join("settings.env")).unwrap();
    let lines = ["example.net. 60 IN MX 10 mx.example.net.", "mx.example.net. 60 IN A 198.51.100.9"];
    let dns = Dns::start(&[
        Zone::new(".", ""),
        Zone::new("example.net.", &format!("{}\n{}\n@ TXT \"v=spf1 mx -all\"", lines[0], lines[1])),
    ]);
    let (status, document) = check(&home, &dns, &["example.net", "--only", "mx,spf,dkim,autoconfig"]);
    assert_eq!((status, &document["verdict"]), (0, &"ok".into()), "{document:#}");
    assert_eq!(
        codes(&document, "ok"),
        ["dns.mx.ok", "dns.spf.ok", "dns.dkim.foreign", "dns.autoconfig.foreign"]
    );
    let sections = document["sections"].as_array().unwrap();
    assert_eq!((sections.len(), &sections[0]["role"]), (1, &"foreign".into()), "{document:#}");
    let at = dns.at().to_string();
    let report = home.run(&["dns-check", "example.net", "--resolver", &at, "--report", "--only", "dmarc"]);
    assert_eq!(report.status, 1, "{report:?}");
    assert!(report.out.contains("addresses not known") && !report.err.contains("dns-records"), "{report:?}");
    home.refused(&["dns-check"], 78, "dns-check example.org");
    let help = home.ok(&["dns-check", "--help"]);
    assert!(help.contains("Without settings"), "{help}");
}

/// Proves: who names the server itself means the server, and not a foreign domain of mail.
#[test]
fn the_host_name_is_the_host() {
    let home = home();
    let dns = serve(&records(&home));
    let (status, document) = check(&home, &dns, &["mail.example.org", "--only", RECORDS]);
    assert_eq!(status, 0, "{document:#}");
    let sections = document["sections"].as_array().unwrap();
    assert_eq!((sections.len(), &sections[0]["role"]), (1, &"host".into()), "{document:#}");
}

/// Proves: issue 4 (trust anchors of one's own): with the keys of its root, or their digests, a zone of a private
/// Internet is secure, unsigned or bogus, through real resolvers and by the program itself.
#[test]
fn a_root_of_ones_own_is_proven() {
    let world = World::shared();
    let resolver = Resolver::start(Kind::Bind, &world);
    let at = resolver.address().to_string();
    for anchor in [world.anchor().to_owned(), world.digest()] {
        for (zone, verdict, code) in [
            ("bind.org", "ok", "dns.dnssec.secure"),
            ("knot3.com", "ok", "dns.dnssec.secure"),
            ("plain.net", "ok", "dns.dnssec.unsigned"),
            ("wrong.org", "error", "dns.dnssec.bogus"),
            ("expired.org", "error", "dns.dnssec.bogus"),
            ("ed448.org", "could_not_check", "dns.dnssec.unchecked"),
        ] {
            let home = Home::new();
            let settings = format!("DOMAIN={zone}\nHOSTNAME=mail.{zone}\nADMIN_EMAIL=admin@{zone}\n");
            fs::write(home.path().join("settings.env"), settings).unwrap();
            let file = home.path().join("root.key");
            fs::write(&file, &anchor).unwrap();
            let toml = format!("[dns]\ntrust_anchor_file = \"{}\"\n", file.display());
            fs::write(home.path().join("mailctl.toml"), toml).unwrap();
            let ran = home.run(&["dns-check", "--json", "--resolver", &at, "--only", "dnssec"]);
            let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
            assert_eq!(codes(&document, verdict), [code], "{anchor}\n{zone}: {document:#}");
            if code == "dns.dnssec.unchecked" {
                assert!(document.to_string().contains("Ed448"), "{document:#}");
            }
        }
    }
    let home = Home::new();
    let file = home.path().join("root.key");
    let toml = format!("[dns]\ntrust_anchor_file = \"{}\"\n", file.display());
    fs::write(home.path().join("mailctl.toml"), toml).unwrap();
    home.refused(&["dns-check", "--resolver", &at], 78, "dns.anchor");
    fs::write(&file, "nonsense").unwrap();
    home.refused(&["dns-check", "--resolver", &at], 78, "line 1");
}

/// Proves: issue 4, fault 19 for DNSSEC: what cannot be proven through a real resolver is "could not check", with exit
/// status 75, and never bogus: the keys of a root that is not the Internet's, a resolver without signatures, and one
/// that keeps answers whose signatures do not hold.
#[test]
fn what_cannot_be_proven_is_not_bogus() {
    let world = World::shared();
    for kind in [Kind::Unbound, Kind::Bind, Kind::Strict, Kind::Stripping] {
        let resolver = Resolver::start(kind, &world);
        let at = resolver.address().to_string();
        for zone in ["bind.org", "knot3.com", "plain.net", "plain.info", "expired.org", "wrong.org"] {
            let home = Home::new();
            let settings = format!("DOMAIN={zone}\nHOSTNAME=mail.{zone}\nADMIN_EMAIL=admin@{zone}\n");
            fs::write(home.path().join("settings.env"), settings).unwrap();
            let ran = home.run(&["dns-check", "--json", "--resolver", &at, "--only", "dnssec,tlsa"]);
            let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
            assert_eq!(
                (ran.status, &document["verdict"]),
                (75, &"could_not_check".into()),
                "{kind:?} {zone}"
            );
            let unchecked = codes(&document, "could_not_check");
            for code in ["dns.dnssec.unchecked", "dns.tlsa.unchecked"] {
                assert!(unchecked.iter().any(|found| found == code), "{kind:?} {zone}: {document:#}");
            }
            assert_eq!(codes(&document, "error"), Vec::<String>::new(), "{kind:?} {zone}: {document:#}");
            let text = document.to_string();
            match kind {
                Kind::Unbound | Kind::Bind => {
                    assert!(text.contains("do not fit the keys that are trusted here"), "{kind:?} {text}");
                    assert!(text.contains("dns.trust_anchor_file"), "{text}");
                }
                Kind::Stripping => assert!(text.contains("hands on no signatures"), "{kind:?} {text}"),
                _ => {}
            }
        }
    }
}
