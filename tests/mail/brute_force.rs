//! Mail ring: guessing at passwords, from addresses that the engine's gateway does not hide.

use crate::common::{
    engine,
    stack::{Stack, eventually, said},
};
use serde_json::Value;
use std::{
    fs,
    process::{Command, Stdio},
};

const DOORS: [&str; 4] = ["imap", "pop3", "sieve", "smtp"];

/// Without Dovecot's own growing delay, which would make each try of a guesser wait for up to 15 s: what is asked here
/// is what mailctld does. That delay stays where nobody turns it off.
const TEMPLATE: &str = "{% include \"builtin/dovecot/dovecot.conf\" %}\n\
    service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n";

/// And with more patience: on a machine that is very busy, one of five failures must not be told to nobody.
const PATIENT: &str = "auth_policy {\n  http_client_request_absolute_timeout = 30s\n}\n";

fn prepared(more: &str) -> Stack {
    let stack = Stack::prepared("");
    let folder = stack.home().join("templates/dovecot");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("dovecot.conf"), format!("{TEMPLATE}{more}")).unwrap();
    stack.ok(&["up"]);
    stack
}

/// A container's address in the stack's network.
fn address(stack: &Stack, service: &str) -> String {
    let found = engine::request("GET", &format!("/containers/{}-{service}/json", stack.project())).unwrap();
    let networks = found["NetworkSettings"]["Networks"].as_object().unwrap();
    networks.values().next().unwrap()["IPAddress"].as_str().unwrap().to_owned()
}

/// Tries that a client makes at the same time: `(let in, what was said, seconds)`. It runs in the network of the
/// container `from`, and so has its address; from `host`, it comes as the gateway.
fn tries(stack: &Stack, from: &str, words: &[String]) -> Vec<(bool, String, f64)> {
    let to = format!("{}/{}", address(stack, "dovecot"), address(stack, "postfix"));
    let mut command = match from {
        "host" => Command::new("/usr/bin/python3"),
        service => {
            let pid = engine::pid(stack.project(), service).unwrap().to_string();
            let mut command = Command::new("nsenter");
            command.args(["--net", "--target", &pid, "/usr/bin/python3"]);
            command
        }
    };
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/login.py")).arg(to).args(words);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| (row[0].as_bool().unwrap(), row[1].as_str().unwrap().to_owned(), row[2].as_f64().unwrap()))
        .collect()
}

/// One try on every door.
fn everywhere(user: &str, password: &str) -> Vec<String> {
    DOORS.map(|door| format!("{door}:{user}:{password}")).to_vec()
}

fn bans(stack: &Stack) -> Vec<String> {
    let list: Value = serde_json::from_str(&stack.ok(&["ban", "list", "--json"])).unwrap();
    list.as_array().unwrap().iter().map(|ban| ban["on"].as_str().unwrap().to_owned()).collect()
}

fn all(results: &[(bool, String, f64)], let_in: bool) {
    assert!(results.iter().all(|(done, ..)| *done == let_in), "{results:?}");
}

/// Proves: S4-28, S0-24 (without NET_ADMIN), threats 29 (limits per address on IMAP, POP3, ManageSieve and SMTP AUTH),
/// users-want 2 (the gateway is never banned); brute force, ban, unban.
#[test]
fn guessing_shuts_an_address_out_on_every_door() {
    let stack = prepared(PATIENT);
    let bob = stack.user("bob@example.test");
    let guesser = address(&stack, "opendkim");

    // Five wrong ones, on four doors and at names that exist and do not.
    let mut guesses = DOORS.map(|door| format!("{door}:bob@example.test:canary-{door}")).to_vec();
    guesses.push("imap:nobody@example.test:canary".to_owned());
    all(&tries(&stack, "opendkim", &guesses), false);
    eventually(30, "the guesser is banned", || bans(&stack).contains(&guesser).then_some(()));
    let refused = tries(&stack, "opendkim", &everywhere("bob@example.test", &bob));
    all(&refused, false);
    let others = tries(&stack, "mailctld", &everywhere("bob@example.test", &bob));
    all(&others, true);
    assert_eq!(bans(&stack), [guesser.as_str()]);

    // Whoever comes through the engine's proxy is the gateway.
    let many: Vec<String> = (0..12).map(|number| format!("imap:bob@example.test:wrong-{number}")).collect();
    all(&tries(&stack, "host", &many), false);
    all(&tries(&stack, "host", &everywhere("ann@example.test", &stack.ann)), true);
    let gateway = engine::gateway(stack.project(), "dovecot");
    let spared = stack.run(&["ban", "add", &gateway]);
    assert_eq!(spared.status.code(), Some(65), "{}", said(&spared));
    assert!(said(&spared).contains("ban.spared"), "{}", said(&spared));
    assert_eq!(bans(&stack), [guesser.as_str()]);

    let log = stack.logs("mailctld");
    let line = log.lines().find(|line| line.contains("login refused")).unwrap();
    assert!(line.contains("bob@example.test") && line.contains(&guesser), "{line}");
    assert!(!log.contains("canary") && !log.contains(&bob), "a password is in the log:\n{log}");

    stack.ok(&["unban", &guesser]);
    all(&tries(&stack, "opendkim", &everywhere("bob@example.test", &bob)), true);
}

