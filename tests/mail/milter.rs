//! Mail ring: what our filter says to a real Postfix, beside a real OpenDKIM.

use crate::{
    common::{
        dns::{Dns, Zone},
        engine,
        stack::{Stack, eventually, said},
    },
    routes::{Sink, with_route},
    signing::verify,
};
use std::fs;

const BOB: &str = "bob@example.test";
const ANN: &str = "ann@example.test";

fn id(word: &str) -> String {
    format!("<{word}.{}@client.example.net>", std::process::id())
}

/// Sends this header, and one line of text, from bob's own address to ann; whether it was taken, and what was said.
fn submit(stack: &Stack, password: &str, header: &str) -> (bool, String) {
    let file = stack.home().join("message.eml");
    fs::write(&file, format!("To: ann@example.test\r\nSubject: x\r\n{header}\r\n\r\ntext\r\n")).unwrap();
    let data = format!("@{}", file.display());
    let sent = stack.submit(BOB, password, &["--from", BOB, "--to", ANN, "--data", &data]);
    (sent.status.success(), said(&sent))
}

/// Proves: issue 6 ("sending rights", for the header From), S2-16, S2-19, S4-21: who a message says that it is from must
/// be the login's own; what could be read in two ways is refused; and it can be switched off.
#[test]
fn a_login_cannot_say_that_it_is_somebody_else() {
    let stack = Stack::up("");
    let bob = stack.user(BOB);
    stack.ok(&["alias", "add", "info@example.test", BOB]);
    let taken = |header: &str| {
        let (taken, told) = submit(&stack, &bob, header);
        assert!(taken, "{header}: {told}");
    };
    let refused = |header: &str, word: &str| {
        let (taken, told) = submit(&stack, &bob, header);
        assert!(!taken && told.contains(word), "{header}: {told}");
    };
    taken("From: Bob <bob@example.test>");
    taken("From: \"ann@example.test\" <Bob+x@Example.TEST> (comment)");
    taken(
        "From: =?utf-8?q?B=C3=B6b?=\r\n <info@example.test>,\r\n bob@example.test\r\nSender: bob@example.test",
    );
    taken("From: us: bob@example.test, info@example.test;");

    let forged = " 550 5.7.1 bob@example.test may not send with <ann@example.test> in From";
    refused("From: ann@example.test", forged);
    refused("From: Bob <ann@example.test>", forged);
    refused("From: bob@example.test, ann@example.test", forged);
    refused("From : ann@example.test", forged);
    refused("from:ann@example.test", forged);
    refused("From: us: bob@example.test, ann@example.test;", forged);
    refused("From: bob@example.test\r\nSender: ann@example.test", "<ann@example.test> in Sender");
    refused("From: 100%@example.net", "<100%@example.net> in From");
    refused("From: bob@example.test\r\nFrom: ann@example.test", " 550 5.6.0 ");
    refused("X-From: bob@example.test", "From is missing");
    refused("From: <@example.net:bob@example.test>", "an address with a route");
    refused("From: ann@example.test <bob@example.test>", " 550 5.6.0 ");
    refused("From: bob@b\u{fc}ro.example", "xn-- form");
    refused("From: =?utf-8?b?YW5uQGV4YW1wbGUudGVzdAA=?=@example.test", "an encoded word in an address");
    // A zero octet hides from filters what stands behind it.
    refused("From: bob@example.test\0, ann@example.test", "disallowed character");

    // Given the right, it may: at once, as with MAIL FROM.
    stack.ok(&["user", "allow", BOB, ANN]);
    taken("From: ann@example.test");
    stack.ok(&["user", "disallow", BOB, ANN]);
    refused("From: ann@example.test", forged);
    let told = said(&stack.run(&["user", "may-send", BOB, "info@example.test"]));
    assert!(told.contains("From and Sender"), "{told}");
    let told = stack.ok(&["explain", "send", "--user", BOB, "--to", ANN]);
    assert!(told.contains("header From") && told.contains("submission.header_from"), "{told}");
    let log = stack.logs("mailctld");
    assert!(log.contains("rule=\"header-from\"") && log.contains("queue_id="), "{log}");

    // Strangers are asked about nothing of this kind.
    let stranger = stack.swaks(
        25,
        &["--from", "x@example.net", "--to", ANN, "--header", &format!("Message-ID: {}", id("stranger"))],
    );
    assert!(stranger.status.success(), "{}", said(&stranger));

    stack.set("SENDER_RESTRICTIONS", "domain");
    stack.ok(&["up"]);
    taken("From: ann@example.test");
    refused("From: x@example.net", "<x@example.net> in From");
    let toml = stack.home().join("mailctl.toml");
    let text = fs::read_to_string(&toml).unwrap();
    fs::write(&toml, format!("{text}\n[submission]\nheader_from = \"any\"\n")).unwrap();
    stack.ok(&["up"]);
    taken("From: x@example.net");
}

