//! `mailctl dns-publish` and `mailctl dkim rotate` with a real name server that takes changes.

use crate::common::{
    dns::{Dns, Zone},
    home::Home,
    nameserver::{KEY, NameServer, Program},
};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

const ZONE: &str = "@ TXT \"v=spf1 include:_spf.example.com ~all\"\n@ TXT \"other=1\"\n@ MX 5 old.example.com.\n\
                    _dmarc TXT \"v=DMARC1; p=none\"\nmail A 192.0.2.25\n";

struct Scene {
    home: Home,
    server: NameServer,
}

impl Scene {
    fn new(zone: &str) -> Self {
        Self::with(NameServer::start(Program::Bind, "example.org", zone).expect("BIND: .ci/provision test"))
    }

    fn with(server: NameServer) -> Self {
        let home = Home::new();
        let scene = Self { home, server };
        scene.key(KEY.1);
        let settings = format!(
            "[dns]\naddresses = \"192.0.2.25\"\nttl = 60\nresolver = \"{}\"\nupdate_key_file = \"{}\"\n",
            scene.server.address(),
            scene.file().display()
        );
        fs::write(scene.home.path().join("mailctl.toml"), settings).unwrap();
        scene.home.ok(&["dkim", "generate", "--selector", "old"]);
        scene
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("dns.key")
    }

