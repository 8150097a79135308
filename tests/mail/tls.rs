//! Mail ring: TLS on every port, as sslyze and OpenSSL see it, and a certificate swapped under load.

use crate::common::{
    certificate,
    stack::{HOSTNAME, Stack, eventually, said},
};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
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

/// Proves: S0-12, S1-10, threats 27: served on every port, and no session was cut.
#[test]
fn a_certificate_is_swapped_on_every_port_without_cutting_a_session() {
    let stack = Stack::up("");
    let old = serial(&stack, 993, "");
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
    stack.ok(&["tls", "import", "--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()]);

    let new = eventually(10, "the new certificate on 993", || {
        let now = serial(&stack, 993, "");
        (now != old).then_some(now)
    });
    for (port, starttls) in PORTS {
        assert_eq!(serial(&stack, *port, starttls), new, "port {port} still serves the old certificate");
    }
    held.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert!(held.wait().unwrap().success(), "a session was cut: {line}");
    stack.message("ann@example.test", &stack.ann, "INBOX", &id);
}

fn serial(stack: &Stack, port: u16, starttls: &str) -> String {
    let mut client = Command::new("openssl");
    client.args([
        "s_client",
        "-connect",
        &format!("127.0.0.1:{}", stack.port(port)),
        "-servername",
        HOSTNAME,
    ]);
    if !starttls.is_empty() {
        client.args(["-starttls", starttls]);
    }
    let shown = client.stdin(Stdio::null()).output().unwrap();
    let mut reader = Command::new("openssl")
        .args(["x509", "-noout", "-serial"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    reader.stdin.take().unwrap().write_all(&shown.stdout).unwrap();
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "port {port}: {}", said(&shown));
    String::from_utf8(output.stdout).unwrap()
}
