//! Mail ring: whether the distribution has newer packages, asked of the distribution itself.

use crate::common::{
    engine,
    stack::{Stack, said},
};
use mailctl::plan::upgrade::upgrades;
use serde_json::Value;
use std::process::Command;

/// Runs a script in a container of the stack's image; its status and what it said.
fn inside(stack: &Stack, network: &str, script: &str) -> (i64, String) {
    let image = stack.status()["image"].as_str().unwrap().to_owned();
    let body = serde_json::json!({
        "Image": image, "Tty": true, "Cmd": ["sh", "-c", script], "HostConfig": {"NetworkMode": network},
        "Labels": {"org.mailctl.project": stack.project()},
    });
    let made = engine::post("/containers/create", &body.to_string()).unwrap();
    let id = made["Id"].as_str().unwrap();
    engine::post(&format!("/containers/{id}/start"), "").unwrap();
    let log = Command::new("curl")
        .args(["-s", "-m", "120", "--unix-socket", "/var/run/docker.sock"])
        .arg(format!("http://engine/containers/{id}/logs?stdout=1&stderr=1&follow=1"))
        .output()
        .unwrap();
    let ended = engine::request("POST", &format!("/containers/{id}/wait")).unwrap();
    engine::request("DELETE", &format!("/containers/{id}?force=1"));
    (ended["StatusCode"].as_i64().unwrap(), String::from_utf8_lossy(&log.stdout).replace('\r', ""))
}

/// Proves: S0-26 (UPDATE_CHECK, UPDATE_INTERVAL): a real answer, remembered, and not asked for twice.
#[test]
fn newer_packages_are_found_told_and_remembered() {
    let stack = Stack::up("");
    assert!(said(&stack.run(&["status"])).contains("nobody has looked"));

    let ran = stack.run(&["image", "check", "--json"]);
    let found: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{}", said(&ran)));
    let current = found["upgrades"].as_array().unwrap().is_empty();
    assert_eq!(found["current"], current, "{found}");
    assert_eq!(ran.status.code(), Some(i32::from(!current)), "{}", said(&ran));
    let status = stack.status();
    assert_eq!(status["updates"]["at"], found["checked_at"], "{status}");
    assert_eq!(status["updates"]["upgrades"], found["upgrades"], "{status}");
    let told = said(&stack.run(&["status"]));
    assert!(!told.contains("nobody has looked") && told.contains(" s ago"), "{told}");
    assert!(said(&stack.run(&["image", "check", "--if-due"])).contains("nothing to do"));
    assert_eq!(stack.status()["updates"]["at"], found["checked_at"]);
    assert!(stack.ok(&["plan", "--json"]).contains("\"steps\":[]"), "looking leaves nothing behind");

    // An older package is found by what the distribution says of it.
    let script = "sed -i '/^Package: tzdata$/,/^$/s/^Version: .*/Version: 2020a-1/' /var/lib/dpkg/status; \
                  mailctl image check --inside";
    let (ended, listing) = inside(&stack, "host", script);
    let older = upgrades(&listing);
    let planted = older.iter().find(|found| found.package == "tzdata");
    assert_eq!(ended, 0, "{listing}");
    assert_eq!(planted.map(|found| &*found.installed), Some("2020a-1"), "{listing}");
}

/// Proves: S0-26: what could not be asked is told as that (75), and never as "all is new". S4-24: the image that one
/// builds runs by hand as well.
#[test]
fn mirrors_that_are_out_of_reach_are_no_answer() {
    let stack = Stack::up("");
    let (ended, packages) = inside(&stack, "none", "mailctl version --packages && postconf -d mail_version");
    assert!(
        ended == 0 && packages.contains("postfix 3.10") && packages.contains("mail_version"),
        "{packages}"
    );
    let (ended, told) = inside(&stack, "none", "mailctl image check --inside");
    assert_eq!(ended, 75, "{told}");
    assert!(told.contains("update.unknown") && told.contains("because: E: "), "{told}");
}
