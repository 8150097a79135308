//! Mail ring: TLS on every port, as sslyze and OpenSSL see it, and a certificate swapped under load.

use crate::common::{
    certificate::{self, Made},
    stack::{DOMAIN, HOSTNAME, Stack, said},
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Container port and how TLS begins there (an OpenSSL and sslyze word; empty = at once).
const PORTS: &[(u16, &str)] =
    &[(25, "smtp"), (465, ""), (587, "smtp"), (143, "imap"), (993, ""), (110, "pop3"), (995, "")];

/// Proves: S1-24, S0-27, threats finding 9 (Mozilla "intermediate" on every port).
#[test]
fn tls_is_mozilla_intermediate_on_every_port() {
    // sslyze opens more connections than an honest client may, and gives up before a slow resolver does.
    let stack = Stack::up(
        "[postfix.main]\nsmtpd_client_connection_rate_limit = 0\nsmtpd_client_connection_count_limit = 0\n\
         smtpd_peername_lookup = \"no\"\n",
    );
    let sslyze = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-tools/sslyze/bin/sslyze");
    for (port, starttls) in PORTS {
        let json = stack.home().join("sslyze.json");
        let mut scan = Command::new(sslyze);
        scan.args(["--mozilla_config", "intermediate", "--json_out"]).arg(&json);
        if !starttls.is_empty() {
            scan.args(["--starttls", starttls]);
        }
        let output = scan.arg(format!("{HOSTNAME}:{}{{127.0.0.1}}", stack.port(*port))).output().unwrap();
        let text = said(&output);
        // The certificate is self-signed in a test; everything else must comply.
        let faults: Vec<&str> = text
            .lines()
            .filter(|line| line.trim_start().starts_with("* ") && line.contains("should"))
            .collect();
        let faults: Vec<&&str> = faults.iter().filter(|line| !line.contains("certificate")).collect();
        assert!(text.contains("COMPLIANCE AGAINST"), "port {port}: {text}");
        assert!(faults.is_empty(), "port {port}: {faults:#?}");
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        let result = &report["server_scan_results"][0]["scan_result"];
        for old in [
            "ssl_2_0_cipher_suites",
            "ssl_3_0_cipher_suites",
            "tls_1_0_cipher_suites",
            "tls_1_1_cipher_suites",
        ] {
            let accepted = result[old]["result"]["accepted_cipher_suites"].as_array().unwrap();
            assert!(accepted.is_empty(), "port {port} takes {old}: {accepted:?}");
        }
        assert_eq!(result["heartbleed"]["result"]["is_vulnerable_to_heartbleed"], false);
    }
}

/// Proves: S0-12, S1-10, threats 27, issue 5 ("Measured": the new serial on every port within 10 s, 0 sessions cut: one
/// in IMAP IDLE, one in the middle of a message of 10 MB). A set that nobody was told of is found by `status`.
#[test]
fn a_certificate_is_swapped_on_every_port_without_cutting_a_session() {
    let stack = Stack::up("");
    let doors = Doors::of(&stack);
    let old = doors.serial(993, "", HOSTNAME, "");
    let id = format!("<half.{}@client.example.net>", std::process::id());
    let believed = stack.home().join("old.pem");
    std::fs::copy(stack.certificate(), &believed).unwrap();
    let mut held = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/hold.py"))
        .args([stack.port(993).to_string(), stack.port(587).to_string()])
        .arg(&believed)
        .args([HOSTNAME, "ann@example.test", &stack.ann, &id])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(held.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "held");

    let (certificate, key) = certificate::pair(stack.home(), HOSTNAME);
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let began = Instant::now();
    let told = stack.ok(&["cert", "import", "--json", "--cert", certificate, "--key", key]);
    let took = began.elapsed();
    eprintln!("from the import to the new serial on every port: {took:.1?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let told: Value = serde_json::from_str(&told).unwrap();
    let mut asked: Vec<u64> =
        told["ports"].as_array().unwrap().iter().map(|shown| shown["port"].as_u64().unwrap()).collect();
    asked.sort_unstable();
    assert_eq!(asked, [25, 110, 143, 443, 465, 587, 993, 995, 4190]);
    let new = told["certificate"]["serial"].as_str().unwrap();
    // Nobody of ours asks, and nobody waits: the command has returned.
    for (port, starttls) in PORTS {
        assert_eq!(
            doors.serial(*port, starttls, HOSTNAME, ""),
            new,
            "port {port} serves another certificate"
        );
    }
    held.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert!(held.wait().unwrap().success(), "a session was cut: {line}");

    // The incident of the field: the files are new, and nobody told the programs.
    let live = stack.home().join("tls/live");
    std::fs::remove_file(&live).unwrap();
    std::os::unix::fs::symlink("sets/0001", &live).unwrap();
    let status = stack.run(&["status"]);
    let text = said(&status);
    assert_eq!(status.status.code(), Some(1), "{text}");
    assert!(text.contains("tls.not_served") && text.contains(&old) && text.contains(new), "{text}");
    // mailctld looks for itself, and may have seen it already.
    for port in asked.iter().filter(|port| **port != 443) {
        assert!(text.contains(&format!("port {port} (")), "{port}: {text}");
    }
    // What is due is that they are told; `up` would do it as well.
    stack.ok(&["cert", "import", "--again"]);
    let status = stack.run(&["status", "--json"]);
    assert!(status.status.success(), "{}", said(&status));
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert!(
        status["tls"]["ports"].as_array().unwrap().iter().all(|shown| shown["serial"] == old),
        "{status}"
    );
    // Every mailbox client of the tests believes what is installed.
    stack.message("ann@example.test", &stack.ann, "INBOX", &id);
}

/// Proves: issue 5 (ECDSA and RSA both served, SNI), S0-12, S2-11 (a folder in the settings is looked at by `up`), as
/// OpenSSL's client sees it on every port.
#[test]
fn two_kinds_of_key_and_a_domains_own_certificate_are_served() {
    let stack = Stack::up("");
    let doors = Doors::of(&stack);
    let make = |file: &str, names: &[&str], rsa: bool| {
        let (certificate, key) = certificate::make(stack.home(), file, Made { names, rsa, issued: false });
        let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        (path(&certificate), path(&key))
    };
    let (ec, ec_key) = make("ec", &[HOSTNAME], false);
    let (rsa, rsa_key) = make("rsa", &[HOSTNAME], true);
    // The wildcard holds for HOSTNAME too, whose certificate it must not become.
    let (own, own_key) = make("own", &["imap.example.test", "*.example.test"], false);
    stack.ok(&["cert", "import", "--cert", &ec, "--key", &ec_key, "--cert", &rsa, "--key", &rsa_key]);
    let told = stack.ok(&["cert", "import", "--for", DOMAIN, "--cert", &own, "--key", &own_key, "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    // mailctld chooses by its own names: no question about the domain's at 443.
    assert_eq!(told["ports"].as_array().unwrap().len(), 3 * 8 + 2, "two kinds and a name on each port");
    let [ec, rsa, own] = [&ec, &rsa, &own].map(|file| of_file(file));
    let (ecdsa, pss) = ("ECDSA+SHA256", "RSA-PSS+SHA256:RSA+SHA256");
    for (port, starttls) in PORTS {
        for (name, algorithms, wanted) in [
            (HOSTNAME, ecdsa, &ec),
            (HOSTNAME, pss, &rsa),
            ("imap.example.test", ecdsa, &own),
            ("other.example.net", pss, &rsa),
            ("pop.example.test", ecdsa, &own),
        ] {
            // One door of each program tells the rest: they read one table.
            if ![25, 993].contains(port) && !name.starts_with("imap") && name != HOSTNAME {
                continue;
            }
            let found = doors.serial(*port, starttls, name, algorithms);
            assert_eq!(&found, wanted, "port {port}, {name}, {algorithms}");
        }
    }
    let told = said(&stack.run(&["cert", "remove", DOMAIN]));
    assert!(told.contains("undo: "), "{told}");
    for (port, starttls) in [(25, "smtp"), (993, "")] {
        assert_eq!(doors.serial(port, starttls, "imap.example.test", ecdsa), ec, "port {port}");
    }
    assert!(!stack.home().join("tls/live/sni").exists(), "its key is not kept in the set that is served");

    // Somebody else's folder, renewed between two runs.
    let folder = stack.home().join("renewed");
    std::fs::create_dir(&folder).unwrap();
    for (from, to) in [("new.crt", "fullchain.pem"), ("new.key", "privkey.pem")] {
        make("new", &[HOSTNAME], true);
        std::fs::copy(stack.home().join(from), folder.join(to)).unwrap();
    }
    let settings = stack.home().join("settings.env");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}\nTLS_CERT_DIR={}\n", folder.display())).unwrap();
    let half = stack.run(&["up"]);
    assert!(half.status.success() && said(&half).contains("privkey.pem"), "{}", said(&half));
    assert_eq!(doors.serial(993, "", HOSTNAME, ecdsa), ec, "a half-written pair is not taken");
    std::fs::copy(stack.home().join("new.crt"), folder.join("fullchain.pem")).unwrap();
    stack.ok(&["up"]);
    let new = of_file(stack.home().join("new.crt").to_str().unwrap());
    for (port, starttls) in PORTS {
        assert_eq!(doors.serial(*port, starttls, HOSTNAME, ""), new, "port {port}");
    }
    let logs = [stack.logs("postfix"), stack.logs("dovecot")].concat();
    let bad = ["fatal", "panic", "TLS library problem", "error loading", "cannot load"];
    let bad: Vec<&str> = logs.lines().filter(|line| bad.iter().any(|word| line.contains(word))).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(stack.ok(&["plan", "--json"]).contains("\"steps\":[]"), "nothing is left to do");
}

/// Where the host publishes each port; a reload leaves that as it is.
struct Doors(Vec<(u16, u16)>);

impl Doors {
    fn of(stack: &Stack) -> Self {
        Self(PORTS.iter().map(|(port, _)| (*port, stack.port(*port))).collect())
    }

    /// The serial number that OpenSSL's client is shown when it asks for `name` and takes only these signature
    /// algorithms (empty = all).
    fn serial(&self, port: u16, starttls: &str, name: &str, algorithms: &str) -> String {
        let (_, on) = self.0.iter().find(|(inside, _)| *inside == port).unwrap();
        let mut client = Command::new("openssl");
        client.args(["s_client", "-connect", &format!("127.0.0.1:{on}"), "-servername", name]);
        if !algorithms.is_empty() {
            client.args(["-sigalgs", algorithms]);
        }
        if !starttls.is_empty() {
            client.args(["-starttls", starttls]);
        }
        let shown = client.stdin(Stdio::null()).output().unwrap();
        of_pem(&shown.stdout).unwrap_or_else(|| panic!("port {port}: {}", said(&shown)))
    }
}

fn of_file(certificate: &str) -> String {
    of_pem(&std::fs::read(certificate).unwrap()).unwrap()
}

fn of_pem(text: &[u8]) -> Option<String> {
    let mut reader = Command::new("openssl")
        .args(["x509", "-noout", "-serial"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that finds no certificate at the beginning may be gone before it has read all.
    let _ = reader.stdin.take().unwrap().write_all(text);
    let output = reader.wait_with_output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| line.trim().strip_prefix("serial=").unwrap().to_owned())
}
