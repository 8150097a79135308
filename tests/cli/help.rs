//! What `mailctl` says about itself.

use assert_cmd::Command;
use std::process::Stdio;

/// Status, stdout, stderr.
fn run(words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
    let output = command.env_clear().args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Proves: behaviours "wrong command: non-zero, first line names it; no arguments: usage, zero".
#[test]
fn no_words_are_a_question_and_wrong_ones_a_mistake() {
    let (status, out, _) = run(&[]);
    assert!(status == 0 && out.contains("Usage: mailctl"), "{out}");
    let (status, out, told) = run(&["stauts"]);
    assert!(status == 64 && out.is_empty(), "{told}");
    assert!(told.lines().next().unwrap().contains("'stauts'") && told.contains("'status'"), "{told}");
    let (status, _, told) = run(&["config", "shwo"]);
    assert!(status == 64 && told.contains("'show'"), "{told}");
}

/// Proves: S0-21, S1-21 (error guide with cause and fix), S1-14, S4-21 (client settings), S4-1.
#[test]
fn every_page_can_be_read() {
    for (page, holds) in [
        ("flow", "the only queue"),
        ("settings", "### RELAY_PASSWORD_FILE"),
        ("clients", "| 993 | TLS |"),
        ("troubleshooting", "554 5.7.1 Relay access denied"),
        ("troubleshooting", "535 5.7.8"),
        ("errors", "`settings.invalid` (exit 78)"),
        ("checklists", "## A new setting"),
        ("decisions", "mailctl help decisions/settings"),
        ("decisions/settings", "# Settings"),
        ("reference", "# mailctl config show"),
    ] {
        let (status, out, _) = run(&["help", page]);
        assert!(status == 0 && out.contains(holds), "{page} lacks {holds}");
    }
    let (_, out, _) = run(&["help"]);
    assert!(out.contains("Commands:") && out.contains("  troubleshooting "), "{out}");
    assert!(run(&["help", "config", "show"]).1.contains("Usage: mailctl config show"));
    let (status, _, told) = run(&["help", "setings"]);
    assert!(status == 64 && told.contains("mailctl help settings"), "{told}");
    assert_eq!(run(&["help", "config", "nonsense"]).0, 64);
}

#[test]
fn shells_and_man_take_what_is_made_for_them() {
    let (status, script, _) = run(&["completions", "bash"]);
    assert_eq!(status, 0);
    Command::new("bash").arg("-n").write_stdin(script).assert().success();
    for shell in ["zsh", "fish"] {
        assert!(run(&["completions", shell]).1.contains("mailctl"));
    }
    let (status, page, _) = run(&["man"]);
    assert!(status == 0 && page.contains(".TH mailctl 1") && page.contains(".SH INIT"), "{page}");
}

/// A reader that goes away early is no fault.
#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mailctl"))
        .env_clear()
        .args(["help", "reference"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
