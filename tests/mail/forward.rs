//! Mail ring: mail for addresses here that lead to other servers, and the bounces of it.

use crate::{
    common::{
        engine,
        stack::{Stack, eventually},
    },
    routes::{Sink, with_route},
};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

/// What a client says to port 25 octet by octet; the last answer.
fn raw(stack: &Stack, sender: &str, recipient: &str, message: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", stack.port(25))).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut answer = || {
        let mut line = String::new();
        while answers.read_line(&mut line).unwrap() > 0 && line.lines().last().unwrap().as_bytes()[3] == b'-'
        {
        }
        line
    };
    answer();
    for command in [
        "EHLO client.example.net",
        &format!("MAIL FROM:<{sender}> BODY=8BITMIME"),
        &format!("RCPT TO:<{recipient}>"),
    ] {
        write!(stream, "{command}\r\n").unwrap();
        let said = answer();
        if !said.starts_with("250") {
            return said;
        }
    }
    write!(stream, "DATA\r\n").unwrap();
    assert!(answer().starts_with("354"));
    stream.write_all(message).unwrap();
    stream.write_all(b".\r\n").unwrap();
    answer()
}

fn id(word: &str) -> String {
    format!("<{word}.{}@client.example.net>", std::process::id())
}

fn envelope_sender(kept: &str) -> &str {
    let line = kept.lines().find(|line| line.starts_with("MAIL FROM:")).unwrap();
    line.split(['<', '>']).nth(1).unwrap()
}

/// Proves: issue 7: bytes intact, SRS, bounces back to the sender; S0-8, S0-14, S0-35, S0-40, S0-41; threats 4, 5, 8.
#[test]
fn what_leads_elsewhere_goes_on_as_it_came_and_bounces_find_back() {
    let sink = Sink::start();
    let stack = with_route(sink.port);
    stack.ok(&["alias", "add", "away@example.test", "friend@outside.example.net"]);
    stack.ok(&["alias", "add", "both@example.test", "ann@example.test", "friend@outside.example.net"]);
    stack.ok(&["alias", "add", "ann@example.test", "ann@example.test", "ann@outside.example.net"]);

    // Eight bits, dots, a long line, blanks at ends of lines, an odd header: all of it signed by somebody, as it were.
    let odd = format!(
        "From:  Odd   <odd@outside.example.net>\r\nX-Odd:\tfolded\r\n\t in   odd ways \r\nMessage-ID: {}\r\nSubject: =?x?=\r\n\r\n\
         ..dots\r\n  blanks  \r\n\tcaf\u{e9}\r\n{}\r\n\r\n\r\n",
        id("away"),
        "long ".repeat(180)
    );
    let taken = raw(&stack, "odd@outside.example.net", "away@example.test", odd.as_bytes());
    assert!(taken.starts_with("250"), "{taken}");
    let kept = sink.message(&id("away"));
    assert!(kept.contains("RCPT TO:<friend@outside.example.net>"), "{kept}");
    let plain = odd.replace("\r\n..dots", "\r\n.dots");
    assert!(kept.replace("\r\n", "\n").ends_with(&plain.replace("\r\n", "\n")), "{kept}");
    assert!(kept.contains("Delivered-To: away@example.test"), "{kept}");
    let sender = envelope_sender(&kept).to_owned();
    assert!(
        sender.starts_with("SRS0=") && sender.ends_with("=outside.example.net=odd@example.test"),
        "{sender}"
    );

    // A bounce to that sender.
    let bounce = |to: &str, from: &str, word: &str| {
        let message =
            format!("From: <MAILER-DAEMON@outside.example.net>\r\nMessage-ID: {}\r\n\r\nno\r\n", id(word));
        raw(&stack, from, to, message.as_bytes())
    };
    let taken = bounce(&sender, "", "bounce");
    assert!(taken.starts_with("250"), "{taken}");
    let back = sink.message(&id("bounce"));
    assert!(back.contains("MAIL FROM:<>") && back.contains("RCPT TO:<odd@outside.example.net>"), "{back}");
    let folded = bounce(&sender.to_lowercase(), "", "folded");
    assert!(folded.starts_with("250"), "{folded}");
    let forged = bounce(&sender.replace("=odd@", "=eve@"), "", "forged");
    assert!(forged.starts_with("550"), "{forged}");
    let letter = bounce(&sender, "eve@outside.example.net", "letter");
    assert!(letter.contains("5.7.1 ") && letter.contains("bounces only"), "{letter}");

    // Here and there, once each.
    for (to, word) in [("both@example.test", "both"), ("ann@example.test", "copy")] {
        let message = format!("From: <odd@outside.example.net>\r\nMessage-ID: {}\r\n\r\nx\r\n", id(word));
        let taken = raw(&stack, "odd@outside.example.net", to, message.as_bytes());
        assert!(taken.starts_with("250"), "{taken}");
        stack.message("ann@example.test", &stack.ann, "INBOX", &id(word));
        sink.message(&id(word));
    }

    // Round in a circle: told to the sender, and nobody gets it twice.
    let round = format!(
        "Delivered-To: away@example.test\r\nMessage-ID: {}\r\nSubject: x\r\n\r\nround\r\n",
        id("round")
    );
    let taken = raw(&stack, "odd@outside.example.net", "away@example.test", round.as_bytes());
    assert!(taken.starts_with("250"), "{taken}");
    let told = sink.message("5.4.6");
    assert!(told.contains("RCPT TO:<odd@outside.example.net>"), "{told}");

    let log = stack.logs("mailctld");
    assert!(log.contains("forward") && log.contains("result=\"sent\""), "{log}");
}

/// Proves: faults 1 and 7, issue 7: killed at any moment, nothing that was acknowledged is lost, and at most one message of
/// each session that was cut comes twice.
#[test]
fn nothing_is_lost_when_mailctld_and_postfix_are_killed() {
    const MESSAGES: usize = 60;
    let sink = Sink::start();
    let stack = with_route(sink.port);
    stack.ok(&["alias", "add", "away@example.test", "friend@outside.example.net"]);
    let name = |number: usize| id(&format!("ledger-{number}"));
    let mut taken = Vec::new();
    for number in 0..MESSAGES {
        let message = format!(
            "From: <odd@outside.example.net>\r\nMessage-ID: {}\r\n\r\n{}",
            name(number),
            "x\r\n".repeat(20_000)
        );
        // While one of them is away the client is told to come again, or finds nobody.
        let said = std::panic::catch_unwind(|| {
            raw(&stack, "odd@outside.example.net", "away@example.test", message.as_bytes())
        });
        if said.is_ok_and(|said| said.starts_with("250")) {
            taken.push(number);
        }
        match number % 20 {
            5 | 12 => engine::crash(stack.project(), "mailctld"),
            19 => {
                engine::crash(stack.project(), "postfix");
                eventually(30, "postfix greets again", || {
                    stack.swaks(25, &["--quit-after", "EHLO"]).status.success().then_some(())
                });
            }
            _ => {}
        }
        if matches!(number % 20, 5 | 12) {
            eventually(30, "mailctld is back", || {
                stack.run(&["health", "mailctld"]).status.success().then_some(())
            });
        }
    }
    assert!(taken.len() > MESSAGES / 2, "{} of {MESSAGES} taken", taken.len());
    stack.ok(&["exec", "postfix", "postqueue", "-f"]);
    for number in &taken {
        sink.message(&name(*number));
    }
    let copies: usize = taken.iter().map(|number| sink.count(&name(*number))).sum();
    // Nine kills, each with a session or two in the middle of something.
    assert!(copies <= taken.len() + 18, "{copies} copies of {} messages", taken.len());
}
