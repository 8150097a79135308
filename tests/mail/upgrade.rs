//! Mail ring: what of `upgrade` takes too long for every run: every layer built anew, and kill -9 at every durable step.
//! `cargo test --test mail upgrade:: -- --ignored --test-threads 1` runs it; nextest would stop it after five minutes.

use super::backup::{Image, forget, runs_on};
use crate::common::stack::{Stack, said};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

/// Proves: `upgrade --fresh --base-rootfs`: a base imported anew and every layer on it, tried by a message, and kept.
#[test]
#[ignore = "builds a whole image: minutes, and needs the distribution's mirror"]
fn every_layer_is_built_anew_on_a_base_from_a_file() {
    let base = concat!(env!("CARGO_MANIFEST_DIR"), "/target/base.tar");
    let stack = Stack::up("");
    let old = runs_on(&stack);
    let told = stack.ok(&["upgrade", "--fresh", "--base-rootfs", base, "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["upgraded"], true, "{told}");
    let new = runs_on(&stack);
    assert!(new.len() == 1 && new != old, "{old:?} {new:?}");
    assert_eq!(stack.status()["pending_steps"], 0);
    let sent = stack.swaks(25, &["--from", "a@example.net", "--to", "ann@example.test"]);
    assert!(sent.status.success(), "{}", said(&sent));
    stack.ok(&["upgrade", "--back"]);
    assert_eq!(runs_on(&stack), old);
    forget(&stack);
}

/// Proves: the "kill -9 at every durable step of upgrade", all of them: whatever is run next finds one whole
/// stack, on the old image or the new one.
#[test]
#[ignore = "a quarter of an hour: every step is an upgrade and an `up`"]
fn killed_at_every_durable_step_it_ends_on_one_image() {
    let stack = Stack::up("");
    let good = Image::upon(&stack, "LABEL \"some.thing\"=\"else\"", "good");
    let (mut olds, mut news) = (0, 0);
    // strace counts for each thread by itself: kind by kind, so that the database's thread does not end each run before
    // the command's own has come far.
    for calls in ["fsync", "rename,renameat,renameat2", "symlink,symlinkat,unlink,unlinkat", "fdatasync"] {
        for step in 1.. {
            let old = runs_on(&stack);
            let ended = Command::new("strace")
                .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e"])
                .arg(format!("inject={calls}:signal=SIGKILL:when={step}"))
                .arg(env!("CARGO_BIN_EXE_mailctl"))
                .arg("--home")
                .arg(stack.home())
                .args(["--project", stack.project(), "upgrade", "--image", &good.0])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            stack.ok(&["up"]);
            let (on, status) = (runs_on(&stack), stack.status());
            assert!(status["well"] == true && status["pending_steps"] == 0, "{calls} {step}: {status}");
            if on == old {
                olds += 1;
            } else {
                assert_eq!(on, BTreeSet::from([good.id()]), "{calls} {step}");
                news += 1;
                stack.ok(&["upgrade", "--back"]);
            }
            eprintln!("{calls} {step}: {}", if on == old { "old" } else { "new" });
            if ended.status.success() {
                // Not killed any more: that one is the new image by right.
                assert_ne!(on, old, "{calls} {step}");
                news -= 1;
                break;
            }
        }
    }
    assert!(olds > 5 && news > 0, "{olds} times the old, {news} times the new one");
    assert_eq!(stack.ok(&["user", "list", "--no-size"]), "ann@example.test\n");
    forget(&stack);
}
