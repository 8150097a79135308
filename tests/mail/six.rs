//! Mail ring: guessing at passwords over IPv6.

use crate::common::{
    engine,
    stack::{Stack, eventually, said},
};
use serde_json::Value;
use std::process::{Command, Stdio};

const DOORS: [&str; 4] = ["imap", "pop3", "sieve", "smtp"];
/// Dovecot asks with patience: on a machine that is very busy, no failure must be told to nobody. Its own growing delay
/// would make each guess wait for up to 15 s.
const TEMPLATE: &str = "{% include \"builtin/dovecot/dovecot.conf\" %}\n\
    service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n\
    auth_policy {\n  http_client_request_absolute_timeout = 30s\n}\n";

/// A network of this test's own.
fn net(word: &str) -> String {
    let own = std::process::id();
    format!("fd6d:{:x}:{:x}:{word}", own >> 16, own & 0xffff)
}

/// With an IPv6 network, its ports at `listen`.
fn up(listen: &str) -> Stack {
    let stack = Stack::prepared(&format!("subnet6 = \"{}::/64\"\n", net("ffff")));
    let file = stack.home().join("mailctl.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("\"127.0.0.1\"", &format!("{listen:?}"));
    std::fs::write(&file, text).unwrap();
    let folder = stack.home().join("templates/dovecot");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("dovecot.conf"), TEMPLATE).unwrap();
    stack.ok(&["up"]);
    stack
}

/// What the engine has about a container's place in the stack's network.
fn place(stack: &Stack, service: &str, what: &str) -> String {
    let found = engine::request("GET", &format!("/containers/{}-{service}/json", stack.project())).unwrap();
    let networks = found["NetworkSettings"]["Networks"].as_object().unwrap();
    networks.values().next().unwrap()[what].as_str().unwrap().to_owned()
}

/// Runs a program in the network of a container.
fn within(stack: &Stack, service: &str, words: &[&str]) -> std::process::Output {
    let pid = engine::pid(stack.project(), service).unwrap().to_string();
    let mut command = Command::new("nsenter");
    command.args(["--net", "--target", &pid]).args(words).stdin(Stdio::null()).output().unwrap()
}

const LOGIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/login.py");

/// Whether each try was let in.
fn let_in(output: &std::process::Output) -> Vec<bool> {
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)));
    rows.as_array().unwrap().iter().map(|row| row[0].as_bool().unwrap()).collect()
}

fn bans(stack: &Stack) -> Vec<String> {
    let list: Value = serde_json::from_str(&stack.ok(&["ban", "list", "--json"])).unwrap();
    list.as_array().unwrap().iter().map(|ban| ban["on"].as_str().unwrap().to_owned()).collect()
}

/// Proves: issue 6 (brute force per /64), threats 29 (limits per /64), over real IPv6: who guesses from many addresses of his
/// network is one client on every door, and is let in again by command; his neighbours and his IPv4 address are others.
#[test]
fn who_guesses_over_ipv6_is_banned_with_his_network() {
    let stack = up("127.0.0.1");
    let bob = stack.user("bob@example.test");
    // Clients in two networks of their own, behind the container of the signer, which is no part of logins.
    let nets = ["a", "b"].map(net);
    let router = place(&stack, "opendkim", "GlobalIPv6Address");
    for net in &nets {
        for host in 1..=6 {
            let address = format!("{net}::{host}/64");
            let done = within(&stack, "opendkim", &["ip", "addr", "add", &address, "dev", "eth0", "nodad"]);
            assert!(done.status.success(), "{}", said(&done));
        }
        for service in ["dovecot", "postfix"] {
            let done =
                within(&stack, service, &["ip", "route", "add", &format!("{net}::/64"), "via", &router]);
            assert!(done.status.success(), "{}", said(&done));
        }
    }
    let hosts = ["dovecot", "postfix"].map(|service| place(&stack, service, "GlobalIPv6Address")).join("/");
    let tries = |source: &str, words: &[String]| {
        let to = format!("{hosts}@{source}");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let_in(&within(&stack, "opendkim", &[&["/usr/bin/python3", LOGIN, &to], &words[..]].concat()))
    };
    let right = DOORS.map(|door| format!("{door}:bob@example.test:{bob}")).to_vec();
    assert_eq!(tries(&format!("{}::1", nets[0]), &right), [true; 4]);

    // Five wrong ones, each from an address of its own, on all doors; at another account, for here bob is known.
    for host in 1..=5 {
        let door = DOORS[host % DOORS.len()];
        let wrong = format!("{door}:ann@example.test:wrong-{host}");
        assert_eq!(tries(&format!("{}::{host}", nets[0]), &[wrong]), [false]);
    }
    let banned = format!("{}::/64", nets[0]);
    eventually(30, "the network is banned", || (bans(&stack) == [banned.as_str()]).then_some(()));
    let ann = DOORS.map(|door| format!("{door}:ann@example.test:{}", stack.ann)).to_vec();
    assert_eq!(tries(&format!("{}::6", nets[0]), &ann), [false; 4], "another address of that network");
    assert_eq!(tries(&format!("{}::1", nets[1]), &ann), [true; 4], "another network");
    let four = ["dovecot", "postfix"].map(|service| place(&stack, service, "IPAddress")).join("/");
    let words: Vec<&str> = ann.iter().map(String::as_str).collect();
    let over_four = within(&stack, "opendkim", &[&["/usr/bin/python3", LOGIN, &four], &words[..]].concat());
    assert_eq!(let_in(&over_four), [true; 4], "the same client over IPv4");

    stack.ok(&["unban", &format!("{}::6", nets[0])]);
    assert!(bans(&stack).is_empty());
    assert_eq!(tries(&format!("{}::6", nets[0]), &ann), [true; 4]);
}

/// Proves: users-want 2 (the gateway is never banned), for IPv6: where the engine hands IPv6 connections on through its own
/// proxy, clients have its gateway's address, as `network.subnet6` says, and are never shut out by address for it.
#[test]
fn ipv6_clients_behind_the_engines_proxy_are_never_banned() {
    let stack = up("::1");
    let imaps = stack.port(993);
    let tries = |words: Vec<String>| {
        let mut command = Command::new("/usr/bin/python3");
        let_in(&command.args([LOGIN, "::1"]).args(words).stdin(Stdio::null()).output().unwrap())
    };
    let wrong = (0..12).map(|number| format!("imap={imaps}:bob@example.test:wrong-{number}")).collect();
    assert_eq!(tries(wrong), [false; 12]);
    assert_eq!(tries(vec![format!("imap={imaps}:ann@example.test:{}", stack.ann)]), [true]);
    assert!(bans(&stack).is_empty(), "{:?}", bans(&stack));
    let gateway = place(&stack, "dovecot", "IPv6Gateway");
    let log = stack.logs("dovecot");
    assert!(log.contains(&format!("rip={gateway},")), "{gateway} in {log}");
    for spared in [gateway, format!("{}::/64", net("ffff"))] {
        let output = stack.run(&["ban", "add", &spared]);
        assert_eq!(output.status.code(), Some(65), "{}", said(&output));
        assert!(said(&output).contains("ban.spared"), "{}", said(&output));
    }
}