/// Proves: issue 6, S0-5: OpenDKIM's signature of what users send is not broken by the filter behind it, and a forged result
/// goes from such a message as well.
#[test]
fn signatures_hold_behind_the_filter() {
    let sink = Sink::start();
    let stack = with_route(sink.port);
    let record: serde_json::Value =
        serde_json::from_str(&stack.ok(&["dkim", "show", "example.test", "--json"])).unwrap();
    let file = stack.home().join("message.eml");
    let forged = "Received-SPF: pass (mail.example.test: trust me) receiver=mail.example.test";
    let other = "Received-SPF: pass receiver=mx.example.net; client-ip=192.0.2.1";
    let message = format!(
        "{other}\r\n{forged}\r\nFrom: ann@example.test\r\nTo: friend@outside.example.net\r\nSubject: signed\r\n\
         Message-ID: {}\r\n\r\ntext\r\n",
        id("signed")
    );
    fs::write(&file, message).unwrap();
    let data = format!("@{}", file.display());
    let to = ["--from", ANN, "--to", "friend@outside.example.net", "--data", &data];
    let sent = stack.submit(ANN, &stack.ann, &to);
    assert!(sent.status.success(), "{}", said(&sent));
    let got = sink.message(&id("signed")).split_once("\n\n").unwrap().1.to_owned();
    assert!(!got.contains("trust me") && got.contains("receiver=mx.example.net"), "{got}");
    verify(&got, &record[0]["record"], &["rsa-sha256"]);
}

/// Proves: issue 6, threats 1 to 5: without mailctld nothing is taken and nothing lost, on each door.
#[test]
fn without_the_filter_mail_comes_again() {
    let stack = Stack::up("");
    let bob = stack.user(BOB);
    let pause = |how: &str| {
        engine::request("POST", &format!("/containers/{}-mailctld/{how}", stack.project())).unwrap();
    };
    let from_bob = format!("From: {BOB}\r\nMessage-ID: {}", id("later"));
    let stranger = || stack.swaks(25, &["--from", "x@example.net", "--to", ANN]);
    pause("pause");
    let (by_user, by_stranger) = (submit(&stack, &bob, &from_bob), stranger());
    pause("unpause");
    assert!(!by_user.0 && by_user.1.contains(" 451 "), "{}", by_user.1);
    assert!(!by_stranger.status.success() && said(&by_stranger).contains(" 451 "), "{}", said(&by_stranger));
    engine::crash(stack.project(), "mailctld");
    eventually(60, "it is taken", || submit(&stack, &bob, &from_bob).0.then_some(()));
    stack.message(ANN, &stack.ann, "INBOX", &id("later"));
}

/// Proves: issue 6 ("adds Received-SPF / Authentication-Results, removes forged ones bearing our name"), RFC 7208 §9.1,
/// RFC 8601: on top of what a stranger sends stands what SPF says of it, and nothing of the kind that he wrote himself.
#[test]
fn what_spf_says_is_written_by_us_alone() {
    let stack = Stack::up("");
    let gateway: std::net::IpAddr = engine::gateway(stack.project(), "postfix").parse().unwrap();
    let zones = [
        Zone::new("good.example", "@ TXT \"v=spf1 ip4:0.0.0.0/0 -all\"\n"),
        Zone::new("bad.example", "@ TXT \"v=spf1 -all\"\n"),
        Zone::new(".", ""),
    ];
    let dns = Dns::start_at((gateway, 0).into(), &zones);
    let toml = stack.home().join("mailctl.toml");
    let text = fs::read_to_string(&toml).unwrap();
    let configure = |mode: &str| {
        let own = format!("{text}\n[dns]\nresolver = \"{}\"\n[spf]\nmode = \"{mode}\"\n", dns.at());
        fs::write(&toml, own).unwrap();
        stack.ok(&["up"]);
    };
    let other = "Received-SPF: pass receiver=mx.example.net; client-ip=192.0.2.1";
    let forged = [
        "Received-SPF: pass (mail.example.test: forged)\r\n\treceiver=mail.example.test",
        "received-spf : pass receiver = \"MAIL.example.test.\"; helo=forged",
        "Authentication-Results: mail.example.test; spf=pass smtp.mailfrom=forged",
    ];
    let send = |from: &str, word: &str| -> String {
        let file = stack.home().join("stranger.eml");
        let (head, rest) = (&forged[..2], forged[2]);
        let message = format!(
            "{}\r\n{other}\r\n{rest}\r\nFrom: {from}\r\nTo: {ANN}\r\nMessage-ID: {}\r\n\r\ntext\r\n",
            head.join("\r\n"),
            id(word)
        );
        fs::write(&file, message).unwrap();
        let data = format!("@{}", file.display());
        let sent = stack.swaks(25, &["--from", from, "--to", ANN, "--data", &data]);
        assert!(sent.status.success(), "{}", said(&sent));
        let got = stack.message(ANN, &stack.ann, "INBOX", &id(word)).replace("\r\n", "\n");
        assert!(!got.contains("forged") && got.contains("receiver=mx.example.net"), "{got}");
        got
    };
    configure("mark");
    for (from, verdict) in [("x@good.example", "pass"), ("x@bad.example", "fail"), ("x@none.example", "none")]
    {
        let got = send(from, verdict);
        let own = format!("Received-SPF: {verdict} (mail.example.test:");
        // Nothing of the message stands above, and OpenDKIM's own result stays.
        assert_eq!((got.matches(&own).count(), got.matches("Received-SPF:").count()), (1, 2), "{got}");
        assert!(got.contains("\treceiver=mail.example.test;"), "{got}");
        assert!(got.find(&own).unwrap() < got.find("with ESMTP").unwrap(), "{got}");
        let result = format!("Authentication-Results: mail.example.test;\n\tspf={verdict} ");
        assert_eq!((got.matches(&result).count(), got.matches(" dkim=").count()), (1, 1), "{got}");
    }
    // A user's message has no stranger to be told about.
    let header = format!("Message-ID: {}", id("own"));
    let sent = stack.submit(ANN, &stack.ann, &["--from", ANN, "--to", ANN, "--header", &header]);
    assert!(sent.status.success(), "{}", said(&sent));
    assert!(!stack.message(ANN, &stack.ann, "INBOX", &id("own")).contains("spf="));
    configure("off");
    let got = send("x@bad.example", "off");
    assert!(!got.contains("spf=") && got.matches("Received-SPF:").count() == 1, "{got}");
}

