//! The program in a home of the test's own: no engine, no network, a cleared environment.

use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// A home with the smallest settings: `example.org`, served by `mail.example.org`.
pub struct Home(tempfile::TempDir);

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// Exit status; -1 where it was killed.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Home {
    /// Makes it.
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("mailctl-test-").tempdir().unwrap();
        fs::create_dir(home.path().join("state")).unwrap();
        let settings = "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=admin@example.org\n";
        fs::write(home.path().join("settings.env"), settings).unwrap();
        Self(home)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program, ready for arguments.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
        command
            .env_clear()
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .arg("--home")
            .arg(self.path())
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, words: &[&str]) -> Ran {
        Ran::of(self.command(words).output().unwrap())
    }

    /// Runs it with `input` on standard input.
    pub fn fed(&self, words: &[&str], input: &str) -> Ran {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Runs it; it must end well. Its standard output.
    pub fn ok(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.status, 0, "mailctl {words:?}: {ran:?}");
        ran.out
    }

    /// Runs it with `--json`; it must end well. Its standard output, read.
    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[words, &["--json"]].concat())).unwrap()
    }

    /// Runs it; it must be refused with this status and this word in the message.
    pub fn refused(&self, words: &[&str], status: i32, word: &str) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.status, status, "mailctl {words:?}: {ran:?}");
        assert!(ran.err.contains(word), "mailctl {words:?} does not say {word:?}: {}", ran.err);
        ran
    }

    /// Everything that the directory holds, as one text.
    pub fn directory(&self) -> String {
        ["user", "alias", "domain"].map(|noun| self.ok(&[noun, "list"])).concat()
    }
}

/// The program on any home, without an engine.
pub fn ran(home: &Path, words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
    command.env_clear().env("DOCKER_HOST", "unix:///nonexistent/docker.sock").arg("--home").arg(home);
    Ran::of(command.args(words).stdin(Stdio::null()).output().unwrap())
}

/// The program changes the directory of any home; where it asks for a password, it gets one.
pub fn change(home: &Path, words: &[&str]) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mailctl"))
        .env_clear()
        .args(["--quiet", "--yes", "--home"])
        .arg(home)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse battery\n").unwrap();
    assert!(child.wait().unwrap().success(), "{words:?}");
}

impl Ran {
    fn of(output: std::process::Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
