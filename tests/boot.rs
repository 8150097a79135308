//! Ring: systemd really booted, on a whole host with an engine of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]
#![allow(clippy::print_stderr, reason = "what was skipped, and what took how long, is for who runs it")]

#[path = "common/mod.rs"]
mod common;

#[path = "boot/host.rs"]
mod host;
#[path = "boot/server.rs"]
mod server;

use common::stack::{Turn, eventually};
use server::Server;
use std::{fs, time::Duration};

/// Proves: S4-22, S2-24, fault 18: up at boot, down when told, mail of before is there; a reboot with broken settings or
/// in the middle of `up` leaves old or new, never neither; a restart of the engine is nobody's affair but the engine's.
#[test]
fn a_host_boots_and_mail_is_there() {
    let turn = Turn::take();
    let Some(server) = Server::prepared(&turn) else { return };
    let host = &server.host;
    server.ok(&["up"]);
    server.send("before");
    server.is_there("before");

    assert_eq!(server.mailctl(&["boot", "status"]).0, 1, "nothing is enabled yet");
    server.ok(&["boot", "enable"]);
    assert!(server.ok(&["boot", "enable"]).contains("nothing to do"));
    host.ok(&["systemd-analyze", "verify", "--man=no", "mailctl.service", "mailctl-maintain.timer"]);
    for unit in ["mailctl.service", "mailctl-maintain.service"] {
        host.ok(&["systemd-analyze", "security", "--threshold=40", unit]);
    }
    // The hardened unit can do its work.
    host.ok(&["systemctl", "start", "mailctl-maintain.service"]);
    let before = server.containers();
    assert_eq!(before.len(), 4);

    host.reboot();
    server.well("after a reboot");
    assert_eq!(server.containers(), before, "the engine brought back what ran, with its logs");
    server.is_there("before");
    server.send("after");
    let status = server.json(&["boot", "status"]);
    assert_eq!(server.mailctl(&["boot", "status"]).0, 0, "{status}");
    for (value, wanted) in
        [(&status["installed"], true), (&status["current"], true), (&status["enabled"], true)]
    {
        assert_eq!(*value, wanted, "{status}");
    }
    assert_eq!(
        (&status["service"]["active"], &status["timer"]["active"]),
        (&"active".into(), &"active".into())
    );
    assert!(status["next"].as_i64().is_some_and(|next| next > 1_700_000_000), "{status}");

    // A typo, and then a reboot: what ran before goes on, and systemd says what is wrong.
    server.settings("s/^HOSTNAME=/HOSTNAEM=/");
    host.reboot();
    server.send("typo");
    eventually(120, "systemd has tried", || {
        (server.unit("NRestarts", "mailctl.service") != "0").then_some(())
    });
    assert_eq!(server.mailctl(&["boot", "status"]).0, 1);
    assert!(host.ok(&["journalctl", "-b", "-u", "mailctl", "--no-pager"]).contains("HOSTNAEM"));
    server.settings("s/^HOSTNAEM=/HOSTNAME=/");
    host.ok(&["systemctl", "restart", "mailctl.service"]);
    server.well("with good settings again");

    power_cuts(&server);
    server.is_there("after");
    server.is_there("typo");

    // Debian's unit may start three times a minute, and here it has just booted.
    let restart = || host.ok(&["sh", "-ec", "systemctl reset-failed docker && systemctl restart docker"]);
    restart();
    server.well("after a restart of the engine");
    assert_eq!(server.unit("ActiveState", "mailctl.service"), "active");
    host.ok(&["systemctl", "stop", "mailctl.service"]);
    assert_eq!(server.containers().len(), 0, "stopped is stopped");
    restart();
    assert_eq!(server.containers().len(), 0, "also when the engine starts again");
    host.ok(&["systemctl", "start", "mailctl.service"]);
    server.well("started again");

    server.ok(&["boot", "disable"]);
    assert!(server.ok(&["boot", "disable"]).contains("nothing to do"));
    let left = host.ok(&["systemctl", "list-units", "--all", "--plain", "--no-legend", "mailctl*.timer"]);
    assert_eq!(left.trim(), "", "{left}");
    let left =
        host.run(&["sh", "-c", "ls /etc/systemd/system/mailctl* /etc/systemd/system/*.wants/mailctl*"]).1;
    assert!(!left.contains("system/mailctl") || left.contains("No such file"), "{left}");
    server.well("after boot disable");
    server.is_there("before");
}

/// The power goes in the middle of a change of everything: new containers, new configuration. Whatever the engine makes of
/// it, the next boot brings the new state, and nobody has to do anything.
fn power_cuts(server: &Server) {
    let host = &server.host;
    let change = |number: u32| change(server, number);
    let changed = |number: u32| {
        server.well("after a power cut");
        let is = server.ok(&["exec", "postfix", "postconf", "-h", "delay_warning_time"]);
        assert!(is.contains(&format!("{number}s")), "{is}");
    };
    change(1);
    host.begin(&["mailctl", "up"]);
    std::thread::sleep(Duration::from_millis(900));
    host.cut();
    changed(1);
    // `up` finds out what the engine holds, and heals it.
    let healed = (2..10).any(|number| {
        cut_while_publishing(server, number);
        changed(number);
        host.ok(&["journalctl", "-b", "-u", "mailctl", "--no-pager"]).contains(LEFTOVER)
    });
    assert!(healed, "no cut left the engine with a port of a container that is gone");
}

/// How it is told.
const LEFTOVER: &str = "[engine.leftover]";

