//! Mail ring: a mailbox without room, asked with curl, which declares a message's size as mail servers do.

use crate::common::stack::{Stack, said};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// A message of so many octets on the disk.
fn message(stack: &Stack, word: &str, octets: usize) -> (PathBuf, String) {
    let id = format!("<{word}.{}@client.example.net>", std::process::id());
    let file = stack.home().join(format!("{word}.eml"));
    let body = ("x".repeat(70) + "\r\n").repeat(octets / 72);
    let head = format!("From: friend@example.net\r\nSubject: {word}\r\nMessage-ID: {id}\r\n\r\n");
    fs::write(&file, head + &body).unwrap();
    (file, id)
}

/// One message to these recipients through port 25; those that are refused do not stop it.
fn send(stack: &Stack, to: &[&str], file: &PathBuf) -> Output {
    let mut curl = Command::new("curl");
    curl.args(["-sv", "-m", "60", "--mail-rcpt-allowfails", "--mail-from", "friend@example.net"]);
    to.iter().for_each(|to| {
        curl.args(["--mail-rcpt", to]);
    });
    curl.arg("-T").arg(file).arg(format!("smtp://127.0.0.1:{}/client.example.net", stack.port(25)));
    curl.stdin(Stdio::null()).output().unwrap()
}

/// Nothing waits, and no bounce is on its way.
fn queue_is_empty(stack: &Stack) {
    crate::common::stack::eventually(20, "the queue is empty", || {
        stack.ok(&["exec", "postfix", "postqueue", "-p"]).contains("Mail queue is empty").then_some(())
    });
}

/// Proves: issue 3, threat 7 (no backscatter): a full mailbox is refused at RCPT, on 25 and on 587, with and without
/// a detail; who else gets the message gets it; when there is room again, mail is taken again.
#[test]
fn a_full_mailbox_is_refused_at_the_door() {
    let stack = Stack::up("");
    let bob = stack.ok(&["user", "add", "bob@example.test", "--quota", "100k"]).trim().to_owned();
    let (first, id) = message(&stack, "first", 80_000);
    let sent = send(&stack, &["bob@example.test"], &first);
    assert!(sent.status.success(), "{}", said(&sent));
    stack.message("bob@example.test", &bob, "INBOX", &id);

    let (second, id) = message(&stack, "second", 80_000);
    let sent = send(&stack, &["bob@example.test", "ann@example.test"], &second);
    let at = |word: &str| said(&sent).find(word).unwrap_or_else(|| panic!("no {word}: {}", said(&sent)));
    assert!(at("RCPT TO:<bob@example.test>") < at("< 552 5.2.2") && at("< 552 5.2.2") < at("> DATA"));
    stack.message("ann@example.test", &stack.ann, "INBOX", &id);
    let tagged = said(&send(&stack, &["bob+shop@example.test"], &second));
    assert!(tagged.contains("< 552 5.2.2") && !tagged.contains("> DATA"), "{tagged}");
    let nobody = said(&send(&stack, &["nobody@example.test"], &second));
    assert!(nobody.contains("< 550 5.1.1"), "{nobody}");

    // A size that nobody declared is seen when the message is there.
    let body = format!("@{}", second.display());
    let undeclared = ["--from", "friend@example.net", "--to", "bob@example.test", "--data", &body];
    let sent = said(&stack.swaks(25, &undeclared));
    assert!(sent.contains(" 552 5.2.2"), "{sent}");
    let own = ["--from", "ann@example.test", "--to", "bob@example.test", "--data", &body];
    let sent = said(&stack.submit("ann@example.test", &stack.ann, &own));
    assert!(sent.contains(" 552 5.2.2"), "{sent}");
    queue_is_empty(&stack);
    let log = stack.logs("postfix");
    assert!(!log.contains("status=bounced") && !log.contains("sender non-delivery"), "a bounce was sent");

    // A small one still fits; with room made the large one does.
    let (small, id) = message(&stack, "small", 1000);
    let sent = send(&stack, &["bob@example.test", "ann@example.test"], &small);
    assert!(sent.status.success() && !said(&sent).contains("< 4"), "{}", said(&sent));
    stack.message("bob@example.test", &bob, "INBOX", &id);
    stack.message("ann@example.test", &stack.ann, "INBOX", &id);
    stack.ok(&["exec", "dovecot", "doveadm", "expunge", "-u", "bob@example.test", "mailbox", "INBOX", "all"]);
    let (third, id) = message(&stack, "third", 80_000);
    let sent = send(&stack, &["bob@example.test"], &third);
    assert!(sent.status.success(), "{}", said(&sent));
    stack.message("bob@example.test", &bob, "INBOX", &id);
    stack.ok(&["user", "set", "bob@example.test", "--quota", "1M"]);
    let (fourth, id) = message(&stack, "fourth", 80_000);
    assert!(send(&stack, &["bob@example.test"], &fourth).status.success());
    stack.message("bob@example.test", &bob, "INBOX", &id);
    queue_is_empty(&stack);
    for service in ["dovecot", "postfix"] {
        let log = stack.logs(service);
        let grave =
            |line: &&str| ["warning:", "Error:", "Panic:", "Fatal:"].iter().any(|word| line.contains(word));
        let lines: Vec<&str> = log.lines().filter(grave).collect();
        assert!(lines.is_empty(), "{service} is not clean: {lines:#?}");
    }
}
