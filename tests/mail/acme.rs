//! Mail ring: certificates of a real authority, which asks the stack's own ports 80 and 443 for proof.

use crate::common::{
    acme::{Manner, Pebble},
    dns::{Dns, Zone, free_address},
    stack::{HOSTNAME, Stack, eventually, said},
};
use serde_json::Value;
use std::{
    fs,
    net::{IpAddr, TcpListener},
    process::{Command, Stdio},
};

/// Container port and how TLS begins there (an OpenSSL word; empty = at once).
const PORTS: &[(u16, &str)] = &[
    (25, "smtp"),
    (465, ""),
    (587, "smtp"),
    (143, "imap"),
    (993, ""),
    (110, "pop3"),
    (995, ""),
    (4190, "sieve"),
    (443, ""),
];

/// A loopback address whose ports for the web are free: the authority asks at 80 and 443, and nowhere else.
fn address() -> IpAddr {
    let free = |address: &IpAddr| [80, 443].iter().all(|port| TcpListener::bind((*address, *port)).is_ok());
    (0..50).map(|_| free_address()).find(free).unwrap()
}

fn replace(stack: &Stack, file: &str, changes: &[(&str, &str)]) {
    let path = stack.home().join(file);
    let mut text = fs::read_to_string(&path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "no {from:?} in {text}");
        text = text.replace(from, to);
    }
    fs::write(path, text).unwrap();
}

/// Serial number that a port shows to who believes the authority and asks for HOSTNAME.
fn serial(stack: &Stack, at: IpAddr, root: &str, (port, starttls): (u16, &str)) -> String {
    let published = stack.port(port);
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &format!("{at}:{published}"), "-servername", HOSTNAME]);
    client.args(["-CAfile", root, "-verify_return_error", "-verify_hostname", HOSTNAME, "-showcerts"]);
    if !starttls.is_empty() {
        client.args(["-starttls", starttls]);
    }
    let shown = client.stdin(Stdio::null()).output().unwrap();
    assert!(shown.status.success(), "port {port}: {}", said(&shown));
    let file = stack.home().join("shown.pem");
    fs::write(&file, &shown.stdout).unwrap();
    let read =
        Command::new("openssl").args(["x509", "-noout", "-serial", "-in"]).arg(&file).output().unwrap();
    said(&read).trim().trim_start_matches("serial=").to_owned()
}

/// Proves: issue 5 (`up` has a certificate issued: HTTP-01 by mailctld on 80, then TLS-ALPN-01 on 443; each is served on
/// every port, to clients that believe nobody but the authority), S4-6, S4-32 (renewed without a restart), threats 26, 27.
#[test]
fn up_has_a_certificate_issued_and_every_port_shows_it() {
    let stack = Stack::prepared("");
    let at = address();
    let names = format!("mail A {at}\nautoconfig A {at}\nmta-sts A {at}\n");
    let dns = Dns::start(&[Zone::new("example.test", &names), Zone::new(".", "")]);
    let pebble = Pebble::start(dns.at(), &Manner::default());
    let web = ("http = 0\nhttps = 0", "http = 80\nhttps = 443");
    let listen = format!("listen = \"{at}\"");
    replace(&stack, "mailctl.toml", &[web, ("listen = \"127.0.0.1\"", &listen)]);
    let toml = stack.home().join("mailctl.toml");
    let more = format!(
        "\n[dns]\naddresses = \"{at}\"\nresolver = \"{}\"\n\n[mta_sts]\nmode = \"testing\"\n\n\
         [acme]\ndirectory = \"{}\"\nroot_file = \"{}\"\nchallenge = \"http-01\"\n",
        dns.at(),
        pebble.directory(),
        pebble.root_file().display(),
    );
    fs::write(&toml, fs::read_to_string(&toml).unwrap() + &more).unwrap();
    let env = stack.home().join("settings.env");
    fs::write(&env, fs::read_to_string(&env).unwrap() + "\nCERTIFICATES=acme\n").unwrap();

    stack.ok(&["up"]);
    let root = stack.home().join("issuing-root.pem");
    fs::write(&root, pebble.issuing_root()).unwrap();
    let root = root.to_str().unwrap();
    let shown = || -> Value { serde_json::from_str(&stack.ok(&["cert", "show", "--json"])).unwrap() };
    let first = shown();
    let names = ["mail.example.test", "autoconfig.example.test", "mta-sts.example.test"];
    assert_eq!(first["certificate"]["names"], serde_json::json!(names), "{first:#}");
    let serials = || -> Vec<String> {
        let all = PORTS.iter().map(|port| serial(&stack, at, root, *port));
        all.collect()
    };
    let before = serials();
    assert!(
        before.iter().all(|serial| *serial == first["certificate"]["serial"].as_str().unwrap()),
        "{before:?}"
    );

    // Sessions of before the renewal go on: the containers are the same ones, and none was restarted.
    let began = || {
        stack.status()["services"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["since"].clone())
            .collect::<Vec<_>>()
    };
    let since = began();
    replace(&stack, "mailctl.toml", &[("challenge = \"http-01\"", "challenge = \"tls-alpn-01\"")]);
    let renewed: Value = serde_json::from_str(&stack.ok(&["cert", "renew", "--force", "--json"])).unwrap();
    let second = shown();
    assert_ne!(second["certificate"]["serial"], first["certificate"]["serial"], "{renewed:#}");
    let after = serials();
    assert!(
        after.iter().all(|serial| *serial == second["certificate"]["serial"].as_str().unwrap()),
        "{after:?}"
    );
    assert_eq!(began(), since);
    assert_eq!((pebble.accounts(), pebble.orders()), (1, 2));

    // What other servers ask for is now to be had with a certificate that they believe.
    let place = "https://mta-sts.example.test/.well-known/mta-sts.txt";
    let policy = Command::new("curl")
        .args(["-sS", "-f", "-m", "10", "--noproxy", "*", "--cacert", root])
        .args(["--resolve", &format!("mta-sts.example.test:443:{at}"), place])
        .output()
        .unwrap();
    assert!(said(&policy).contains("mode: testing"), "{}", said(&policy));

    // Nothing is due now, and `status` finds every port as it should be.
    eventually(30, "the stack is well", || stack.run(&["status"]).status.success().then_some(()));
    stack.ok(&["maintain", "certificates"]);
    assert_eq!(pebble.orders(), 2);
}