/// Settings that make every container and Postfix's configuration anew.
fn change(server: &Server, number: u32) {
    let memory = 600 + number;
    let table =
        format!("[limits]\nmemory = \"{memory}M\"\n[postfix.main]\ndelay_warning_time = \"{number}s\"\n");
    fs::write(server.host.file("/var/lib/mailctl/mailctl.toml"), table).unwrap();
}

/// A power cut in the moment in which a port is published: the engine keeps it then for a container that it forgets. Most
/// cuts there do that, not every one.
fn cut_while_publishing(server: &Server, number: u32) {
    let host = &server.host;
    change(server, number);
    let before = host.proxies(443);
    host.begin(&["mailctl", "up"]);
    eventually(120, "port 443 is published anew", || {
        host.proxies(443).iter().any(|proxy| !before.contains(proxy)).then_some(())
    });
    host.cut();
}

/// Where others run on the engine it is theirs too: it is not restarted, and the error names whom that would interrupt and
/// the command.
fn others_are_not_interrupted(server: &Server) {
    let told = || server.host.ok(&["journalctl", "-b", "-u", "mailctl", "--no-pager", "-o", "cat"]);
    let held = (2..10).any(|number| {
        cut_while_publishing(server, number);
        eventually(240, "the unit has tried", || {
            let ended =
                server.unit("ActiveState", "mailctl.service") == "active" || told().contains(LEFTOVER);
            ended.then(told)
        })
        .contains(LEFTOVER)
    });
    assert!(held, "no cut left the engine with a port of a container that is gone");
    let engine = server.unit("MainPID", "docker.service");
    // The second time nothing of ours is there any more: it is found before anything is made.
    for found in ["when it is started", "before it is made"] {
        let (status, told) = server.mailctl(&["up"]);
        assert_eq!(status, 69, "{found}: {told}");
        for word in [LEFTOVER, "two-postfix", "systemctl restart docker"] {
            assert!(told.contains(word), "{found}: {word}: {told}");
        }
        server.ok(&["down"]);
    }
    assert_eq!(server.unit("MainPID", "docker.service"), engine, "it was not restarted");
    server.host.ok(&["sh", "-ec", "systemctl reset-failed docker && systemctl restart docker"]);
    server.ok(&["up"]);
    server.well("after what the error told");
}

/// Proves: fault 30, S1-27: a backup of one host, restored on another: mail is there, the old password opens it, and the
/// other host boots with it. Two stacks on one host come up at boot each by units of its own; `make uninstall` leaves the
/// data and nothing else.
#[test]
fn a_second_host_goes_on_with_the_backup_of_the_first() {
    let turn = Turn::take();
    let Some(first) = Server::prepared(&turn) else { return };
    first.ok(&["up"]);
    first.send("moved");
    first.is_there("moved");
    first.ok(&["backup", "/root/mail.backup", "--mail"]);
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("mail.backup");
    fs::copy(first.host.file("/root/mail.backup"), &backup).unwrap();
    let password = first.password.clone();
    // Two that take mail for one domain are what the manual warns of.
    drop(first);

    let Some(mut second) = Server::installed(&turn) else { return };
    second.password = password;
    fs::copy(&backup, second.host.file("/root/mail.backup")).unwrap();
    second.ok(&["restore", "/root/mail.backup"]);
    second.ok(&["up"]);
    second.is_there("moved");
    second.ok(&["boot", "enable"]);

    let other = |words: &[&str]| second.ok(&[&["--project", "two", "--home", "/srv/two"], words].concat());
    let names = ["--domain", "two.test", "--hostname", "mail.two.test", "--admin", "bob@two.test"];
    other(&[&["init", "--yes", "--quiet", "--set", "UPDATE_CHECK=false"], &names[..]].concat());
    let free = "[ports]\nsmtp = 2525\nsubmissions = 0\nsubmission = 0\nimap = 0\nimaps = 0\npop3 = 0\npop3s = 0\n\
                managesieve = 0\nhttp = 0\nhttps = 0\n";
    let before = second.containers();
    let (status, told) = second.mailctl(&["--project", "two", "--home", "/srv/two", "up"]);
    assert!(status == 69 && told.contains("[port.taken]") && told.contains("docker ps"), "{told}");
    assert_eq!(second.containers(), before, "who has a port keeps it");
    fs::write(second.host.file("/srv/two/mailctl.toml"), free).unwrap();
    other(&["up"]);
    other(&["boot", "enable"]);

    second.host.reboot();
    second.well("on the second host, after a reboot,");
    second.is_there("moved");
    second.send("second");
    second.is_there("second");
    eventually(240, "the other stack's unit is active", || {
        (second.unit("ActiveState", "mailctl@two.service") == "active").then_some(())
    });
    other(&["health"]);
    assert_eq!(second.containers().len(), 8);
    others_are_not_interrupted(&second);
    second.is_there("second");
    other(&["boot", "disable"]);
    other(&["down"]);

    second.ok(&["down"]);
    second.uninstall();
    let find = "find / -xdev -name '*mailctl*' -not -path '/proc/*' -not -path '/var/lib/docker/*'";
    let found = second.host.ok(&["sh", "-c", find]);
    // The homes, and what systemd itself keeps of units that ran.
    let kept =
        ["/var/lib/mailctl", "/srv/two", "/var/lib/systemd/timers/stamp-", "/var/tmp/systemd-private-"];
    let left: Vec<&str> =
        found.lines().filter(|path| !kept.iter().any(|kept| path.starts_with(kept))).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(second.host.file("/var/lib/mailctl/mail").is_dir(), "mail stays");
}
