//! Ring: `mailctl daemon` as a process, asked by a policy client about senders, with a DNS of the test's own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

#[path = "senders/blocklists.rs"]
mod blocklists;
#[path = "senders/faults.rs"]
mod faults;

use common::dns::{Dns, Fault, Zone};
use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

/// Longest wait for something that has no promise of its own.
const LONG: Duration = Duration::from_secs(40);
/// Every answer is there by then; the rest is for a busy machine.
const PROMISED: Duration = Duration::from_millis(1700);

struct Place {
    home: tempfile::TempDir,
    daemon: Child,
}

impl Place {
    fn new(dns: &Dns, policies: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        let text = format!(
            "hostname = \"mail.example.test\"\nadmin = \"boss@example.test\"\ndomains = [\"example.test\"]\n\
             delimiter = \"+\"\ndatabase = {:?}\nsocketmap = {:?}\npolicy = {:?}\ntrusted = \"10.0.0.0/8\"\n\
             resolvers = [\"{}\"]\n{policies}",
            path("directory.db"),
            path("map"),
            path("policy"),
            dns.at(),
        );
        fs::write(path("daemon.toml"), text).unwrap();
        let log = fs::File::create(path("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
        command.env_clear().args(["daemon", "--config"]).arg(path("daemon.toml")).stdout(log);
        let daemon = command.spawn().unwrap();
        let place = Self { home, daemon };
        let began = Instant::now();
        while UnixStream::connect(place.socket()).is_err() {
            assert!(began.elapsed() < LONG, "the daemon does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        place
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("policy")
    }

    /// What the client at this address is told for this sender, and how long that took.
    fn timed(&self, client: &str, sender: &str) -> (String, Duration) {
        let began = Instant::now();
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(question(client, sender).as_bytes()).unwrap();
        (answer(&mut stream), began.elapsed())
    }

    fn ask(&self, client: &str, sender: &str) -> String {
        self.timed(client, sender).0
    }

    /// Asks until the answer begins so: a list is asked when it has passed its test.
    fn until(&self, client: &str, sender: &str, wanted: &str) -> String {
        let began = Instant::now();
        loop {
            let told = self.ask(client, sender);
            if told.starts_with(wanted) {
                return told;
            }
            assert!(began.elapsed() < LONG, "{told} and not {wanted}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn question(client: &str, sender: &str) -> String {
    format!(
        "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address={client}\nclient_name=unknown\n\
         helo_name=mx.helo.test\nsender={sender}\nrecipient=ann@example.test\n\n"
    )
}

fn answer(stream: &mut UnixStream) -> String {
    let (mut got, mut octet) = (Vec::new(), [0]);
    while !got.ends_with(b"\n\n") {
        stream.read_exact(&mut octet).unwrap();
        got.push(octet[0]);
    }
    String::from_utf8(got).unwrap().trim_end().replace("action=", "")
}

fn dns() -> Dns {
    Dns::start(&[
        Zone::new(
            "strict.test",
            "@ TXT \"v=spf1 ip4:192.0.2.0/24 exp=why.strict.test -all\"\nwhy TXT \"%{i} is not ours\"\n",
        ),
        Zone::new("soft.test", "@ TXT \"v=spf1 ip4:192.0.2.0/24 ~all\"\n"),
        Zone::new("broken.test", "@ TXT \"v=spf1 nonsense:x -all\"\n"),
        Zone::new("users.test", "@ TXT \"v=spf1 exists:%{l}.ok.users.test -all\"\nann.ok A 127.0.0.2\n"),
        Zone::new("helo.test", "mx TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"),
        Zone::new("none.test", "@ A 192.0.2.99\n"),
    ])
}

/// Proves: SPF on the hot path: who is refused, who is not, and with which words (RFC 7208 §8, RFC 7372 §3.2).
#[test]
fn a_fail_is_refused_where_the_settings_say_so() {
    let dns = dns();
    let place = Place::new(&dns, "[policies.spf]\nmode = \"reject\"\n");
    assert_eq!(place.ask("192.0.2.1", "ann@strict.test"), "DUNNO");
    assert_eq!(
        place.ask("198.51.100.1", "ann@strict.test"),
        "550 5.7.23 SPF: strict.test does not let 198.51.100.1 send (\"-all\" of strict.test); \
         strict.test explains: 198.51.100.1 is not ours"
    );
    for passes in ["ann@soft.test", "ann@none.test", "ann@nowhere.none.test", "ann@broken.test", "ann"] {
        assert_eq!(place.ask("198.51.100.1", passes), "DUNNO", "{passes}");
    }
    assert_eq!(place.ask("10.1.2.3", "ann@strict.test"), "DUNNO", "a trusted client");
    // The null sender stands for the greeting (RFC 7208 §2.4).
    assert_eq!(place.ask("192.0.2.1", ""), "DUNNO");
    assert!(place.ask("192.0.2.2", "").starts_with("550 5.7.23 SPF: mx.helo.test does not let 192.0.2.2"));
    // A record that looks at the local part has a verdict for each.
    assert_eq!(place.ask("192.0.2.1", "ann@users.test"), "DUNNO");
    assert!(place.ask("192.0.2.1", "bob@users.test").starts_with("550 5.7.23 "));
    assert_eq!(place.ask("192.0.2.1", "ann@users.test"), "DUNNO");

    let place = Place::new(&dns, "[policies.spf]\nmode = \"reject\"\npermerror = \"reject\"\n");
    assert!(
        place.ask("192.0.2.1", "ann@broken.test").starts_with("550 5.7.24 SPF: the record of broken.test")
    );
    let place = Place::new(&dns, "[policies.spf]\nmode = \"reject\"\npermerror = \"defer\"\n");
    assert!(place.ask("192.0.2.1", "ann@broken.test").starts_with("451 4.7.24 "));
    for mode in ["mark", "off"] {
        let place = Place::new(&dns, &format!("[policies.spf]\nmode = \"{mode}\"\npermerror = \"reject\"\n"));
        for sender in ["ann@strict.test", "ann@broken.test"] {
            assert_eq!(place.ask("198.51.100.1", sender), "DUNNO", "{mode} {sender}");
        }
    }
}

/// Proves: every answer within 1.5 s whatever DNS does, 451 and never open; others are not held up (fault 12).
#[test]
fn dns_that_does_not_answer_holds_up_nobody_else() {
    let dns = dns();
    let place = Place::new(&dns, "[policies.spf]\nmode = \"reject\"\n");
    dns.fault("soft.test", Fault::Drop);
    dns.fault("none.test", Fault::ServFail);
    dns.fault("strict.test", Fault::Late(Duration::from_millis(600)));
    let (told, took) = place.timed("192.0.2.1", "ann@none.test");
    assert_eq!(told, "451 4.7.24 SPF: DNS gave no answer about none.test, try again later");
    assert!(took < PROMISED, "{took:?}");

    // Three questions in one write: the answers keep their order, and another client goes on meanwhile.
    let mut stream = UnixStream::connect(place.socket()).unwrap();
    let three: String = ["bob@soft.test", "ann@strict.test", "ann@helo.test"]
        .map(|sender| question("198.51.100.1", sender))
        .concat();
    let began = Instant::now();
    stream.write_all(three.as_bytes()).unwrap();
    let (told, took) = place.timed("192.0.2.1", "ann@helo.test");
    assert_eq!(told, "DUNNO");
    assert!(took < Duration::from_millis(800), "{took:?}");
    assert!(answer(&mut stream).starts_with("451 4.7.24 SPF: DNS gave no answer about soft.test"));
    assert!(began.elapsed() < PROMISED, "{:?}", began.elapsed());
    assert!(answer(&mut stream).starts_with("550 5.7.23 SPF: strict.test"));
    assert_eq!(answer(&mut stream), "DUNNO");

    // In mode mark nobody waits at all.
    let place = Place::new(&dns, "[policies.spf]\nmode = \"mark\"\n");
    let (told, took) = place.timed("192.0.2.1", "carl@soft.test");
    assert_eq!(told, "DUNNO");
    assert!(took < Duration::from_millis(800), "{took:?}");

    let place = Place::new(&dns, "[policies.spf]\nmode = \"reject\"\ntemperror = \"mark\"\n");
    assert_eq!(place.ask("192.0.2.1", "ann@none.test"), "DUNNO");
}

/// Proves: what DNS said is asked once, and what was no answer is asked again soon.
#[test]
fn a_verdict_is_kept_as_long_as_it_is_true() {
    let dns = dns();
    let place = Place::new(&dns, "[policies.spf]\nmode = \"reject\"\n");
    for _ in 0..20 {
        assert!(place.ask("198.51.100.1", "ann@strict.test").starts_with("550 "));
        assert!(place.ask("198.51.100.2", "bob@strict.test").starts_with("550 "));
    }
    assert_eq!(dns.asked_for("strict.test", "TXT"), 1);
    dns.fault("none.test", Fault::ServFail);
    assert!(place.ask("192.0.2.1", "ann@none.test").starts_with("451 "));
    dns.heal("none.test");
    let began = Instant::now();
    while place.ask("192.0.2.1", "ann@none.test") != "DUNNO" {
        assert!(began.elapsed() < Duration::from_secs(25), "the failure is never forgotten");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Proves: greylisting only where SPF has not passed.
#[test]
fn who_is_proven_is_not_greylisted() {
    let dns = dns();
    let place = Place::new(
        &dns,
        "[policies.spf]\nmode = \"mark\"\n[policies.greylist]\nmode = \"unproven\"\ndelay = 300\nwindow = 3600\n\
         keep = 86400\nafter = 5\nipv4 = 24\nipv6 = 64\n",
    );
    assert_eq!(place.ask("192.0.2.1", "ann@strict.test"), "DUNNO");
    for unproven in ["ann@soft.test", "ann@none.test", "ann@strict.test"] {
        let told = place.ask("198.51.100.1", unproven);
        assert!(told.starts_with("451 4.7.1 greylisted"), "{unproven}: {told}");
    }
}
