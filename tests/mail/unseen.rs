//! Mail ring: what goes wrong unseen, and who hears of it: an authority that gives nothing, a port that goes on with the
//! old certificate, a change of keys that nobody ends.

use crate::common::{
    acme::{Manner, Pebble},
    dns::{Dns, Zone},
    engine,
    stack::{DOMAIN, HOSTNAME, Stack, eventually, said},
};
use serde_json::Value;
use std::{
    fs,
    process::{Command, Output},
    time::Instant,
};

const ANN: &str = "ann@example.test";

fn add(stack: &Stack, file: &str, text: &str) {
    let path = stack.home().join(file);
    fs::write(&path, format!("{}\n{text}\n", fs::read_to_string(&path).unwrap())).unwrap();
}

/// What `maintain alerts` did; it must end well.
fn alerts(stack: &Stack) -> String {
    let ran = stack.run(&["maintain", "alerts"]);
    assert!(ran.status.success(), "{}", said(&ran));
    said(&ran)
}

/// Waits until ann has so many letters with this word in the subject.
fn letters(stack: &Stack, word: &str, wanted: usize) {
    eventually(60, &format!("{wanted} letter(s) of {word}"), || {
        let found =
            stack.mailbox(("imap", "tls", 993), ANN, &stack.ann, &["INBOX", "Subject", word]).unwrap();
        (found["messages"].as_array().unwrap().len() == wanted).then_some(())
    });
}

/// A certificate for HOSTNAME that nobody vouches for, and its key.
fn certificate(stack: &Stack) -> [String; 2] {
    let [crt, key] = ["new.crt", "new.key"].map(|name| stack.home().join(name).to_str().unwrap().to_owned());
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-days",
            "60",
        ])
        .args(["-subj", &format!("/CN={HOSTNAME}"), "-addext", &format!("subjectAltName=DNS:{HOSTNAME}")])
        .args(["-keyout", &key, "-out", &crt])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", said(&made));
    [crt, key]
}

/// Proves: the alerts `renewal.fails` and `dkim.stuck`, each told once in the log and by mail, and once as solved.
#[test]
fn a_renewal_and_a_rotation_that_lead_nowhere_are_told() {
    let stack = Stack::up("");
    add(&stack, "settings.env", "UPDATE_CHECK=false");
    assert!(alerts(&stack).contains("nothing is due"));

    // The name leads elsewhere, so nothing is ordered, again and again.
    let dns = Dns::start(&[Zone::new(DOMAIN, "mail A 192.0.2.99\n"), Zone::new(".", "")]);
    let pebble = Pebble::start(dns.at(), &Manner::default());
    let toml = stack.home().join("mailctl.toml");
    let env = stack.home().join("settings.env");
    let before = [&toml, &env].map(|path| fs::read_to_string(path).unwrap());
    add(&stack, "settings.env", "CERTIFICATES=acme");
    let (directory, root) = (pebble.directory(), pebble.root_file());
    let acme = format!(
        "[dns]\naddresses = \"127.0.0.1\"\nresolver = \"{}\"\n[acme]\ndirectory = \"{directory}\"\nroot_file = \"{}\"",
        dns.at(),
        root.display()
    );
    add(&stack, "mailctl.toml", &acme);
    for attempt in 1..=5 {
        assert!(alerts(&stack).contains("nothing is due"), "{attempt}: the first ones may mend themselves");
        let refused = stack.run(&["cert", "issue"]);
        assert!(said(&refused).contains("acme.precheck"), "{}", said(&refused));
    }
    let told = alerts(&stack);
    let wanted = format!("the authority gave no certificate for {HOSTNAME} 5 times in a row: ");
    assert!(told.contains(&wanted) && told.contains("192.0.2.99"), "{told}");
    assert!(told.contains("alerts: to do: mailctl ") && told.contains(" cert issue --dry-run"), "{told}");
    letters(&stack, "certificate", 1);
    stack.run(&["cert", "issue"]);
    assert!(alerts(&stack).contains("nothing is due"), "once is enough");
    assert_eq!(pebble.orders(), 0);

    // Nobody publishes the record of a new DKIM key.
    let begun = stack.run(&["dkim", "rotate", DOMAIN]);
    assert_eq!(begun.status.code(), Some(75), "{}", said(&begun));
    assert!(alerts(&stack).contains("nothing is due"));
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('UPDATE dkim_stage SET since = since - 8 * 86400'); c.commit()";
    let database = stack.home().join("state/db/directory.db");
    let aged = Command::new("/usr/bin/python3").args(["-c", script]).arg(&database).output().unwrap();
    assert!(aged.status.success(), "{}", said(&aged));
    let told = alerts(&stack);
    assert!(
        told.contains("the new DKIM key ") && told.contains("waits to be published for 8 days"),
        "{told}"
    );
    assert!(told.contains(&format!(" dkim rotate {DOMAIN}")), "{told}");
    letters(&stack, "DKIM", 1);
    assert!(alerts(&stack).contains("nothing is due"));

    // Both are given up, and that is told as well.
    stack.ok(&["dkim", "rotate", DOMAIN, "--abort"]);
    fs::write(&toml, &before[0]).unwrap();
    fs::write(&env, &before[1]).unwrap();
    let solved = alerts(&stack);
    assert_eq!(solved.matches("alerts: solved: ").count(), 2, "{solved}");
    letters(&stack, "solved", 2);
    assert!(alerts(&stack).contains("nothing is due"));
}

