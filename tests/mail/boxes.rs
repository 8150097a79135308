//! Mail ring: what Dovecot serves, asked with Python's imaplib and poplib; filters by ManageSieve.

use crate::common::stack::{Stack, said};

/// Proves: S1-1, S1-2, S1-11, S1-18, S4-21, S4-27, S0-26.
#[test]
fn imap_pop3_and_filters() {
    let stack = Stack::up("");
    let ann = stack.ann.clone();
    let user = "ann@example.test";
    let id = format!("<boxes.{}@client.example.net>", std::process::id());
    let send = |to: &str, id: &str| {
        let header = format!("Message-ID: {id}");
        let sent = stack.swaks(25, &["--from", "friend@example.net", "--to", to, "--header", &header]);
        assert!(sent.status.success(), "{}", said(&sent));
    };
    send(user, &id);
    stack.message(user, &ann, "INBOX", &id);

    for (kind, mode, port) in
        [("imap", "tls", 993), ("imap", "starttls", 143), ("pop3", "tls", 995), ("pop3", "starttls", 110)]
    {
        let read = stack.mailbox((kind, mode, port), user, &ann, &[]).unwrap();
        let messages = read["messages"].as_array().unwrap();
        assert!(messages.iter().any(|m| m.as_str().unwrap().contains(&id)), "{kind} {mode}: {read}");
    }
    // Once for both protocols: Dovecot lets each further wrong login of an address wait longer.
    stack.mailbox(("imap", "tls", 993), user, "wrong", &[]).unwrap_err();
    for (kind, port) in [("imap", 143), ("pop3", 110)] {
        let refused = stack.mailbox((kind, "plain", port), user, &ann, &[]).unwrap_err();
        assert!(!refused.is_empty(), "{kind} lets a login through without TLS");
    }

    let folders = stack.mailbox(("imap", "tls", 993), user, &ann, &[]).unwrap()["folders"].to_string();
    for folder in ["Drafts", "Junk", "Trash", "Sent"] {
        assert!(folders.contains(folder), "{folder} is missing: {folders}");
    }

    let script = stack.home().join("filter.sieve");
    std::fs::write(
        &script,
        "require [\"fileinto\"];\nif header :contains \"Message-ID\" \"sieved\" { fileinto \"Trash\"; }\n",
    )
    .unwrap();
    let listed = stack.mailbox(("sieve", "starttls", 4190), user, &ann, &[script.to_str().unwrap()]).unwrap();
    assert!(listed["scripts"].to_string().contains("ACTIVE"), "{listed}");
    let sieved = format!("<sieved.{}@client.example.net>", std::process::id());
    send(user, &sieved);
    stack.message(user, &ann, "Trash", &sieved);

    let tagged = format!("<tagged.{}@client.example.net>", std::process::id());
    send("ann+Junk@example.test", &tagged);
    stack.message(user, &ann, "Junk", &tagged);
}

/// Proves: S4-16, S4-18, behaviours "quota"; a change is live within one second, without a reload.
#[test]
fn a_user_is_live_at_once_and_comes_back_with_the_mail() {
    let stack = Stack::up("");
    let containers = stack.status()["services"].to_string();
    let bob = stack.user("bob@example.test");
    let login = |password: &str| stack.mailbox(("imap", "tls", 993), "bob@example.test", password, &[]);
    login(&bob).unwrap();
    let id = format!("<kept.{}@client.example.net>", std::process::id());
    let header = format!("Message-ID: {id}");
    let mail = ["--from", "friend@example.net", "--to", "bob@example.test", "--header", &header];
    let sent = stack.swaks(25, &mail);
    assert!(sent.status.success(), "{}", said(&sent));
    stack.message("bob@example.test", &bob, "INBOX", &id);

    // Its limit, as Dovecot itself sees it.
    let limit = || {
        let told =
            stack.ok(&["exec", "dovecot", "doveadm", "-f", "flow", "quota", "get", "-u", "bob@example.test"]);
        told.lines().find(|line| line.contains("Type=STORAGE")).unwrap().to_owned()
    };
    assert!(limit().contains(" Limit=- ") && !limit().contains(" Value=0 "), "{}", limit());
    stack.ok(&["user", "set", "bob@example.test", "--quota", "2M"]);
    assert!(limit().contains("Limit=2048 "), "{}", limit());
    stack.ok(&["user", "set", "bob@example.test", "--quota", "none"]);
    assert!(limit().contains(" Limit=- ") && !limit().contains(" Value=0 "), "{}", limit());

    let new = stack.ok(&["user", "passwd", "bob@example.test"]).trim().to_owned();
    login(&new).unwrap();
    login(&bob).unwrap_err();

    stack.ok(&["user", "del", "bob@example.test", "--yes"]);
    login(&new).unwrap_err();
    assert!(said(&stack.swaks(25, &mail)).contains(" 550 "));

    let again = stack.user("bob@example.test");
    stack.message("bob@example.test", &again, "INBOX", &id);

    stack.ok(&["user", "del", "bob@example.test", "--purge", "--yes"]);
    let fresh = stack.user("bob@example.test");
    let read = login(&fresh).unwrap();
    assert_eq!(read["messages"].as_array().unwrap().len(), 0, "purged mail came back: {read}");
    assert_eq!(
        containers.matches("\"since\"").count(),
        stack.status()["services"].to_string().matches("\"since\"").count()
    );
}
