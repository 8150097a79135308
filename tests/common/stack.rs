//! A whole stack on the real engine, in a home and under a project name of the test's own.

use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// The domain that every test stack serves.
pub const DOMAIN: &str = "example.test";
/// The server's own name.
pub const HOSTNAME: &str = "mail.example.test";

/// A home and its stack; both are gone when it is dropped, also when the test failed.
pub struct Stack {
    home: tempfile::TempDir,
    project: String,
    /// Password of `ann@example.test`, the administrator.
    pub ann: String,
    _turn: Option<Turn>,
}

/// One stack at a time on this machine, whichever runner starts the tests.
pub struct Turn(#[expect(dead_code, reason = "held, never read")] fs::File);

impl Turn {
    /// Waits for the turn.
    pub fn take() -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("engine.lock");
        let file = fs::File::create(path).unwrap();
        file.lock().unwrap();
        Self(file)
    }
}

impl Stack {
    /// A home with settings and one mailbox; nothing runs yet.
    pub fn prepared(settings: &str) -> Self {
        Self::beside(settings, Some(Turn::take()))
    }

    /// A second one, prepared, that lives while this one holds the turn.
    pub fn neighbour(&self) -> Self {
        Self::beside("", None)
    }

    /// One made of a backup of this one, not running yet.
    pub fn restored(&self, backup: &Path) -> Self {
        let (home, project) = place();
        let stack = Self { home, project, ann: self.ann.clone(), _turn: None };
        stack.ok(&["restore", backup.to_str().unwrap()]);
        stack
    }

    fn beside(settings: &str, turn: Option<Turn>) -> Self {
        let (home, project) = place();
        let free = "[ports]\nsmtp = 0\nsubmissions = 0\nsubmission = 0\nimap = 0\nimaps = 0\npop3 = 0\npop3s = 0\n\
                    managesieve = 0\nhttp = 0\nhttps = 0\n\n[network]\nlisten = \"127.0.0.1\"\n\n";
        fs::write(home.path().join("mailctl.toml"), format!("{free}{settings}")).unwrap();
        let mut stack = Self { home, project, ann: String::new(), _turn: turn };
        let words =
            ["init", "--yes", "--domain", DOMAIN, "--hostname", HOSTNAME, "--admin", "ann@example.test"];
        stack.ann = stack.ok(&words).trim().to_owned();
        stack
    }

    /// A running, healthy stack.
    pub fn up(settings: &str) -> Self {
        let stack = Self::prepared(settings);
        stack.ok(&["up"]);
        stack
    }

    /// The folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The certificate that clients must believe.
    pub fn certificate(&self) -> PathBuf {
        self.home().join("tls/live/host.pem")
    }

    /// The program on this home, ready for arguments.
    pub fn command(&self, words: &[&str]) -> Command {
        self.command_as(&self.project, words)
    }

    /// The program on this home, under any project's name.
    pub fn command_as(&self, project: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
        command.arg("--home").arg(self.home()).arg("--project").arg(project).args(words);
        command
    }

    /// Runs it, whatever comes of it.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs it; it must succeed. Returns stdout.
    pub fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(
            output.status.success(),
            "mailctl {words:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Adds a mailbox, returns its generated password.
    pub fn user(&self, address: &str) -> String {
        self.ok(&["user", "add", address]).trim().to_owned()
    }

    /// Sets a key in `settings.env`; an `up` takes it up.
    pub fn set(&self, key: &str, value: &str) {
        let path = self.home().join("settings.env");
        let text = fs::read_to_string(&path).unwrap();
        let others = text.lines().filter(|line| !line.starts_with(&format!("{key}=")));
        let kept: String = others.flat_map(|line| [line, "\n"]).collect();
        fs::write(&path, format!("{kept}{key}={value}\n")).unwrap();
    }

    /// `status --json`, without asking the ports.
    pub fn status(&self) -> Value {
        serde_json::from_slice(&self.run(&["status", "--json", "--quick"]).stdout).unwrap()
    }

    /// The host port behind a container's port. A container that was just killed has none until it is back.
    pub fn port(&self, port: u16) -> u16 {
        eventually(30, &format!("port {port} is published"), || {
            let status = self.status();
            let services = status["services"].as_array().unwrap();
            let entry = services
                .iter()
                .flat_map(|service| service["ports"].as_array().into_iter().flatten())
                .find(|entry| entry["container"].as_u64() == Some(u64::from(port)))?;
            Some(u16::try_from(entry["host"].as_u64().unwrap()).unwrap())
        })
    }

    /// swaks against a port of this stack; `extra` are its options.
    pub fn swaks(&self, port: u16, extra: &[&str]) -> Output {
        Command::new("swaks")
            .args(["--server", &format!("127.0.0.1:{}", self.port(port)), "--helo", "client.example.net"])
            .args(["--timeout", "20"])
            .args(extra)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// swaks with STARTTLS and a login on 587.
    pub fn submit(&self, user: &str, password: &str, extra: &[&str]) -> Output {
        let login = ["--tls", "--auth", "PLAIN", "--auth-user", user, "--auth-password", password];
        self.swaks(587, &[&login, extra].concat())
    }

    /// `tests/clients/mailbox.py`; `Err` holds what the server said when it refused.
    pub fn mailbox(
        &self,
        (kind, mode, port): (&str, &str, u16),
        user: &str,
        password: &str,
        rest: &[&str],
    ) -> Result<Value, String> {
        let output = Command::new("/usr/bin/python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/mailbox.py"))
            .args([kind, mode, &self.port(port).to_string()])
            .arg(self.certificate())
            .args([HOSTNAME, user, password])
            .args(rest)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let value: Value = serde_json::from_str(&said)
            .unwrap_or_else(|_| panic!("mailbox.py: {said}{}", String::from_utf8_lossy(&output.stderr)));
        match value["refused"].as_str() {
            Some(refused) => Err(refused.to_owned()),
            None => Ok(value),
        }
    }

    /// Waits until the message with `id` is in INBOX (or `folder`) of a mailbox; returns it.
    pub fn message(&self, user: &str, password: &str, folder: &str, id: &str) -> String {
        let found = self.mailbox(("imap", "tls", 993), user, password, &[folder, "Message-ID", id]).unwrap();
        let messages = found["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 1, "{id} in {folder} of {user}: {found}");
        messages[0].as_str().unwrap().to_owned()
    }

    /// The logs of a service since the start.
    pub fn logs(&self, service: &str) -> String {
        self.ok(&["logs", service])
    }
}

/// A folder of its own, and a project's name.
fn place() -> (tempfile::TempDir, String) {
    let home = tempfile::Builder::new().prefix("mailctl-test-").tempdir().unwrap();
    let name = home.path().file_name().unwrap().to_str().unwrap().to_lowercase();
    let project = format!("t-{}", name.rsplit('-').next().unwrap());
    (home, project)
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.run(&["logs", "--tail", "40"]);
            let _ = std::io::stderr().write_all(&logs.stdout);
        }
        let _ = self.run(&["down"]);
    }
}

/// Asks until it holds, at most `seconds`.
pub fn eventually<T>(seconds: u64, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = ask() {
            return value;
        }
        assert!(began.elapsed() < Duration::from_secs(seconds), "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a client printed.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
