//! A server as its operator has it: a host with mailctl installed, its mail, its users.

use super::{
    common::stack::{Turn, eventually, said},
    host::Host,
};
use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Its administrator.
pub const ANN: &str = "ann@example.test";

/// Seconds that a host gets for what takes it a few: others may keep this machine busy.
const PATIENCE: u64 = 240;

/// A host with mailctl on it, as `make install` leaves it.
pub struct Server {
    /// The host.
    pub host: Host,
    /// Ann's.
    pub password: String,
    began: Instant,
}

impl Server {
    /// A host on which `make install` was run; `None` where a container cannot be a host: the reason is told. Whoever
    /// boots one has the turn.
    pub fn installed(_turn: &Turn) -> Option<Self> {
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
        Some(Self { host, password: String::new(), began: Instant::now() })
    }

    /// The same with settings and one mailbox.
    pub fn prepared(turn: &Turn) -> Option<Self> {
        let mut server = Self::installed(turn)?;
        // What a mirror says is not what is tested here.
        let words = ["init", "--yes", "--quiet", "--set", "UPDATE_CHECK=false", "--domain", "example.test"];
        let names = ["--hostname", "mail.example.test", "--admin", ANN];
        server.password = server.ok(&[&words[..], &names[..]].concat()).trim().to_owned();
        Some(server)
    }

    /// Runs the program; its exit status, and all that it said.
    pub fn mailctl(&self, words: &[&str]) -> (i64, String) {
        self.host.run(&[&["mailctl"], words].concat())
    }

    /// Runs it; it must end well.
    pub fn ok(&self, words: &[&str]) -> String {
        self.host.ok(&[&["mailctl"], words].concat())
    }

    /// What it says in JSON.
    pub fn json(&self, words: &[&str]) -> Value {
        let (_, said) = self.mailctl(&[words, &["--json"]].concat());
        let line =
            said.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{words:?}: {said}"));
        serde_json::from_str(line).unwrap()
    }

    /// Until the stack runs as the settings say, and all of it is healthy.
    pub fn well(&self, when: &str) {
        let until = Instant::now() + Duration::from_secs(PATIENCE);
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
    pub fn send(&self, id: &str) {
        let sent = eventually(PATIENCE, "mail is taken", || {
            let sent = Command::new("swaks")
                .args(["--server", &self.host.address(), "--helo", "client.example.net", "--timeout", "30"])
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
    pub fn is_there(&self, id: &str) {
        let search = format!("SEARCH HEADER Message-ID <{id}@client.example.net>");
        eventually(PATIENCE, &format!("{id} is in the mailbox"), || {
            let found = Command::new("curl")
                .args(["-sk", "-m", "30", &format!("imaps://{}/INBOX", self.host.address()), "-X", &search])
                .args(["--user", &format!("{ANN}:{}", self.password)])
                .output()
                .unwrap();
            let line = String::from_utf8_lossy(&found.stdout).trim().to_owned();
            line.strip_prefix("* SEARCH ").filter(|numbers| !numbers.is_empty()).map(drop)
        });
    }

    /// Ids of the containers that run.
    pub fn containers(&self) -> Vec<String> {
        let all = self.host.engine("/containers/json");
        let mut ids: Vec<String> =
            all.as_array().unwrap().iter().map(|one| one["Id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    /// What systemd knows of a unit.
    pub fn unit(&self, property: &str, unit: &str) -> String {
        self.host.ok(&["systemctl", "show", "--value", "-p", property, unit]).trim().to_owned()
    }

    /// `make uninstall`; its recipe needs no make, only a shell.
    pub fn uninstall(&self) {
        let recipe = Command::new("make")
            .args(["-n", "-s", "uninstall"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(recipe.status.success(), "{}", said(&recipe));
        self.host.ok(&["sh", "-ec", &String::from_utf8(recipe.stdout).unwrap()]);
    }

    /// Edits the settings with `sed`.
    pub fn settings(&self, script: &str) {
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
