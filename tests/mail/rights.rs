//! Mail ring: who may send as what, and who may send to other servers, as Postfix really answers.

use crate::common::stack::{Stack, said};
use std::process::Output;

const BOB: &str = "bob@example.test";

/// Whether the sender or the recipient is refused, and with what word.
fn answer(output: &Output, wanted: Result<(), &str>, what: &str) {
    let text = said(output);
    match wanted {
        Ok(()) => assert!(output.status.success(), "{what}: {text}"),
        Err(word) => {
            assert!(
                !output.status.success() && text.contains(word) && text.contains(" 5.7.1 "),
                "{what}: {text}"
            );
        }
    }
}

/// Proves: S2-16, S2-19, S4-21, issue 6 ("sending rights", checked for MAIL FROM): what `may-send` tells is what happens,
/// at once, in both kinds of restriction and for a session that is open.
#[test]
fn a_login_sends_as_what_is_its_own() {
    let stack = Stack::up("");
    let bob = stack.user(BOB);
    stack.ok(&["alias", "add", "info@example.test", BOB]);
    let submit = |from: &str| stack.submit(BOB, &bob, &["--from", from, "--to", BOB, "--quit-after", "RCPT"]);
    let agrees = |from: &str, wanted: Result<(), &str>| {
        let told = stack.run(&["user", "may-send", BOB, from]).status.success();
        assert_eq!(told, wanted.is_ok(), "{from}");
        answer(&submit(from), wanted, from);
    };
    for own in [BOB, "bob+tag@example.test", "info@example.test", "info+x@example.test"] {
        agrees(own, Ok(()));
    }
    for foreign in ["ann@example.test", "shop@example.test", "x@example.net"] {
        agrees(foreign, Err("not owned by user bob@example.test"));
    }
    answer(&submit("<>"), Ok(()), "a read receipt");
    stack.ok(&["user", "allow", BOB, "shop@example.test", "@example.net"]);
    for given in ["shop@example.test", "shop+x@example.test", "x@example.net"] {
        agrees(given, Ok(()));
    }
    agrees("x@sub.example.net", Err("not owned by user"));
    stack.ok(&["user", "disallow", BOB, "@example.net"]);
    agrees("x@example.net", Err("not owned by user"));

    stack.set("SENDER_RESTRICTIONS", "domain");
    stack.ok(&["up"]);
    agrees("anyone@example.test", Ok(()));
    agrees("ann@example.test", Ok(()));
    agrees("x@example.net", Err("bob@example.test may not send as <x@example.net>"));
}

/// Proves: S3-15, S3-16, S3-17, S3-18 (the relay matrix: {network, login} × {served domain, anywhere}, in four modes).
#[test]
fn who_may_send_anywhere_is_one_setting() {
    let stack = Stack::up("");
    let bob = stack.user(BOB);
    // From a trusted network: the container's own loopback is one.
    let network = |to: &str| {
        let talk = "exec 3<>/dev/tcp/127.0.0.1/25
            reply() { while read -r line <&3; do [[ $line == ???-* ]] || { echo \"$line\"; return; }; done; }
            reply
            for word in 'EHLO client.example.net' 'MAIL FROM:<bob@example.test>' \"RCPT TO:<$0>\" QUIT; do
              printf '%s\\r\\n' \"$word\" >&3; reply
            done";
        let output = stack.run(&["exec", "postfix", "--", "bash", "-c", talk, to]);
        let text = said(&output);
        let replies: Vec<&str> = text.lines().filter(|line| line.as_bytes().get(3) == Some(&b' ')).collect();
        assert_eq!(replies.len(), 5, "{text}");
        match replies[3].trim() {
            taken if taken.starts_with("250 ") => true,
            refused if refused.contains("Relay access denied") => false,
            other => panic!("{to}: {other}"),
        }
    };
    let login = |to: &str| {
        let sent = stack.submit(BOB, &bob, &["--from", BOB, "--to", to, "--quit-after", "RCPT"]);
        let text = said(&sent);
        assert!(sent.status.success() || text.contains("Relay access denied"), "{to}: {text}");
        sent.status.success()
    };
    for (mode, network_anywhere, login_anywhere) in [
        ("ALLOW_AUTH_NODOMAIN", true, true),
        ("STRICT", false, false),
        ("ALLOW_SASLAUTH_NODOMAIN", false, true),
        ("ALLOW_NETAUTH_NODOMAIN", true, false),
    ] {
        stack.set("RELAY_MODE", mode);
        stack.ok(&["up"]);
        assert!(network(BOB) && login("ann@example.test"), "{mode}: mail for us is refused");
        assert_eq!(network("x@example.com"), network_anywhere, "{mode}: a trusted network");
        assert_eq!(login("x@example.com"), login_anywhere, "{mode}: a login");
        // A stranger never, whatever the mode.
        let sent =
            stack.swaks(25, &["--from", "a@example.net", "--to", "x@example.com", "--quit-after", "RCPT"]);
        answer(&sent, Err("Relay access denied"), mode);
    }
}
