//! Mail ring: aliases to mailboxes and to the outside, catch-all, and the signature on what leaves.

use crate::common::{
    engine,
    stack::{Stack, eventually, said},
};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

/// A mail server on the outside, stopped when dropped.
pub struct Sink {
    process: Child,
    pub port: u16,
    folder: tempfile::TempDir,
}

impl Sink {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("/usr/bin/python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/sink.py"))
            .arg("0")
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap(), folder }
    }

    /// The first message that holds `text`: the envelope, an empty line, the message.
    pub fn message(&self, text: &str) -> String {
        eventually(60, &format!("{text} outside"), || self.with(text).next())
    }

    /// How many messages hold `text`.
    pub fn count(&self, text: &str) -> usize {
        self.with(text).count()
    }

    fn with(&self, text: &str) -> impl Iterator<Item = String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().flatten();
        files.filter_map(move |file| {
            let path = file.path();
            let content = (path.extension()? == "eml").then(|| std::fs::read(path).ok())??;
            let content = String::from_utf8_lossy(&content).into_owned();
            content.contains(text).then_some(content)
        })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Proves: S0-5, S0-7, S0-9, S4-5, S4-20; DKIM verified by an implementation of its own.
#[test]
fn aliases_lead_inside_and_outside_and_what_leaves_is_signed() {
    let sink = Sink::start();
    // The outside is reached through the network's gateway, which is this host.
    let stack = with_route(sink.port);
    let bob = stack.user("bob@example.test");
    stack.ok(&["alias", "add", "team@example.test", "ann@example.test", "bob@example.test"]);
    stack.ok(&["alias", "add", "away@example.test", "friend@outside.example.net"]);
    stack.ok(&["alias", "add", "@example.test", "ann@example.test"]);

    let id = |word: &str| format!("<{word}.{}@client.example.net>", std::process::id());
    let send = |to: &str, word: &str| {
        let header = format!("Message-ID: {}", id(word));
        let sent = stack.swaks(25, &["--from", "friend@example.net", "--to", to, "--header", &header]);
        assert!(sent.status.success(), "{}", said(&sent));
    };
    send("team@example.test", "team");
    stack.message("ann@example.test", &stack.ann, "INBOX", &id("team"));
    stack.message("bob@example.test", &bob, "INBOX", &id("team"));
    send("anything@example.test", "catchall");
    stack.message("ann@example.test", &stack.ann, "INBOX", &id("catchall"));
    send("bob@example.test", "exact");
    stack.message("bob@example.test", &bob, "INBOX", &id("exact"));
    let in_ann = stack.mailbox(("imap", "tls", 993), "ann@example.test", &stack.ann, &[]).unwrap();
    assert!(!in_ann.to_string().contains("exact."), "the catch-all took a mailbox's mail");

    send("away@example.test", "away");
    let outside = sink.message(&id("away"));
    assert!(outside.contains("RCPT TO:<friend@outside.example.net>"), "{outside}");

    let resolved = stack.ok(&["alias", "resolve", "away@example.test"]);
    assert!(resolved.contains("friend@outside.example.net"), "{resolved}");

    let header = format!("Message-ID: {}", id("signed"));
    let sent = stack.submit(
        "bob@example.test",
        &bob,
        &["--from", "bob@example.test", "--to", "friend@outside.example.net", "--header", &header],
    );
    assert!(sent.status.success(), "{}", said(&sent));
    let outside = sink.message(&id("signed"));
    let (_, message) = outside.split_once("\n\n").unwrap();
    verify(&stack, message, true);
    verify(&stack, &message.replace("Subject: ", "Subject: forged "), false);
}

/// Proves: a catch-all takes any mailbox of RFC 5321, and without one nobody has such a name.
#[test]
fn a_catch_all_takes_every_local_part_that_mail_allows() {
    let stack = Stack::up("");
    let ann = stack.ann.clone();
    let send = |local: &str, id: &str| {
        let to = format!("{local}@example.test");
        stack.swaks(
            25,
            &["--from", "friend@example.net", "--to", &to, "--header", &format!("Message-ID: {id}")],
        )
    };
    let locals = ["\"john doe\"", "a%b", "x/y", "$x", "a!b", "{x}|y"];
    for local in locals {
        let sent = said(&send(local, "<x@client.example.net>"));
        assert!(sent.contains(" 550 "), "{local}: {sent}");
    }
    stack.ok(&["alias", "add", "@example.test", "ann@example.test"]);
    for (number, local) in locals.iter().enumerate() {
        let id = format!("<any{number}.{}@client.example.net>", std::process::id());
        let sent = send(local, &id);
        assert!(sent.status.success(), "{local}: {}", said(&sent));
        stack.message("ann@example.test", &ann, "INBOX", &id);
    }
}

/// A running stack that reaches `outside.example.net` at a port of this host.
pub fn with_route(port: u16) -> Stack {
    let stack = Stack::prepared("[postfix.transport]\n");
    let path = stack.home().join("mailctl.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    stack.ok(&["up"]);
    let gateway = engine::gateway(stack.project(), "postfix");
    let route = format!("\"outside.example.net\" = \"smtp:[{gateway}]:{port}\"\n");
    std::fs::write(&path, text.replace("[postfix.transport]\n", &format!("[postfix.transport]\n{route}")))
        .unwrap();
    stack.ok(&["up"]);
    stack
}

fn verify(stack: &Stack, message: &str, good: bool) {
    let shown: serde_json::Value =
        serde_json::from_str(&stack.ok(&["dkim", "show", "example.test", "--json"])).unwrap();
    let record = shown[0]["record"].as_str().or(shown["keys"][0]["record"].as_str()).unwrap().to_owned();
    let mut verifier = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/dkim_verify.py"))
        .arg(record)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let wire = message.replace("\r\n", "\n").replace('\n', "\r\n");
    verifier.stdin.take().unwrap().write_all(wire.as_bytes()).unwrap();
    let output = verifier.wait_with_output().unwrap();
    assert_eq!(output.status.success(), good, "{}\n{message}", said(&output));
}
