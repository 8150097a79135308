//! `mailctl limits`, and the figures of letters, against a mailctld that counts messages as Postfix tells of them.

use crate::common::{home::Home, mailctld::Mailctld};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

const RATES: &str = "[policies.rates]\nlogin='messages 5/h, recipients 100/d'\nclient='messages 5/h'\n\
                     sender_domain='messages 10/d'\nrecipient_domain='recipients 5/h'\nfreeze={times=10,from=60}\n";

fn home() -> Home {
    let home = Home::new();
    for user in ["ann", "bob", "eve"] {
        home.ok(&["user", "add", &format!("{user}@example.org")]);
    }
    home
}

fn sent(mailctld: &Mailctld, who: &str, recipients: u32) -> String {
    mailctld.ask(&format!("protocol_state=END-OF-MESSAGE recipient_count={recipients} size=2000 {who}"))
}

/// Proves: issue 6 (`limits show`, `explain` with the counts of the running mailctld): what was counted is told, by login,
/// client and domain; asking counts nothing.
#[test]
fn what_was_counted_is_told() {
    let home = home();
    let mailctld = Mailctld::start(&home, RATES);
    for _ in 0..3 {
        assert_eq!(sent(&mailctld, "sasl_username=bob@example.org", 2), "DUNNO");
        assert_eq!(sent(&mailctld, "client_address=192.0.2.1 sender=x@example.net", 1), "DUNNO");
    }
    for _ in 0..2 {
        let told = home.ok(&["limits", "show", "bob@example.org"]);
        assert!(
            told.contains("rates.login              bob@example.org: 3 of 5 messages an hour, until "),
            "{told}"
        );
        assert!(told.contains("bob@example.org: 6 of 100 recipients a day, until "), "{told}");
    }
    assert!(home.ok(&["limits", "show", "ann@example.org"]).contains(": 0 of 5 messages an hour\n"));
    assert!(
        home.ok(&["limits", "show", "192.0.2.1"]).contains("rates.client             192.0.2.1: 3 of 5 ")
    );
    let told = home.ok(&["limits", "show", "@example.net"]);
    assert!(
        told.contains("from @example.net: 3 of 10 messages a day")
            && told.contains("to @example.net: 0 of 5 ")
    );
    let shown = home.json(&["limits", "show", "192.0.2.1"]);
    assert_eq!((&shown["limits"][0]["used"], &shown["limits"][0]["most"]), (&3.into(), &5.into()), "{shown}");

    let receive = |client: &str| {
        let words = [
            "explain",
            "receive",
            "--from",
            "x@example.net",
            "--to",
            "bob@example.org",
            "--client-ip",
            client,
        ];
        home.run(&words)
    };
    let near = receive("192.0.2.1");
    assert!(near.out.contains("the limit that is nearest is 3 of 5 messages an hour, until "), "{near:?}");
    for _ in 0..2 {
        assert_eq!(sent(&mailctld, "client_address=192.0.2.1 sender=x@example.net", 1), "DUNNO");
    }
    let full = receive("192.0.2.1");
    assert!(
        full.status == 1 && full.err.contains("rates.client") && full.err.contains("5 of 5 messages"),
        "{full:?}"
    );
    assert!(full.err.contains("451 4.7.1 too much from "), "{full:?}");
    assert_eq!(receive("192.0.2.2").status, 0);
    let words = ["explain", "send", "--user", "bob@example.org", "--to", "x@example.com"];
    assert!(home.ok(&words).contains("3 of 5 messages an hour"));
}

