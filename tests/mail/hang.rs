//! Mail ring: mailctld stopped and killed while clients of Postfix wait for it, word by word.

use crate::common::{
    engine,
    stack::{Stack, eventually},
};
use std::{
    io::{BufRead, BufReader, ErrorKind, Write},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

/// What the settings promise (two tries of two seconds, and one between them), and what a busy machine takes.
const PROMISED: Duration = Duration::from_secs(6);

/// One client of port 25.
struct Client(BufReader<TcpStream>);

impl Client {
    /// Connected; nothing is read yet.
    fn of(stack: &Stack) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", stack.port(25))).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(BufReader::new(stream))
    }

    /// As far as `MAIL`.
    fn with_a_sender(stack: &Stack) -> Self {
        let mut client = Self::of(stack);
        assert!(client.reply().starts_with("220 "));
        assert!(client.say("EHLO client.example.net").starts_with("250"));
        assert!(client.say("MAIL FROM:<friend@example.net>").starts_with("250 "));
        client
    }

    /// As far as a whole message, without the dot.
    fn with_a_message(stack: &Stack, id: &str) -> Self {
        let mut client = Self::with_a_sender(stack);
        assert!(client.say("RCPT TO:<ann@example.test>").starts_with("250 "));
        assert!(client.say("DATA").starts_with("354 "));
        client.write(&format!("From: friend@example.net\r\nMessage-ID: {id}\r\n\r\nhello"));
        client
    }

    fn write(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    fn say(&mut self, line: &str) -> String {
        self.write(line);
        self.reply()
    }

    /// The last line of the next reply.
    fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    /// No reply comes now: somebody is waited for.
    fn waits(&mut self) {
        let stream = self.0.get_ref();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let looked = stream.peek(&mut [0]).map_err(|error| error.kind());
        assert_eq!(looked, Err(ErrorKind::WouldBlock));
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    }
}

/// Stops mailctld where it is, or has it go on.
fn signal(stack: &Stack, signal: &str) {
    let pid = engine::pid(stack.project(), "mailctld").unwrap().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    eventually(10, "it has the signal", || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        (status.contains("(stopped)") == (signal == "-STOP")).then_some(())
    });
}

fn id(word: &str) -> String {
    format!("<{word}.{}@client.example.net>", std::process::id())
}

/// A whole message; whether it was taken, and the refusal.
fn send(stack: &Stack, id: &str) -> Result<(), String> {
    let mut client = Client::of(stack);
    let greeting = client.reply();
    if !greeting.starts_with("220 ") {
        return Err(greeting);
    }
    let header = format!("From: friend@example.net\r\nMessage-ID: {id}\r\n\r\nhello\r\n.");
    for (line, wanted) in [
        ("EHLO client.example.net", "250"),
        ("MAIL FROM:<friend@example.net>", "250"),
        ("RCPT TO:<ann@example.test>", "250"),
        ("DATA", "354"),
        (header.as_str(), "250"),
    ] {
        let reply = client.say(line);
        if !reply.starts_with(wanted) {
            return Err(reply);
        }
    }
    Ok(())
}

/// Sends it until it is taken, as a mail server does; each refusal on the way is one that says "later".
fn send_until_taken(stack: &Stack, id: &str) {
    eventually(60, "it is taken", || match send(stack, id) {
        Ok(()) => Some(()),
        Err(refusal) => {
            assert!(refusal.starts_with("451 ") || refusal.starts_with("421 "), "{refusal}");
            None
        }
    });
}

/// Proves: fault 2 (stopped, with clients at every step): who comes, and who sends the end of a message, is told 451 within
/// five seconds; who is in the middle of a session is told nothing wrong and, going on, is served by the same process; nothing
/// is lost or there twice.
#[test]
fn a_mailctld_that_stops_means_451_and_goes_on() {
    let stack = Stack::up("");
    let mut open = Client::with_a_sender(&stack);
    let mut writing = Client::with_a_message(&stack, &id("writing"));
    let before = engine::pid(stack.project(), "mailctld").unwrap();
    signal(&stack, "-STOP");
    // Postfix waits here as long as its socketmaps wait, 100 s (`mailctl help decisions/render`).
    open.write("RCPT TO:<ann@example.test>");
    let mut new = Client::of(&stack);
    let began = Instant::now();
    let greeted = (new.reply(), began.elapsed());
    let began = Instant::now();
    let ended = (writing.say("."), began.elapsed());
    open.waits();
    signal(&stack, "-CONT");
    for (which, (told, took)) in [("greeting", greeted), ("end of message", ended)] {
        assert!(told.starts_with("451 "), "{which}: {told}");
        assert!(took <= PROMISED, "{which}: {took:?} {told}");
    }
    let told = open.reply();
    assert!(told.starts_with("250 "), "{told}");
    assert!(open.say("DATA").starts_with("354 "));
    let message = format!("From: friend@example.net\r\nMessage-ID: {}\r\n\r\nhello\r\n.", id("open"));
    assert!(open.say(&message).starts_with("250 "));
    send_until_taken(&stack, &id("writing"));
    for word in ["open", "writing"] {
        stack.message("ann@example.test", &stack.ann, "INBOX", &id(word));
    }
    assert_eq!(engine::pid(stack.project(), "mailctld"), Some(before), "it was not begun anew");
}

/// Proves: fault 1 (killed while a client waits for an answer about a recipient, and about a whole message): what is not
/// taken is told 451 within five seconds, what is taken is there, once; and it is back by itself.
#[test]
fn a_mailctld_killed_under_a_question_loses_nothing() {
    let stack = Stack::up("");
    let mut asking = Client::with_a_sender(&stack);
    signal(&stack, "-STOP");
    let began = Instant::now();
    asking.write("RCPT TO:<ann@example.test>");
    asking.waits();
    engine::crash(stack.project(), "mailctld");
    let told = asking.reply();
    assert!(told.starts_with("451 ") || told.starts_with("250 "), "{told}");
    assert!(began.elapsed() <= PROMISED, "{:?} {told}", began.elapsed());
    send_until_taken(&stack, &id("asking"));
    stack.message("ann@example.test", &stack.ann, "INBOX", &id("asking"));

    let mut writing = Client::with_a_message(&stack, &id("message"));
    signal(&stack, "-STOP");
    let began = Instant::now();
    writing.write(".");
    writing.waits();
    engine::crash(stack.project(), "mailctld");
    let told = writing.reply();
    assert!(told.starts_with("451 ") || told.starts_with("250 "), "{told}");
    assert!(began.elapsed() <= PROMISED, "{:?} {told}", began.elapsed());
    if told.starts_with("451 ") {
        send_until_taken(&stack, &id("message"));
    }
    stack.message("ann@example.test", &stack.ann, "INBOX", &id("message"));
}