/// Subjects of the letters with this word that somebody has.
fn letters(stack: &Stack, user: &str, password: &str, word: &str) -> Vec<String> {
    let found = stack.mailbox(("imap", "tls", 993), user, password, &["INBOX", "Subject", word]).unwrap();
    found["messages"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Proves: issue 6 ("warnings at 80 % to the user and the admin"; a frozen login, "the admin told"): as mail, once for each
/// limit; kept while Postfix is away and through kill -9 of mailctld; and not held up by the limits they are about.
#[test]
fn limits_that_are_nearly_used_up_are_told_by_mail() {
    let stack = Stack::up(
        "[rates]\nlogin = \"messages 5/d\"\nclient = \"messages 1/d\"\nfreeze_times = 1\nfreeze_from = 8\n",
    );
    let bob = stack.user(BOB);
    let eve = stack.user("eve@example.test");
    let send = |user: &str, password: &str, to: &str| {
        let sent = stack.submit(user, password, &["--from", user, "--to", to]);
        assert!(sent.status.success(), "{}", said(&sent));
    };
    // Nobody is warned of three in five.
    for _ in 0..4 {
        assert!(!stack.logs("mailctld").contains("four fifths"));
        send(BOB, &bob, ANN);
    }
    for (user, password) in [(BOB, &bob), (ANN, &stack.ann)] {
        let got = eventually(60, "the warning", || {
            Some(letters(&stack, user, password, "four fifths")).filter(|got| !got.is_empty())
        });
        assert!(got.len() == 1 && got[0].contains("bob@example.test: four fifths"), "{got:?}");
        assert!(got[0].contains("5 messages a day") && got[0].contains("Auto-Submitted:"), "{got:?}");
    }
    send(BOB, &bob, ANN);
    let over = stack.submit(BOB, &bob, &["--from", BOB, "--to", ANN]);
    assert!(said(&over).contains(" 451 4.7.1 "), "{}", said(&over));

    // A login is frozen while Postfix cannot take letters any more: paused as soon as it has said its word.
    let many = "ann@example.test,bob@example.test,eve@example.test,postmaster@example.test,abuse@example.test,hostmaster@example.test";
    send("eve@example.test", &eve, many);
    let path = format!("/containers/{}-postfix", stack.project());
    let frozen = stack.submit("eve@example.test", &eve, &["--from", "eve@example.test", "--to", many]);
    engine::request("POST", &format!("{path}/stop?t=1"));
    assert!(said(&frozen).contains(" 451 4.7.0 "), "{}", said(&frozen));
    let kept = stack.home().join("state/policy/letters.json");
    eventually(30, "the letter is on the disk", || {
        fs::read_to_string(&kept).ok().filter(|text| text.contains("eve@example.test")).map(drop)
    });
    engine::crash(stack.project(), "mailctld");
    stack.ok(&["up"]);
    for (user, password) in [("eve@example.test", &eve), (ANN, &stack.ann)] {
        let got = eventually(120, "the letter about the frozen login", || {
            Some(letters(&stack, user, password, "is stopped")).filter(|got| !got.is_empty())
        });
        assert!(got.len() == 1 && got[0].contains("mailctl user unfreeze eve@example.test"), "{got:?}");
    }
    assert_eq!(letters(&stack, BOB, &bob, "four fifths").len(), 1, "each limit is told once");
    let log = stack.logs("mailctld");
    assert!(log.contains("letter taken by Postfix"), "{log}");
}
