//! Mail ring: OpenDKIM under `mailctl attend`: its log, its rights, and a signature of each algorithm.

use crate::{
    common::{
        engine,
        stack::{Stack, eventually, said},
    },
    routes::{Sink, with_route},
};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    process::{Command, Stdio},
};

/// Lines of `/proc/PID/status` by their names.
fn status(pid: u64) -> Option<BTreeMap<String, String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = |line: &str| line.split_once(':').map(|(name, is)| (name.to_owned(), is.trim().to_owned()));
    Some(text.lines().filter_map(line).collect())
}

/// The processes that the container's first process started, and what each is.
fn children(stack: &Stack) -> Vec<(u64, BTreeMap<String, String>)> {
    let first = engine::pid(stack.project(), "opendkim").unwrap().to_string();
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all = pids.filter_map(|pid| Some((pid, status(pid)?)));
    all.filter(|(_, of)| of["PPid"] == first && of["Name"] == "opendkim").collect()
}

/// Proves: issue 3 (`logs` of every service), S0-24, threats 16 and 33, fault 27: OpenDKIM's words are kept, one
/// clean line each; a flood of them hinders nobody; it runs without a single capability.
#[test]
fn opendkim_is_heard_and_has_no_rights() {
    let stack = Stack::up("");
    let own = ["--from", "ann@example.test", "--to", "ann@example.test"];
    let sent = stack.submit("ann@example.test", &stack.ann, &own);
    assert!(sent.status.success(), "{}", said(&sent));
    eventually(10, "the signature is told", || {
        stack.logs("opendkim").contains("DKIM-Signature field added").then_some(())
    });

    let first = status(engine::pid(stack.project(), "opendkim").unwrap()).unwrap();
    // KILL is 5, SETUID is 7.
    assert_eq!(u64::from_str_radix(&first["CapBnd"], 16).unwrap(), 1 << 5 | 1 << 7, "{first:?}");
    let running = children(&stack);
    assert_eq!(running.len(), 1, "one OpenDKIM where nothing signs with Ed25519: {running:?}");
    for (_, of) in &running {
        for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
            assert_eq!(u64::from_str_radix(&of[set], 16).unwrap(), 0, "{set}");
        }
        assert_eq!(of["NoNewPrivs"], "1");
        assert_eq!(of["Uid"].split_whitespace().collect::<Vec<_>>(), ["5005"; 4]);
        assert_eq!(of["Gid"].split_whitespace().collect::<Vec<_>>(), ["5001"; 4]);
        assert_eq!(of["Groups"], "5001 5005", "Postfix's and the keys', none of root's");
    }

    // 50,000 lines of 8 KiB at once, and one that would drive the reader's terminal.
    let flood = r#"use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die $!;
        my $to = pack_sockaddr_un("/dev/log");
        send($s, "<20>Nov 21 12:00:00 evil[1]: a\nb\x1b[2J", 0, $to) or die $!;
        send($s, "<22>" . "x" x 8000, 0, $to) or die $! for 1..50000;
        send($s, "<22>Nov 21 12:00:01 last[2]: words", 0, $to) or die $!;"#;
    let began = std::time::Instant::now();
    stack.ok(&["exec", "opendkim", "perl", "-e", flood]);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    let log = eventually(20, "what came before and after the flood is kept", || {
        // The flood turns the log over; what is asked for is the escaped line or the end of it.
        let log = stack.logs("opendkim");
        (log.contains("last[2]: words") || log.contains("lines of this log were dropped")).then_some(log)
    });
    assert!(!log.contains('\x1b') && log.lines().all(|line| line.len() < 2200), "a line is not clean");
    let resident = status(engine::pid(stack.project(), "opendkim").unwrap()).unwrap()["VmHWM"].clone();
    let kib: u64 = resident.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kib < 96 * 1024, "the flood was kept in memory: {resident}");
    let again = stack.submit("ann@example.test", &stack.ann, &own);
    assert!(again.status.success(), "{}", said(&again));

    // One that ends takes the container with it, and the engine brings both back.
    let before = engine::pid(stack.project(), "opendkim").unwrap();
    let done = Command::new("kill").args(["-9", &running[0].0.to_string()]).status().unwrap();
    assert!(done.success());
    eventually(30, "another OpenDKIM", || {
        engine::pid(stack.project(), "opendkim").filter(|pid| *pid != before)?;
        stack.run(&["health", "opendkim"]).status.success().then_some(())
    });
    assert!(stack.logs("opendkim").contains("opendkim ended by signal 9"), "it says why");
}

