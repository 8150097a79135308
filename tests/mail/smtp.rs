//! Mail ring: what Postfix takes and refuses, on 25, 587 and 465, asked with swaks.

use crate::common::stack::{Stack, said};

fn id(word: &str) -> String {
    format!("<{word}.{}@client.example.net>", std::process::id())
}

fn header(word: &str) -> [String; 2] {
    ["--header".to_owned(), format!("Message-ID: {}", id(word))]
}

fn status(output: &std::process::Output, code: &str) {
    let said = said(output);
    assert!(
        said.lines().any(|l| l.contains("<") && l.contains(&format!(" {code} "))),
        "no {code} in:\n{said}"
    );
}

/// Proves: S1-1, S1-2, S1-18, S1-24, S0-28, threats 7 (unknown users refused at RCPT).
#[test]
fn port_25_takes_local_mail_and_refuses_the_rest() {
    let stack = Stack::up("");
    let from = ["--from", "stranger@example.net"];
    let [option, value] = header("local");

    let local = stack.swaks(25, &[&from[..], &["--to", "ann@example.test", &option, &value]].concat());
    assert!(local.status.success(), "{}", said(&local));
    stack.message("ann@example.test", &stack.ann, "INBOX", &id("local"));

    status(&stack.swaks(25, &[&from[..], &["--to", "nobody@example.test"]].concat()), "550");
    status(&stack.swaks(25, &[&from[..], &["--to", "someone@example.com"]].concat()), "554");

    for role in ["postmaster", "abuse", "hostmaster", "noreply"] {
        for domain in ["example.test", "mail.example.test"] {
            let [option, value] = header(&format!("{role}.{domain}"));
            let to = format!("{role}@{domain}");
            let role_mail = stack.swaks(25, &[&from[..], &["--to", &to, &option, &value]].concat());
            assert!(role_mail.status.success(), "{to}: {}", said(&role_mail));
            stack.message("ann@example.test", &stack.ann, "INBOX", &id(&format!("{role}.{domain}")));
        }
    }

    let hello = said(&stack.swaks(25, &["--quit-after", "EHLO"]));
    assert!(hello.contains("STARTTLS"), "{hello}");
    assert!(!hello.contains("AUTH"), "port 25 offers a login: {hello}");
    let hello = said(&stack.swaks(25, &["--tls", "--quit-after", "EHLO"]));
    assert!(!hello.contains("AUTH"), "port 25 offers a login in TLS: {hello}");

    clean(&stack);
}

/// Proves: S1-5 (message size limit), threats 33.
#[test]
fn a_message_over_the_limit_is_refused() {
    let stack = Stack::prepared("");
    stack.set("MESSAGE_SIZE_LIMIT", "100k");
    stack.ok(&["up"]);
    let big = "x".repeat(70) + "\n";
    let file = stack.home().join("big.txt");
    std::fs::write(&file, big.repeat(3000)).unwrap();
    let body = format!("@{}", file.display());
    let sent =
        stack.swaks(25, &["--from", "stranger@example.net", "--to", "ann@example.test", "--body", &body]);
    assert!(!sent.status.success());
    assert!(said(&sent).contains(" 552 "), "{}", said(&sent));
}

