//! Mail ring: block and allow lists, as clients of a real Postfix meet them.

use crate::common::{
    dns::{Dns, Zone},
    engine,
    stack::{Stack, eventually, said},
};
use std::fs;

fn send(stack: &Stack, options: &[&str]) -> (bool, String) {
    let sent = stack.swaks(25, &[&["--to", "ann@example.test", "--quit-after", "RCPT"], options].concat());
    (sent.status.success(), said(&sent))
}

/// The address under which this host's clients come to the containers, as mailctld names it.
fn client(stack: &Stack) -> String {
    let told = stack.logs("mailctld");
    let line =
        told.lines().rev().find(|line| line.contains("rule=\"block-list\"")).expect("a refusal is a line");
    line.split("client=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("it names the client")
        .to_owned()
}

/// Proves: issue 6: by client, HELO name, sender and recipient; by command at once, by file within seconds and without a
/// reload; the more specific entry wins, and a broken file takes nothing down.
#[test]
fn lists_refuse_and_allow() {
    let stack = Stack::up("[greylist]\nmode = \"all\"\ndelay = \"1h\"\n");
    let greylisted = |from: &str| {
        let (taken, told) = send(&stack, &["--from", from]);
        assert!(!taken && told.contains(" 451 4.7.1 ") && told.contains("greylisted"), "{told}");
    };
    greylisted("x@bad.example");
    // By command: live when it returns.
    stack.ok(&["block", "add", "sender:.bad.example", "--comment", "no end of it"]);
    let (taken, told) = send(&stack, &["--from", "x@sub.bad.example"]);
    assert!(
        !taken && told.contains(" 554 5.7.1 ") && told.contains("mail from this sender is not taken"),
        "{told}"
    );
    assert!(!told.contains("no end of it") && !told.contains(".bad.example ("), "{told}");
    let log = stack.logs("mailctld");
    assert!(log.contains("block sender:.bad.example (by command, no end of it)"), "{log}");
    let client = client(&stack);
    stack.ok(&["allow", "add", &client]);
    assert!(send(&stack, &["--from", "x@sub.bad.example"]).0, "the client is allowed, and not greylisted");
    stack.ok(&["allow", "del", &client]);
    assert!(!send(&stack, &["--from", "x@sub.bad.example"]).0);
    stack.ok(&["block", "del", "sender:.bad.example"]);
    greylisted("x@sub.bad.example");

    // By file: without a word to anybody.
    let write = |name: &str, text: &str| {
        let path = stack.home().join("lists").join(name);
        fs::write(path.with_extension("new"), text).unwrap();
        fs::rename(path.with_extension("new"), &path).unwrap();
    };
    let refused = |options: &[&str], word: &str| {
        eventually(10, word, || {
            let (taken, told) = send(&stack, options);
            (!taken && told.contains(" 554 5.7.1 ") && told.contains(word)).then_some(())
        });
    };
    let network = format!("{}.0.0.0/8", client.split('.').next().unwrap());
    write("drop.block", &format!("; DROP\n{network} ; SBL1\n"));
    refused(&["--from", "x@example.net"], "mail from your address is not taken here");
    write("own.allow", "recipient:ann@ # always\n");
    eventually(10, "the recipient is allowed", || send(&stack, &["--from", "x@example.net"]).0.then_some(()));
    // A broken line: what was in the file before counts.
    write("own.allow", "nonsense\n");
    let status = eventually(10, "status says so", || {
        let ran = stack.run(&["status", "--quick"]);
        said(&ran).contains("lists/own.allow").then(|| said(&ran))
    });
    assert!(
        status.contains("line 1: \"nonsense\" is no entry") && status.contains("before counts"),
        "{status}"
    );
    assert!(send(&stack, &["--from", "x@example.net"]).0);
    fs::remove_file(stack.home().join("lists/own.allow")).unwrap();
    refused(&["--from", "x@example.net"], "mail from your address is not taken here");
    let explained =
        ["explain", "receive", "--from", "x@example.net", "--to", "ann@example.test", "--client-ip", &client];
    let foretold = said(&stack.run(&explained));
    assert!(foretold.contains(&format!("block {network} (lists/drop.block:2, SBL1)")), "{foretold}");
    write("drop.block", "helo:client.example.net\n");
    refused(&["--from", "x@example.net"], "mail from a client of your name is not taken here");
    // Whoever logs in is no client of these lists; a closed recipient is closed for all.
    let own = ["--from", "ann@example.test", "--to", "ann@example.test"];
    let sent = stack.submit("ann@example.test", &stack.ann, &own);
    assert!(sent.status.success(), "{}", said(&sent));
    stack.ok(&["block", "add", "recipient:gmial.example"]);
    let wrong = ["--from", "ann@example.test", "--to", "x@gmial.example", "--quit-after", "RCPT"];
    let sent = said(&stack.submit("ann@example.test", &stack.ann, &wrong));
    assert!(
        sent.contains(" 554 5.7.1 ") && sent.contains("mail for this recipient is not taken here"),
        "{sent}"
    );
}

/// Proves: issue 6: a client on a blocklist in DNS is refused by a real Postfix, with the list's words; an entry of ours lets
/// it in again; a list that refuses the resolver refuses nobody, and `status` tells.
#[test]
fn blocklists_in_dns_refuse_who_is_listed_and_nobody_else() {
    let stack = Stack::up("[spf]\nmode = \"off\"\n");
    let gateway = engine::gateway(stack.project(), "mailctld");
    let client = engine::gateway(stack.project(), "postfix");
    let reversed = client.split('.').rev().collect::<Vec<_>>().join(".");
    let listed = format!(
        "2.0.0.127 A 127.0.0.2\n{reversed} A 127.0.0.3\n{reversed} TXT \"ask https://bl.example/\"\n"
    );
    let dns = Dns::start_at(
        format!("{gateway}:0").parse().unwrap(),
        &[Zone::new("bl.example", &listed), Zone::new("refuses.example", "* A 127.255.255.254\n")],
    );
    let configure = |zones: &str| {
        let file = stack.home().join("mailctl.toml");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("\n[dnsbl]").next().unwrap();
        let more = format!("\n[dnsbl]\nzones = {zones:?}\n\n[dns]\nresolver = \"{}\"\n", dns.at());
        fs::write(file, format!("{text}{more}")).unwrap();
        stack.ok(&["up"]);
    };
    configure("refuses.example");
    eventually(20, "status tells", || {
        let told = said(&stack.run(&["status", "--quick"]));
        (told.contains("blocklist refuses.example is not asked") && told.contains("127.255.255.254"))
            .then_some(())
    });
    let (taken, told) = send(&stack, &["--from", "x@example.net"]);
    assert!(taken, "{told}");
    configure("refuses.example bl.example=127.0.0.[2..9]");
    let words =
        format!("Service unavailable; client [{client}] blocked using bl.example; ask https://bl.example/");
    eventually(20, "it is refused", || {
        let (taken, told) = send(&stack, &["--from", "x@example.net"]);
        (!taken && told.contains(" 554 5.7.1 ") && told.contains(&words)).then_some(())
    });
    stack.ok(&["allow", "add", &client]);
    let (taken, told) = send(&stack, &["--from", "x@example.net"]);
    assert!(taken, "{told}");
    stack.ok(&["allow", "del", &client, "--quiet"]);
    assert!(!send(&stack, &["--from", "x@example.net"]).0);
    assert!(stack.logs("mailctld").contains("rule=\"dns-blocklist\""));
}
