//! Ring: systemd really booted, on a whole host with an engine of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]
#![allow(clippy::print_stderr, reason = "what was skipped, and what took how long, is for who runs it")]

#[path = "common/mod.rs"]
mod common;

#[path = "boot/host.rs"]
mod host;

use common::stack::{Turn, eventually, said};
use host::Host;
use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const ANN: &str = "ann@example.test";

/// A host with mailctl on it, as `make install` leaves it.
struct Server {
    host: Host,
    password: String,
    began: Instant,
    _turn: Turn,
}

impl Server {
    /// `None` where a container cannot be a host; the reason is told.
    fn installed() -> Option<Self> {
        let turn = Turn::take();
        let host = match Host::boot() {
            Ok(host) => host,
            Err(refusal) => {
                eprintln!("SKIPPED: no host can be booted in a container here: {refusal}");
                return None;
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        place(&root);
        let tar = folder.path().join("root.tar");
        let mut archive = tar::Builder::new(std::fs::File::create(&tar).unwrap());
        archive.sparse(false);
        archive.append_dir_all(".", &root).unwrap();
        archive.finish().unwrap();
        host.unpack(&tar);
        host.load(&image(folder.path()), folder.path());
        let settings = ["--domain", "example.test", "--hostname", "mail.example.test", "--admin", ANN];
        // What a mirror says is not what is tested here.
        let words =
            [&["mailctl", "init", "--yes", "--quiet", "--set", "UPDATE_CHECK=false"], &settings[..]].concat();
        let password = host.ok(&words).trim().to_owned();
        Some(Self { host, password, began: Instant::now(), _turn: turn })
    }

    fn mailctl(&self, words: &[&str]) -> (i64, String) {
        self.host.run(&[&["mailctl"], words].concat())
    }

    fn ok(&self, words: &[&str]) -> String {
        self.host.ok(&[&["mailctl"], words].concat())
    }

    fn json(&self, words: &[&str]) -> Value {
        let (_, said) = self.mailctl(&[words, &["--json"]].concat());
        let line =
            said.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{words:?}: {said}"));
        serde_json::from_str(line).unwrap()
    }

    /// Until the stack runs as the settings say, and all of it is healthy.
    fn well(&self, when: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let (status, said) = self.mailctl(&["status", "--json"]);
            let shown: Value =
                serde_json::from_str(said.lines().next().unwrap_or_default()).unwrap_or_default();
            if status == 0 && shown["well"] == true && shown["pending_steps"] == 0 {
                break;
            }
            let steps = || self.mailctl(&["plan"]).1;
            assert!(Instant::now() < until, "{when} the stack is not well: {said}{}", steps());
            std::thread::sleep(Duration::from_millis(200));
        }
        self.ok(&["health"]);
        eprintln!("{:>4} s  {when} all is well", self.began.elapsed().as_secs());
    }

    /// Sends a message from outside of the host.
    fn send(&self, id: &str) {
        let sent = eventually(30, "mail is taken", || {
            let sent = Command::new("swaks")
                .args(["--server", &self.host.address(), "--helo", "client.example.net", "--timeout", "10"])
                .args(["--from", "friend@example.net", "--to", ANN])
                .args(["--header", &format!("Message-ID: <{id}@client.example.net>")])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            sent.status.success().then_some(sent)
        });
        assert!(sent.status.success(), "{}", said(&sent));
    }

    /// Reads it over IMAPS.
    fn is_there(&self, id: &str) {
        let search = format!("SEARCH HEADER Message-ID <{id}@client.example.net>");
        eventually(30, &format!("{id} is in the mailbox"), || {
            let found = Command::new("curl")
                .args(["-sk", "-m", "10", &format!("imaps://{}/INBOX", self.host.address()), "-X", &search])
                .args(["--user", &format!("{ANN}:{}", self.password)])
                .output()
                .unwrap();
            let line = String::from_utf8_lossy(&found.stdout).trim().to_owned();
            line.strip_prefix("* SEARCH ").filter(|numbers| !numbers.is_empty()).map(drop)
        });
    }

    fn containers(&self) -> Vec<String> {
        let all = self.host.engine("/containers/json");
        let mut ids: Vec<String> =
            all.as_array().unwrap().iter().map(|one| one["Id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    fn unit(&self, property: &str, unit: &str) -> String {
        self.host.ok(&["systemctl", "show", "--value", "-p", property, unit]).trim().to_owned()
    }

    fn settings(&self, script: &str) {
        self.host.ok(&["sed", "-i", script, "/var/lib/mailctl/settings.env"]);
    }
}

/// What `make install` puts in place, with the program of this test.
fn place(root: &Path) {
    let made = Command::new("make")
        .args(["-s", "place", &format!("BINARY={}", env!("CARGO_BIN_EXE_mailctl"))])
        .arg(format!("DESTDIR={}", root.display()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", said(&made));
    // Debian's /lib and /bin are links, and a tar must not make folders of them.
    for file in ["bin/mailctl", "lib/systemd/system/mailctl.service", "share/man/man1/mailctl.1"] {
        assert!(root.join("usr/local").join(file).is_file(), "{file} is not installed");
    }
}

/// The image with this program, built where it is not yet.
fn image(home: &Path) -> String {
    let built = Command::new(env!("CARGO_BIN_EXE_mailctl"))
        .args(["--json", "--home"])
        .arg(home)
        .args(["image", "build"])
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", said(&built));
    let shown: Value = serde_json::from_slice(&built.stdout).unwrap();
    shown["tag"].as_str().unwrap().to_owned()
}

/// Proves: S4-22, S2-24, fault 18: up at boot, down when told, mail of before is there; a reboot with broken settings or
/// in the middle of `up` leaves old or new, never neither; a restart of the engine is nobody's affair but the engine's.
#[test]
fn a_host_boots_and_mail_is_there() {
    let Some(server) = Server::installed() else { return };
    let host = &server.host;
    server.ok(&["up"]);
    server.send("before");
    server.is_there("before");

    assert_eq!(server.mailctl(&["boot", "status"]).0, 1, "nothing is enabled yet");
    server.ok(&["boot", "enable"]);
    assert!(server.ok(&["boot", "enable"]).contains("nothing to do"));
    host.ok(&["systemd-analyze", "verify", "--man=no", "mailctl.service", "mailctl-maintain.timer"]);
    for unit in ["mailctl.service", "mailctl-maintain.service"] {
        host.ok(&["systemd-analyze", "security", "--threshold=40", unit]);
    }
    // The hardened unit can do its work.
    host.ok(&["systemctl", "start", "mailctl-maintain.service"]);
    let before = server.containers();
    assert_eq!(before.len(), 4);

    host.reboot();
    server.well("after a reboot");
    assert_eq!(server.containers(), before, "the engine brought back what ran, with its logs");
    server.is_there("before");
    server.send("after");
    let status = server.json(&["boot", "status"]);
    assert_eq!(server.mailctl(&["boot", "status"]).0, 0, "{status}");
    for (value, wanted) in
        [(&status["installed"], true), (&status["current"], true), (&status["enabled"], true)]
    {
        assert_eq!(*value, wanted, "{status}");
    }
    assert_eq!(
        (&status["service"]["active"], &status["timer"]["active"]),
        (&"active".into(), &"active".into())
    );
    assert!(status["next"].as_i64().is_some_and(|next| next > 1_700_000_000), "{status}");

    // A typo, and then a reboot: what ran before goes on, and systemd says what is wrong.
    server.settings("s/^HOSTNAME=/HOSTNAEM=/");
    host.reboot();
    server.send("typo");
    eventually(30, "systemd has tried", || {
        (server.unit("NRestarts", "mailctl.service") != "0").then_some(())
    });
    assert_eq!(server.mailctl(&["boot", "status"]).0, 1);
    assert!(host.ok(&["journalctl", "-b", "-u", "mailctl", "--no-pager"]).contains("HOSTNAEM"));
    server.settings("s/^HOSTNAEM=/HOSTNAME=/");
    host.ok(&["systemctl", "restart", "mailctl.service"]);
    server.well("with good settings again");

    // The power goes in the middle of a change of everything: new containers, new configuration.
    for (millis, memory) in [(900, "700M"), (2200, "800M")] {
        let table =
            format!("[limits]\nmemory = \"{memory}\"\n[postfix.main]\ndelay_warning_time = \"{millis}s\"\n");
        host.ok(&["sh", "-c", &format!("printf '%s' '{table}' >/var/lib/mailctl/mailctl.toml")]);
        host.begin(&["mailctl", "up"]);
        std::thread::sleep(Duration::from_millis(millis));
        host.cut();
        server.well("after a power cut");
        assert!(
            server
                .ok(&["exec", "postfix", "postconf", "-h", "delay_warning_time"])
                .contains(&format!("{millis}s"))
        );
    }
    server.is_there("after");
    server.is_there("typo");

    host.ok(&["systemctl", "restart", "docker.service"]);
    server.well("after a restart of the engine");
    assert_eq!(server.unit("ActiveState", "mailctl.service"), "active");
    host.ok(&["systemctl", "stop", "mailctl.service"]);
    assert_eq!(server.containers().len(), 0, "stopped is stopped");
    host.ok(&["systemctl", "restart", "docker.service"]);
    assert_eq!(server.containers().len(), 0, "also when the engine starts again");
    host.ok(&["systemctl", "start", "mailctl.service"]);
    server.well("started again");

    server.ok(&["boot", "disable"]);
    assert!(server.ok(&["boot", "disable"]).contains("nothing to do"));
    let left = host.ok(&["systemctl", "list-units", "--all", "--plain", "--no-legend", "mailctl*.timer"]);
    assert_eq!(left.trim(), "", "{left}");
    let left =
        host.run(&["sh", "-c", "ls /etc/systemd/system/mailctl* /etc/systemd/system/*.wants/mailctl*"]).1;
    assert!(!left.contains("system/mailctl") || left.contains("No such file"), "{left}");
    server.well("after boot disable");
    server.is_there("before");
}
