//! `mailctl user` in a temporary home.

use crate::common::home::Home;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::Command,
    thread,
    time::Duration,
};

/// Proves: S4-16, S0-4 (add without a password argument; printed once, alone on stdout), threat 14.
#[test]
fn a_made_password_is_shown_once_and_nothing_else_is_on_stdout() {
    let home = Home::new();
    let password = home.ok(&["user", "add", "ann@example.org"]);
    assert_eq!(password.trim().split('-').map(str::len).collect::<Vec<_>>(), [8; 4], "{password}");
    assert_eq!(password.lines().count(), 1);
    let other = home.ok(&["user", "passwd", "ann@example.org"]);
    assert_ne!(password, other);
    assert_eq!(home.ok(&["user", "list", "--no-size"]), "ann@example.org\n");
    for file in fs::read_dir(home.path().join("state/db")).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640, "{}", path.display());
        let bytes = fs::read(&path).unwrap();
        for secret in [&password, &other] {
            let secret = secret.trim().as_bytes();
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{}", path.display());
        }
    }
    let made = home.json(&["user", "add", "bob@example.org"]);
    assert_eq!(made["password"].as_str().unwrap().len(), 35);
}

/// Proves: S4-15 (as an argument, with a warning), S4-26 (`passwd`), threat 14 (known defaults refused).
#[test]
fn a_given_password_is_judged_and_never_echoed() {
    let home = Home::new();
    let ran = home.run(&["user", "add", "ann@example.org", "correct horse"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
    assert!(ran.err.contains("warning:") && ran.err.contains("--password-stdin"), "{}", ran.err);
    assert!(!ran.err.contains("correct horse"));
    let ran = home.fed(&["user", "add", "bob@example.org", "--password-stdin"], "correct horse\n");
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
    assert!(!ran.err.contains("warning:"), "{}", ran.err);
    for weak in ["adminpass123", "relaypass123", "userpass123", "short", "", "carl@example.org"] {
        let ran = home.fed(&["user", "add", "carl@example.org", "--password-stdin"], weak);
        assert_eq!(ran.status, 65, "{weak:?}: {ran:?}");
        assert!(ran.err.contains("password.weak"), "{}", ran.err);
    }
    home.refused(&["user", "add", "carl@example.org", "--prompt"], 64, "--password-stdin");
    assert_eq!(home.ok(&["user", "list", "--no-size"]), "ann@example.org\nbob@example.org\n");
}

/// Proves: threats 9 and 10, "refused with example", S4-19 (any served domain, and no other).
#[test]
fn bad_names_are_refused_and_nothing_is_written() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    let before = home.directory();
    home.refused(&["user", "add", "ann"], 64, "user@example.org");
    home.refused(&["user", "add", "ann@example.org"], 65, "user passwd");
    home.refused(&["user", "add", "ann@foreign.example"], 65, "domain add foreign.example");
    home.refused(&["user", "del", "nobody@example.org"], 65, "name.absent");
    home.refused(&["user", "passwd", "nobody@example.org"], 65, "name.absent");
    home.refused(&["user", "show", "nobody@example.org"], 65, "name.absent");
    for bad in
        ["../x@example.org", "a\nb@example.org", "$(id)@example.org", "{{x}}@example.org", "|x@example.org"]
    {
        home.refused(&["user", "add", bad], 64, "name.malformed");
        home.refused(&["user", "del", bad, "--purge", "--yes"], 64, "name.malformed");
    }
    assert_eq!(home.directory(), before);
    let ran = home.run(&["user", "add", "BOB@Example.ORG"]);
    assert!(ran.status == 0 && ran.err.contains("taken as bob@example.org"), "{ran:?}");
    assert!(home.ok(&["user", "add", "new@example.org", "--dry-run"]).is_empty());
    assert!(!home.directory().contains("new@example.org"));
}

/// Proves: S4-18 (mail kept, re-adding restores access, purge), "aliases to it are reported".
#[test]
fn a_removal_keeps_the_mail_until_told_otherwise() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    home.ok(&["user", "add", "bob@example.org"]);
    home.ok(&["alias", "add", "info@example.org", "bob@example.org"]);
    let mail = home.path().join("mail/example.org/bob/Maildir/cur");
    fs::create_dir_all(&mail).unwrap();
    fs::write(mail.join("1.host,S=2048:2,S"), "x").unwrap();
    assert_eq!(home.json(&["user", "list"])[1]["size"], 2048);

    let ran = home.run(&["user", "del", "bob@example.org"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.err.contains("mail/example.org/bob") && ran.err.contains("info@example.org"), "{}", ran.err);
    assert!(mail.exists());
    home.ok(&["user", "add", "bob@example.org"]);
    assert_eq!(home.json(&["user", "show", "bob@example.org"])["size"], 2048);

    let ran = home.refused(&["user", "del", "bob@example.org", "--purge"], 64, "--yes");
    assert!(mail.exists(), "{ran:?}");
    home.ok(&["user", "del", "bob@example.org", "--purge", "--yes"]);
    assert!(!home.path().join("mail/example.org/bob").exists());
    home.refused(&["user", "del", "admin@example.org"], 65, "ADMIN_EMAIL");
}

/// Proves: S4-17, S4-21 and S1-14 (client settings), listings stop when nobody reads.
#[test]
fn listings_and_show_tell_what_there_is() {
    let home = Home::new();
    assert_eq!(home.json(&["user", "list"]), serde_json::json!([]));
    home.ok(&["user", "add", "ann@example.org", "--quota", "2G"]);
    home.ok(&["alias", "add", "info@example.org", "ann@example.org"]);
    home.ok(&["alias", "add", "all@example.org", "info@example.org"]);
    let list = home.ok(&["user", "list"]);
    assert!(list.contains("ann@example.org") && list.contains("0 B"), "{list}");
    assert_eq!(home.ok(&["user", "list", "nobody*"]), "");
    let shown = home.json(&["user", "show", "ann@example.org"]);
    assert_eq!(shown["quota"], 2_147_483_648_u64);
    assert_eq!(shown["aliases"], serde_json::json!(["all@example.org", "info@example.org"]));
    assert_eq!(shown["senders"][0], "ann@example.org");
    assert_eq!(shown["clients"][0]["host"], "mail.example.org");

    let mut child = home.command(&["user", "list"]).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

/// Proves: behaviours "quota" (only for existing users; units B k M G T; removal restores the default), S0-26.
#[test]
fn a_limit_is_changed_shown_and_taken_back() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    let shown = |home: &Home| {
        let shown = home.json(&["user", "show", "ann@example.org"]);
        (shown["quota"].clone(), shown["limit"].clone())
    };
    let set = |size: &str| home.ok(&["user", "set", "ann@example.org", "--quota", size]);
    assert_eq!(shown(&home), (Value::Null, 0.into()));
    for (size, octets) in
        [("123", 123_u64), ("5B", 5), ("10k", 10 << 10), ("60M", 60 << 20), ("2G", 2 << 30), ("1T", 1 << 40)]
    {
        set(size);
        assert_eq!(shown(&home), (octets.into(), octets.into()), "{size}");
    }
    for bad in ["-60M", "26GIGOTS", "M", "", "1.5G", "9999999999T", "nothing"] {
        let refused = home.run(&["user", "set", "ann@example.org", &format!("--quota={bad}")]);
        assert_eq!(refused.status, 64, "{bad:?}: {refused:?}");
    }
    home.refused(&["user", "set", "ann@example.org"], 64, "--quota");
    home.refused(&["user", "set", "bob@example.org", "--quota", "1G"], 65, "name.absent");
    let would = home.json(&["user", "set", "ann@example.org", "--quota", "1G", "--dry-run"]);
    assert_eq!(would["changed"], false, "{would}");
    assert_eq!(shown(&home).0, 1_u64 << 40, "neither refusals nor a dry run change anything");
    assert!(home.run(&["user", "set", "ann@example.org", "--quota", "1T"]).err.contains("already"));

    let settings = home.path().join("settings.env");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}MAILBOX_SIZE_LIMIT=3G\n")).unwrap();
    let mail = home.path().join("mail/example.org/ann/Maildir/cur");
    std::fs::create_dir_all(&mail).unwrap();
    std::fs::write(mail.join("1.x,S=4096:2,S"), "x").unwrap();
    let full = home.run(&["user", "set", "ann@example.org", "--quota", "1k"]);
    assert!(full.status == 0 && full.err.contains("warning: ann@example.org holds 4.0 KiB"), "{full:?}");
    set("0");
    assert_eq!(shown(&home), (0.into(), 0.into()), "0 = no limit, whatever the settings say");
    set("none");
    assert_eq!(shown(&home), (Value::Null, (3_u64 << 30).into()));
}