/// Proves: S0-4, S0-15, S1-8, S1-13, S4-21.
#[test]
fn submission_needs_tls_a_login_and_an_own_address() {
    let stack = Stack::up("");
    let bob = stack.user("bob@example.test");
    let ann = stack.ann.clone();

    for (port, tls) in [(587, "--tls"), (465, "--tls-on-connect")] {
        for way in ["PLAIN", "LOGIN"] {
            let [option, value] = header(&format!("{port}.{way}"));
            let sent = stack.swaks(
                port,
                &[
                    tls,
                    "--auth",
                    way,
                    "--auth-user",
                    "bob@example.test",
                    "--auth-password",
                    &bob,
                    "--from",
                    "bob@example.test",
                    "--to",
                    "ann@example.test",
                    &option,
                    &value,
                ],
            );
            assert!(sent.status.success(), "{}", said(&sent));
            let message = stack.message("ann@example.test", &ann, "INBOX", &id(&format!("{port}.{way}")));
            assert!(
                !message.contains("client.example.net ("),
                "the client's host is told to the world: {message}"
            );
        }
        let wrong = stack.swaks(
            port,
            &[
                tls,
                "--auth",
                "PLAIN",
                "--auth-user",
                "bob@example.test",
                "--auth-password",
                "wrong",
                "--from",
                "bob@example.test",
                "--to",
                "ann@example.test",
            ],
        );
        assert!(said(&wrong).contains(" 535 "), "{}", said(&wrong));
        assert!(!wrong.status.success());
    }

    let before_tls = said(&stack.swaks(587, &["--quit-after", "EHLO"]));
    assert!(before_tls.contains("STARTTLS") && !before_tls.contains("AUTH"), "{before_tls}");
    status(&stack.swaks(587, &["--from", "bob@example.test", "--to", "ann@example.test"]), "530");
    let no_login = stack.swaks(587, &["--tls", "--from", "bob@example.test", "--to", "ann@example.test"]);
    assert!(!no_login.status.success() && said(&no_login).contains("5.7."), "{}", said(&no_login));

    let foreign =
        stack.submit("bob@example.test", &bob, &["--from", "ann@example.test", "--to", "ann@example.test"]);
    assert!(said(&foreign).contains(" 553 "), "{}", said(&foreign));

    stack.ok(&["alias", "add", "info@example.test", "bob@example.test"]);
    let own_alias =
        stack.submit("bob@example.test", &bob, &["--from", "info@example.test", "--to", "ann@example.test"]);
    assert!(own_alias.status.success(), "{}", said(&own_alias));
    let tagged = stack.submit(
        "bob@example.test",
        &bob,
        &["--from", "bob+shop@example.test", "--to", "ann@example.test"],
    );
    assert!(tagged.status.success(), "{}", said(&tagged));

    stack.ok(&["user", "del", "bob@example.test", "--yes"]);
    let gone =
        stack.submit("bob@example.test", &bob, &["--from", "bob@example.test", "--to", "ann@example.test"]);
    assert!(said(&gone).contains(" 535 "), "{}", said(&gone));

    let log = stack.logs("postfix");
    assert!(log.contains("sasl_username=bob@example.test"), "logins are visible in the log (S0-15)");
    for secret in [&bob, &ann] {
        assert!(!stack.logs("dovecot").contains(secret.as_str()) && !log.contains(secret.as_str()));
    }
}

/// Proves: S4-27 (submissions leave without the client's traces) for the message itself; what is attached to it is
/// evidence, or signed, and arrives byte for byte.
#[test]
fn an_attached_message_arrives_as_it_was_sent() {
    let stack = Stack::up("");
    let attached = "Received: from laptop (laptop [192.0.2.7]) by mail.example.test (Postfix) with ESMTPSA id 1\r\n\
                    User-Agent: Evidence/1.0\r\nX-Mailer: Evidence/2.0\r\nSubject: inner\r\n\r\ninner body";
    let message = format!(
        "From: ann@example.test\r\nTo: ann@example.test\r\nSubject: outer\r\nMessage-ID: {}\r\n\
         User-Agent: Traces/1.0\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\nUser-Agent: Part/1.0\r\n\r\nlook:\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{attached}\r\n--b--\r\n",
        id("attached")
    );
    let file = stack.home().join("attached.eml");
    std::fs::write(&file, &message).unwrap();
    let data = format!("@{}", file.display());
    let own = ["--from", "ann@example.test", "--to", "ann@example.test", "--data", &data];
    let sent = stack.submit("ann@example.test", &stack.ann, &own);
    assert!(sent.status.success(), "{}", said(&sent));
    let got = stack.message("ann@example.test", &stack.ann, "INBOX", &id("attached"));
    assert!(!got.contains("Traces/1.0"), "{got}");
    assert!(got.contains(attached) && got.contains("Part/1.0"), "{got}");
}

/// A clean run leaves no warnings, and health turns healthy.
fn clean(stack: &Stack) {
    for service in ["postfix", "dovecot", "opendkim", "mailctld"] {
        let log = stack.logs(service);
        for word in
            ["warning:", "Warning:", "fatal:", "error:", "Error:", "Permission denied", "compatibility"]
        {
            let lines: Vec<&str> = log.lines().filter(|l| l.contains(word)).collect();
            assert!(lines.is_empty(), "{service} is not clean: {lines:#?}");
        }
    }
}
