//! Mail ring: who guesses does not learn which logins there are.

use crate::common::{
    engine,
    stack::{Stack, said},
};
use serde_json::Value;
use std::{fs, process::Command};

/// Without what hides a difference: Dovecot's delay of every refusal, and the one that grows with an address's failures.
const TEMPLATE: &str = "{% include \"builtin/dovecot/dovecot.conf\" %}\n\
    auth_failure_delay = 0\n\
    service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n";
/// The first is the one that exists.
const NAMES: [&str; 4] = ["ann@example.test", "nobody@example.test", "ann@elsewhere.example", "root"];
const ROUNDS: usize = 15;

fn median(tried: &Value) -> f64 {
    let mut seconds: Vec<f64> =
        tried["seconds"].as_array().unwrap().iter().map(|took| took.as_f64().unwrap()).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Proves: threats 29 (user enumeration by timing): a wrong password takes as long, and is told in the same words, whether
/// there is such a login or not, over IMAP and over SMTP.
#[test]
fn a_login_that_exists_is_refused_as_one_that_does_not() {
    let stack = Stack::prepared("[brute_force]\nenabled = false\n");
    let folder = stack.home().join("templates/dovecot");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("dovecot.conf"), TEMPLATE).unwrap();
    stack.ok(&["up"]);
    for (kind, service) in [("imap", "dovecot"), ("smtp", "postfix")] {
        let pid = engine::pid(stack.project(), service).unwrap().to_string();
        let output = Command::new("nsenter")
            .args(["--net", "--target", &pid, "/usr/bin/python3"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/refused.py"))
            .args([kind, "127.0.0.1", &ROUNDS.to_string()])
            .args(NAMES)
            .output()
            .unwrap();
        let tries: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        let known = &tries[NAMES[0]];
        for name in &NAMES[1..] {
            assert_eq!(tries[name]["said"], known["said"], "{kind} {name}");
            let (this, that) = (median(&tries[name]), median(known));
            // Checking a password takes a hundred times as long as finding that there is none.
            assert!(
                (this - that).abs() < that / 3.0,
                "{kind}: {that} s for ann, {this} s for {name}\n{tries}"
            );
        }
    }
    assert!(stack.submit(NAMES[0], &stack.ann.clone(), &["--quit-after", "AUTH"]).status.success());
}
