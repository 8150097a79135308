//! Mail ring: SPF, as clients of a real Postfix meet it, with a DNS of the test's own.

use crate::common::{
    dns::{Dns, Fault, Zone},
    engine,
    stack::{Stack, said},
};
use std::{fs, process::Output};

const FRIEND: &str = "friend@strict.example";

/// A stack whose mailctld asks a DNS of ours, in the stack's own network.
fn stack(settings: &str, zones: &[Zone]) -> (Stack, Dns) {
    let stack = Stack::up("[spf]\nmode = \"off\"\n");
    let gateway = engine::gateway(stack.project(), "mailctld");
    let dns = Dns::start_at(format!("{gateway}:0").parse().unwrap(), zones);
    let file = stack.home().join("mailctl.toml");
    let text = fs::read_to_string(&file).unwrap().replace("[spf]\nmode = \"off\"\n", settings);
    fs::write(file, format!("{text}\n[dns]\nresolver = \"{}\"\n", dns.at())).unwrap();
    stack.ok(&["up"]);
    (stack, dns)
}

/// The client is the gateway of the stack's network, in whose place the engine sends what comes by the published port.
fn zones() -> Vec<Zone> {
    let private = "ip4:10.0.0.0/8 ip4:172.16.0.0/12 ip4:192.168.0.0/16";
    vec![
        Zone::new("strict.example", "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"),
        Zone::new("open.example", &format!("@ TXT \"v=spf1 {private} -all\"\n")),
        Zone::new("dead.example", "@ TXT \"v=spf1 -all\"\n"),
    ]
}

fn rcpt(stack: &Stack, from: &str) -> Output {
    stack.swaks(
        25,
        &["--from", from, "--to", "ann@example.test", "--helo", "mx.open.example", "--quit-after", "RCPT"],
    )
}

/// Proves: issue 6 (SPF: fail refused, temperror 451, pass and none taken; `explain receive` foretells it), fault 12.
#[test]
fn a_fail_is_refused_and_foretold() {
    let (stack, dns) = stack("[spf]\nmode = \"reject\"\n", &zones());
    dns.fault("dead.example", Fault::Drop);
    let gateway = engine::gateway(stack.project(), "postfix");
    let told = rcpt(&stack, FRIEND);
    let words = format!(
        "550 5.7.23 <ann@example.test>: Recipient address rejected: SPF: strict.example does not let {gateway} send"
    );
    assert!(!told.status.success() && said(&told).contains(&words), "{}", said(&told));
    for from in ["friend@open.example", "friend@none.open.example", "<>"] {
        let told = rcpt(&stack, from);
        assert!(told.status.success(), "{from}: {}", said(&told));
    }
    let told = rcpt(&stack, "friend@dead.example");
    assert!(said(&told).contains(" 451 4.7.24 "), "{}", said(&told));
    let log = stack.logs("mailctld");
    assert!(log.contains("rule=\"spf\"") && log.contains(FRIEND), "{log}");

    for (from, taken) in [(FRIEND, false), ("friend@open.example", true), ("friend@dead.example", false)] {
        let words =
            ["explain", "receive", "--from", from, "--to", "ann@example.test", "--client-ip", &gateway];
        let told = stack.run(&words);
        assert_eq!(told.status.success(), taken, "{from}: {}", said(&told));
        assert!(said(&told).contains("SPF is "), "{}", said(&told));
    }
    let told = said(&stack.run(&[
        "explain",
        "receive",
        "--from",
        FRIEND,
        "--to",
        "ann@example.test",
        "--client-ip",
        &gateway,
    ]));
    assert!(told.contains("\"-all\" of strict.example") && told.contains("spf.mode"), "{told}");
}