/// Proves: issue 6 (`limits list`): who is near a limit or frozen, the nearest first; logins by the directory, clients and
/// domains since they came near.
#[test]
fn who_is_near_a_limit_is_listed() {
    let home = home();
    let mailctld = Mailctld::start(&home, RATES);
    let nobody = home.run(&["limits", "list"]);
    assert!(nobody.out.is_empty() && nobody.err.contains("nobody has used up 80 % of a limit"), "{nobody:?}");
    assert_eq!(home.json(&["limits", "list"]), serde_json::json!([]));
    for _ in 0..4 {
        assert_eq!(sent(&mailctld, "sasl_username=bob@example.org", 1), "DUNNO");
    }
    for _ in 0..2 {
        assert_eq!(sent(&mailctld, "sasl_username=ann@example.org", 1), "DUNNO");
    }
    assert_eq!(sent(&mailctld, "sasl_username=eve@example.org", 60), "DUNNO");
    assert!(sent(&mailctld, "sasl_username=eve@example.org", 1).starts_with("451 4.7.0 "));
    for number in 1..=5 {
        assert_eq!(sent(&mailctld, "client_address=192.0.2.1 sender=x@example.net", 1), "DUNNO");
        let to = format!("protocol_state=RCPT client_address=10.0.0.1 recipient=a{number}@far.example");
        assert_eq!(mailctld.ask(&to), "DUNNO");
    }
    let told = home.ok(&["limits", "list"]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines[0],
        "rates.freeze_times       eve@example.org: sending is stopped: mailctl user unfreeze eve@example.org"
    );
    assert!(
        lines[1].starts_with("rates.client             192.0.2.1: 5 of 5 messages an hour, until "),
        "{told}"
    );
    assert!(
        lines[2].starts_with("rates.recipient_domain   to @far.example: 5 of 5 recipients an hour, until "),
        "{told}"
    );
    assert!(
        lines[3].starts_with("rates.login              bob@example.org: 4 of 5 messages an hour, until "),
        "{told}"
    );
    assert_eq!(lines.len(), 4, "{told}");
    let all = home.json(&["limits", "list", "--near", "40"]);
    let of = |whose: &str| all.as_array().unwrap().iter().find(|one| one["whose"] == whose).cloned();
    assert_eq!(of("ann@example.org").unwrap()["limits"][0]["used"], 2, "{all}");
    assert_eq!(of("eve@example.org").unwrap()["frozen"], true);
    assert_eq!(of("@far.example").unwrap()["kind"], "recipient_domain");
    // Half of its limit, and never near it: its name is not known.
    assert!(of("@example.net").is_none(), "{all}");
    home.ok(&["user", "unfreeze", "eve@example.org"]);
    assert!(!home.ok(&["limits", "list"]).contains("eve@"));
    drop(mailctld);
    home.refused(&["limits", "list"], 69, "daemon.away");
}

/// A Postfix that hangs up until it is told to work, then takes letters to one recipient and refuses others for good.
fn postfix(works: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if works.load(Relaxed) {
                let _ = dialogue(stream);
            }
        }
    });
    at
}

fn dialogue(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    stream.write_all(b"220 x\r\n")?;
    let (mut line, mut inside) = (String::new(), false);
    while lines.read_line(&mut line)? > 0 {
        let said = std::mem::take(&mut line);
        let reply = match said.trim_end() {
            "." => "250 taken\r\n",
            _ if inside => continue,
            "DATA" => "354 go on\r\n",
            text if text.starts_with("RCPT") && !text.contains("postmaster@") => "550 5.1.1 nobody\r\n",
            _ => "250 fine\r\n",
        };
        inside = reply.starts_with("354");
        stream.write_all(reply.as_bytes())?;
    }
    Ok(())
}

/// Proves: issue 6 (metrics): letters that wait, that Postfix took and that it refused are counted, and nobody is named.
#[test]
fn letters_are_counted() {
    let home = home();
    let works = Arc::new(AtomicBool::new(false));
    let at = postfix(works.clone());
    let mailctld = Mailctld::start(&home, &format!("letters = {at:?}\n{RATES}"));
    for _ in 0..4 {
        assert_eq!(sent(&mailctld, "sasl_username=bob@example.org", 1), "DUNNO");
    }
    let figure = |text: &str| mailctld.metrics().lines().any(|line| line == text);
    mailctld.soon("two letters wait", || figure("mailctl_letters_waiting 2"));
    assert!(
        figure("mailctl_letters_total{state=\"added\"} 2")
            && figure("mailctl_letters_total{state=\"taken\"} 0")
    );
    works.store(true, Relaxed);
    mailctld.soon("no letter waits", || figure("mailctl_letters_waiting 0"));
    let page = mailctld.metrics();
    for state in ["taken", "given_up"] {
        assert!(page.contains(&format!("mailctl_letters_total{{state=\"{state}\"}} 1")), "{page}");
    }
    assert!(!page.contains("bob@"), "{page}");
}
