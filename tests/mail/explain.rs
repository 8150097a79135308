//! Mail ring: what `mailctl explain` foretells is what Postfix answers.

use crate::common::stack::{Stack, said};
use serde_json::Value;

const BOB: &str = "bob@example.test";

/// Proves: S0-21, issue 6 (`explain send|receive` names the rule that decides): held against the real Postfix, message by
/// message, with the code and the status that the client is told.
#[test]
fn what_is_foretold_happens() {
    let stack = Stack::up("");
    let bob = stack.user(BOB);
    stack.ok(&["alias", "add", "info@example.test", BOB]);
    stack.ok(&["user", "allow", BOB, "@example.net"]);
    let agrees = |words: &[&str], sent: &std::process::Output| {
        let told = stack.run(&[&["explain"], words, &["--json"]].concat());
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        let shown: Value = serde_json::from_str(text.lines().next().unwrap_or_default()).unwrap_or_default();
        let real = said(sent);
        assert_eq!(
            shown["taken"].as_bool(),
            Some(sent.status.success()),
            "{words:?}: {}\n{real}",
            said(&told)
        );
        assert_eq!(told.status.code(), Some(i32::from(!sent.status.success())), "{words:?}");
        if let Some(reply) = shown["decided_by"]["reply"].as_str() {
            let codes = reply.split(' ').take(2).collect::<Vec<_>>().join(" ");
            assert!(real.contains(&codes), "{words:?}: foretold {reply}\n{real}");
        }
    };
    for (from, to, helo) in [
        ("x@example.net", BOB, "client.example.net"),
        ("<>", "info@example.test", "client.example.net"),
        ("x@example.net", "bob+tag@example.test", "[192.0.2.1]"),
        ("x@example.net", "postmaster@mail.example.test", "client.example.net"),
        ("x@example.net", "nobody@example.test", "client.example.net"),
        ("x@example.net", "ann@mail.example.test", "client.example.net"),
        ("x@example.net", "x@example.com", "client.example.net"),
        ("x@example.net", BOB, "bad..example.net"),
    ] {
        let options = ["--from", from, "--to", to, "--helo", helo, "--quit-after", "RCPT"];
        agrees(&["receive", "--from", from, "--to", to, "--helo", helo], &stack.swaks(25, &options));
    }
    let submit = |mode: &str| {
        for (from, to) in [
            (BOB, "x@example.com"),
            ("info@example.test", "ann@example.test"),
            ("<>", "ann@example.test"),
            ("x@example.net", "x@example.com"),
            ("ann@example.test", "x@example.com"),
            ("x@example.org", "ann@example.test"),
            (BOB, "nobody@example.test"),
        ] {
            let sent = stack.submit(BOB, &bob, &["--from", from, "--to", to, "--quit-after", "RCPT"]);
            agrees(&["send", "--user", BOB, "--from", from, "--to", to], &sent);
            eprintln!("{mode}: {from} to {to}: taken {}", sent.status.success());
        }
    };
    submit("as set up");
    stack.set("RELAY_MODE", "STRICT");
    stack.set("SENDER_RESTRICTIONS", "domain");
    stack.ok(&["up"]);
    submit("strict, any sender of the domain");
}
