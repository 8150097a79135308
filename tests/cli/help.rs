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
    assert!(status == 0 && page.contains(".TH mailctl 1") && page.contains(".SH \"INIT\""), "{page}");
}

/// Proves: the manual page tells of every verb with its options, once, and those of the program once.
#[test]
fn the_manual_page_has_a_section_for_every_verb() {
    let (_, page, _) = run(&["man"]);
    let sections: Vec<(&str, &str)> =
        page.split(".SH \"").skip(1).filter_map(|section| section.split_once("\"\n")).collect();
    let of = |name: &str| {
        let found: Vec<_> = sections.iter().filter(|(title, _)| *title == name).collect();
        assert_eq!(found.len(), 1, "{name}");
        found[0].1
    };
    let grammar = mailctl::cli::grammar();
    let shown = |command: &clap::Command| -> Vec<clap::Command> {
        command.get_subcommands().filter(|inner| !inner.is_hide_set()).cloned().collect()
    };
    for command in shown(&grammar) {
        of(&command.get_name().to_uppercase());
        for verb in shown(&command) {
            let text = of(&format!("{} {}", command.get_name(), verb.get_name()).to_uppercase());
            for option in verb.get_opts().filter(|option| !option.is_hide_set()) {
                let name = option.get_long().unwrap().replace('-', "\\-");
                assert!(text.contains(&format!("\\-\\-{name}")), "{name} in {text}");
            }
            assert!(!text.contains("\\-\\-project"), "{text}");
        }
    }
    assert!(of("USER ADD").contains(".SS SYNOPSIS") && of("USER ADD").contains("mailctl user add"));
    if let Ok(checked) =
        Command::new("man").args(["--warnings", "-E", "UTF-8", "-l", "-"]).write_stdin(page.clone()).output()
    {
        assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    }
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
