//! From nothing to accepting mail, and the second `up`, on the real engine with the image present.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on panics")]

#[path = "report/mod.rs"]
mod report;

use report::{Goal, line, median_ms, timed};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};

const PORTS: &str = "[ports]\nsmtp = 0\nsubmissions = 0\nsubmission = 0\nimap = 0\nimaps = 0\npop3 = 0\npop3s = 0\n\
                     managesieve = 0\n\n[network]\nlisten = \"127.0.0.1\"\n";

/// A home and its stack; gone when dropped.
struct Stack {
    home: tempfile::TempDir,
    project: String,
}

impl Stack {
    fn new() -> Self {
        let home = tempfile::Builder::new().prefix("mailctl-bench-").tempdir().unwrap();
        fs::write(home.path().join("mailctl.toml"), PORTS).unwrap();
        let stack = Self { home, project: format!("bench-{}", std::process::id()) };
        let names =
            ["--domain", "example.test", "--hostname", "mail.example.test", "--admin", "a@example.test"];
        stack.ok(&[&["init", "--yes"], &names[..]].concat());
        stack.ok(&["image", "build"]);
        stack
    }

    fn ok(&self, words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_mailctl"))
            .arg("--home")
            .arg(self.home.path())
            .args(["--project", &self.project])
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// As after `init`: no container, no network, no rendered configuration.
    fn nothing(&self) {
        self.ok(&["down"]);
        let rendered = self.home.path().join("rendered");
        if rendered.exists() {
            fs::remove_dir_all(&rendered).unwrap();
        }
    }

    /// Greeted on 25 and 587, connected on 993: what a sender and a reader need.
    fn accepts(&self) {
        let status: serde_json::Value = serde_json::from_str(&self.ok(&["status", "--json"])).unwrap();
        for port in [25_u64, 587, 993] {
            let entries = status["services"].as_array().unwrap().iter();
            let mut ports = entries.flat_map(|service| service["ports"].as_array().unwrap());
            let found = ports.find(|entry| entry["container"] == port).unwrap();
            let host = u16::try_from(found["host"].as_u64().unwrap()).unwrap();
            let stream = TcpStream::connect(("127.0.0.1", host)).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            if port != 993 {
                let mut greeting = String::new();
                BufReader::new(stream).read_line(&mut greeting).unwrap();
                assert!(greeting.starts_with("220 "), "{greeting:?}");
            }
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = Command::new(env!("CARGO_BIN_EXE_mailctl"))
            .arg("--home")
            .arg(self.home.path())
            .args(["--project", &self.project, "down"])
            .output();
    }
}

fn main() {
    // `cargo test` builds benchmarks too, and runs them without this word.
    if !std::env::args().any(|word| word == "--bench") || !Path::new("/var/run/docker.sock").exists() {
        return;
    }
    let stack = Stack::new();
    let first = median_ms(5, || {
        stack.nothing();
        let took = timed(|| drop(stack.ok(&["up"])));
        stack.accepts();
        took
    });
    line("up from nothing, image present, to mail on 25/587/993", first / 1000.0, "s", Goal::AtMost(3.0));
    let again = median_ms(9, || timed(|| drop(stack.ok(&["up"]))));
    line("second up, nothing to do", again / 1000.0, "s", Goal::AtMost(0.5));
    let down = median_ms(3, || {
        stack.ok(&["up"]);
        timed(|| drop(stack.ok(&["down"])))
    });
    line("down", down / 1000.0, "s", Goal::None);
}
