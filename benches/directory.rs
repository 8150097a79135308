//! The command line at 100,000 mailboxes and 1,000,000 aliases, each figure from the start of the process.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and panics where it cannot go on"
)]

mod report;

use mailctl::{
    mail::{address::Address, alias::Source},
    world::{
        paths::Paths,
        store::{Alias, NewMailbox, Store},
    },
};
use report::{Goal, line, median_ms, timed};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const MAILBOXES: usize = 100_000;
const ALIASES: usize = 1_000_000;
const ROUNDS: usize = 21;

fn main() {
    let home = tempfile::Builder::new().prefix("mailctl-bench-").tempdir().unwrap();
    let filled = timed(|| fill(home.path()));
    report::line("the directory of the next lines, made", filled.as_secs_f64(), "s", Goal::None);
    let goal = Goal::AtMost(50.0);
    let whole = |words: &[&str]| median_ms(ROUNDS, || timed(|| assert!(run(home.path(), words) > 0)));
    let first = |words: &[&str]| median_ms(ROUNDS, || first_line(home.path(), words));

    line("mailctl --help", whole(&["--help"]), "ms", Goal::AtMost(20.0));
    line("alias resolve, 1,000,000 aliases", whole(&["alias", "resolve", "a77777@example.org"]), "ms", goal);
    line("user list, 100,000 mailboxes, first line", first(&["user", "list"]), "ms", goal);
    line("user list, 100,000 mailboxes, to its end", whole(&["user", "list"]), "ms", goal);
    line("user list --json, to its end", whole(&["user", "list", "--json"]), "ms", Goal::None);
    line("alias list, 1,000,000 aliases, first line", first(&["alias", "list"]), "ms", goal);
    line("alias list, 1,000,000 aliases, to its end", whole(&["alias", "list"]), "ms", Goal::None);
    line("user show, 1,000,000 aliases", whole(&["user", "show", "u77777@example.org"]), "ms", goal);
    let import = timed(|| {
        run(home.path(), &["alias", "import", home.path().join("more").to_str().unwrap()]);
    });
    line("alias import, 100,000 lines", import.as_secs_f64() * 1000.0, "ms", Goal::None);
}

fn command(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
    command
        .env_clear()
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .env("MAILCTL_HOME", home)
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Octets on stdout.
fn run(home: &Path, words: &[&str]) -> usize {
    let mut child = command(home, words).spawn().unwrap();
    let mut text = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{words:?}");
    text.len()
}

fn first_line(home: &Path, words: &[&str]) -> Duration {
    let began = Instant::now();
    let mut child = command(home, words).spawn().unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    let took = began.elapsed();
    assert!(line.ends_with('\n'));
    drop(reader);
    child.wait().unwrap();
    took
}

fn fill(home: &Path) {
    fs::create_dir(home.join("state")).unwrap();
    let settings = "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=u0@example.org\n";
    fs::write(home.join("settings.env"), settings).unwrap();
    let more: String = (0..100_000).map(|n| format!("more{n}@example.org u{n}@example.org\n")).collect();
    fs::write(home.join("more"), more).unwrap();
    let paths = Paths::new(home.to_owned());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&paths).await.unwrap();
        let mut change = store.begin().await.unwrap();
        // A hash's length counts, not its truth.
        let hash =
            format!("{{ARGON2ID}}$argon2id$v=19$m=65536,t=3,p=1${}${}", "s".repeat(22), "h".repeat(43));
        for number in 0..MAILBOXES {
            let address = mailbox(number);
            let new = NewMailbox { address: &address, password: &hash, quota: None, created_at: 1 };
            change.add_mailbox(&new).await.unwrap();
        }
        let aliases: Vec<Alias> = (0..ALIASES)
            .map(|number| Alias {
                source: Source::parse(&format!("a{number}@example.org")).unwrap(),
                target: mailbox(number % MAILBOXES),
            })
            .collect();
        change.add_aliases(&aliases, 1).await.unwrap();
        change.commit().await.unwrap();
        store.close().await;
    });
}

fn mailbox(number: usize) -> Address {
    Address::parse(&format!("u{number}@example.org")).unwrap()
}
