//! What the stack serves over HTTP and HTTPS, asked through its published ports.

use crate::common::stack::{HOSTNAME, Stack, eventually, said};
use std::{
    fs,
    net::TcpListener,
    process::{Command, Output},
};

const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA";

/// curl by a name of ours at the published port.
fn curl(stack: &Stack, url: &str, more: &[&str]) -> Output {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (name, path) = rest.split_once('/').unwrap();
    let port = stack.port(if scheme == "http" { 80 } else { 443 });
    Command::new("curl")
        .env_clear()
        .args(["-sS", "-m", "10", "--noproxy", "*", "-H", &format!("Host: {name}")])
        .args(["--resolve", &format!("{name}:{port}:127.0.0.1")])
        .args(more)
        .arg(format!("{scheme}://{name}:{port}/{path}"))
        .output()
        .unwrap()
}

/// Proves: S4-6, S4-23 (another port, and the way out when it is taken), issue 5 (policy and autoconfig through the
/// published ports), S3-28 (metrics), threats 18, 19.
#[test]
fn the_web_is_served_beside_mail_and_never_in_its_way() {
    let stack = Stack::up("[mta_sts]\nmode = \"testing\"\n\n[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let folder = stack.home().join("acme/challenges/http-01");
    fs::write(folder.join(TOKEN), "token.thumbprint").unwrap();
    let challenge = format!("http://{HOSTNAME}/.well-known/acme-challenge/{TOKEN}");
    let asked = curl(&stack, &challenge, &["-f"]);
    assert_eq!(said(&asked), "token.thumbprint");

    // The certificate is the stack's own, and curl believes no other.
    let pem = stack.certificate().display().to_string();
    let trusted = curl(
        &stack,
        &format!("https://{HOSTNAME}/"),
        &["--cacert", &pem, "-o", "/dev/null", "-w", "%{http_code}"],
    );
    assert_eq!(said(&trusted), "404");
    let policy =
        || said(&curl(&stack, "https://mta-sts.example.test/.well-known/mta-sts.txt", &["-k", "-f"]));
    assert_eq!(policy(), "version: STSv1\r\nmode: testing\r\nmx: mail.example.test\r\nmax_age: 604800\r\n");
    for scheme in ["http", "https"] {
        let found = said(&curl(
            &stack,
            &format!("{scheme}://autoconfig.example.test/mail/config-v1.1.xml"),
            &["-k", "-f"],
        ));
        assert!(found.contains("<hostname>mail.example.test</hostname>"), "{found}");
    }

    // No rights, and nothing to write in what it reads.
    let status = stack.ok(&["exec", "mailctld", "cat", "/proc/1/status"]);
    for line in ["Uid:\t5006\t5006\t5006\t5006", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"] {
        assert!(status.lines().any(|have| have == line), "no {line:?} in {status}");
    }
    for path in ["/acme-challenges/http-01/x", "/acme-challenges/x", "/etc/mailctl-tls/x"] {
        assert!(!stack.run(&["exec", "mailctld", "touch", path]).status.success(), "{path}");
    }
    assert!(stack.ok(&["health", "mailctld"]).contains("HTTP and HTTPS answer"));
    let place = format!("http://127.0.0.1:{}/metrics", stack.port(9154));
    let metrics = said(&Command::new("curl").args(["-sf", "--noproxy", "*", &place]).output().unwrap());
    assert!(
        metrics.contains("mailctl_certificate_not_after_seconds{name=\"mail.example.test\"} "),
        "{metrics}"
    );
    assert!(!metrics.contains('@'), "{metrics}");

    // Another policy needs no new container; what DNS must say follows it.
    let began = |service: &str| {
        let status = stack.status();
        let services = status["services"].as_array().unwrap().iter();
        let of = services.filter(|entry| entry["service"] == service).collect::<Vec<_>>();
        of[0]["since"].as_str().unwrap().to_owned()
    };
    let (since, record) = (began("mailctld"), stack.ok(&["dns-records", "--format", "zone"]));
    let set = |from: &str, to: &str| {
        let file = stack.home().join("mailctl.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    };
    set("mode = \"testing\"", "mode = \"enforce\"");
    stack.ok(&["up"]);
    eventually(10, "the new policy is served", || policy().contains("mode: enforce").then_some(()));
    assert_eq!(began("mailctld"), since);
    let sts = |text: &str| text.lines().find(|line| line.starts_with("_mta-sts.")).unwrap().to_owned();
    assert_ne!(sts(&record), sts(&stack.ok(&["dns-records", "--format", "zone"])));

    // A port that somebody has is named with its setting, and with the way to do without.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    set("\nhttp = 0\n", &format!("\nhttp = {port}\n"));
    let refused = said(&stack.run(&["up"]));
    for word in ["port.taken", &port.to_string(), "ports.http", "ENABLE_WEB=false"] {
        assert!(refused.contains(word), "no {word} in {refused}");
    }
    // And nothing was taken down for what could not start.
    assert_eq!(began("mailctld"), since);
    drop(taken);
    stack.ok(&["up"]);
    assert_eq!(stack.port(80), port);
    assert_eq!(said(&curl(&stack, &challenge, &["-f"])), "token.thumbprint");

    // Without it mail goes on, and nothing is published.
    let settings = stack.home().join("settings.env");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text + "ENABLE_WEB=false\n").unwrap();
    stack.ok(&["up"]);
    let status = stack.status().to_string();
    assert!(!status.contains("\"container\":80,") && !status.contains("\"container\":443,"), "{status}");
    assert!(stack.swaks(25, &["--to", "ann@example.test", "--from", "x@example.net"]).status.success());
    let records = stack.ok(&["dns-records", "--format", "zone"]);
    assert!(!records.contains("mta-sts") && !records.contains("autoconfig"), "{records}");
}
