//! The directory of every release, opened by this mailctl; and one of a mailctl that does not exist yet.

use crate::common::home::Home;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs a script with SQLite of Python's, which is none of ours; what it prints.
fn sqlite(script: &str, arguments: &[&Path]) -> String {
    let script = format!("import json, sqlite3, sys\n{script}");
    let output = Command::new("/usr/bin/python3").args(["-c", &script]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn rows(database: &Path, query: &str) -> Value {
    let script = format!("print(json.dumps(sqlite3.connect(sys.argv[1]).execute({query:?}).fetchall()))");
    serde_json::from_str(&sqlite(&script, &[database])).unwrap()
}

/// Proves: threat 34, fault 29: the state of every release opens, with everything in it; where its form changes, a
/// copy of the old one is kept first.
#[test]
fn the_state_of_every_release_opens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state");
    let mut releases: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    releases.sort();
    assert!(releases.iter().any(|release| release.ends_with("0.1.0")), "{releases:?}");
    let ours = Home::new();
    ours.ok(&["user", "add", "ann@example.org"]);
    let schema = rows(&ours.path().join("state/db/directory.db"), "PRAGMA user_version")[0][0].clone();
    for release in releases {
        let home = Home::new();
        let folder = home.path().join("state/db");
        fs::create_dir(&folder).unwrap();
        let database = folder.join("directory.db");
        let make = "c = sqlite3.connect(sys.argv[2]); c.execute('PRAGMA journal_mode = WAL'); \
                    c.executescript(open(sys.argv[1]).read()); c.close()";
        sqlite(make, &[&release.join("directory.sql"), &database]);
        let of = rows(&database, "PRAGMA user_version")[0][0].clone();
        let signing = rows(&database, "SELECT * FROM signing ORDER BY 1, 2");
        assert!(signing.as_array().unwrap().len() >= 3, "{release:?}");
        if of != schema {
            home.refused(&["user", "list"], 69, "store.older");
        }

        home.ok(&["user", "add", "last@example.org"]);
        let wanted: Value =
            serde_json::from_str(&fs::read_to_string(release.join("expected.json")).unwrap()).unwrap();
        assert_eq!(rows(&database, "SELECT name FROM domain ORDER BY name"), wanted["domain"], "{release:?}");
        for noun in ["user", "alias"] {
            let mut found = home.json(&[noun, "list"]);
            let rows = found.as_array_mut().unwrap();
            rows.retain(|row| row["address"] != "last@example.org");
            for (found, wanted) in rows.iter().zip(wanted[noun].as_array().unwrap()) {
                for (key, value) in wanted.as_object().unwrap() {
                    assert_eq!(&found[key], value, "{release:?}: {noun} {found}");
                }
            }
            assert_eq!(rows.len(), wanted[noun].as_array().unwrap().len(), "{release:?}: {noun}");
        }
        assert_eq!(rows(&database, "PRAGMA user_version")[0][0], schema);
        assert_eq!(rows(&database, "PRAGMA integrity_check")[0][0], "ok");
        let count = |table: &str| rows(&database, &format!("SELECT count(*) FROM {table}"))[0][0].clone();
        assert_eq!(count("signing"), signing.as_array().unwrap().len());
        assert_eq!(count("dkim_stage"), wanted["stages"], "{release:?}");
        let kept = home.path().join(format!("state/directory-schema-{of}.db"));
        assert_eq!(kept.exists(), of != schema, "{release:?}");
        if of != schema {
            assert_eq!(rows(&kept, "PRAGMA user_version")[0][0], of);
            assert_eq!(
                rows(&kept, "SELECT count(*) FROM mailbox")[0][0],
                wanted["user"].as_array().unwrap().len()
            );
        }
    }
}

/// Proves: threat 34: nothing writes to a newer state, and everything still reads it.
#[test]
fn a_newer_state_is_read_and_never_written() {
    let home = Home::new();
    home.ok(&["init"]);
    home.ok(&["user", "add", "ann@example.org"]);
    home.ok(&["alias", "add", "info@example.org", "ann@example.org"]);
    home.ok(&["dkim", "generate", "example.org", "--selector", "second"]);
    let database = home.path().join("state/db/directory.db");
    sqlite(
        "c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version = 99'); c.commit()",
        &[&database],
    );
    let before = (home.directory(), rows(&database, "SELECT count(*) FROM change"));
    let aliases = home.path().join("aliases");
    fs::write(&aliases, "more@example.org ann@example.org\n").unwrap();
    for words in [
        &["user", "add", "bob@example.org"][..],
        &["user", "del", "ann@example.org"],
        &["user", "passwd", "ann@example.org"],
        &["user", "set", "ann@example.org", "--quota", "1G"],
        &["alias", "add", "x@example.org", "ann@example.org"],
        &["alias", "del", "info@example.org"],
        &["forward", "add", "s-*@example.org", "ann@example.org"],
        &["forward", "disable", "info@example.org"],
        &["forward", "rule", "add", "info@example.org", "--block"],
        &["alias", "import", aliases.to_str().unwrap()],
        &["domain", "add", "example.net"],
        &["dkim", "activate", "example.org", "--selector", "second"],
    ] {
        let refused = home.refused(words, 69, "store.newer");
        assert!(
            refused.err.contains("99") && refused.err.contains("install the newer mailctl"),
            "{refused:?}"
        );
    }
    assert_eq!((home.directory(), rows(&database, "SELECT count(*) FROM change")), before);
    assert!(home.ok(&["alias", "resolve", "info@example.org"]).contains("ann@example.org"));
    assert!(!home.path().join("state/directory-schema-99.db").exists());
}
