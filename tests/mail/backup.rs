//! Mail ring: a backup of a server in use, restored beside it, tried out, and what an image that does not hold does.

use crate::common::{
    engine,
    stack::{DOMAIN, Stack, eventually, said},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

const BOB: &str = "bob@example.test";

/// Every `X-Number` of the messages in a folder, as IMAP shows them; each must be there once.
fn numbers(stack: &Stack, user: &str, password: &str) -> BTreeSet<String> {
    let found = stack.mailbox(("imap", "tls", 993), user, password, &["INBOX"]).unwrap();
    let mut numbers = BTreeSet::new();
    for message in found["messages"].as_array().unwrap() {
        let number = message.as_str().unwrap().lines().find_map(|line| line.strip_prefix("X-Number: "));
        let Some(number) = number else { continue };
        assert!(numbers.insert(number.trim().to_owned()), "{number} is there twice");
    }
    numbers
}

fn deliver(stack: &Stack, to: &str, number: u32) {
    let header = format!("X-Number: {number}");
    let sent = stack.swaks(25, &["--from", "a@example.net", "--to", to, "--header", &header]);
    assert!(sent.status.success(), "{}", said(&sent));
}

/// Proves: S1-27 (full, verify), fault 30, S0-39: a backup while mail comes; restored under another project every
/// message that was accepted before it is there once, logins work, the same DKIM key signs; and the trial that
/// `--verify` makes of it finds all of it and leaves nothing behind.
#[test]
fn a_backup_of_a_server_in_use_is_whole() {
    let stack = Stack::up("");
    let bob = stack.user(BOB);
    for number in 0..6 {
        deliver(&stack, BOB, number);
    }
    eventually(20, "six messages", || (numbers(&stack, BOB, &bob).len() == 6).then_some(()));

    let folder = tempfile::tempdir().unwrap();
    let (stop, accepted) = (AtomicBool::new(false), Mutex::new(6));
    let told: Value = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let number = *accepted.lock().unwrap();
                deliver(&stack, BOB, number);
                *accepted.lock().unwrap() += 1;
            }
        });
        eventually(20, "mail comes", || (*accepted.lock().unwrap() > 7).then_some(()));
        let told = stack.ok(&["backup", &format!("{}/", folder.path().display()), "--mail", "--json"]);
        stop.store(true, Ordering::Relaxed);
        serde_json::from_str(&told).unwrap()
    });
    let file = told["file"].as_str().unwrap();
    assert!(told["messages"].as_u64() >= Some(6) && told["left_out"] == serde_json::json!([]), "{told}");
    let listed: Value = serde_json::from_str(&stack.ok(&["restore", file, "--list", "--json"])).unwrap();
    let in_backup = listed["mailboxes"][BOB]["INBOX"].as_u64().unwrap();

    // Not over a server that runs, not even when told to.
    let refused = stack.run(&["restore", file, "--force"]);
    assert_eq!(refused.status.code(), Some(69), "{}", said(&refused));
    assert!(
        said(&refused).contains("restore.running") && said(&refused).contains(" down"),
        "{}",
        said(&refused)
    );

    // On trial, beside the live one.
    let before = siblings(stack.home());
    let held: Value = serde_json::from_str(&stack.ok(&["restore", file, "--verify", "--json"])).unwrap();
    assert_eq!((&held["held"], &held["read"]), (&true.into(), &1.into()), "{held}");
    assert_eq!(held["messages"].as_u64().unwrap(), in_backup, "{held}");
    assert_eq!(siblings(stack.home()), before);
    let trials = engine::request("GET", "/containers/json?all=true").unwrap().to_string();
    assert!(!trials.contains(&format!("{}-verify", stack.project())), "{trials}");

    // For good, as another server: `mailctl.toml` has free ports, so both can run.
    let other = stack.restored(Path::new(file));
    other.ok(&["up"]);
    let found = numbers(&other, BOB, &bob);
    for number in 0..6 {
        assert!(found.contains(&number.to_string()), "{number} is lost: {found:?}");
    }
    assert_eq!(found.len() as u64, in_backup);
    let key = |stack: &Stack| -> Value {
        let shown: Value = serde_json::from_str(&stack.ok(&["dkim", "show", DOMAIN, "--json"])).unwrap();
        shown[0]["record"].clone()
    };
    assert_eq!(key(&other), key(&stack));
    let id = format!("<restored.{}@client.example.net>", std::process::id());
    let header = format!("Message-ID: {id}");
    let sent = other.submit(BOB, &bob, &["--from", BOB, "--to", BOB, "--header", &header]);
    assert!(sent.status.success(), "{}", said(&sent));
    let message = other.message(BOB, &bob, "INBOX", &id);
    assert!(message.contains("DKIM-Signature:") && verifies(&message, &key(&stack)), "{message}");
}

