//! Agreement with checkdmarc, the program that people compare with, on zones of the test's own.

#[path = "peer/corpus.rs"]
mod corpus;
#[path = "peer/explained.rs"]
mod explained;

use crate::common::{dns::Dns as Server, home::Home};
use corpus::Case;
use explained::{Aspect, EXPLAINED};
use mailctl::{
    mail::{dns::Name, spf},
    world::dns::{Asking, Dns, settle},
};
use serde_json::Value;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// One aspect, as both programs see it.
type Compared = (Aspect, String, String);

/// Proves: issue 4: agreement with checkdmarc on more than 200 zones, but for what is explained; and what is
/// explained is still so.
#[test]
fn every_disagreement_with_checkdmarc_is_explained() {
    let cases = corpus::all();
    assert!(cases.len() >= 300, "{}", cases.len());
    let server = Server::start(&corpus::zones(&cases));
    let (ours, counts, theirs) = (ours(&server, &cases), counts(&server, &cases), theirs(&server, &cases));
    let mut wrong = Vec::new();
    let mut seen = vec![0; EXPLAINED.len()];
    for (case, counts) in cases.iter().zip(counts) {
        let (ours, theirs) = (findings(&ours, case), &theirs[&case.domain]);
        for (aspect, us, them) in compared(case, &ours, counts, theirs) {
            let explained = EXPLAINED.iter().position(|explained| explained.covers(case, aspect));
            match (us == them, explained) {
                (false, Some(at)) => seen[at] += 1,
                (true, None) => {}
                (false, None) => wrong.push(format!(
                    "{aspect:?}: we say {us}, they {them} of\n{}\nours: {}\ntheirs: {theirs}",
                    case.shown(),
                    Value::from(ours.clone()),
                )),
                (true, Some(at)) => wrong.push(format!(
                    "{aspect:?}: both say {us}, although it is explained why not ({}) of\n{}",
                    EXPLAINED[at].why,
                    case.shown()
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{} disagreements\n\n{}", wrong.len(), wrong.join("\n\n"));
    let stale = EXPLAINED.iter().zip(&seen).filter(|(_, seen)| **seen == 0);
    let stale: Vec<&str> = stale.map(|(explained, _)| explained.class).collect();
    assert!(stale.is_empty(), "explained, and not in the corpus: {stale:?}");
}

/// What `mailctl dns-check` prints of all of them.
fn ours(server: &Server, cases: &[Case]) -> Value {
    let home = Home::new();
    let at = server.at().to_string();
    let mut words = vec!["dns-check", "--json", "--resolver", &at];
    words.extend(["--only", "spf,dmarc,tls-rpt,mta-sts,mx,name-servers"]);
    words.extend(cases.iter().map(|case| case.domain.as_str()));
    let ran = home.run(&words);
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// Those about the subject of the case.
fn findings(document: &Value, case: &Case) -> Vec<Value> {
    let mut sections = document["sections"].as_array().unwrap().iter();
    let section = sections.find(|section| section["about"] == case.domain.as_str()).unwrap();
    let findings = section["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["subject"] == case.subject).cloned().collect()
}

/// Lookups and void lookups of SPF records that can be seen whole.
fn counts(server: &Server, cases: &[Case]) -> Vec<Option<(usize, usize)>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dns = Dns::new(Asking::at([server.at()]));
    let count = |case: &Case| {
        let name = Name::parse(&case.domain).unwrap();
        let looking = settle(&dns, |inquiry| spf::survey(inquiry, &name));
        let survey = runtime.block_on(looking).unwrap().verdict;
        (case.subject == "spf" && survey.whole).then_some((survey.lookups, survey.voids))
    };
    cases.iter().map(count).collect()
}

/// What checkdmarc says of all of them.
fn theirs(server: &Server, cases: &[Case]) -> Value {
    let mut child =
        Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-tools/checkdmarc/bin/python"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/checkdmarc_all.py"))
            .args([server.at().ip().to_string(), server.at().port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("target/test-tools is made by .ci/provision test: {error}"));
    let lines: String = cases.iter().map(|case| format!("{} {}\n", case.subject, case.domain)).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What both say.
fn compared(case: &Case, ours: &[Value], counts: Option<(usize, usize)>, theirs: &Value) -> Vec<Compared> {
    let is = |verdict: &str| ours.iter().any(|finding| finding["verdict"] == verdict);
    let has = |codes: &[&str]| ours.iter().any(|f| codes.contains(&f["code"].as_str().unwrap()));
    let invalid = match case.subject {
        // It has no verdict on MX; whatever it remarks counts.
        "mx" => is("error") || is("warning"),
        // A record without a policy: that is fetched from web servers, which there are none of here.
        "mta-sts" => has(&["dns.mta_sts.record", "dns.mta_sts.several"]),
        "name-servers" => false,
        _ => is("error"),
    };
    let unchecked = is("could_not_check") && case.subject != "name-servers";
    let us = if unchecked { "could not check" } else { word(!invalid) };
    let them = theirs["valid"].as_bool().map_or("a crash", word);
    let mut all = vec![(Aspect::Valid, us.to_owned(), them.to_owned())];
    // It stops counting where it finds a fault.
    if let (Some((lookups, voids)), "valid", "valid") = (counts, us, them) {
        all.push((Aspect::Lookups, lookups.to_string(), theirs["lookups"].to_string()));
        all.push((Aspect::Voids, voids.to_string(), theirs["voids"].to_string()));
    }
    if let Some(denied) = theirs["denied"].as_bool() {
        let ours = has(&["dns.dmarc.reports"]).to_string();
        all.push((Aspect::ReportsDenied, ours, denied.to_string()));
    }
    if let Some(names) = theirs["names"].as_array() {
        let text = Value::from(ours.to_vec()).to_string();
        let named = names.iter().filter(|name| text.contains(&format!("NS {}.", name.as_str().unwrap())));
        all.push((Aspect::Names, named.count().to_string(), names.len().to_string()));
    }
    all
}

fn word(valid: bool) -> &'static str {
    if valid { "valid" } else { "invalid" }
}
