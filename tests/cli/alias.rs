//! `mailctl alias` in a temporary home.

use crate::common::home::Home;
use std::fs;

fn with_people() -> Home {
    let home = Home::new();
    for name in ["ann", "bob", "admin"] {
        home.ok(&["user", "add", &format!("{name}@example.org")]);
    }
    home
}

/// Proves: S4-20, S0-7, "removing one target keeps the other, the last removes the alias".
#[test]
fn targets_come_and_go_one_by_one() {
    let home = with_people();
    home.ok(&["alias", "add", "team@example.org", "ann@example.org", "Bob@Example.org"]);
    home.ok(&["alias", "add", "team@example.org", "out@example.net"]);
    assert_eq!(
        home.ok(&["alias", "list"]),
        "team@example.org ann@example.org\nteam@example.org bob@example.org\nteam@example.org out@example.net\n"
    );
    home.refused(&["alias", "add", "team@example.org", "out@example.net"], 65, "name.exists");
    home.ok(&["alias", "del", "team@example.org", "ann@example.org"]);
    assert!(!home.ok(&["alias", "list"]).contains("ann@"));
    home.refused(&["alias", "del", "team@example.org", "ann@example.org"], 65, "leads to bob@example.org");
    home.ok(&["alias", "del", "team@example.org", "--dry-run"]);
    home.ok(&["alias", "del", "team@example.org"]);
    assert_eq!(home.ok(&["alias", "list"]), "");
    home.refused(&["alias", "del", "team@example.org"], 65, "alias list");
}

/// Proves: threat 8 (loops and cycles refused at add), unknown targets refused.
#[test]
fn what_leads_nowhere_is_refused_and_nothing_is_written() {
    let home = with_people();
    home.ok(&["alias", "add", "one@example.org", "two@example.net", "ann@example.org"]);
    home.ok(&["alias", "add", "two@example.org", "one@example.org"]);
    let before = home.directory();
    home.refused(&["alias", "add", "one@example.org", "two@example.org"], 65, "alias.loop");
    home.refused(&["alias", "add", "x@example.org", "x@example.org"], 65, "alias.loop");
    home.refused(&["alias", "add", "ann@example.org", "ann@example.org"], 65, "alias.loop");
    home.refused(&["alias", "add", "x@example.org", "x@example.org", "ann@example.org"], 65, "alias.loop");
    home.refused(&["alias", "add", "x@example.org", "nobody@example.org"], 65, "user add nobody@example.org");
    home.refused(&["alias", "add", "x@example.org", "ann@mail.example.org"], 65, "nobody here");
    home.refused(&["alias", "add", "@example.org", "nobody@example.org"], 65, "nobody here");
    home.refused(&["alias", "add", "x@foreign.example", "ann@example.org"], 65, "domain add foreign.example");
    home.refused(&["alias", "add", "x", "ann@example.org"], 64, "user@example.org");
    home.refused(&["alias", "add", "x@example.org", "|/bin/sh"], 64, "name.malformed");
    home.refused(&["alias", "add", "x@example.org"], 64, "TARGET");
    assert_eq!(home.directory(), before);
    let kept = home.run(&["alias", "add", "ann@example.org", "out@example.net"]);
    assert!(kept.status == 0 && kept.err.contains("keep a copy"), "{kept:?}");
    home.ok(&["alias", "add", "ann@example.org", "ann@example.org"]);
}

/// Proves: "alias resolve prints the path an address takes, step by step"; S0-28 (role addresses).
#[test]
fn the_way_is_told_step_by_step() {
    let home = with_people();
    home.ok(&["alias", "add", "info@example.org", "bob@example.org", "out@example.net"]);
    home.ok(&["alias", "add", "@example.org", "info@example.org"]);
    let told = home.ok(&["alias", "resolve", "Anything@example.org"]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].contains("catch-all") && lines[1].starts_with("info@example.org"), "{told}");
    assert_eq!(lines[lines.len() - 2..], ["=> mailbox bob@example.org", "=> sent to out@example.net"]);
    let way = home.json(&["alias", "resolve", "abuse@mail.example.org"]);
    assert_eq!(way["targets"], serde_json::json!([{"address": "admin@example.org", "is": "mailbox"}]));
    assert_eq!(way["stops"][0]["is"], "role");
    home.ok(&["alias", "del", "@example.org"]);
    assert!(home.ok(&["alias", "resolve", "nobody@example.org"]).contains("refused"));
}

/// Proves: S4-20 (`valias`), S0-7 (`postfix-virtual.cf`): all or nothing, every fault with its line.
#[test]
fn an_import_takes_all_lines_or_none() {
    let home = with_people();
    let file = home.path().join("valias");
    let import = ["alias", "import", file.to_str().unwrap()];
    fs::write(
        &file,
        "# people\ninfo@example.org ann\nteam@example.org ann, bob@example.org,\n  out@example.net\n",
    )
    .unwrap();
    home.ok(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(home.ok(&["alias", "list"]), "");
    assert_eq!(home.json(&import)["added"], 4);
    let again = home.json(&import);
    assert_eq!((&again["added"], &again["known"]), (&0.into(), &4.into()));

    let listed = home.ok(&["alias", "list"]);
    fs::write(&file, "ok@example.org ann\nl1@example.org l2\nl2@example.org l1\nx@example.org nobody\n")
        .unwrap();
    let ran = home.refused(&import, 65, "import.refused");
    for line in ["line 2:", "line 3:", "line 4:"] {
        assert!(ran.err.contains(line), "{}", ran.err);
    }
    fs::write(&file, "ok@example.org ann\nx@foreign.example ann\nbroken\n").unwrap();
    home.refused(&import, 65, "line 3:");
    fs::write(&file, "ok@example.org ann\nx@foreign.example ann\n").unwrap();
    home.refused(&import, 65, "foreign.example");
    assert_eq!(home.ok(&["alias", "list"]), listed);

    home.ok(&["alias", "del", "info@example.org"]);
    let back = home.fed(&["alias", "import", "-"], &listed);
    assert_eq!(back.status, 0, "{back:?}");
    assert_eq!(home.ok(&["alias", "list"]), listed);
}