    fn key(&self, secret: &str) {
        let text = format!("key \"{}\" {{\n\talgorithm hmac-sha256;\n\tsecret \"{secret}\";\n}};\n", KEY.0);
        fs::write(self.file(), text).unwrap();
        fs::set_permissions(self.file(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn says(&self, name: &str, kind: &str) -> Vec<String> {
        says(self.server.address(), name, kind)
    }

    fn stages(&self) -> Vec<(String, String)> {
        let keys = self.home.json(&["dkim", "show", "example.org"]);
        let text = |key: &serde_json::Value, name: &str| key[name].as_str().unwrap().to_owned();
        keys.as_array().unwrap().iter().map(|key| (text(key, "selector"), text(key, "stage"))).collect()
    }
}

/// What a server says, asked by a program that is not ours.
fn says(server: std::net::IpAddr, name: &str, kind: &str) -> Vec<String> {
    let at = format!("@{server}");
    let said = Command::new("dig").args([&at, "+short", "+time=2", name, kind]).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let mut lines: Vec<String> =
        String::from_utf8(said.stdout).unwrap().lines().map(|line| line.replace("\" \"", "")).collect();
    lines.sort();
    lines
}

/// Proves: the difference is shown and asked for; only what is ours is changed, SPF is merged, DMARC stays; every name
/// server answers with it before the command returns; what is there is not sent again.
#[test]
fn only_what_is_ours_is_published() {
    let scene = Scene::new(ZONE);
    let home = &scene.home;
    let shown = home.run(&["dns-publish", "example.org", "--dry-run"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(shown.out.contains("+ example.org. 60 IN MX 10 mail.example.org."), "{}", shown.out);
    assert!(
        shown.out.contains("- example.org. 60 IN TXT \"v=spf1 include:_spf.example.com ~all\""),
        "{}",
        shown.out
    );
    assert!(shown.err.contains("5 old.example.com. is not ours and stays"), "{}", shown.err);
    assert!(!shown.out.contains("PTR"), "a reverse name is not in the zone: {}", shown.out);
    assert_eq!(scene.says("example.org", "MX"), ["5 old.example.com."], "nothing was sent");
    home.refused(&["dns-publish", "example.org"], 64, "--yes");
    assert_eq!(scene.says("example.org", "MX"), ["5 old.example.com."]);

    let sent = home.run(&["dns-publish", "example.org", "--yes"]);
    assert_eq!(sent.status, 0, "{sent:?}\n{}", scene.server.log());
    assert_eq!(scene.says("example.org", "MX"), ["10 mail.example.org.", "5 old.example.com."]);
    assert_eq!(
        scene.says("example.org", "TXT"),
        ["\"other=1\"", "\"v=spf1 mx include:_spf.example.com ~all\""]
    );
    assert_eq!(scene.says("_dmarc.example.org", "TXT"), ["\"v=DMARC1; p=none\""]);
    assert_eq!(scene.says("_imaps._tcp.example.org", "SRV"), ["0 1 993 mail.example.org."]);
    let record = home.json(&["dkim", "show"])[0]["record"].as_str().unwrap().to_owned();
    assert_eq!(scene.says("old._domainkey.example.org", "TXT"), [format!("\"{record}\"")]);
    let again = home.json(&["dns-publish", "example.org", "--yes"]);
    assert_eq!((&again["sent"], &again["changes"]), (&false.into(), &serde_json::json!([])));
}

/// Proves: SPF is judged by its outcome (S4-32): a record that lets this server send is left as it is; one that has
/// ten lookups already gets our address and not an eleventh (RFC 7208 §4.6.4).
#[test]
fn spf_is_changed_only_where_it_must_be() {
    let scene = Scene::new("@ TXT \"v=spf1 ip4:192.0.2.0/28 -all\"\nmail A 192.0.2.25\n");
    let sent = scene.home.run(&["dns-publish", "example.org", "--yes"]);
    assert_eq!(sent.status, 0, "{sent:?}");
    assert_eq!(
        scene.says("example.org", "TXT"),
        ["\"v=spf1 mx ip4:192.0.2.0/28 -all\""],
        "192.0.2.25 is not in it"
    );
    let scene = Scene::new("@ TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\nmail A 192.0.2.25\n");
    let sent = scene.home.run(&["dns-publish", "example.org", "--yes"]);
    assert_eq!(sent.status, 0, "{sent:?}");
    assert_eq!(scene.says("example.org", "TXT"), ["\"v=spf1 ip4:192.0.2.0/24 -all\""]);
    let ten: String = (0..10).map(|number| format!(" a:h{number}.example.org")).collect();
    let hosts: String = (0..10).map(|number| format!("h{number} A 198.51.100.{number}\n")).collect();
    let scene = Scene::new(&format!("@ TXT \"v=spf1{ten} -all\"\nmail A 192.0.2.25\n{hosts}"));
    let sent = scene.home.run(&["dns-publish", "example.org", "--yes"]);
    assert_eq!(sent.status, 0, "{sent:?}");
    assert_eq!(scene.says("example.org", "TXT"), [format!("\"v=spf1 ip4:192.0.2.25{ten} -all\"")]);
}

/// Proves: issue 4: what is there now is asked of `dns.update_server` at just its port, where a hidden primary may be,
/// and not of whoever listens at port 53 of its address.
#[test]
fn the_server_that_takes_changes_is_read_at_its_port() {
    let public = Dns::start(&[Zone::new(".", ""), Zone::new("example.org", "@ NS ns\nmail A 192.0.2.25\n")]);
    let hidden = Dns::start_at(
        std::net::SocketAddr::new(public.at().ip(), 0),
        &[Zone::new("example.org", "@ NS ns\nmail A 192.0.2.25\n@ MX 5 hidden.example.com.\n")],
    );
    assert_ne!(hidden.at().port(), 53);
    let home = Home::new();
    let settings = format!(
        "[dns]\naddresses = \"192.0.2.25\"\nresolver = \"{}\"\nupdate_server = \"{}\"\n",
        public.at(),
        hidden.at()
    );
    fs::write(home.path().join("mailctl.toml"), settings).unwrap();
    let shown = home.run(&["dns-publish", "example.org", "--dry-run"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(shown.err.contains("5 hidden.example.com. is not ours and stays"), "{shown:?}");
}

/// Proves: where a domain that the record leads to does not answer, nobody knows whether this server may send: it is named
/// in the record, which takes nothing from anybody, and that is told.
#[test]
fn spf_that_cannot_be_judged_is_told() {
    let dns = Dns::start(&[
        Zone::new(".", ""),
        Zone::new(
            "example.org",
            "@ NS ns\nns A {at}\nmail A 192.0.2.25\n@ TXT \"v=spf1 include:_spf.example.com -all\"\n",
        ),
    ]);
    dns.fault("_spf.example.com", crate::common::dns::Fault::ServFail);
    let home = Home::new();
    let settings =
        format!("[dns]\naddresses = \"192.0.2.25\"\nresolver = \"{0}\"\nupdate_server = \"{0}\"\n", dns.at());
    fs::write(home.path().join("mailctl.toml"), settings).unwrap();
    let shown = home.run(&["dns-publish", "example.org", "--dry-run"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(shown.err.contains("could not be checked") && shown.err.contains("SERVFAIL"), "{shown:?}");
    assert!(shown.out.contains("\"v=spf1 mx include:_spf.example.com -all\""), "{shown:?}");
}

/// Proves: a key that the server does not take changes nothing, is named, and is never shown.
#[test]
fn a_wrong_key_is_named_and_changes_nothing() {
    let scene = Scene::new(ZONE);
    let secret = "d3Jvbmcgc2VjcmV0IHdyb25nIHNlY3JldCB3cm9uZyE=";
    scene.key(secret);
    let ran = scene.home.refused(&["dns-publish", "example.org", "--yes"], 69, "BADSIG");
    assert!(!format!("{ran:?}").contains(secret));
    assert_eq!(scene.says("example.org", "MX"), ["5 old.example.com."]);
    fs::set_permissions(scene.file(), fs::Permissions::from_mode(0o644)).unwrap();
    scene.home.refused(&["dns-publish", "example.org", "--yes"], 78, "chmod 0600");
}

/// Proves: a rotation publishes the new key, waits until every name server has it, switches, and keeps the old record
/// while nobody can tell what is in the queue.
#[test]
fn a_key_is_rotated_step_by_step() {
    let scene = Scene::new(ZONE);
    let home = &scene.home;
    home.ok(&["dns-publish", "example.org", "--yes"]);
    let would = home.run(&["dkim", "rotate", "--dry-run"]);
    assert_eq!(scene.stages(), [("old".to_owned(), "active".to_owned())], "{would:?}");
    let rotated = home.run(&["dkim", "rotate", "--selector", "new", "--wait", "30"]);
    assert_eq!(rotated.status, 0, "{rotated:?}\n{}", scene.server.log());
    let stage = |name: &str, stage: &str| (name.to_owned(), stage.to_owned());
    assert_eq!(scene.stages(), [stage("new", "active"), stage("old", "leaving")]);
    let record = home.json(&["dkim", "show"])[0]["record"].as_str().unwrap().to_owned();
    assert_eq!(scene.says("new._domainkey.example.org", "TXT"), [format!("\"{record}\"")]);
    assert!(scene.says("old._domainkey.example.org", "TXT")[0].contains("p=M"));
    // No Postfix runs here, so its queue cannot be seen: the old key stays, and no third one is made.
    let waits = home.run(&["dkim", "rotate", "--hold", "0"]);
    assert_eq!(waits.status, 0);
    assert!(waits.err.contains("queue cannot be seen"), "{}", waits.err);
    assert_eq!(scene.stages(), [stage("new", "active"), stage("old", "leaving")]);
    // A key whose file is gone is not forgotten.
    let file = home.path().join("keys/dkim/example.org/old.private");
    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let lost = home.run(&["dkim", "rotate", "--hold", "0"]);
    assert!(
        lost.status == 0 && lost.err.contains("old stays published") && lost.err.contains("its file is gone"),
        "{lost:?}"
    );
    assert_eq!(scene.stages(), [stage("new", "active")], "and no third one is made");
    fs::write(&file, kept).unwrap();
    // Undo.
    home.ok(&["dkim", "activate", "--selector", "old"]);
    assert_eq!(scene.stages(), [stage("old", "active"), stage("new", "leaving")]);
}

/// Proves: without a key for changes the record is shown; one name server that lacks it is enough to wait, and is
/// named; silence is no yes; a rotation can be given up.
#[test]
fn a_key_signs_only_when_every_name_server_has_it() {
    let stale = Dns::start(&[Zone::new("example.org", "@ NS ns\n@ NS ns2\n")]);
    let zone = format!("@ NS ns2\nns2 A {}\n", stale.at().ip());
    let scene = Scene::new(&zone);
    let home = &scene.home;
    let toml = home.path().join("mailctl.toml");
    let settings = fs::read_to_string(&toml).unwrap();
    let by_hand: String =
        settings.lines().filter(|line| !line.contains("key_file")).map(|line| format!("{line}\n")).collect();
    fs::write(&toml, by_hand).unwrap();
    let begun = home.run(&["dkim", "rotate", "--selector", "new"]);
    assert_eq!(begun.status, 75, "{begun:?}");
    assert!(begun.out.contains("new._domainkey.example.org. IN TXT ( \"v=DKIM1; k=rsa; p="), "{begun:?}");
    let neither = home.run(&["dkim", "rotate"]);
    assert!(neither.err.contains("not yet at ns.example.org, ns2.example.org"), "{neither:?}");

    fs::write(&toml, settings).unwrap();
    let one = home.run(&["dkim", "rotate", "--wait", "3"]);
    assert_eq!(one.status, 75, "{one:?}");
    assert!(one.err.contains("not yet at ns2.example.org"), "{one:?}");
    assert_eq!(scene.stages()[0], ("old".to_owned(), "active".to_owned()));
    stale.fault_everywhere(Some(crate::common::dns::Fault::Refused));
    let silent = home.run(&["dkim", "rotate"]);
    assert_eq!(silent.status, 75, "{silent:?}");
    assert!(silent.err.contains("could not be checked"), "{silent:?}");
    assert_eq!(scene.stages()[0], ("old".to_owned(), "active".to_owned()));
    home.ok(&["dkim", "rotate", "--abort"]);
    assert_eq!(scene.stages()[1], ("new".to_owned(), "idle".to_owned()));
    home.refused(&["dkim", "rotate", "--abort"], 65, "waits to sign");
}

/// Proves: issue 4, only records that are ours are touched: a rotation, which asks nobody, leaves the key that another
/// server has under the same name, and can be given up.
#[test]
fn a_rotation_leaves_the_key_of_another_server() {
    let scene = Scene::new(&format!("{ZONE}new._domainkey TXT \"v=DKIM1; k=rsa; p=b3RoZXI=\"\n"));
    let home = &scene.home;
    home.refused(&["dkim", "rotate", "--selector", "new"], 69, "not ours and stays");
    assert_eq!(scene.says("new._domainkey.example.org", "TXT"), ["\"v=DKIM1; k=rsa; p=b3RoZXI=\""]);
    assert_eq!(scene.stages()[0], ("old".to_owned(), "active".to_owned()));
    home.ok(&["dkim", "rotate", "--abort"]);
    let rotated = home.run(&["dkim", "rotate", "--selector", "free", "--wait", "30"]);
    assert_eq!(rotated.status, 0, "{rotated:?}\n{}", scene.server.log());
}

/// Proves: RFC 1996: publishing and rotating return only when a real secondary has the records.
#[test]
fn a_secondary_has_it_when_the_command_returns() {
    let (primary, secondary) = NameServer::pair((Program::Bind, Program::Knot), "example.org", ZONE);
    let scene = Scene::with(primary);
    let home = &scene.home;
    let there = |name: &str, kind: &str| says(secondary.address(), name, kind);
    let sent = home.run(&["dns-publish", "example.org", "--yes"]);
    assert_eq!((sent.status, there("example.org", "MX").len()), (0, 2), "{sent:?}\n{}", secondary.log());
    assert!(there("old._domainkey.example.org", "TXT")[0].contains("p=M"));
    let rotated = home.run(&["dkim", "rotate", "--selector", "new", "--wait", "30"]);
    let record = there("new._domainkey.example.org", "TXT");
    assert_eq!((rotated.status, record.len()), (0, 1), "{rotated:?}\n{}", secondary.log());
    let stage = |name: &str, stage: &str| (name.to_owned(), stage.to_owned());
    assert_eq!(scene.stages(), [stage("new", "active"), stage("old", "leaving")]);
}

/// Proves: a secondary that is stopped is named, with exit status 75, and the key that every server has goes on to sign.
#[test]
fn a_stopped_secondary_is_named() {
    let (primary, mut secondary) = NameServer::pair((Program::Knot, Program::Bind), "example.org", ZONE);
    let scene = Scene::with(primary);
    secondary.stop();
    let sent =
        scene.home.refused(&["dns-publish", "example.org", "--yes", "--wait", "2"], 75, "ns2.example.org");
    assert!(!sent.err.contains("ns.example.org:"), "only the one that lacks it: {sent:?}");
    assert_eq!(scene.says("example.org", "MX").len(), 2, "the primary has it");
    let rotated = scene.home.run(&["dkim", "rotate", "--selector", "new", "--wait", "2"]);
    assert_eq!(rotated.status, 75, "{rotated:?}");
    assert!(rotated.err.contains("ns2.example.org"), "{rotated:?}");
    assert_eq!(scene.stages()[0], ("old".to_owned(), "active".to_owned()));
}
