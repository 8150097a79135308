//! Mail ring: the stack's own network.

use crate::common::stack::Stack;
use std::process::Command;

/// Octets that a packet of the stack may have, as the kernel has it in a container.
fn mtu(stack: &Stack) -> u32 {
    stack.ok(&["exec", "postfix", "cat", "/sys/class/net/eth0/mtu"]).trim().parse().unwrap()
}

/// That of this host's way out, as iproute2 has it; `None` = it has none.
fn way_out() -> Option<u32> {
    let said = |words: &[&str]| {
        let ran = Command::new("ip").args(words).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let after = |text: &str, word: &str| {
        text.split_whitespace().skip_while(|found| *found != word).nth(1).map(str::to_owned)
    };
    let interface = after(&said(&["-4", "route", "get", "192.0.2.1"]), "dev")?;
    after(&said(&["-o", "link", "show", "dev", &interface]), "mtu")?.parse().ok()
}

/// A container's packets are no larger than the host's way out takes, or than the operator says; who changes the setting
/// gets a new network, and a second `up` has nothing to do.
#[test]
fn packets_are_no_larger_than_the_way_out() {
    let stack = Stack::up("");
    assert_eq!(mtu(&stack), way_out().unwrap_or(1500).min(1500));
    assert!(stack.ok(&["plan", "--json"]).contains("\"steps\":[]"));

    let path = stack.home().join("mailctl.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, settings.replace("[network]\n", "[network]\nmtu = 1300\n")).unwrap();
    let plan = stack.ok(&["plan"]);
    assert!(plan.contains("network.mtu asks for 1300"), "{plan}");
    stack.ok(&["up"]);
    assert_eq!(mtu(&stack), 1300);
    assert!(stack.ok(&["plan", "--json"]).contains("\"steps\":[]"));

    // Smaller ones pass everywhere: no new network only because of that.
    std::fs::write(&path, settings).unwrap();
    assert!(stack.ok(&["plan", "--json"]).contains("\"steps\":[]"));
}
