//! `mailctl explain` in a temporary home.

use crate::common::home::Home;

/// Proves: S0-21: the rule, what the client is told, the setting and the command that changes it; without a stack.
#[test]
fn a_refusal_comes_with_its_rule_and_its_remedy() {
    let home = Home::new();
    home.ok(&["user", "add", "bob@example.org"]);
    let taken = home.ok(&["explain", "receive", "--from", "x@example.net", "--to", "bob@example.org"]);
    assert!(
        taken.contains("smtpd_relay_restrictions") && taken.contains("=> mailbox bob@example.org"),
        "{taken}"
    );
    let no = home.refused(
        &[
            "explain",
            "receive",
            "--from",
            "x@example.net",
            "--to",
            "x@example.com",
            "--client-ip",
            "192.0.2.1",
        ],
        1,
        "message.refused",
    );
    for word in
        ["554 5.7.1", "Relay access denied", "TRUSTED_NETWORKS", "domain add example.com", "explain send"]
    {
        assert!(no.err.contains(word), "{word}: {no:?}");
    }
    // The loopback is trusted.
    home.ok(&["explain", "receive", "--from", "<>", "--to", "x@example.com", "--client-ip", "127.0.0.1"]);
    let sent = home.json(&["explain", "send", "--user", "bob@example.org", "--to", "x@example.com"]);
    assert_eq!((&sent["taken"], &sent["goes_to"][0]), (&true.into(), &"x@example.com".into()), "{sent}");
    let words = [
        "explain",
        "send",
        "--user",
        "bob@example.org",
        "--from",
        "ann@example.org",
        "--to",
        "x@example.com",
    ];
    let no = home.refused(&words, 1, "message.refused");
    assert!(no.err.contains("user allow bob@example.org ann@example.org"), "{no:?}");
    home.refused(&["explain", "send", "--user", "bob", "--to", "x@example.com"], 64, "name.malformed");
}

/// Proves: S0-21 (what next hops answer, with cause and a command to type).
#[test]
fn an_answer_of_the_next_hop_comes_with_its_cause() {
    let home = Home::new();
    let told = home.ok(&["relay", "explain", "554 5.7.1 <bob@example.com>: Relay access denied"]);
    for word in ["log in", "RELAY_USER", "--to bob@example.com", "went back"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let json = home.json(&["relay", "explain", "421-4.7.28", "unusual", "rate"]);
    assert_eq!((&json["name"], &json["outlook"]), (&"gmail-rate".into(), &"passes".into()), "{json}");
    home.refused(&["relay", "explain", "hello"], 1, "answer.unknown");
}
