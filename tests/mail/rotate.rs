//! Mail ring: a DKIM key is changed under a running stack, with a real name server that takes changes.

use crate::common::{
    nameserver::{KEY, NameServer, Program},
    stack::{DOMAIN, Stack, eventually, said},
};
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

fn dig(server: &NameServer, name: &str) -> String {
    let at = format!("@{}", server.address());
    let said = Command::new("dig").args([&at, "+short", "+time=2", name, "TXT"]).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().replace("\" \"", "").replace('"', "")
}

/// Sends a message to ann herself; the selector that signed it, which must verify with what DNS says.
fn signed_by(stack: &Stack, server: &NameServer, word: &str) -> String {
    let id = format!("<{word}.{}@client.example.net>", std::process::id());
    let header = format!("Message-ID: {id}");
    let sent = stack.submit(
        "ann@example.test",
        &stack.ann,
        &["--from", "ann@example.test", "--to", "ann@example.test", "--header", &header],
    );
    assert!(sent.status.success(), "{}", said(&sent));
    let message = stack.message("ann@example.test", &stack.ann, "INBOX", &id);
    let signature = message.split("DKIM-Signature:").nth(1).expect("it is signed");
    let selector = signature.split("s=").nth(1).unwrap().split(';').next().unwrap().trim().to_owned();
    let mut verifier = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/dkim_verify.py"))
        .arg(dig(server, &format!("{selector}._domainkey.{DOMAIN}")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    verifier.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    let verified = verifier.wait_with_output().unwrap();
    assert!(verified.status.success(), "{}\n{message}", said(&verified));
    selector
}

/// Proves: S0-5, S4-5; the new key signs when every name server has it, without a restart; the old one's record stays
/// while the queue holds its mail, and is withdrawn with an empty `p=` (RFC 6376 §3.6.1) once it does not.
#[test]
fn a_key_is_changed_and_no_message_fails() {
    let server =
        NameServer::start(Program::Bind, DOMAIN, "mail A 192.0.2.25\n").expect("BIND: .ci/provision test");
    let secret = tempfile::NamedTempFile::new().unwrap();
    let text = format!("key \"{}\" {{ algorithm hmac-sha256; secret \"{}\"; }};\n", KEY.0, KEY.1);
    fs::write(secret.path(), text).unwrap();
    fs::set_permissions(secret.path(), fs::Permissions::from_mode(0o600)).unwrap();
    let stack = Stack::up(&format!(
        "[dns]\nresolver = \"{}\"\nupdate_key_file = \"{}\"\nttl = 60\n\n\
         [postfix.transport]\n\"dead.example.net\" = \"smtp:[127.0.0.1]:9\"\n",
        server.address(),
        secret.path().display()
    ));
    stack.ok(&["dns-publish", DOMAIN, "--yes"]);
    let old = signed_by(&stack, &server, "before");
    let far = ["--from", "ann@example.test", "--to", "friend@dead.example.net"];
    assert!(stack.submit("ann@example.test", &stack.ann, &far).status.success());
    let queue = || stack.ok(&["exec", "postfix", "postqueue", "-j"]);
    eventually(20, "the message waits in the queue", || queue().contains("dead.example.net").then_some(()));

    let since = || {
        let status = stack.status();
        let services = status["services"].as_array().unwrap().iter();
        services.map(|service| service["since"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = since();
    stack.ok(&["dkim", "rotate", "--selector", "next", "--wait", "30"]);
    assert_eq!(signed_by(&stack, &server, "after"), "next");
    assert_eq!(since(), before, "nothing was restarted");

    let stays = stack.run(&["dkim", "rotate", "--hold", "0"]);
    assert!(said(&stays).contains("is still in the queue"), "{}", said(&stays));
    let old_record = format!("{old}._domainkey.{DOMAIN}");
    assert!(dig(&server, &old_record).contains("p=M"));
    stack.ok(&["exec", "postfix", "postsuper", "-d", "ALL"]);
    let done = stack.run(&["dkim", "rotate", "--hold", "0"]);
    assert!(done.status.success() && said(&done).contains("withdrawn"), "{}", said(&done));
    assert_eq!(dig(&server, &old_record), "v=DKIM1; p=");
    let back = stack.run(&["dkim", "activate", "--selector", &old]);
    assert_eq!(back.status.code(), Some(65), "a withdrawn key must not sign: {}", said(&back));
    assert_eq!(signed_by(&stack, &server, "last"), "next");
}