fn siblings(home: &Path) -> BTreeSet<String> {
    let name = home.file_name().unwrap().to_str().unwrap();
    let all = fs::read_dir(home.parent().unwrap()).unwrap();
    all.map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|found| found.starts_with(name))
        .collect()
}

/// Whether dkimpy believes it with this record.
fn verifies(message: &str, record: &Value) -> bool {
    let mut verifier = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/dkim_verify.py"))
        .args([record.as_str().unwrap(), "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let wire = message.replace("\r\n", "\n").replace('\n', "\r\n");
    std::io::Write::write_all(&mut verifier.stdin.take().unwrap(), wire.as_bytes()).unwrap();
    verifier.wait().unwrap().success()
}

/// An image's name, gone with the test.
pub struct Image(pub String);

impl Image {
    /// The one that runs, with one more instruction.
    pub fn upon(stack: &Stack, instruction: &str, name: &str) -> Self {
        let from = stack.status()["image"].as_str().unwrap().to_owned();
        let tag = format!("mailctl-test:{}-{name}", stack.project());
        engine::build(&format!("FROM {from}\n{instruction}\n"), &tag);
        Self(tag)
    }

    pub fn id(&self) -> String {
        id(&self.0)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        engine::request("DELETE", &format!("/images/{}", self.0));
    }
}

fn id(image: &str) -> String {
    engine::request("GET", &format!("/images/{image}/json")).unwrap()["Id"].as_str().unwrap().to_owned()
}

/// The images under the stack's containers.
pub fn runs_on(stack: &Stack) -> BTreeSet<String> {
    let services = ["mailctld", "opendkim", "dovecot", "postfix"];
    let image = |service: &&str| {
        let path = format!("/containers/{}-{service}/json", stack.project());
        engine::request("GET", &path).unwrap()["Image"].as_str().unwrap().to_owned()
    };
    services.iter().map(image).collect()
}

/// The names that upgrades gave.
pub fn forget(stack: &Stack) {
    stack.ok(&["down"]);
    let images = engine::request("GET", "/images/json").unwrap();
    let tags = images
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|image| image["RepoTags"].as_array().into_iter().flatten());
    for tag in tags.filter_map(Value::as_str).filter(|tag| tag.contains(&format!("-{}-", stack.project()))) {
        engine::request("DELETE", &format!("/images/{tag}"));
    }
}

/// Proves: issue 5 (`upgrade`): an image whose Postfix takes no mail is found out by a message and not by its
/// health, and the stack is back on the old one by itself; what was accepted before, while and after is there once;
/// one that holds is kept, and so is the way back.
#[test]
fn an_image_that_does_not_hold_is_gone_back_from() {
    // The one client here knocks as often as it can.
    let stack = Stack::up("[postfix.main]\nsmtpd_client_connection_rate_limit = 0\n");
    let old = runs_on(&stack);
    let bob = stack.user(BOB);
    let broken = Image::upon(&stack, "RUN cp /bin/true /usr/lib/postfix/sbin/cleanup", "broken");
    let good = Image::upon(&stack, "LABEL \"some.thing\"=\"else\"", "good");
    let planned = stack.ok(&["upgrade", "--image", &good.0, "--dry-run"]);
    assert!(planned.contains("would take the image"), "{planned}");
    let absent = stack.run(&["upgrade", "--image", "127.0.0.1:1/mailctl-test:none"]);
    assert!(
        absent.status.code() == Some(69) && said(&absent).contains("does not have it"),
        "{}",
        said(&absent)
    );
    assert_eq!(stack.run(&["upgrade", "--back"]).status.code(), Some(65));

    let (stop, accepted) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let failed = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let header = format!("X-Number: {number}");
                // Containers come and go: a look in between may see none, or be refused.
                let looked = stack.run(&["status", "--json", "--quick"]);
                let status: Value = serde_json::from_slice(&looked.stdout).unwrap_or_default();
                let port = status["services"][3]["ports"][0]["host"].as_u64();
                let Some(port) = port else { continue };
                let sent = Command::new("swaks")
                    .args([
                        "--server",
                        &format!("127.0.0.1:{port}"),
                        "--timeout",
                        "5",
                        "--helo",
                        "c.example.net",
                    ])
                    .args(["--from", "a@example.net", "--to", BOB, "--header", &header])
                    .output()
                    .unwrap();
                if sent.status.success() {
                    accepted.lock().unwrap().push(number.to_string());
                }
            }
        });
        let failed = stack.run(&["upgrade", "--image", &broken.0]);
        stop.store(true, Ordering::Relaxed);
        failed
    });
    let words = said(&failed);
    assert_eq!(failed.status.code(), Some(1), "{words}");
    assert!(words.contains("upgrade.failed") && words.contains("mail flows"), "{words}");
    assert_eq!(runs_on(&stack), old, "{words}");
    assert_eq!(stack.status()["pending_steps"], 0, "an `up` would keep to it");
    deliver(&stack, BOB, 100_000);
    let accepted: BTreeSet<String> =
        accepted.into_inner().unwrap().into_iter().chain(["100000".to_owned()]).collect();
    eventually(20, "all that was accepted", || accepted.is_subset(&numbers(&stack, BOB, &bob)).then_some(()));
    let users = stack.ok(&["user", "list", "--no-size"]);
    assert_eq!(users, format!("ann@example.test\n{BOB}\n"), "nothing of the probe stays");
    let left: BTreeSet<_> = fs::read_dir(stack.home().join("mail/example.test"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(left.iter().all(|name| !name.contains("probe")), "{left:?}");

    let held: Value = serde_json::from_str(&stack.ok(&["upgrade", "--image", &good.0, "--json"])).unwrap();
    assert_eq!(held["upgraded"], true, "{held}");
    assert_eq!(runs_on(&stack), BTreeSet::from([good.id()]));
    assert_eq!(stack.status()["pending_steps"], 0, "an `up` would keep to it");
    stack.ok(&["upgrade", "--back"]);
    assert_eq!(runs_on(&stack), old);
    assert!(accepted.is_subset(&numbers(&stack, BOB, &bob)));
    forget(&stack);
}

/// Proves: the "kill -9 at every durable step of upgrade": what runs next finds one whole stack, on the old
/// image or the new one.
#[test]
fn an_upgrade_that_is_killed_ends_on_one_image() {
    let stack = Stack::up("");
    let old = runs_on(&stack).into_iter().next().unwrap();
    let good = Image::upon(&stack, "LABEL \"some.thing\"=\"else\"", "good");
    let mut ended = (0, 0);
    for step in 1..12 {
        let calls = "rename,renameat,renameat2";
        let killed = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e"])
            .arg(format!("inject={calls}:signal=SIGKILL:when={step}"))
            .arg(env!("CARGO_BIN_EXE_mailctl"))
            .arg("--home")
            .arg(stack.home())
            .args(["--project", stack.project(), "upgrade", "--image", &good.0])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        stack.ok(&["up"]);
        let on = runs_on(&stack);
        let status = stack.status();
        assert!(status["well"] == true && status["pending_steps"] == 0, "step {step}: {status}");
        if on == BTreeSet::from([old.clone()]) {
            ended.0 += 1;
        } else {
            assert_eq!(on, BTreeSet::from([good.id()]), "step {step}");
            ended.1 += 1;
        }
        if killed.status.success() || ended.1 > 0 {
            break;
        }
    }
    assert!(ended.0 >= 1 && ended.1 == 1, "{ended:?}");
    let sent = stack.submit(
        "ann@example.test",
        &stack.ann,
        &["--from", "ann@example.test", "--to", "ann@example.test"],
    );
    assert!(sent.status.success(), "{}", said(&sent));
    let users = stack.ok(&["user", "list", "--no-size"]);
    let probes = users.lines().filter(|line| line.contains("probe")).count();
    stack.ok(&["upgrade", "--back"]);
    assert_eq!(stack.ok(&["user", "list", "--no-size"]), "ann@example.test\n", "{probes} were left by kills");
    forget(&stack);
}
