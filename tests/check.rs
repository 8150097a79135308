//! The check ring: the real Postfix, Dovecot and OpenDKIM, in the real image, read every golden tree.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use common::{golden, stack::Turn};
use mailctl::{
    plan::spec::Mount,
    render::ConfigSet,
    world::{
        World,
        docker::{Engine, Job, Outcome, Reach},
        paths::Paths,
    },
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

/// The engine, the image, and a folder for trees.
struct Bench {
    engine: Engine,
    image: String,
    home: tempfile::TempDir,
    _turn: Turn,
}

impl Bench {
    async fn new() -> Self {
        let turn = Turn::take();
        let home = tempfile::Builder::new().prefix("mailctl-check-").tempdir().unwrap();
        // Programs in the container that are not root must reach the tree.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let world = World {
            paths: Paths::new(home.path().to_owned()),
            project: format!("check-{}", std::process::id()),
            environment: Vec::new(),
            engine: None,
        };
        let engine = world.engine().await.unwrap();
        let built = Command::new(env!("CARGO_BIN_EXE_mailctl"))
            .args(["--json", "--home"])
            .arg(home.path())
            .args(["image", "build"])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let shown: serde_json::Value = serde_json::from_slice(&built.stdout).unwrap();
        let image = shown["tag"].as_str().unwrap().to_owned();
        Self { engine, image, home, _turn: turn }
    }

    /// Runs one program on a tree, as a container of the stack would see it.
    async fn run(&self, set: &ConfigSet, command: &[&str]) -> Outcome {
        let tree = self.home.path().join("tree");
        let _ = fs::remove_dir_all(&tree);
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
        for file in set.files() {
            let path = tree.join(&file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &file.text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(file.mode)).unwrap();
            fs::File::open(&path).unwrap().set_modified(long_ago).unwrap();
        }
        let job = Job {
            label: "check",
            image: self.image.clone(),
            command: command.iter().map(ToString::to_string).collect(),
            hostname: "check".to_owned(),
            capabilities: vec!["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
            mounts: vec![Mount {
                host: tree.display().to_string(),
                inside: "/etc/mailctl/current".to_owned(),
                read_only: true,
            }],
            tmpfs: [
                ("/tmp", "mode=1777,size=16m"),
                ("/var/spool/postfix", "mode=755,size=16m"),
                ("/var/lib/postfix", "uid=5001,gid=5001,mode=700,size=16m"),
                ("/run/dovecot", "mode=755,size=16m"),
                ("/run/dovecot-state", "mode=755,size=16m"),
            ]
            .map(|(path, options)| (path.to_owned(), options.to_owned()))
            .to_vec(),
            reach: Reach::Nothing,
        };
        self.engine.run(&job, Duration::from_secs(60)).await.unwrap()
    }
}

fn tree(name: &str) -> ConfigSet {
    golden::rendered(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name))
}

/// One more line in a file of a tree.
fn with_line(set: &ConfigSet, path: &str, line: &str) -> ConfigSet {
    let mut files = set.files().to_vec();
    let file = files.iter_mut().find(|file| file.path == path).unwrap();
    file.text.push_str(line);
    file.text.push('\n');
    ConfigSet::new(files)
}

/// Proves: S1-23 (validated before start), S1-24, S0-7, S3-21 (raw settings), S2-12 (relay): none of the three
/// programs refuses or warns.
#[tokio::test]
async fn the_real_programs_take_every_golden_tree_without_a_word() {
    let bench = Bench::new().await;
    for (name, folder) in golden::cases() {
        let outcome = bench.run(&golden::rendered(&folder), &["mailctl", "lint"]).await;
        assert_eq!((outcome.status, outcome.output.as_str()), (0, ""), "{name}");
    }
}

