//! `mailctl block` and `mailctl allow` in a temporary home.

use crate::common::home::Home;
use std::fs;

/// Proves: issue 6: entries by command: added, told with the way back, listed, removed; all or nothing, twice the same.
#[test]
fn entries_are_added_listed_and_removed() {
    let home = Home::new();
    let ran = home.run(&["block", "add", "192.0.2.0/24", "sender:Spam.example", "--comment", "gone mad"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.err.contains("sender:Spam.example is taken as sender:spam.example"), "{ran:?}");
    assert!(ran.err.contains("undo: mailctl --home"), "{ran:?}");
    assert!(ran.err.contains("block del 192.0.2.0/24 sender:spam.example"), "{ran:?}");
    let ran = home.run(&["block", "add", "192.0.2.0/24", "--comment", "gone mad"]);
    assert!(ran.status == 0 && ran.err.contains("is blocked already"), "{ran:?}");
    let told = home.json(&["block", "add", "192.0.2.0/24", "--until", "1h"]);
    assert_eq!(told["changed"][0], "192.0.2.0/24", "another end: {told}");
    home.ok(&["allow", "add", "192.0.2.7", "recipient:abuse@"]);
    let told = home.json(&["block", "list"]);
    assert_eq!(told.as_array().unwrap().len(), 2, "{told}");
    assert_eq!(told[0]["entry"], "192.0.2.0/24");
    assert!(told[0]["until"].as_i64().unwrap() > 1_700_000_000 && told[0]["comment"] == "", "{told}");
    assert_eq!((&told[1]["entry"], &told[1]["comment"]), (&"sender:spam.example".into(), &"gone mad".into()));
    assert_eq!(home.json(&["block", "list", "mad"]).as_array().unwrap().len(), 1);
    assert!(home.ok(&["allow", "list"]).contains("recipient:abuse@"));

    // All or nothing; a rehearsal changes nothing.
    let before = home.directory();
    home.refused(&["block", "add", "198.51.100.1", "example.net"], 64, "write sender:example.net");
    home.refused(&["block", "add", "198.51.100.1", "192.0.2.7"], 65, "allow del 192.0.2.7");
    home.refused(&["block", "del", "192.0.2.0/24", "198.51.100.1"], 65, "name.absent");
    home.refused(&["block", "add", "198.51.100.1", "--comment", &"x".repeat(201)], 64, "200 characters");
    home.ok(&["block", "add", "198.51.100.1", "--dry-run"]);
    home.ok(&["block", "del", "192.0.2.0/24", "--dry-run"]);
    assert_eq!(home.directory(), before);
    home.ok(&["block", "del", "192.0.2.0/24", "sender:spam.example"]);
    assert_eq!(home.json(&["block", "list"]).as_array().unwrap().len(), 0);
}

/// Proves: issue 6: what an entry does that its author may not have meant.
#[test]
fn what_may_not_be_meant_is_said() {
    let home = Home::new();
    for (words, told) in [
        (["block", "add", "0.0.0.0/0"], "is everybody"),
        (["block", "add", "127.0.0.1"], "TRUSTED_NETWORKS"),
        (["block", "add", "sender:example.org"], "is of this server"),
        (["allow", "add", "sender:example.net"], "only what the client says"),
        (["allow", "add", "helo:mail.example.net"], "costs nothing to say"),
    ] {
        let ran = home.run(&words);
        assert!(ran.status == 0 && ran.err.contains("warning:") && ran.err.contains(told), "{ran:?}");
    }
}

/// Proves: issue 6: files of the home, with Spamhaus' form; the entry that decides is named with file and line.
#[test]
fn files_are_listed_and_explained() {
    let home = Home::new();
    home.ok(&["user", "add", "bob@example.org"]);
    fs::create_dir(home.path().join("lists")).unwrap();
    let write = |name: &str, text: &str| fs::write(home.path().join("lists").join(name), text).unwrap();
    write("drop.block", "; Spamhaus DROP\n192.0.2.0/24 ; SBL256894\nhelo:.dyn.example\n");
    write("own.allow", "192.0.2.7 # a friend\n");
    let told = home.json(&["block", "list"]);
    assert_eq!((&told[0]["file"], &told[0]["line"]), (&"drop.block".into(), &2.into()), "{told}");
    assert_eq!(told[0]["comment"], "SBL256894");
    home.refused(&["block", "del", "192.0.2.0/24"], 65, "take line 2 out of lists/drop.block");
    let ask = |client: &str| {
        home.run(&[
            "explain",
            "receive",
            "--from",
            "x@example.net",
            "--to",
            "bob@example.org",
            "--client-ip",
            client,
            "--helo",
            "x.dyn.example",
        ])
    };
    let no = ask("192.0.2.8");
    assert_eq!(no.status, 1, "{no:?}");
    for word in ["block 192.0.2.0/24 (lists/drop.block:2, SBL256894)", "554 5.7.1", "allow add 192.0.2.8"] {
        assert!(no.err.contains(word), "{word}: {no:?}");
    }
    assert!(ask("198.51.100.1").err.contains("block helo:.dyn.example (lists/drop.block:3)"));
    let yes = ask("192.0.2.7");
    assert!(yes.status == 0 && yes.out.contains("allow 192.0.2.7 (lists/own.allow:1, a friend)"), "{yes:?}");
    home.ok(&["block", "add", "192.0.2.7"]);
    assert_eq!(ask("192.0.2.7").status, 0, "of two on the same the one that allows counts");
    write("own.allow", "192.0.2.7\nnonsense\n");
    let ran = home.run(&["allow", "list"]);
    assert!(ran.out.contains("lists/own.allow:1") && ran.err.contains("line 2: \"nonsense\""), "{ran:?}");
}