/// Proves: RFC 8463 §5 (a signature of each algorithm), S0-5, threats finding 24; a key comes and goes in the
/// running stack, and mail is verified once.
#[test]
fn a_domain_with_both_keys_signs_twice() {
    let sink = Sink::start();
    let stack = with_route(sink.port);
    stack.ok(&["domain", "add", "example.org"]);
    let eve = stack.user("eve@example.org");
    let ann = stack.ann.clone();
    let send = |user: &str, password: &str, word: &str| -> String {
        let id = format!("<{word}.{}@client.example.net>", std::process::id());
        let header = format!("Message-ID: {id}");
        let sent = stack.submit(
            user,
            password,
            &["--from", user, "--to", "friend@outside.example.net", "--header", &header],
        );
        assert!(sent.status.success(), "{}", said(&sent));
        sink.message(&id).split_once("\n\n").unwrap().1.to_owned()
    };
    let made = engine::pid(stack.project(), "opendkim");
    let shown = |domain: &str| -> serde_json::Value {
        serde_json::from_str(&stack.ok(&["dkim", "show", domain, "--json"])).unwrap()
    };

    let before = send("ann@example.test", &ann, "before");
    verify(&before, &shown("example.test")[0]["record"], &["rsa-sha256"]);

    stack.ok(&["dkim", "generate", "example.test", "--type", "ed25519", "--selector", "ed"]);
    let keys = shown("example.test");
    assert_eq!((&keys[0]["type"], &keys[0]["signs"]), (&"rsa".into(), &true.into()), "{keys}");
    assert_eq!((&keys[1]["type"], &keys[1]["signs"]), (&"ed25519".into(), &true.into()), "{keys}");
    let both = send("ann@example.test", &ann, "both");
    verify(&both, &keys[0]["record"], &["rsa-sha256", "ed25519-sha256"]);
    verify(&both, &keys[1]["record"], &["rsa-sha256", "ed25519-sha256"]);
    assert!(said(&stack.run(&["health", "opendkim"])).contains("milter-ed25519"));
    assert_eq!(engine::pid(stack.project(), "opendkim"), made, "nothing was restarted for it");
    assert_eq!(children(&stack).len(), 2);
    for (_, of) in children(&stack) {
        assert_eq!(u64::from_str_radix(&of["CapEff"], 16).unwrap(), 0);
    }
    assert!(said(&stack.run(&["plan"])).contains("nothing to do"), "{}", said(&stack.run(&["plan"])));

    // The other domain has no such key.
    let other = send("eve@example.org", &eve, "other");
    verify(&other, &shown("example.org")[0]["record"], &["rsa-sha256"]);

    // What comes in is verified once.
    let id = format!("<incoming.{}@client.example.net>", std::process::id());
    let header = format!("Message-ID: {id}");
    let to_ann = ["--from", "friend@example.net", "--to", "ann@example.test", "--header", &header];
    let sent = stack.swaks(25, &to_ann);
    assert!(sent.status.success(), "{}", said(&sent));
    let incoming = stack.message("ann@example.test", &ann, "INBOX", &id);
    assert_eq!(incoming.matches(" dkim=").count(), 1, "{incoming}");
    assert_eq!(incoming.matches("DKIM-Signature:").count(), 0, "a stranger's mail is not signed: {incoming}");
    forged_results_are_gone(&stack, &ann);

    // From nothing to both at once, and back to one while it runs.
    // The network stays: the route to the outside leads through its gateway.
    for service in ["opendkim", "postfix"] {
        let path = format!("/containers/{}-{service}?force=true", stack.project());
        engine::request("DELETE", &path).unwrap();
    }
    stack.ok(&["up"]);
    let anew = send("ann@example.test", &ann, "anew");
    verify(&anew, &keys[1]["record"], &["rsa-sha256", "ed25519-sha256"]);
    stack.ok(&["dkim", "deactivate", "example.test"]);
    let after = send("ann@example.test", &ann, "after");
    verify(&after, &keys[0]["record"], &["rsa-sha256"]);
    eventually(30, "the second OpenDKIM has gone", || (children(&stack).len() == 1).then_some(()));
    let last = send("ann@example.test", &ann, "last");
    verify(&last, &keys[0]["record"], &["rsa-sha256"]);
    stack.ok(&["dkim", "activate", "example.test", "--selector", "ed"]);
    let again = send("ann@example.test", &ann, "again");
    verify(&again, &keys[1]["record"], &["rsa-sha256", "ed25519-sha256"]);
    for service in ["opendkim", "postfix"] {
        let log = stack.logs(service);
        let grave = |line: &&str| ["warning:", "error:", "fatal:"].iter().any(|word| line.contains(word));
        let lines: Vec<&str> = log.lines().filter(grave).collect();
        assert!(lines.is_empty(), "{service} is not clean: {lines:#?}");
    }
}

