//! Mail ring: a person is told, by real mail through the own Postfix and by a webhook, each thing once.

use crate::common::{
    dns::free_address,
    engine,
    https::{Authority, Https, response},
    nameserver::{NameServer, Program},
    stack::{DOMAIN, HOSTNAME, Stack, eventually, said},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

const ANN: &str = "ann@example.test";

/// Serves a certificate that ends in so many days.
fn serve(stack: &Stack, folder: &Path, days: u32) {
    let file = |kind: &str| folder.join(format!("{days}.{kind}")).to_str().unwrap().to_owned();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days"])
        .args([&days.to_string(), "-subj", &format!("/CN={HOSTNAME}")])
        .args(["-addext", &format!("subjectAltName=DNS:{HOSTNAME}")])
        .args(["-keyout", &file("key"), "-out", &file("crt")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", said(&made));
    stack.ok(&["cert", "import", "--cert", &file("crt"), "--key", &file("key")]);
}

/// How many messages with this word in the subject ann has; waits until there are as many.
fn letters(stack: &Stack, word: &str, wanted: usize) -> Vec<String> {
    eventually(30, &format!("{wanted} letter(s) of {word}"), || {
        let search = ["INBOX", "Subject", word];
        let found = stack.mailbox(("imap", "tls", 993), ANN, &stack.ann, &search).unwrap();
        let found: Vec<String> = found["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect();
        (found.len() == wanted).then_some(found)
    })
}

/// Proves: issue 5 (alerts at 21, 7 and 1 days: log, mail, webhook, each once, solved once), threats 15 and 28.
#[test]
fn a_person_is_told_once_on_each_way() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, at) = (Authority::new(), free_address());
    let root = folder.path().join("root.pem");
    let der = STANDARD.encode(authority.root());
    fs::write(&root, format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")).unwrap();
    let answer = response("204 No Content", "X: y", "");
    let hook = Https::start(at, &authority, "hook.example.test", 30, answer);
    let server = NameServer::start(Program::Bind, DOMAIN, &format!("hook A {at}\n"))
        .expect("BIND: .ci/provision test");
    let stack = Stack::up(&format!("[dns]\nresolver = \"{}\"\n", server.address()));
    let settings = stack.home().join("settings.env");
    let set = |line: &str| {
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(&settings, format!("{text}\n{line}\n")).unwrap();
        fs::set_permissions(&settings, fs::Permissions::from_mode(0o600)).unwrap();
    };
    set("UPDATE_CHECK=false\nALERT_WEBHOOK=https://hook.example.test/s3cret");
    let maintain = || -> Output {
        let mut command = stack.command(&["maintain"]);
        let ended = command.env("SSL_CERT_FILE", &root).output().unwrap();
        assert!(!said(&ended).contains("s3cret"), "{}", said(&ended));
        ended
    };
    let quiet = maintain();
    assert!(quiet.status.success() && said(&quiet).contains("nothing is due"), "{}", said(&quiet));

    // The webhook is in a network that nobody allowed: it is not asked, and that is told. Mail goes all the same.
    serve(&stack, folder.path(), 20);
    let first = maintain();
    assert_eq!(first.status.code(), Some(1), "{}", said(&first));
    let told = format!("alerts: the certificate of {HOSTNAME} ends in 19 days");
    assert!(said(&first).contains(&told), "{}", said(&first));
    assert!(said(&first).contains("ALERT_WEBHOOK_NETWORKS") && hook.asked() == 0, "{}", said(&first));
    let letter = letters(&stack, "certificate", 1).remove(0);
    assert!(
        letter.contains("Auto-Submitted: auto-generated") && letter.contains("From: mailctl <postmaster@")
    );
    assert!(letter.contains("To do:"), "{letter}");

    set("ALERT_WEBHOOK_NETWORKS=127.0.0.0/8");
    let second = maintain();
    assert!(second.status.success() && !said(&second).contains("19 days"), "{}", said(&second));
    assert_eq!(hook.asked(), 1);
    let request = hook.last();
    assert!(request.starts_with("POST /s3cret HTTP/1.1\r\n"), "{request}");
    let body: serde_json::Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!((&body["state"], &body["kind"]), (&"standing".into(), &"certificate.ends".into()), "{body}");
    assert!(said(&maintain()).contains("nothing is due"));
    assert_eq!(hook.asked(), 1);

    serve(&stack, folder.path(), 5);
    assert!(said(&maintain()).contains("ends in 4 days"));
    letters(&stack, "certificate", 2);
    // Newer packages: told once, and with the certificate's end on the same ways.
    let image = stack.status()["image"].as_str().unwrap().to_owned();
    let id = engine::request("GET", &format!("/images/{image}/json")).unwrap()["Id"].clone();
    let found = serde_json::json!({"at": 0, "image": id, "upgrades": [
        {"package": "postfix", "installed": "3.10.1", "available": "3.10.2"}]});
    fs::write(stack.home().join("state/updates.json"), found.to_string()).unwrap();
    assert!(said(&maintain()).contains("newer versions of postfix are there"));
    assert_eq!(hook.asked(), 3);

    serve(&stack, folder.path(), 60);
    let solved = maintain();
    assert!(
        solved.status.success() && said(&solved).contains("alerts: solved: the certificate"),
        "{}",
        said(&solved)
    );
    assert!(hook.last().contains("\"state\":\"solved\""), "{}", hook.last());
    letters(&stack, "solved", 1);
    letters(&stack, "packages", 0);
    letters(&stack, "newer", 1);
    assert!(said(&maintain()).contains("nothing is due"));
    assert_eq!(hook.asked(), 4);
    let book = stack.home().join("state/alerts.json");
    assert_eq!(fs::metadata(&book).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(&book).unwrap().contains("certificate.ends"));
}
