//! What attackers send: relay probes and smuggled messages, on the doors that are open to everyone.

use crate::common::stack::{Stack, said};
use serde_json::Value;
use std::process::Command;

fn hostile(kind: &str, port: u16, rest: &[&str]) -> Value {
    let output = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/hostile.py"))
        .args([kind, &port.to_string()])
        .args(rest)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Limits per client would answer before the rule that is asked here.
const PATIENT: &str =
    "[postfix.main]\nsmtpd_client_connection_rate_limit = 0\nsmtpd_client_connection_count_limit = 0\n";

/// Proves: threats 1 (smuggled messages), 2 (relay), findings 1 and 3; the client comes through the engine's
/// published port, so Postfix sees the gateway's address: exactly the client that must not be trusted.
#[test]
fn nothing_is_relayed_and_nothing_is_smuggled() {
    let stack = Stack::up(PATIENT);
    let port = stack.port(25);

    let probes = hostile("relay", port, &["example.test"]);
    let probes = probes.as_object().unwrap();
    assert!(probes.len() >= 90);
    let accepted: Vec<&String> =
        probes.iter().filter(|(_, said)| *said == "accepted").map(|(probe, _)| probe).collect();
    assert!(accepted.is_empty(), "relayed: {accepted:#?}");

    let smuggled = hostile("smuggle", port, &["ann@example.test"]);
    assert!(smuggled.as_object().unwrap().len() >= 12);
    // One more honest message: when it has arrived, everything before it has.
    let id = format!("<honest.{}@client.example.net>", std::process::id());
    let header = format!("Message-ID: {id}");
    let sent =
        stack.swaks(25, &["--from", "friend@example.net", "--to", "ann@example.test", "--header", &header]);
    assert!(sent.status.success(), "{}", said(&sent));
    stack.message("ann@example.test", &stack.ann, "INBOX", &id);
    let all = stack.mailbox(("imap", "tls", 993), "ann@example.test", &stack.ann, &[]).unwrap();
    for message in all["messages"].as_array().unwrap() {
        let text = message.as_str().unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("X-Smuggled"), "smuggled: {smuggled:#}\n{text}");
        assert!(!head.contains("forged@example.org"), "smuggled: {smuggled:#}\n{text}");
    }

    let talk = hostile("talk", port, &[]);
    assert!(!talk.as_str().unwrap().contains("354"), "a client that talks out of turn got to DATA: {talk}");
}

/// Proves: threats 2: a catch-all takes local parts that name a way elsewhere as names, and nothing follows that way.
#[test]
fn a_catch_all_is_no_way_out() {
    let stack = Stack::prepared(PATIENT);
    stack.ok(&["alias", "add", "@example.test", "ann@example.test"]);
    stack.ok(&["up"]);
    let probes = hostile("relay", stack.port(25), &["example.test"]);
    let accepted: Vec<&String> = probes
        .as_object()
        .unwrap()
        .iter()
        .filter(|(probe, said)| *said == "accepted" && !probe.ends_with("@example.test>"))
        .map(|(probe, _)| probe)
        .collect();
    // `victim@example.com.example.test` is a domain of nobody's, `"…"` and `site!user` alone are names of ours.
    assert!(accepted.is_empty(), "taken for elsewhere: {accepted:#?}");

    let names =
        ["victim%example.com", "example.com!victim", "\"victim@example.com\"", "\"@example.com:victim\""];
    for (number, local) in names.iter().enumerate() {
        let id = format!("<way{number}.{}@client.example.net>", std::process::id());
        let (to, header) = (format!("{local}@example.test"), format!("Message-ID: {id}"));
        let sent = stack.swaks(25, &["--from", "friend@example.net", "--to", &to, "--header", &header]);
        assert!(sent.status.success(), "{local}: {}", said(&sent));
        stack.message("ann@example.test", &stack.ann, "INBOX", &id);
    }
    let logs = stack.logs("postfix");
    let sent: Vec<&str> = logs.lines().filter(|line| line.contains(" relay=")).collect();
    assert!(sent.len() >= names.len(), "{logs}");
    let astray: Vec<_> = sent.iter().filter(|line| !line.contains("to=<ann@example.test>")).collect();
    assert!(astray.is_empty(), "{astray:#?}");
}

/// Proves: threats 2, finding 3: a trusted network with the engine's gateway in it is refused, and how it is not.
#[test]
fn a_trusted_network_with_the_gateway_in_it_is_refused() {
    let stack = Stack::prepared("");
    let settings = stack.home().join("settings.env");
    let text = std::fs::read_to_string(&settings).unwrap();
    let trust = |networks: &str| {
        std::fs::write(&settings, format!("{text}\nTRUSTED_NETWORKS={networks}\n")).unwrap();
        stack.run(&["up"])
    };
    let refused = trust("172.16.0.0/12,192.168.0.0/16");
    let told = said(&refused);
    assert_eq!(refused.status.code(), Some(78), "{told}");
    assert!(told.contains("gateway") && told.contains("TRUSTED_NETWORKS"), "{told}");
    assert!(told.contains('!'), "the remedy is told: {told}");
}
