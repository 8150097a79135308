//! `mailctl config` on a home of the test's own: no network, no engine, a cleared environment.

use assert_cmd::Command;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const GOOD: &str = "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=admin@example.org\n";

/// The program on `home`, with nothing in the environment and no engine to be found.
fn mailctl(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
    command.env_clear().env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    command.arg("--home").arg(home);
    command
}

fn home(settings_env: &str, mailctl_toml: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "settings.env", settings_env, 0o600);
    write(home.path(), "mailctl.toml", mailctl_toml, 0o644);
    home
}

fn write(home: &Path, name: &str, text: &str, mode: u32) {
    fs::write(home.join(name), text).unwrap();
    fs::set_permissions(home.join(name), fs::Permissions::from_mode(mode)).unwrap();
}

/// Exit status and stderr of `words`.
fn fails(home: &Path, words: &[&str]) -> (i32, String) {
    let output = mailctl(home).args(words).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Proves: S4-2 (settings.env), and that every value tells where it comes from.
#[test]
fn every_value_is_shown_with_its_origin() {
    let home = home(
        &format!("{GOOD}ENABLE_POP3=false\n"),
        "[ports]\nsmtp = 2525\n[postfix.main]\nmaximal_queue_lifetime = \"2d\"\n",
    );
    let output = mailctl(home.path())
        .env("MAILCTL_TZ", "Europe/Berlin")
        .args(["config", "show", "--json"])
        .assert()
        .success();
    let list: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let of = |key: &str| {
        let entry = list.as_array().unwrap().iter().find(|entry| entry["key"] == key).unwrap();
        (entry["value"].as_str().unwrap().to_owned(), entry["origin"].as_str().unwrap().to_owned())
    };
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(of("DOMAIN"), pair("example.org", "settings.env:1"));
    assert_eq!(of("ENABLE_POP3"), pair("false", "settings.env:4"));
    assert_eq!(of("ENABLE_IMAP"), pair("true", "default"));
    assert_eq!(of("TZ"), pair("Europe/Berlin", "environment MAILCTL_TZ"));
    assert_eq!(of("ports.smtp"), pair("2525", "mailctl.toml:2"));
    assert_eq!(of("postfix.main.maximal_queue_lifetime"), pair("2d", "mailctl.toml:4"));
    let one = mailctl(home.path()).args(["config", "show", "--set", "ports"]).assert().success();
    assert_eq!(String::from_utf8_lossy(&one.get_output().stdout), "ports.smtp  2525  mailctl.toml:2\n");
    let (status, told) = fails(home.path(), &["config", "show", "DOMIAN"]);
    assert!(status == 64 && told.contains("config show DOMAIN"), "{told}");
}

/// Proves: S4-24 and S4-7: everything can come from the environment, as from an env file that somebody hands to a
/// container by hand: no settings.env, ports of one's own. That the image runs by hand is proved in the mail ring.
#[test]
fn an_env_file_alone_is_enough() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("state")).unwrap();
    let mut command = mailctl(home.path());
    // An engine's env file has no quotes and no comments after a value; neither has ours (S4-2).
    for line in GOOD.lines().chain(["PORTS_SMTP=2525", "PORTS_IMAPS=0", "RELAY_PASSWORD=a #b"]) {
        let (key, value) = line.split_once('=').unwrap();
        command.env(format!("MAILCTL_{key}"), value);
    }
    command.env("MAILCTL_RELAY_HOST", "[smtp.example.net]:587").env("MAILCTL_RELAY_USER", "u");
    let output = command.args(["config", "show", "--set", "--json"]).assert().success();
    let list: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let shown: Vec<(&str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["key"].as_str().unwrap(), entry["value"].as_str().unwrap()))
        .collect();
    for wanted in [("DOMAIN", "example.org"), ("ports.smtp", "2525"), ("ports.imaps", "0")] {
        assert!(shown.contains(&wanted), "{wanted:?} is not in {shown:?}");
    }
    assert!(shown.contains(&("RELAY_PASSWORD", "(hidden)")), "{shown:?}");
}

/// Proves: threat 15 (no secret in any output), S2-12.
#[test]
fn secrets_are_never_shown() {
    let canary = "C4N4RY-s3cret";
    let text = format!("{GOOD}RELAY_HOST=[smtp.example.net]:587\nRELAY_USER=u\nRELAY_PASSWORD={canary}\n");
    let home = home(&text, "");
    for words in [
        &["config", "show"][..],
        &["config", "show", "--json"],
        &["config", "check"],
        &["config", "check", "--json"],
    ] {
        let output = mailctl(home.path()).args(words).assert().success();
        let (out, err) = (&output.get_output().stdout, &output.get_output().stderr);
        let all = format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err));
        assert!(!all.contains(canary), "{words:?} shows it");
    }
    let shown = mailctl(home.path()).args(["config", "show", "RELAY_PASSWORD"]).assert().success();
    assert!(String::from_utf8_lossy(&shown.get_output().stdout).contains("(hidden)"));
    // A broken line beside it must not bring it out either.
    write(home.path(), "settings.env", &format!("{text}{canary}\nRELAY_USER=x\n"), 0o600);
    let (status, told) = fails(home.path(), &["config", "check"]);
    assert!(status == 78 && !told.contains(canary), "{told}");
}

