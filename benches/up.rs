//! From nothing to accepting mail, the second `up`, and a new user's first message, on the real engine with the
//! image present.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on panics")]

#[path = "report/mod.rs"]
mod report;

use mailctl::{
    error::Error,
    world::dialogue::{Anchor, Dialogue},
};
use report::{Goal, line, median_ms, timed};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

const PORTS: &str = "[ports]\nsmtp = 0\nsubmissions = 0\nsubmission = 0\nimap = 0\nimaps = 0\npop3 = 0\npop3s = 0\n\
                     managesieve = 0\nhttp = 0\nhttps = 0\n\n[network]\nlisten = \"127.0.0.1\"\n";

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

    /// Where this host reaches a container's port.
    fn address(&self, port: u64) -> SocketAddr {
        let status: serde_json::Value =
            serde_json::from_str(&self.ok(&["status", "--json", "--quick"])).unwrap();
        let entries = status["services"].as_array().unwrap().iter();
        let mut ports = entries.flat_map(|service| service["ports"].as_array().unwrap());
        let found = ports.find(|entry| entry["container"] == port).unwrap();
        (Ipv4Addr::LOCALHOST, u16::try_from(found["host"].as_u64().unwrap()).unwrap()).into()
    }

    /// Greeted on 25 and 587, connected on 993: what a sender and a reader need.
    fn accepts(&self) {
        for port in [25, 587, 993] {
            let stream = TcpStream::connect(self.address(port)).unwrap();
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

/// Sends a message to `user` on 25 and reads it over IMAPS; both begin as soon as the user is there.
async fn first_message(smtp: SocketAddr, imaps: SocketAddr, anchor: &Anchor, user: &str, password: &str) {
    let talk = async {
        let mut smtp = Dialogue::connect(smtp).await?;
        smtp.smtp_reply().await?;
        for (command, code) in [
            ("EHLO bench.example.net".to_owned(), 250),
            ("MAIL FROM:<bench@example.net>".to_owned(), 250),
            (format!("RCPT TO:<{user}>"), 250),
            ("DATA".to_owned(), 354),
            ("From: bench@example.net\r\nSubject: first\r\n\r\nfirst\r\n.".to_owned(), 250),
        ] {
            let reply = smtp.smtp(&command).await?;
            assert_eq!(reply.code, code, "{command}: {}", reply.one_line());
        }
        let mut imap = Dialogue::connect_tls(imaps, anchor).await?;
        imap.line().await?;
        let login = imap.imap("a", &format!("LOGIN {user} \"{password}\"")).await?;
        assert!(login.iter().any(|line| line.starts_with("a OK")), "{login:?}");
        while !imap.imap("b", "SELECT INBOX").await?.iter().any(|line| line == "* 1 EXISTS") {}
        Ok::<_, Error>(())
    };
    talk.await.unwrap();
}

/// A new certificate and its key, made by openssl.
fn certificate(folder: &Path) -> (String, String) {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("new.crt"), file("new.key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "30",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-subj", "/CN=mail.example.test", "-addext", "subjectAltName=DNS:mail.example.test"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success());
    (certificate, key)
}

fn main() {
    // `cargo test` builds benchmarks too, and runs them without this word.
    if !std::env::args().any(|word| word == "--bench") || !Path::new("/var/run/docker.sock").exists() {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
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
    stack.ok(&["up"]);
    let (smtp, imaps) = (stack.address(25), stack.address(993));
    let anchor = Anchor::from_pem(&stack.home.path().join("tls/live/host.pem"), "mail.example.test").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut number = 0;
    let live = median_ms(9, || {
        number += 1;
        let user = format!("u{number}@example.test");
        timed(|| {
            let password = stack.ok(&["user", "add", &user]);
            runtime.block_on(first_message(smtp, imaps, &anchor, &user, password.trim()));
        })
    });
    line("user add to the first message read over IMAPS", live / 1000.0, "s", Goal::AtMost(1.0));
    let folder = stack.home.path().join("certificates");
    fs::create_dir(&folder).unwrap();
    let swap = median_ms(5, || {
        let (file, key) = certificate(&folder);
        timed(|| drop(stack.ok(&["cert", "import", "--cert", &file, "--key", &key])))
    });
    line("cert import to the new serial on every port", swap / 1000.0, "s", Goal::AtMost(10.0));
    let look = median_ms(5, || timed(|| drop(stack.ok(&["status"]))));
    line("status, every port asked for its certificate", look / 1000.0, "s", Goal::None);
    let down = median_ms(3, || {
        stack.ok(&["up"]);
        timed(|| drop(stack.ok(&["down"])))
    });
    line("down", down / 1000.0, "s", Goal::None);
}