/// Proves: bans by a person, on addresses, networks and logins, count at once, outlive a restart and kill -9 (fault 1) and
/// are taken back; each change is in the log; without mailctld the command says so.
#[test]
fn a_person_bans_and_lifts() {
    let stack = prepared(PATIENT);
    let ann = format!("imap:ann@example.test:{}", stack.ann);
    let bob = format!("pop3:bob@example.test:{}", stack.user("bob@example.test"));
    let both = [ann.clone(), bob.clone()];
    all(&tries(&stack, "opendkim", &both), true);

    stack.ok(&["ban", "add", "bob@example.test", "--dry-run"]);
    assert!(bans(&stack).is_empty());
    stack.ok(&["ban", "add", "Bob@example.test", "--for", "1h"]);
    let done: Vec<bool> = tries(&stack, "opendkim", &both).into_iter().map(|(done, ..)| done).collect();
    assert_eq!(done, [true, false], "ann logs in, bob does not");
    stack.ok(&["unban", "bob@example.test"]);

    let client = address(&stack, "opendkim");
    let (net, _) = client.rsplit_once('.').unwrap();
    stack.ok(&["ban", "add", &client, "--for", "10m"]);
    all(&tries(&stack, "opendkim", &both), false);
    stack.ok(&["restart", "mailctld"]);
    assert_eq!(bans(&stack), [client.as_str()]);
    engine::crash(stack.project(), "mailctld");
    eventually(30, "mailctld is back", || stack.run(&["ban", "list"]).status.success().then_some(()));
    assert_eq!(bans(&stack), [client.as_str()]);
    all(&tries(&stack, "opendkim", &both), false);
    stack.ok(&["unban", &format!("{net}.0/24"), "--dry-run"]);
    assert_eq!(bans(&stack), [client.as_str()]);
    stack.ok(&["unban", &format!("{net}.0/24")]);
    all(&tries(&stack, "opendkim", &both), true);
    let absent = stack.run(&["unban", &client]);
    assert_eq!(absent.status.code(), Some(65), "{}", said(&absent));

    let log = stack.logs("mailctld");
    assert!(log.contains("banned by command") && log.contains("ban lifted by command"), "{log}");
    stack.ok(&["down"]);
    let away = stack.run(&["ban", "list"]);
    assert_eq!(away.status.code(), Some(69), "{}", said(&away));
    assert!(said(&away).contains("daemon.away"), "{}", said(&away));
}

/// Proves: faults 1 and 2 (killed, stopped) for logins: a mailctld that hangs or is away neither locks anybody out nor lets a wrong
/// password in, and costs a second or two. Sending waits for mailctld in any case: Postfix says 451 (fault 2).
#[test]
fn a_daemon_that_hangs_locks_nobody_out() {
    let stack = prepared("");
    let reading = |password: &str| {
        DOORS[..3].iter().map(|door| format!("{door}:ann@example.test:{password}")).collect::<Vec<_>>()
    };
    let (right, wrong) = (reading(&stack.ann), reading("wrong"));
    let pause = |how: &str| {
        engine::request("POST", &format!("/containers/{}-mailctld/{how}", stack.project())).unwrap();
    };
    pause("pause");
    let (let_in, refused) = (tries(&stack, "opendkim", &right), tries(&stack, "opendkim", &wrong));
    pause("unpause");
    all(&let_in, true);
    all(&refused, false);
    // A second for the question, and what checking three passwords takes on a busy machine.
    assert!(let_in.iter().all(|(.., seconds)| *seconds < 30.0), "{let_in:?}");
    engine::request("POST", &format!("/containers/{}-mailctld/stop?t=5", stack.project()));
    all(&tries(&stack, "opendkim", &right), true);
    stack.ok(&["up"]);
    // It is asked again, in time on the whole.
    stack.ok(&["ban", "add", "ann@example.test"]);
    eventually(60, "mailctld is asked again", || {
        tries(&stack, "opendkim", &right).iter().all(|(done, ..)| !done).then_some(())
    });
}
