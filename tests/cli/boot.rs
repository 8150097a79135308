//! `mailctl boot` and `mailctl maintain` as far as they need neither systemd nor an engine.

use crate::common::home::Home;
use std::{path::Path, process::Command};

/// A program of systemd's that reads units, where the host has it.
fn analyze(words: &[&str], folder: &Path) -> Option<std::process::Output> {
    Command::new("systemd-analyze").args(words).current_dir(folder).output().ok()
}

/// Proves: S4-22: the units are what systemd itself accepts, hardened, whole, and written only where they differ.
#[test]
fn the_units_are_sound() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    // One whose name needs every kind of quoting, beside the usual one.
    let odd = home.path().join("my $mail 100%\"x\"");
    let words = ["boot", "units", "--program", "/bin/true", "--into", into];
    home.ok(&words);
    let mut other = Command::new(env!("CARGO_BIN_EXE_mailctl"));
    let other = other.args(["--project", "two", "--home"]).arg(&odd).args(words).output().unwrap();
    assert!(other.status.success(), "{other:?}");
    assert!(home.run(&words).err.is_empty(), "nothing is written twice");
    for project in ["", "@two"] {
        let names = [
            format!("mailctl{project}.service"),
            format!("mailctl-maintain{project}.service"),
            format!("mailctl-maintain{project}.timer"),
        ];
        for name in &names {
            let file = format!("./{name}");
            let Some(verified) = analyze(&["verify", "--man=no", &file], folder.path()) else { return };
            let said = String::from_utf8_lossy(&verified.stderr).into_owned();
            assert!(verified.status.success() && !said.contains(name), "{name}: {said}");
        }
        for name in &names[..2] {
            let words = ["security", "--offline=true", "--threshold=40", &format!("./{name}")];
            let judged = analyze(&words, folder.path()).unwrap();
            assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
        }
    }
}

/// Proves: S4-22 (`--dry-run` prints the very bytes, and needs nothing).
#[test]
fn the_bytes_can_be_seen_before() {
    let home = Home::new();
    let shown = home.ok(&["boot", "enable", "--dry-run"]);
    assert!(shown.starts_with(&format!("# Written by mailctl boot enable for {}\n", home.path().display())));
    let start = format!(
        "\nExecStart=:{} --home {} up --wait\n",
        env!("CARGO_BIN_EXE_mailctl"),
        home.path().display()
    );
    assert!(shown.contains(&start), "{shown}");
    assert!(shown.contains("\nExecStop=:") && shown.contains(" maintain\n") && shown.contains("[Timer]"));
    assert!(shown.contains("Environment=DOCKER_HOST=unix:///nonexistent/docker.sock\n"), "{shown}");
    let shown = home.json(&["boot", "units"]);
    assert_eq!(shown["units"].as_array().unwrap().len(), 3);
}

#[test]
fn without_systemd_there_is_a_clear_word() {
    if Path::new("/run/systemd/system").exists() {
        return;
    }
    let home = Home::new();
    for word in ["enable", "disable", "status"] {
        let refused = home.refused(&["boot", word], 69, "boot.no_systemd");
        assert!(refused.err.contains(" up\n") && refused.err.contains(" maintain\n"), "{refused:?}");
    }
}

/// Proves: a task that fails does not stop the others, and the status tells.
#[test]
fn upkeep_goes_on_where_a_task_fails() {
    let home = Home::new();
    assert!(home.ok(&["maintain", "--list"]).contains("clean "));
    home.refused(&["maintain", "nonsense"], 64, "nonsense");
    for number in 1..=9 {
        std::fs::create_dir_all(home.path().join(format!("rendered/{number:04}"))).unwrap();
    }
    assert!(home.run(&["maintain", "clean", "--dry-run"]).err.contains("would remove 4 old generation(s)"));
    // There is no engine: what needs one fails, what needs none is done.
    let ran = home.run(&["maintain", "clean", "alerts", "--json"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let said: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let tasks = said["tasks"].as_array().unwrap();
    assert_eq!(said["failed"], 2, "{said}");
    assert_eq!(tasks[0]["done"][0], "removed 4 old generation(s) of configuration");
    assert_eq!(tasks[0]["error"]["code"], "engine.missing");
    assert_eq!(tasks[1]["error"]["code"], "engine.missing", "what cannot be seen is not called well: {said}");
    assert!(home.path().join("rendered/0005").exists() && !home.path().join("rendered/0004").exists());
    assert!(ran.err.contains("maintain.failed"), "{ran:?}");
}