/// Proves: threat 16 (a file with a secret that others can read is refused).
#[test]
fn a_readable_secret_is_refused() {
    let home = home(&format!("{GOOD}RELAY_HOST=a.example.net\nRELAY_USER=u\nRELAY_PASSWORD=p\n"), "");
    write(home.path(), "settings.env", &fs::read_to_string(home.path().join("settings.env")).unwrap(), 0o644);
    let (status, told) = fails(home.path(), &["config", "check"]);
    assert!(status == 78 && told.contains("settings.exposed") && told.contains("chmod 0600"), "{told}");
    let secret = home.path().join("relay-password");
    write(home.path(), "relay-password", "p\n", 0o644);
    let text =
        format!("{GOOD}RELAY_HOST=a.example.net\nRELAY_USER=u\nRELAY_PASSWORD_FILE={}\n", secret.display());
    write(home.path(), "settings.env", &text, 0o644);
    let (status, told) = fails(home.path(), &["config", "check"]);
    assert!(status == 78 && told.contains("settings.env:6") && told.contains("chmod 0600"), "{told}");
    write(home.path(), "relay-password", "p\n", 0o600);
    mailctl(home.path()).args(["config", "check"]).assert().success();
    fs::remove_file(&secret).unwrap();
    let (status, told) = fails(home.path(), &["config", "check"]);
    assert!(status == 78 && told.contains("No such file"), "{told}");
}

/// Proves: issue "bad input": the file, the line, did you mean; exit status 78; every fault at once.
#[test]
fn faults_name_file_line_and_what_was_meant() {
    let home = home(
        "DOMIAN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=admin@example.org\nTZ=Nowhere/Land\n",
        "[ports]\nstmp = 25\n",
    );
    let before = tree(home.path());
    let (status, told) = fails(home.path(), &["config", "check"]);
    assert_eq!(status, 78);
    for wanted in [
        "settings.env:1: ",
        "did you mean DOMAIN?",
        "settings.env:4: TZ",
        "mailctl.toml:2: ",
        "did you mean ports.smtp?",
        "DOMAIN is missing",
    ] {
        assert!(told.contains(wanted), "{wanted} is not in {told}");
    }
    assert_eq!(tree(home.path()), before, "nothing is written");
    write(home.path(), "settings.env", "DOMAIN=\u{fffd}\n", 0o600);
    fs::write(home.path().join("settings.env"), b"DOMAIN=example.org\n\xff\xfe\n").unwrap();
    let (status, told) = fails(home.path(), &["config", "check"]);
    assert!(status == 78 && told.contains("line 2"), "{told}");
}

/// Proves: S4-3, and the trap "do not list domain in BOTH".
#[test]
fn a_domain_that_is_the_host_name_is_refused_with_the_remedy() {
    let home = home("DOMAIN=example.org\nHOSTNAME=example.org\nADMIN_EMAIL=admin@example.org\n", "");
    let (status, told) = fails(home.path(), &["config", "check"]);
    assert!(status == 78 && told.contains("HOSTNAME=mail.example.org"), "{told}");
}

#[test]
fn a_home_without_settings_says_how_to_make_them() {
    let home = tempfile::tempdir().unwrap();
    let (status, told) = fails(home.path(), &["config", "show"]);
    assert!(status == 78 && told.contains("settings.missing") && told.contains(" init"), "{told}");
}

/// Proves: issue "config diff": what `up` would change, secrets left out; S1-23 (validated before start).
#[test]
fn differences_and_faults_of_the_rendered_files_are_told() {
    let home = home(
        &format!("{GOOD}RELAY_HOST=[smtp.example.net]:587\nRELAY_USER=u\nRELAY_PASSWORD=C4N4RY-s3cret\n"),
        "",
    );
    mailctl(home.path()).args(["init", "--yes"]).assert().success();
    let output = mailctl(home.path()).args(["config", "diff"]).assert().success();
    let told = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        told.contains("+++ wanted/postfix/main.cf") && told.contains("+myhostname = mail.example.org"),
        "{told}"
    );
    assert!(!told.contains("C4N4RY"), "a secret is in it");
    let output = mailctl(home.path()).args(["config", "diff", "--json"]).assert().success();
    let list: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .any(|change| change["path"] == "postfix/main.cf" && change["what"] == "added")
    );
    // A template of the operator's that cannot be rendered is found before anything runs with it.
    fs::create_dir_all(home.path().join("templates/postfix")).unwrap();
    write(home.path(), "templates/postfix/main.cf", "a = {{ nonsense.of_it }}\n", 0o644);
    let (status, told) = fails(home.path(), &["config", "check"]);
    assert!(status == 78 && told.contains("templates/postfix/main.cf"), "{told}");
}

fn tree(home: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(home)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}
