//! Ring: `mailctl daemon` as a process, asked about logins as Dovecot asks, and by commands through its control door.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Longest wait for something that has no promise of its own.
const LONG: Duration = Duration::from_secs(20);

struct Place {
    home: tempfile::TempDir,
    daemon: Option<Child>,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("run/control")).unwrap();
        let place = Self { home, daemon: None };
        place.configure(5);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn configure(&self, failures: u32) {
        let text = format!(
            "hostname = \"mail.example.test\"\nadmin = \"boss@example.test\"\ndomains = [\"example.test\"]\n\
             delimiter = \"+\"\ndatabase = {:?}\nsocketmap = {:?}\npolicy = {:?}\ncontrol = {:?}\n\
             memory = {:?}\n[auth]\nsocket = {:?}\nenabled = true\nfailures = {failures}\nnetwork_failures = 25\n\
             account_failures = 50\nwindow = 600\nban_time = 600\nlongest_ban = 86400\ncount_repeats = false\n\
             spared = [\"10.9.0.0/16\", \"127.0.0.0/8\"]\n",
            self.path("directory.db"),
            self.path("map"),
            self.path("policy"),
            self.path("run/control/mailctld"),
            self.path("policy.db"),
            self.path("auth"),
        );
        fs::write(self.path("daemon.toml"), text).unwrap();
    }

    fn start(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
        command.env_clear().args(["daemon", "--config"]).arg(self.path("daemon.toml")).stdout(log);
        self.daemon = Some(command.spawn().unwrap());
        soon("the daemon listens", || {
            [self.path("auth"), self.path("run/control/mailctld")]
                .iter()
                .all(|s| UnixStream::connect(s).is_ok())
        });
    }

    /// Status and body of an answer.
    fn ask(&self, socket: &str, head: &str, body: &str) -> (u16, String) {
        let mut stream = UnixStream::connect(self.path(socket)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let length = body.len();
        write!(stream, "{head} HTTP/1.1\r\nHost: mailctld\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// As Dovecot does it, through a proxy on a socket: the target is a whole URL.
    fn allow(&self, account: &str, remote: &str) -> i64 {
        let body = json!({"login": account, "remote": remote, "protocol": "imap", "pwhash": "1"}).to_string();
        let (status, answer) = self.ask("auth", "POST http://mailctld/?command=allow", &body);
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["status"].as_i64().unwrap()
    }

    fn wrong(&self, account: &str, remote: &str, secret: &str) {
        let body = json!({
            "login": account, "remote": remote, "protocol": "imap", "pwhash": secret, "success": false,
            "policy_reject": false, "fail_type": "credentials",
        });
        let (status, answer) = self.ask("auth", "POST http://mailctld/?command=report", &body.to_string());
        assert_eq!(status, 200, "{answer}");
    }

    fn mailctl(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
        command.env_clear().arg("--home").arg(self.home.path()).args(words);
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn ok(&self, words: &[&str]) -> Value {
        let output = self.mailctl(&[&["--json"], words].concat());
        assert!(output.status.success(), "{words:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Bans without those that a test marks time with.
    fn bans(&self) -> Vec<Value> {
        let bans = self.ok(&["ban", "list"]);
        let ours = |ban: &&Value| !ban["on"].as_str().unwrap().starts_with("marker");
        bans.as_array().unwrap().iter().filter(ours).cloned().collect()
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(self.daemon.as_ref().unwrap());
        rustix::process::kill_process(pid, signal).unwrap();
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

fn soon(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < LONG, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Proves: S4-28 over the wire: delay, then refusal; spared networks never; commands see it and take it back.
#[test]
fn dovecot_is_answered_and_commands_see_it() {
    let mut place = Place::new();
    place.start();
    let answers: Vec<i64> = (0..5)
        .map(|number| {
            place.wrong("Ann@Example.test", "192.0.2.7", &number.to_string());
            place.wrong("ann@example.test", "10.9.1.1", &number.to_string());
            place.allow("ann@example.test", "::ffff:192.0.2.7")
        })
        .collect();
    assert_eq!(answers, [0, 0, 1, 2, -1]);
    assert_eq!(place.allow("ann@example.test", "192.0.2.8"), 0);
    assert_eq!(place.allow("ann@example.test", "10.9.1.1"), 0);

    let bans = place.ok(&["ban", "list"]);
    assert_eq!((bans[0]["on"].as_str(), bans[0]["by"].as_str()), (Some("192.0.2.7"), Some("rule")));
    assert_eq!(bans[0]["until"].as_u64().unwrap() - bans[0]["since"].as_u64().unwrap(), 600);
    assert_eq!(place.ok(&["unban", "192.0.2.7", "--dry-run"])["changed"], false);
    assert_eq!(place.allow("ann@example.test", "192.0.2.7"), -1);
    assert_eq!(place.ok(&["ban", "del", "192.0.2.7"])["lifted"][0]["on"], "192.0.2.7");
    assert_eq!(place.allow("ann@example.test", "192.0.2.7"), 0);

    place.ok(&["ban", "add", "2001:db8::/32", "--for", "90s"]);
    assert_eq!(place.allow("x", "2001:db8:5::1"), -1);
    for (words, status, code) in [
        (&["ban", "add", "10.0.0.0/8"][..], 65, "ban.spared"),
        (&["ban", "add", "127.0.0.1"], 65, "ban.spared"),
        (&["ban", "add", "192.0.2.7/24"], 64, "name.malformed"),
        (&["ban", "add", "192.0.2.7", "--for", "soon"], 64, "10m"),
        (&["unban", "203.0.113.1"], 65, "name.absent"),
    ] {
        let output = place.mailctl(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{words:?}: {said}");
        assert!(said.contains(code), "{words:?}: {said}");
    }
    let rights = fs::metadata(place.path("run/control/mailctld")).unwrap().permissions().mode();
    assert_eq!(rights & 0o777, 0o600);
    let log = fs::read_to_string(place.path("log")).unwrap();
    assert!(log.contains("login refused") && log.contains("banned by command"), "{log}");
}

/// Proves: nonsense at either door is refused and ends nothing; SIGHUP takes other rules and forgets nothing.
#[test]
fn nonsense_is_refused_and_a_hangup_keeps_what_is_known() {
    let mut place = Place::new();
    place.start();
    for number in 0..4 {
        place.wrong("ann@example.test", "192.0.2.7", &number.to_string());
    }
    let big = format!("{{\"login\":\"{}\"}}", "a".repeat(20_000));
    for (socket, head, body, status) in [
        ("auth", "GET /?command=allow", "", 405),
        ("auth", "POST /?command=allow", "nonsense", 400),
        ("auth", "POST /?command=other", "{}", 400),
        ("auth", "POST /", "{}", 400),
        ("auth", "POST /?command=allow", big.as_str(), 413),
        ("run/control/mailctld", "GET /nothing", "", 404),
        ("run/control/mailctld", "POST /bans", "{}", 422),
        ("run/control/mailctld", "POST /bans", "{\"on\":\"?\",\"seconds\":5,\"dry_run\":false}", 422),
    ] {
        assert_eq!(place.ask(socket, head, body).0, status, "{head} {body:.40}");
    }
    let log = || fs::read_to_string(place.path("log")).unwrap();
    place.configure(20);
    place.signal(rustix::process::Signal::HUP);
    soon("the new rules are read", || log().contains("configuration read anew"));
    assert_eq!(place.allow("ann@example.test", "192.0.2.7"), 0);
    for number in 4..10 {
        place.wrong("ann@example.test", "192.0.2.7", &number.to_string());
    }
    assert_eq!(place.allow("ann@example.test", "192.0.2.7"), 1);
}

/// Proves: faults 1 and 2 for commands: a daemon that hangs, or is away, is told within its deadline.
#[test]
fn a_daemon_that_is_away_is_told() {
    let mut place = Place::new();
    let away = |place: &Place| {
        let began = Instant::now();
        let output = place.mailctl(&["ban", "list"]);
        assert_eq!(output.status.code(), Some(69), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("daemon.away"));
        assert!(began.elapsed() < LONG);
    };
    away(&place);
    place.start();
    assert!(place.mailctl(&["ban", "list"]).status.success());
    place.signal(rustix::process::Signal::STOP);
    away(&place);
    place.signal(rustix::process::Signal::CONT);
    assert!(place.mailctl(&["ban", "list"]).status.success());
}

/// Proves: fault 1 (killed): bans, lifted ones too, and where an account is known, are as they were a second before.
#[test]
fn what_is_known_outlives_a_kill() {
    let mut place = Place::new();
    place.start();
    for number in 0..5 {
        place.wrong("ann@example.test", "192.0.2.7", &number.to_string());
        place.wrong("ann@example.test", "198.51.100.7", &number.to_string());
    }
    place.ok(&["ban", "add", "bob@example.test", "--for", "1h"]);
    place.ok(&["unban", "198.51.100.7"]);
    let good = json!({"login": "ann@example.test", "remote": "203.0.113.9", "pwhash": "9", "success": true});
    let report = "POST http://mailctld/?command=report";
    assert_eq!(place.ask("auth", report, &good.to_string()).0, 200);
    let before = place.bans();
    assert_eq!(before.len(), 2, "{before:?}");
    // Changes are written in their order: when something that came after them is on the disk, they are. What is seen
    // growing for the first marker can be what came before it.
    for marker in ["marker1", "marker2"] {
        let files = ["policy.db", "policy.db-wal"].map(|name| place.path(name));
        let length = || files.iter().filter_map(|file| Some(fs::metadata(file).ok()?.len())).sum::<u64>();
        let former = length();
        place.ok(&["ban", "add", marker]);
        soon("it is on the disk", || length() > former);
    }
    place.signal(rustix::process::Signal::KILL);
    place.daemon.take().unwrap().wait().unwrap();
    place.start();
    assert_eq!(place.bans(), before);
    assert_eq!(place.allow("ann@example.test", "192.0.2.7"), -1);
    assert_eq!(place.allow("ann@example.test", "198.51.100.7"), 0);
    // Somebody else guesses in the house where she is known.
    for number in 0..5 {
        place.wrong("carl@example.test", "203.0.113.9", &number.to_string());
    }
    assert_eq!(place.allow("carl@example.test", "203.0.113.9"), -1);
    assert_eq!(place.allow("ann@example.test", "203.0.113.9"), 0);
}

/// Proves: issue 6 (brute force): guesses that come all at once are counted one by one, none lost and none twice.
#[test]
fn a_burst_of_guesses_is_counted_exactly() {
    let mut place = Place::new();
    place.configure(20);
    place.start();
    let guess = |number: usize| place.wrong("ann@example.test", "192.0.2.7", &format!("guess{number}"));
    std::thread::scope(|scope| {
        for number in 0..19 {
            scope.spawn(move || guess(number));
        }
    });
    assert!(place.allow("ann@example.test", "192.0.2.7") >= 0, "19 were counted as more");
    assert!(place.bans().is_empty());
    guess(19);
    assert_eq!(place.allow("ann@example.test", "192.0.2.7"), -1, "20 were counted as less");
}

/// Proves: issue 6 (per /64), threats 29: who guesses from many addresses of his network is one client; his neighbours are not.
#[test]
fn an_ipv6_client_is_its_network() {
    let mut place = Place::new();
    place.start();
    for number in 0..5 {
        place.wrong("ann@example.test", &format!("2001:db8:1:2:{number}::{number}"), &number.to_string());
    }
    assert_eq!(place.allow("ann@example.test", "2001:db8:1:2:ffff::1"), -1);
    assert_eq!(place.allow("ann@example.test", "2001:db8:1:3::1"), 0);
    let bans = place.bans();
    assert_eq!((bans.len(), bans[0]["on"].as_str()), (1, Some("2001:db8:1:2::/64")), "{bans:?}");
    place.ok(&["unban", "2001:db8:1:2::/64"]);
    assert_eq!(place.allow("ann@example.test", "2001:db8:1:2:ffff::1"), 0);
}
