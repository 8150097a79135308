//! Mail ring: a setting is changed, told, judged and applied.

use crate::common::stack::{Stack, said};
use std::fs;

/// Appends to one of the operator's files.
fn append(stack: &Stack, file: &str, text: &str) {
    let path = stack.home().join(file);
    fs::write(&path, format!("{}{text}", fs::read_to_string(&path).unwrap())).unwrap();
}

/// Proves: S0-26 (size limits, ENABLE_POP3), S2-4, S3-21 and S0-7 (raw settings win over what is rendered),
/// S1-23 (judged before anything runs with it), S4-26 (`init` on a running stack changes nothing).
#[test]
fn a_change_is_told_judged_and_applied() {
    let stack = Stack::up("");
    assert!(said(&stack.run(&["init"])).contains("nothing to do"));
    assert!(said(&stack.run(&["config", "diff"])).contains("nothing would change"));
    assert!(said(&stack.run(&["config", "check"])).contains("the settings are good"));

    // What the real programs refuse is found without touching what runs.
    let toml = fs::read_to_string(stack.home().join("mailctl.toml")).unwrap();
    append(&stack, "mailctl.toml", "[postfix.main]\ndefault_process_limit = \"many\"\n");
    let before = fs::read_link(stack.home().join("rendered/current")).unwrap();
    let refused = stack.run(&["config", "check"]);
    assert_eq!(refused.status.code(), Some(78), "{}", said(&refused));
    assert!(said(&refused).contains("config.rejected") && said(&refused).contains("default_process_limit"));
    let left: Vec<_> =
        fs::read_dir(stack.home().join("rendered")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "only the generation and the link to it: {left:?}");
    fs::write(stack.home().join("mailctl.toml"), toml).unwrap();

    // A misspelt parameter is a warning, told once.
    append(
        &stack,
        "mailctl.toml",
        "[postfix.main]\nsmtpd_baner = \"x\"\nsmtpd_banner = \"$myhostname ESMTP ours\"\n",
    );
    append(&stack, "settings.env", "MESSAGE_SIZE_LIMIT=2M\nENABLE_POP3=false\n");
    let told = said(&stack.run(&["config", "check"]));
    assert_eq!(told.matches("smtpd_baner").count(), 1, "{told}");
    let diff = said(&stack.run(&["config", "diff"]));
    assert!(diff.contains("+message_size_limit = 2097152") && diff.contains("+smtpd_baner = x"), "{diff}");
    assert_eq!(fs::read_link(stack.home().join("rendered/current")).unwrap(), before);

    stack.ok(&["up"]);
    let greeting = said(&stack.swaks(25, &["--quit-after", "EHLO"]));
    assert!(greeting.contains("ESMTP ours") && greeting.contains("SIZE 2097152"), "{greeting}");
    let ports: Vec<u64> = stack.status()["services"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|service| service["ports"].as_array().into_iter().flatten())
        .filter_map(|port| port["container"].as_u64())
        .collect();
    assert!(!ports.contains(&110) && !ports.contains(&995) && ports.contains(&993), "{ports:?}");
    assert!(said(&stack.run(&["config", "diff"])).contains("nothing would change"));
}