/// Proves: S1-23, invariant 3: what the programs refuse is seen before it goes live, with their own message.
#[tokio::test]
async fn planted_faults_are_seen() {
    let bench = Bench::new().await;
    let good = tree("minimal");
    for (path, line, told) in [
        ("postfix/main.cf", "default_process_limit = many", "default_process_limit"),
        ("postfix/main.cf", "smtpd_baner = x", "smtpd_baner"),
        ("postfix/master.cf", "submission inet n - n", "master.cf"),
        ("dovecot/dovecot.conf", "ssl_min_protokol = TLSv1.3", "ssl_min_protokol"),
        ("opendkim/opendkim.conf", "Cannonicalization simple", "configuration error"),
    ] {
        let outcome = bench.run(&with_line(&good, path, line), &["mailctl", "lint"]).await;
        assert!(outcome.output.contains(told), "{line:?}: {} {}", outcome.status, outcome.output);
        let only_warned = line.starts_with("smtpd_baner");
        assert_eq!(outcome.status == 0, only_warned, "{line:?}: {}", outcome.output);
    }
}

/// Proves: S1-7 (main.cf: myorigin, interfaces, IPv4, SASL by Dovecot, certificate and key, mailbox_size_limit 0),
/// S1-8, as Postfix itself reads it. The SASL socket is not in the queue's `private/` but in a folder of its own:
/// another container serves it.
#[tokio::test]
async fn postfix_reads_the_names_doors_logins_and_keys_that_were_promised() {
    let bench = Bench::new().await;
    let wanted = [
        ("myhostname", "mail.example.test"),
        ("mydomain", "example.test"),
        ("myorigin", "example.test"),
        ("inet_interfaces", "all"),
        ("inet_protocols", "ipv4"),
        ("smtpd_sasl_type", "dovecot"),
        ("smtpd_sasl_path", "/run/mailctl/dovecot/auth"),
        ("smtpd_tls_chain_files", "/etc/mailctl-tls/live/host.pem"),
        ("mailbox_size_limit", "0"),
        ("virtual_mailbox_limit", "0"),
    ];
    let names = wanted.iter().map(|(name, _)| *name);
    let command: Vec<&str> = ["postconf", "-x", "-h"].into_iter().chain(names).collect();
    let outcome = bench.run(&tree("minimal"), &command).await;
    let said: Vec<&str> = outcome.output.lines().map(str::trim).collect();
    let values: Vec<&str> = wanted.iter().map(|(_, value)| *value).collect();
    assert_eq!(said, values, "{wanted:?}");
}

/// What Postfix itself says is in force, defaults included, on every door.
///
/// Proves: threats findings 1, 2, 5, 6.
#[tokio::test]
async fn postfix_itself_says_that_it_is_hardened() {
    let bench = Bench::new().await;
    let wanted = [
        ("smtpd_forbid_bare_newline", "reject"),
        ("smtpd_forbid_bare_newline_exclusions", ""),
        ("smtpd_forbid_unauth_pipelining", "yes"),
        ("virtual_alias_domains", ""),
        ("relay_domains", ""),
        ("mydestination", ""),
        ("mynetworks", "127.0.0.0/8 [::1]/128"),
        ("milter_default_action", "tempfail"),
        ("smtpd_relay_restrictions", "permit_mynetworks reject_unauth_destination"),
        ("smtpd_client_event_limit_exceptions", "127.0.0.0/8 [::1]/128"),
    ];
    let names = wanted.iter().map(|(name, _)| *name);
    let command: Vec<&str> = ["postconf", "-h"].into_iter().chain(names).collect();
    let outcome = bench.run(&tree("minimal"), &command).await;
    let said: Vec<&str> = outcome.output.lines().map(str::trim).collect();
    let values: Vec<&str> = wanted.iter().map(|(_, value)| *value).collect();
    assert_eq!(said, values, "{wanted:?}");

    let doors = bench.run(&tree("full"), &["postconf", "-P"]).await.output;
    let smtpds = bench.run(&tree("full"), &["postconf", "-M", "-f"]).await.output;
    // 25, two for users, one of the operator's in this tree, and the one that mailctld comes back by.
    assert_eq!(smtpds.lines().filter(|line| line.trim_end().ends_with(" smtpd")).count(), 5, "{smtpds}");
    let weaker = ["bare_newline=", "bare_newline =", "unauth_pipelining ="];
    for line in doors.lines().filter(|line| weaker.iter().any(|word| line.contains(word))) {
        assert!(line.ends_with("= reject") || line.ends_with("= yes"), "{line}");
    }
}