/// Proves: threat 31 and fault 12 (16 writers at once, nothing lost).
#[test]
fn sixteen_writers_lose_nothing() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    thread::scope(|scope| {
        for writer in 0..16 {
            let home = &home;
            scope.spawn(move || {
                home.ok(&["user", "add", &format!("u{writer}@example.org")]);
                for number in 0..8 {
                    home.ok(&["alias", "add", &format!("a{writer}-{number}@example.org"), "ann@example.org"]);
                }
            });
        }
    });
    assert_eq!(home.json(&["user", "list"]).as_array().unwrap().len(), 17);
    assert_eq!(home.json(&["alias", "list"]).as_array().unwrap().len(), 128);
}

/// Proves: fault 10 (killed at any moment: what was told is there, and the next command works).
#[test]
fn a_kill_at_any_moment_leaves_the_directory_whole() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    let mut told = Vec::new();
    for round in 0_u64..40 {
        let address = format!("u{round}@example.org");
        let mut child = home.command(&["user", "add", &address]).spawn().unwrap();
        thread::sleep(Duration::from_millis(round * 37 % 160));
        let _ = child.kill();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        child.wait().unwrap();
        if line.ends_with('\n') {
            told.push(address);
        }
    }
    let list = home.ok(&["user", "list", "--no-size"]);
    for address in &told {
        assert!(list.lines().any(|line| line == address), "{address} was told and is lost");
    }
    let database = home.path().join("state/db/directory.db");
    let check = std::process::Command::new("sqlite3").arg(database).arg("PRAGMA integrity_check").output();
    if let Ok(check) = check {
        assert_eq!(String::from_utf8_lossy(&check.stdout).trim(), "ok");
    }
    home.ok(&["user", "add", "last@example.org"]);
}

