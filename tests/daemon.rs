//! `mailctl daemon` as a process: asked over its sockets, changed by other processes, damaged, killed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

/// A change must be visible by then.
const LIVE: Duration = Duration::from_secs(1);
/// Longest wait for something that has no promise of its own.
const LONG: Duration = Duration::from_secs(20);

/// A home with settings and, after the first command, a store; and the daemon over it.
struct Place {
    home: tempfile::TempDir,
    daemon: Option<Child>,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("state")).unwrap();
        let settings = "DOMAIN=example.test\nHOSTNAME=mail.example.test\nADMIN_EMAIL=boss@example.test\n";
        fs::write(home.path().join("settings.env"), settings).unwrap();
        let place = Self { home, daemon: None };
        place.configure("\"example.test\"");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.path("state/db/directory.db")
    }

    fn configure(&self, domains: &str) {
        let text = format!(
            "hostname = \"mail.example.test\"\nadmin = \"boss@example.test\"\ndomains = [{domains}]\n\
             delimiter = \"+\"\ndatabase = {:?}\nsocketmap = {:?}\npolicy = {:?}\n",
            self.database(),
            self.path("map"),
            self.path("policy"),
        );
        fs::write(self.path("daemon.toml"), text).unwrap();
    }

    /// Another process changes the directory.
    fn mailctl(&self, words: &[&str]) {
        common::home::change(self.home.path(), words);
    }

    fn user_add(&self, address: &str) {
        self.mailctl(&["user", "add", address, "--password-stdin"]);
    }

    /// Starts it; returns when it takes connections.
    fn start(&mut self) {
        let log = fs::File::create(self.path("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_mailctl"))
            .env_clear()
            .args(["daemon", "--config"])
            .arg(self.path("daemon.toml"))
            .stdout(log)
            .spawn()
            .unwrap();
        self.daemon = Some(child);
        soon(LONG, "the daemon listens", || {
            [self.path("map"), self.path("policy")].iter().all(|socket| UnixStream::connect(socket).is_ok())
        });
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.daemon.as_ref().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// How it ended, within `limit`.
    fn ended(&mut self, limit: Duration) -> ExitStatus {
        let mut daemon = self.daemon.take().unwrap();
        let began = Instant::now();
        loop {
            if let Some(status) = daemon.try_wait().unwrap() {
                return status;
            }
            if began.elapsed() > limit {
                daemon.kill().unwrap();
                panic!("still running after {limit:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn connect(&self) -> Session {
        Session::to(&self.path("map"))
    }

    fn ask(&self, map: &str, key: &str) -> String {
        self.connect().ask(map, key)
    }

    fn policy(&self, login: &str) -> String {
        let mut session = Session::to(&self.path("policy"));
        session.send(format!("request=smtpd_access_policy\nsasl_username={login}\n\n").as_bytes());
        let mut answer = Vec::new();
        while !answer.ends_with(b"\n\n") {
            answer.push(session.byte().unwrap());
        }
        String::from_utf8(answer).unwrap()
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid().as_raw_nonzero())).unwrap().count()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// One connection, as Postfix holds it.
struct Session(UnixStream);

impl Session {
    fn to(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Self(stream)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    fn ask(&mut self, map: &str, key: &str) -> String {
        self.send(netstring(&format!("{map} {key}")).as_bytes());
        self.answer()
    }

    fn answer(&mut self) -> String {
        let mut length = 0;
        loop {
            match self.byte().unwrap() {
                b':' => break,
                digit => length = length * 10 + usize::from(digit - b'0'),
            }
        }
        let mut answer = vec![0; length + 1];
        self.0.read_exact(&mut answer).unwrap();
        assert_eq!(answer.pop(), Some(b','));
        String::from_utf8(answer).unwrap()
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.0.read_exact(&mut byte).ok().map(|()| byte[0])
    }

    /// The other side hung up and said nothing more.
    fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0; 64]) {
            Ok(0) => true,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
            Ok(_) => false,
        }
    }
}

fn netstring(text: &str) -> String {
    format!("{}:{text},", text.len())
}

/// Waits until `true`, at most `limit`.
fn soon(limit: Duration, what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Proves: S4-3 (no reload, no restart), S4-18, S4-26 (roles), and that what another process commits is
/// answered within a second.
#[test]
fn another_process_changes_the_directory_and_it_is_live_within_a_second() {
    let mut place = Place::new();
    place.user_add("boss@example.test");
    place.start();
    soon(LONG, "the directory is read", || place.ask("mailboxes", "boss@example.test") == "OK 1");
    let mut session = place.connect();
    assert_eq!(session.ask("mailboxes", "ann@example.test"), "NOTFOUND ");
    assert_eq!(session.ask("domains", "example.test"), "OK 1");
    assert_eq!(session.ask("domains", "elsewhere.test"), "NOTFOUND ");
    assert_eq!(session.ask("aliases", "postmaster@mail.example.test"), "OK boss@example.test");
    assert_eq!(session.ask("aliases", "abuse@example.test"), "OK boss@example.test");
    assert!(session.ask("nonsense", "x").starts_with("PERM "));

    place.user_add("ann@example.test");
    soon(LIVE, "a new mailbox", || session.ask("mailboxes", "ann@example.test") == "OK 1");
    assert_eq!(session.ask("mailboxes", "Ann+tag@Example.TEST"), "OK 1");
    assert_eq!(session.ask("aliases", "ann@example.test"), "OK ann@example.test");
    assert_eq!(session.ask("senders", "ann@example.test"), "OK ann@example.test");
    assert_eq!(place.policy("ann@example.test"), "action=DUNNO\n\n");

    place.mailctl(&["alias", "add", "sales@example.test", "ann@example.test"]);
    soon(LIVE, "a new alias", || session.ask("aliases", "sales@example.test") == "OK ann@example.test");
    assert_eq!(session.ask("senders", "sales@example.test"), "OK ann@example.test");
    place.mailctl(&["alias", "del", "sales@example.test"]);
    soon(LIVE, "an alias less", || session.ask("aliases", "sales@example.test") == "NOTFOUND ");

    place.mailctl(&["domain", "add", "more.test"]);
    soon(LIVE, "a new domain", || session.ask("domains", "more.test") == "OK 1");
    place.mailctl(&["domain", "del", "more.test"]);
    soon(LIVE, "a domain less", || session.ask("domains", "more.test") == "NOTFOUND ");

    place.mailctl(&["user", "del", "ann@example.test"]);
    soon(LIVE, "a mailbox less", || session.ask("mailboxes", "ann@example.test") == "NOTFOUND ");
    assert!(place.policy("ann@example.test").starts_with("action=REJECT 5."));
}

/// Proves: a socket and a database left by `kill -9` are no hindrance.
#[test]
fn killed_at_any_moment_it_starts_again() {
    let mut place = Place::new();
    place.user_add("ann@example.test");
    for _ in 0..5 {
        place.start();
        soon(LONG, "answers", || place.ask("mailboxes", "ann@example.test") == "OK 1");
        place.signal(Signal::KILL);
        assert!(!place.ended(LONG).success());
        assert!(place.path("map").exists());
    }
}

/// Proves: threat 34: with an older mailctld after a downgrade, mail for the users of a newer state still comes in.
#[test]
fn the_state_of_a_newer_mailctl_is_served() {
    let mut place = Place::new();
    place.user_add("ann@example.test");
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version = 99'); c.commit()";
    let newer = Command::new("/usr/bin/python3").args(["-c", script]).arg(place.database()).status().unwrap();
    assert!(newer.success());
    place.start();
    soon(LONG, "answers", || place.ask("mailboxes", "ann@example.test") == "OK 1");
    assert_eq!(place.ask("mailboxes", "bob@example.test"), "NOTFOUND ");
}

/// Proves: without a store nobody is "unknown": everything is temporary, and it recovers by itself.
#[test]
fn a_missing_or_damaged_store_is_a_temporary_failure() {
    let mut place = Place::new();
    place.start();
    let later = |place: &Place, when: &str| {
        for map in ["domains", "mailboxes", "aliases", "senders"] {
            for key in ["example.test", "ann@example.test", "postmaster@example.test", "x"] {
                let answer = place.ask(map, key);
                assert!(answer.starts_with("TEMP "), "{when}: {map} {key}: {answer}");
            }
        }
        assert!(place.policy("ann@example.test").starts_with("action=451 4."), "{when}");
    };
    // Longer than the pause between two tries.
    let settle = || std::thread::sleep(Duration::from_millis(700));

    settle();
    later(&place, "no folder");
    fs::create_dir(place.path("state/db")).unwrap();
    for garbage in [&b""[..], b"garbage", &[0xff; 4096], b"SQLite format 3\0and nothing more"] {
        fs::write(place.database(), garbage).unwrap();
        settle();
        later(&place, "garbage");
    }
    fs::remove_file(place.database()).unwrap();
    place.user_add("ann@example.test");
    soon(LONG, "recovers", || place.ask("mailboxes", "ann@example.test") == "OK 1");
    assert_eq!(place.ask("mailboxes", "ben@example.test"), "NOTFOUND ");
}

/// Proves: a store that breaks under a running daemon makes nobody unknown; one put in its place is taken.
#[test]
fn a_store_that_breaks_later_leaves_the_last_good_state() {
    let mut place = Place::new();
    place.user_add("ann@example.test");
    place.start();
    soon(LONG, "answers", || place.ask("mailboxes", "ann@example.test") == "OK 1");
    let good = fs::read(place.database()).unwrap();
    for name in ["state/db/directory.db-wal", "state/db/directory.db-shm", "state/db/directory.db"] {
        let _ = fs::remove_file(place.path(name));
    }
    for _ in 0..100 {
        assert_eq!(place.ask("mailboxes", "ann@example.test"), "OK 1");
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::write(place.database(), b"garbage").unwrap();
    for _ in 0..100 {
        assert_eq!(place.ask("mailboxes", "ann@example.test"), "OK 1");
        std::thread::sleep(Duration::from_millis(10));
    }
    // A backup comes back under another inode, as every restore does.
    fs::write(place.path("state/backup"), good).unwrap();
    fs::rename(place.path("state/backup"), place.database()).unwrap();
    place.user_add("ben@example.test");
    soon(LONG, "follows the new file", || place.ask("mailboxes", "ben@example.test") == "OK 1");
}

/// Proves: nonsense ends the connection it came on, and no other.
#[test]
fn malformed_requests_close_their_own_connection_only() {
    let mut place = Place::new();
    place.user_add("ann@example.test");
    place.start();
    soon(LONG, "answers", || place.ask("mailboxes", "ann@example.test") == "OK 1");
    let mut bystander = place.connect();
    let endless = "9".repeat(300);
    for nonsense in [
        &b"\0\xff\xfe garbage"[..],
        b"999999:mailboxes ",
        b"100001:",
        endless.as_bytes(),
        b"-5:abcde,",
        b":,",
        b"05:a b c,",
        b"3:a bX",
        b"9:mailboxes,",
        b"GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut session = place.connect();
        session.send(nonsense);
        assert!(session.is_closed(), "{:?}", String::from_utf8_lossy(nonsense));
        assert_eq!(bystander.ask("mailboxes", "ann@example.test"), "OK 1");
    }
    for nonsense in [&b"no equals sign\n"[..], b"\n", "a=b\n".repeat(300).as_bytes()] {
        let mut session = Session::to(&place.path("policy"));
        session.send(nonsense);
        assert!(session.is_closed(), "{:?}", String::from_utf8_lossy(nonsense));
    }
    // Odd keys are asked for properly: they exist nowhere.
    for key in ["@example.test", "ann", "", "a b@example.test", "ann@example.test@example.test", "\u{0}"] {
        assert_eq!(bystander.ask("aliases", key), "NOTFOUND ", "{key:?}");
    }
    // In pieces, and several at once.
    let question = netstring("mailboxes ann@example.test");
    for byte in question.bytes() {
        bystander.send(&[byte]);
    }
    assert_eq!(bystander.answer(), "OK 1");
    bystander.send(question.repeat(200).as_bytes());
    for _ in 0..200 {
        assert_eq!(bystander.answer(), "OK 1");
    }
    // A good request before nonsense is still answered.
    let mut session = place.connect();
    session.send(format!("{question}nonsense").as_bytes());
    assert_eq!(session.answer(), "OK 1");
    assert!(session.is_closed());
}

/// Proves: a client that sends a byte now and then does not hold its place for ever, and holds up nobody.
#[test]
fn a_request_that_never_ends_is_cut_off() {
    let mut place = Place::new();
    place.start();
    let (mut slow, mut other) = (place.connect(), place.connect());
    slow.send(b"900:mailboxes ");
    let began = Instant::now();
    soon(LONG, "the slow one is cut off", || {
        std::thread::sleep(Duration::from_millis(100));
        assert!(!other.ask("nonsense", "x").is_empty());
        slow.0.write_all(b"x").is_err()
    });
    assert!(began.elapsed() > Duration::from_secs(5));
}

/// Proves: 10,000 connections leave nothing behind.
#[test]
fn ten_thousand_rounds_leave_no_descriptor_behind() {
    let mut place = Place::new();
    place.user_add("ann@example.test");
    place.start();
    soon(LONG, "answers", || place.ask("mailboxes", "ann@example.test") == "OK 1");
    let round = |number: usize| match number % 4 {
        0 => drop(place.policy("ann@example.test")),
        // Gone in the middle of a request.
        1 => place.connect().send(b"26:mailboxes ann@"),
        _ => assert_eq!(place.ask("mailboxes", "ann@example.test"), "OK 1"),
    };
    (0..100).for_each(round);
    let mut before = usize::MAX;
    soon(LONG, "the first rounds are over", || {
        let now = place.descriptors();
        std::mem::replace(&mut before, now) == now
    });
    (0..10_000).for_each(round);
    soon(LONG, "as many descriptors as before", || place.descriptors() <= before);
}

/// Proves: SIGTERM ends it within five seconds, whatever its clients do; SIGINT too.
#[test]
fn told_to_stop_it_stops() {
    let mut place = Place::new();
    place.user_add("ann@example.test");
    for signal in [Signal::TERM, Signal::INT] {
        place.start();
        let mut idle = place.connect();
        let mut half = place.connect();
        half.send(b"26:mailboxes ann@");
        soon(LONG, "answers", || idle.ask("mailboxes", "ann@example.test") == "OK 1");
        place.signal(signal);
        assert!(idle.is_closed());
        let status = place.ended(Duration::from_secs(5));
        assert!(status.success(), "{signal:?}: {status}");
    }
}

/// Proves: SIGHUP takes a new configuration, and keeps the old one where the new is broken; sessions stay.
#[test]
fn a_hangup_reads_the_configuration_anew() {
    let mut place = Place::new();
    place.user_add("ann@example.test");
    place.start();
    let mut session = place.connect();
    soon(LONG, "answers", || session.ask("domains", "example.test") == "OK 1");
    assert_eq!(session.ask("domains", "new.test"), "NOTFOUND ");

    place.configure("\"example.test\", \"new.test\"");
    place.signal(Signal::HUP);
    soon(LIVE, "the new domain", || session.ask("domains", "new.test") == "OK 1");

    fs::write(place.path("daemon.toml"), "domains = [").unwrap();
    place.signal(Signal::HUP);
    soon(LONG, "the fault is told", || {
        fs::read_to_string(place.path("log")).unwrap().contains("the old one stays")
    });
    assert_eq!(session.ask("domains", "new.test"), "OK 1");
    assert_eq!(session.ask("mailboxes", "ann@example.test"), "OK 1");
}
