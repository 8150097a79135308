//! Mail ring: the policies, as clients of a real Postfix meet them.

use crate::common::{
    engine,
    stack::{Stack, eventually, said},
};
use std::{fs, os::unix::process::CommandExt, process::Command, time::Duration};

fn id(word: &str) -> String {
    format!("<{word}.{}@client.example.net>", std::process::id())
}

fn send(stack: &Stack, from: &str, word: &str) -> (bool, String) {
    let header = format!("Message-ID: {}", id(word));
    let sent = stack.swaks(25, &["--from", from, "--to", "ann@example.test", "--header", &header]);
    (sent.status.success(), said(&sent))
}

/// The daemon answers Postfix: at the greeting it is asked for the first time.
fn answers(stack: &Stack) {
    eventually(60, "mailctld answers Postfix", || {
        stack.swaks(25, &["--quit-after", "EHLO"]).status.success().then_some(())
    });
}

/// Proves: issue 6, threats 30: limits by login and client; 451 with the time, what is refused is not counted, and one
/// who is over his limit is no trouble for others; `limits` and `explain` tell of it; whom an allow list lets in, the client's
/// limit does not stop, for several recipients as for one.
#[test]
fn limits_hold_and_tell_when_there_is_room() {
    let rates = "[rates]\nlogin = \"messages 2/d, recipients 3/d\"\nclient = \"messages 3/d\"\n";
    let stack = Stack::up(&format!("{rates}[spf]\nmode = \"off\"\n"));
    // In whose place the engine sends what comes by the published port.
    let gateway = engine::gateway(stack.project(), "postfix");
    let explained = || {
        let from = ["--from", "friend@example.net", "--to", "ann@example.test", "--client-ip", &gateway];
        stack.run(&[&["explain", "receive"][..], &from].concat())
    };
    let bob = stack.user("bob@example.test");
    for number in 1..=3 {
        let (taken, told) = send(&stack, "friend@example.net", &format!("client{number}"));
        assert!(taken, "{told}");
        let told = stack.ok(&["limits", "show", &gateway]);
        assert!(told.contains(&format!("{gateway}: {number} of 3 messages a day, until ")), "{told}");
        assert_eq!(explained().status.success(), number < 3, "{}", said(&explained()));
    }
    let told = said(&explained());
    assert!(told.contains("rates.client") && told.contains("3 of 3 messages a day"), "{told}");
    let (taken, told) = send(&stack, "friend@example.net", "client4");
    assert!(!taken && told.contains(" 451 4.7.1 ") && told.contains("try again after "), "{told}");
    assert!(told.contains("3 messages a day") && told.contains(" UTC"), "{told}");

    let submit = |user: &str, password: &str, to: &str| {
        let sent = stack.submit(user, password, &["--from", user, "--to", to]);
        (sent.status.success(), said(&sent))
    };
    let (taken, told) =
        submit("bob@example.test", &bob, "ann@example.test,bob@example.test,info@example.test");
    // One of the three is nobody's: two recipients are counted.
    assert!(taken, "{told}");
    let (taken, told) = submit("bob@example.test", &bob, "ann@example.test,bob@example.test");
    assert!(!taken && told.contains(" 451 4.7.1 ") && told.contains("3 recipients a day"), "{told}");
    let (taken, told) = submit("bob@example.test", &bob, "ann@example.test");
    assert!(taken, "what was refused was counted: {told}");
    let (taken, told) = submit("bob@example.test", &bob, "ann@example.test");
    assert!(!taken && told.contains(" 451 4.7.1 "), "{told}");
    let told = stack.ok(&["limits", "show", "bob@example.test"]);
    assert!(told.contains("2 of 2 messages a day") && told.contains("3 of 3 recipients a day"), "{told}");
    let told = stack.ok(&["limits", "list"]);
    for line in
        [format!("rates.client             {gateway}: 3 of 3 "), "bob@example.test: 2 of 2 messages".into()]
    {
        assert!(told.contains(&line), "{line}: {told}");
    }
    assert!(!told.contains("ann@"), "{told}");
    let (taken, told) = submit("ann@example.test", &stack.ann.clone(), "bob@example.test");
    assert!(taken, "{told}");

    stack.ok(&["allow", "add", "recipient:ann@example.test", "recipient:bob@example.test"]);
    let both = ["--from", "friend@example.net", "--to", "ann@example.test,bob@example.test"];
    let sent = stack.swaks(25, &both);
    assert!(sent.status.success(), "{}", said(&sent));
    assert!(stack.ok(&["limits", "show", &gateway]).contains(": 3 of 3 messages a day"), "it was counted");

    let log = stack.logs("mailctld");
    assert!(log.contains("rule=\"rate-login\"") && log.contains("rule=\"rate-client\""), "{log}");
    assert!(log.contains("four fifths of a limit"), "{log}");
}

