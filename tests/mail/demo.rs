//! `mailctl demo`: what a newcomer sees first.

use crate::common::{
    engine,
    stack::{Turn, said},
};
use std::process::{Command, Stdio};

/// Proves: S1-12 (accounts with known passwords only here, and generated), S1-14, S1-18.
#[test]
fn the_demonstration_holds_and_leaves_nothing() {
    let _turn = Turn::take();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("demo");
    let demo = |words: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_mailctl"))
            .args(["demo", "--folder"])
            .arg(&folder)
            .args(words)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let shown = demo(&["--json"]);
    assert!(shown.status.success(), "{}", said(&shown));
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["held"], true, "{shown}");
    assert_eq!(shown["acts"].as_array().unwrap().len(), 7);
    let passwords: Vec<&str> =
        shown["users"].as_array().unwrap().iter().map(|user| user["password"].as_str().unwrap()).collect();
    assert!(passwords[0] != passwords[1] && passwords.iter().all(|password| password.len() >= 26));
    assert!(!folder.exists(), "the folder is left");
    assert!(engine::pid("mailctl-demo", "postfix").is_none(), "the stack is left");

    // What --keep left is taken down by the command that it tells.
    let kept = demo(&["--keep"]);
    let command = format!("mailctl demo --down --folder {}\n", folder.display());
    assert!(kept.status.success() && said(&kept).contains(&command), "{}", said(&kept));
    assert!(engine::pid("mailctl-demo", "postfix").is_some(), "the stack is gone");
    assert!(said(&demo(&["--down"])).contains("the demonstration is gone"));
    assert!(engine::pid("mailctl-demo", "postfix").is_none() && !folder.exists(), "the stack is left");
    assert!(said(&demo(&["--down"])).contains("there is no demonstration in"));

    // A folder that is not a demonstration's is never thrown away.
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("precious"), "").unwrap();
    assert_eq!(demo(&["--down"]).status.code(), Some(64));
    assert!(folder.join("precious").exists());
}