/// Proves: fault 8 (a damaged store is a named error, and nothing is written).
#[test]
fn a_damaged_directory_is_named() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    let database = home.path().join("state/db/directory.db");
    for companion in ["-wal", "-shm"] {
        fs::remove_file(home.path().join(format!("state/db/directory.db{companion}"))).unwrap();
    }
    fs::write(&database, "").unwrap();
    for words in [&["user", "list"][..], &["user", "add", "bob@example.org"], &["alias", "list"]] {
        home.refused(words, 65, "store.damaged");
    }
    assert_eq!(fs::metadata(&database).unwrap().len(), 0);
}

/// Proves: threat 34, fault 29: what only looks writes nothing, and says what brings an older directory up to
/// date; what changes something does that.
#[test]
fn looking_never_writes() {
    let looks: [&[&str]; 11] = [
        &["user", "list"],
        &["user", "show", "admin@example.org"],
        &["alias", "list"],
        &["alias", "resolve", "admin@example.org"],
        &["domain", "list"],
        &["dkim", "show", "example.org"],
        &["config", "diff"],
        &["config", "check"],
        &["plan"],
        &["status"],
        &["up", "--dry-run"],
    ];
    let home = Home::new();
    let database = home.path().join("state/db/directory.db");
    for words in looks {
        home.run(words);
        assert!(!database.exists(), "{words:?} made a directory");
    }
    // As it was before the first migration: ours, and nothing in it.
    fs::create_dir(home.path().join("state/db")).unwrap();
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode = WAL'); \
                  c.execute('PRAGMA application_id = 1835234412'); c.commit()";
    let made = Command::new("/usr/bin/python3").args(["-c", script]).arg(&database).status().unwrap();
    assert!(made.success());
    let before = fs::read(&database).unwrap();
    for words in looks {
        let ran = home.refused(words, 69, "store.older");
        assert!(ran.err.contains(" up  "), "{ran:?}");
        assert!(fs::read(&database).unwrap() == before, "{words:?} wrote");
    }
    home.ok(&["user", "add", "ann@example.org"]);
    assert!(home.ok(&["user", "list"]).contains("ann@example.org"));
}