/// Proves: issue 6: greylisting against Postfix; what is known survives kill -9 and a restart, users are not asked.
#[test]
fn greylisting_remembers_through_kill_and_restart() {
    let stack = Stack::up("[greylist]\nmode = \"all\"\ndelay = \"1s\"\n");
    let log = stack.home().join("state/policy/policy.db-wal");
    let length = || fs::metadata(&log).map(|file| (file.len(), file.modified().unwrap())).ok();
    let before = length();
    let (taken, told) = send(&stack, "friend@example.net", "first");
    let began = std::time::Instant::now();
    assert!(!taken && told.contains(" 451 4.7.1 ") && told.contains("greylisted"), "{told}");
    eventually(60, "it is on the disk", || (length() != before).then_some(()));
    engine::crash(stack.project(), "mailctld");
    answers(&stack);
    eventually(60, "the delay is over", || (began.elapsed() > Duration::from_secs(2)).then_some(()));
    let (taken, told) = send(&stack, "friend@example.net", "second");
    assert!(taken, "it was forgotten: {told}");
    stack.message("ann@example.test", &stack.ann, "INBOX", &id("second"));

    stack.ok(&["restart", "mailctld"]);
    answers(&stack);
    let (taken, told) = send(&stack, "friend@example.net", "third");
    assert!(taken, "{told}");
    let (taken, told) = send(&stack, "stranger@example.net", "stranger");
    assert!(!taken && told.contains("greylisted"), "{told}");
    let own = ["--from", "ann@example.test", "--to", "ann@example.test"];
    let sent = stack.submit("ann@example.test", &stack.ann, &own);
    assert!(sent.status.success(), "{}", said(&sent));
}

/// Proves: threats 30, issue 6 (`user unfreeze`): a login far above its habit sends nothing until a person has looked; what
/// others send goes on, and so does what the login receives.
#[test]
fn a_frozen_login_is_freed_by_command() {
    let stack = Stack::up("[rates]\nfreeze_times = 1\nfreeze_from = 2\n");
    let bob = stack.user("bob@example.test");
    let submit = |user: &str, password: &str, to: &str| {
        let sent = stack.submit(user, password, &["--from", user, "--to", to]);
        (sent.status.success(), said(&sent))
    };
    let both = "ann@example.test,bob@example.test";
    assert_eq!(stack.run(&["user", "unfreeze", "bob@example.test"]).status.code(), Some(65));
    let (taken, told) = submit("bob@example.test", &bob, both);
    assert!(taken, "{told}");
    for _ in 0..2 {
        let (taken, told) = submit("bob@example.test", &bob, "ann@example.test");
        let stopped =
            told.contains(" 451 4.7.0 ") && told.contains("sending is stopped for bob@example.test");
        assert!(!taken && stopped, "{told}");
    }
    let (taken, told) = submit("ann@example.test", &stack.ann, "bob@example.test");
    assert!(taken, "{told}");
    stack.ok(&["user", "unfreeze", "bob@example.test", "--dry-run"]);
    assert!(!submit("bob@example.test", &bob, "ann@example.test").0, "a dry run changes nothing");
    stack.ok(&["user", "unfreeze", "bob@example.test"]);
    let (taken, told) = submit("bob@example.test", &bob, both);
    assert!(taken, "{told}");
}

/// Proves: fault 3 (mailctld out of files, then of memory), fault 1: clients of Postfix are told 451 or are served, never 5xx and
/// never after more than five seconds; with room again, or begun anew, all is as before.
#[test]
fn a_starved_mailctld_means_try_later() {
    let stack = Stack::up("");
    let tries = |when: &str| {
        for number in 0..4 {
            let began = std::time::Instant::now();
            let (taken, told) = send(&stack, "friend@example.net", &format!("{when}{number}"));
            // Five seconds, and what the client itself needs on a busy machine.
            assert!(began.elapsed() < Duration::from_secs(9), "{when}: {:?}", began.elapsed());
            assert!(taken || told.contains(" 451 ") || told.contains(" 421 "), "{when}: {told}");
        }
    };
    // Only the soft limit, and as the user it runs as: for more, root itself may lack the right.
    let limit = |what: &str| {
        let pid = engine::pid(stack.project(), "mailctld").unwrap().to_string();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let id = |key: &str| -> u32 {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let mut command = Command::new("prlimit");
        command.args(["--pid", &pid, what]).uid(id("Uid:")).gid(id("Gid:"));
        assert!(command.status().unwrap().success());
    };
    let served = |word: &str| {
        eventually(60, "mail is taken again", || send(&stack, "friend@example.net", word).0.then_some(()));
        stack.message("ann@example.test", &stack.ann, "INBOX", &id(word));
    };
    // Not one more than it has: every new connection fails.
    let pid = engine::pid(stack.project(), "mailctld").unwrap();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let highest = open.map(|file| file.unwrap().file_name().to_str().unwrap().parse::<u32>().unwrap()).max();
    limit(&format!("--nofile={}:", highest.unwrap() + 1));
    tries("files");
    assert!(stack.logs("mailctld").contains("cannot accept a connection"));
    limit("--nofile=1024:");
    served("files");
    // Nothing more than it has: it ends at the first thing that it needs, and the engine begins it anew.
    limit("--as=4096:");
    tries("memory");
    let crowd: Vec<_> =
        (0..20).map(|number| send(&stack, "friend@example.net", &format!("crowd{number}"))).collect();
    assert!(crowd.iter().all(|(taken, told)| *taken || told.contains(" 451 ") || told.contains(" 421 ")));
    engine::crash(stack.project(), "mailctld");
    served("memory");
}