/// Exactly these signatures are there, in whichever order, and the one of the record's kind verifies as it is
/// and not when the subject is another.
pub fn verify(message: &str, record: &serde_json::Value, algorithms: &[&str]) {
    let record = record.as_str().unwrap();
    let unfolded = message.replace("\r\n", "\n").replace("\n\t", " ").replace("\n ", " ");
    let signatures: Vec<&str> = unfolded.lines().filter(|line| line.starts_with("DKIM-Signature:")).collect();
    let mut found: Vec<&str> =
        signatures.iter().filter_map(|line| line.split("a=").nth(1)?.split(';').next()).collect();
    let mut wanted = algorithms.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{message}");
    let kind = if record.contains("k=ed25519") { "ed25519-sha256" } else { "rsa-sha256" };
    let number = signatures.iter().position(|line| line.contains(&format!("a={kind}"))).unwrap();
    for (text, good) in
        [(message.to_owned(), true), (message.replace("Subject: ", "Subject: forged "), false)]
    {
        let mut verifier = Command::new("/usr/bin/python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/dkim_verify.py"))
            .args([record, &number.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let wire = text.replace("\r\n", "\n").replace('\n', "\r\n");
        verifier.stdin.take().unwrap().write_all(wire.as_bytes()).unwrap();
        let output = verifier.wait_with_output().unwrap();
        assert_eq!(output.status.success(), good, "{kind}: {}\n{text}", said(&output));
    }
}

/// Proves: threats 11: results that bear our name are removed however they are written, also where OpenDKIM cannot read
/// them; those of others stay, and so does all of an attached message.
fn forged_results_are_gone(stack: &Stack, ann: &str) {
    let id = format!("<forged.{}@client.example.net>", std::process::id());
    let forged = [
        "Authentication-Results: mail.example.test; spf=pass forged",
        "Authentication-Results: mail.example.test; dkim=pass (2048-bit key) header.d=bank.example forged",
        "authentication-results: (a) \"MAIL.example.TEST\" 1; spf=pass forged",
        "Authentication-Results:\r\n mail.example.test;\r\n spf=pass forged",
        "Authentication-Results : mail.example.test;spf=pass forged",
        "Authentication-Results: mail.example.test",
    ];
    let inner = "Authentication-Results: mail.example.test; spf=pass evidence";
    let other = "Authentication-Results: mail.example.test.example.net; spf=pass elsewhere";
    let message = format!(
        "{}\r\n{other}\r\nFrom: ann@example.test\r\nTo: ann@example.test\r\nMessage-ID: {id}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n\r\nx\r\n--b--\r\n",
        forged.join("\r\n")
    );
    let file = stack.home().join("forged.eml");
    std::fs::write(&file, message).unwrap();
    let data = format!("@{}", file.display());
    for user in [false, true] {
        let to = ["--to", "ann@example.test", "--data", &data];
        let sent = if user {
            stack.submit("ann@example.test", ann, &[&["--from", "ann@example.test"], &to[..]].concat())
        } else {
            stack.swaks(25, &[&["--from", "friend@example.net"], &to[..]].concat())
        };
        assert!(sent.status.success(), "{}", said(&sent));
    }
    let all = || {
        let found = stack
            .mailbox(("imap", "tls", 993), "ann@example.test", ann, &["INBOX", "Message-ID", &id])
            .unwrap();
        found["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let both = eventually(30, "both messages", || Some(all()).filter(|found| found.len() == 2));
    for message in both {
        assert!(!message.contains("forged\r\n") && !message.contains("bank.example"), "{message}");
        assert!(message.contains("evidence") && message.contains("elsewhere"), "{message}");
    }
}