/// Processes of a container, as the host sees them: id and command line.
fn processes(stack: &Stack, service: &str) -> Vec<(String, String)> {
    let path = format!("/containers/{}-{service}/top?ps_args=-eo%20pid,args", stack.project());
    let top = engine::request("GET", &path).unwrap();
    let rows = top["Processes"].as_array().unwrap().iter();
    rows.map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_str().unwrap().to_owned())).collect()
}

/// Postfix's master stands still while this lives.
struct Still(String);

impl Still {
    fn master(stack: &Stack) -> Self {
        let all = processes(stack, "postfix");
        let master = all.iter().find(|(_, line)| line.contains("/sbin/master")).map(|(pid, _)| pid.clone());
        let still = Self(master.unwrap_or_else(|| panic!("{all:?}")));
        still.send("-STOP");
        still
    }

    fn send(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0]).status().unwrap().success());
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        self.send("-CONT");
    }
}

fn imported(stack: &Stack) -> Output {
    let [crt, key] = certificate(stack);
    stack.run(&["cert", "import", "--cert", &crt, "--key", &key])
}

/// Proves: "if a port still serves the old one after 60 s that is an error with a name", with both serial numbers; then
/// `status` fails, the alert `certificate.unserved` is told once, and `maintain` mends it.
#[test]
fn a_port_that_goes_on_with_the_old_certificate_is_an_error_with_a_name() {
    let stack = Stack::up("");
    add(&stack, "settings.env", "UPDATE_CHECK=false");
    let serial = |stack: &Stack| -> String {
        let shown: Value = serde_json::from_str(&stack.ok(&["cert", "show", "--json"])).unwrap();
        shown["certificate"]["serial"].as_str().unwrap().to_owned()
    };
    let old = serial(&stack);
    // One process of Postfix's that waits for the next client and has read the old certificate.
    let greeted = stack.swaks(25, &["--tls", "--quit-after", "EHLO"]);
    assert!(greeted.status.success(), "{}", said(&greeted));
    let still = Still::master(&stack);
    let began = Instant::now();
    let late = imported(&stack);
    let took = began.elapsed().as_secs();
    let words = said(&late);
    assert!((55..280).contains(&took), "after {took} s: {words}");
    assert!(!late.status.success() && words.contains("error[tls.not_served]"), "{words}");
    let new = serial(&stack);
    assert_ne!(new, old);
    assert!(words.contains("port 25 ") && words.contains(&old) && words.contains(&new), "{words}");
    assert!(words.contains("try: mailctl") && words.contains("restart postfix"), "{words}");
    let status = stack.run(&["status"]);
    assert!(!status.status.success() && said(&status).contains("tls.not_served"), "{}", said(&status));

    let told = stack.run(&["maintain", "alerts"]);
    assert!(said(&told).contains("port 25 ") && said(&told).contains(&new), "{}", said(&told));
    drop(still);
    let mended = stack.run(&["maintain", "import", "alerts"]);
    assert!(mended.status.success(), "{}", said(&mended));
    eventually(60, "every port is as it should be", || stack.run(&["status"]).status.success().then_some(()));
    stack.run(&["maintain", "alerts"]);
    letters(&stack, "solved", 1);
    assert!(alerts(&stack).contains("nothing is due"));
}
