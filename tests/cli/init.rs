//! `mailctl init` in a home of the test's own: no network, a cleared environment.

use assert_cmd::Command;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

const FLAGS: [&str; 8] = [
    "init",
    "--yes",
    "--domain",
    "example.test",
    "--hostname",
    "mail.example.test",
    "--admin",
    "ann@example.test",
];

fn mailctl(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
    command.env_clear().env("DOCKER_HOST", "unix:///nonexistent/docker.sock").arg("--home").arg(home);
    command
}

/// Status, stdout, stderr.
fn run(home: &Path, words: &[&str]) -> (i32, String, String) {
    let output = mailctl(home).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Every path below `home` with mode, owner and content. SQLite's shared memory holds no data.
fn tree(home: &Path) -> BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut rest = vec![home.to_owned()];
    while let Some(path) = rest.pop() {
        let data = fs::symlink_metadata(&path).unwrap();
        let content = if data.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        if data.is_dir() {
            rest.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        if !path.to_string_lossy().ends_with("-shm") {
            found.insert(path, (data.mode(), data.uid(), data.gid(), content));
        }
    }
    found
}

/// Proves: S4-1, S4-2, S4-8 and S1-9 (keys and certificate on the first run, kept afterwards), S4-9 (all state in
/// one folder), S4-16 (a generated password, printed once), S4-26 (the administrator's mailbox).
#[test]
fn one_command_makes_a_home_and_the_second_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("deep/home");
    let (status, password, told) = run(&home, &FLAGS);
    assert_eq!(status, 0, "{told}");
    assert!(
        password.trim().len() >= 26 && password.lines().count() == 1,
        "stdout is the password alone: {password:?}"
    );
    assert!(
        [" up ", "dns-records", "dns-check", "user add"].iter().all(|word| told.contains(word)),
        "{told}"
    );
    assert!(!told.contains(password.trim()) && !told.contains("warning"), "{told}");
    let settings = fs::read_to_string(home.join("settings.env")).unwrap();
    assert!(settings.contains("\nDOMAIN=example.test\n") && settings.contains("\n#TZ=UTC\n"), "{settings}");

    let mode = |name: &str| fs::metadata(home.join(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("."), mode("settings.env"), mode("state")), (0o755, 0o600, 0o700));
    assert_eq!((mode("keys"), mode("state/db"), mode("tls")), (0o750, 0o750, 0o750));

    let keys: Vec<_> =
        fs::read_dir(home.join("keys/dkim/example.test")).unwrap().map(|e| e.unwrap().path()).collect();
    let private = keys.iter().find(|path| path.extension().is_some_and(|end| end == "private")).unwrap();
    assert_eq!(fs::metadata(private).unwrap().mode() & 0o7777, 0o640);
    assert!(
        private.file_stem().unwrap().to_string_lossy().starts_with("m20"),
        "{private:?} is not a dated selector"
    );
    assert_eq!(mode("tls/live/host.pem"), 0o640);
    let (_, list, _) = run(&home, &["user", "list", "--no-size"]);
    assert_eq!(list.trim(), "ann@example.test");
    let before = tree(&home);
    for words in [&FLAGS[..], &["init"], &["init", "--dry-run"]] {
        let (status, out, told) = run(&home, words);
        assert!(status == 0 && out.is_empty() && told.contains("nothing to do"), "{out}{told}");
    }
    assert!(tree(&home) == before, "running it again changed something");
    let all: Vec<u8> = before.values().flat_map(|(.., content)| content.clone()).collect();
    assert!(!String::from_utf8_lossy(&all).contains(password.trim()), "the password is on the disk");
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let (status, out, _) = run(&home, &[&FLAGS[..], &["--dry-run"]].concat());
    assert!(
        status == 0 && out.contains("would create the mailbox ann@example.test") && !home.exists(),
        "{out}"
    );
}

/// Proves: issue "init": every question has a flag, and nobody is asked where nobody can answer.
#[test]
fn missing_flags_are_named_off_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let (status, _, told) = run(&home, &["init"]);
    assert!(status == 64 && told.contains("--domain, --hostname, --admin"), "{told}");
    let (status, _, told) = run(&home, &["init", "--domain", "example.test", "--admin", "a@example.test"]);
    assert!(status == 64 && told.contains("init needs --hostname\n"), "{told}");
    assert!(!home.exists());
    // --yes takes what would have been proposed.
    let (status, _, told) = run(&home, &["init", "--yes", "--domain", "example.test"]);
    assert_eq!(status, 0, "{told}");
    let settings = fs::read_to_string(home.join("settings.env")).unwrap();
    assert!(
        settings.contains("HOSTNAME=mail.example.test\n")
            && settings.contains("ADMIN_EMAIL=admin@example.test\n")
    );
}

/// Proves: issue "bad input": one clear line, exit status 64 or 78, nothing written; S4-3.
#[test]
fn bad_input_is_refused_with_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let refused = |domain: &str, host: &str, admin: &str, more: &[&str]| {
        let words = ["init", "--yes", "--domain", domain, "--hostname", host, "--admin", admin];
        let (status, out, told) = run(&home, &[&words[..], more].concat());
        assert!(
            matches!(status, 64 | 78) && out.is_empty(),
            "{domain} {host} {admin} {more:?}: {status} {told}"
        );
        assert!(!home.exists(), "something was written");
        told
    };
    let good = ("example.test", "mail.example.test", "ann@example.test");
    assert!(refused(good.0, good.0, good.2, &[]).contains("--hostname mail.example.test"));
    assert!(
        refused(good.0, "mx.example.test", good.2, &["--additional-domains", "x.test,mx.example.test"])
            .contains("both")
    );
    refused(good.0, good.1, "ann@mail.example.test", &[]);
    assert!(refused(good.0, good.1, "ann", &[]).contains("user@example.org"));
    for bad in
        ["", "x", "exa mple.test", "../etc", "a\nb.test", "$(id).test", "-x.test", "{{x}}.test", "192.0.2.1"]
    {
        if !bad.is_empty() {
            refused(bad, good.1, good.2, &[]);
        }
        refused(good.0, good.1, &format!("ann@{bad}"), &[]);
    }
    refused(good.0, good.1, good.2, &["--set", "TZ=Nowhere/Land"]);
    refused(good.0, good.1, good.2, &["--set", "MESSAGE_SIZE_LIMIT=26GIGOTS"]);
    assert!(refused(good.0, good.1, good.2, &["--set", "RELAY_HSOT=x"]).contains("RELAY_HOST"));
    refused(good.0, good.1, good.2, &["--set", "TZ=UTC\nDOMAIN=evil.test"]);
}

/// A container or unit may have the answers in its environment.
#[test]
fn the_environment_answers_too() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let init = |words: &[&str]| {
        let mut command = mailctl(&home);
        command
            .env("MAILCTL_DOMAIN", "example.test")
            .env("MAILCTL_ADMIN_EMAIL", "ann@example.test")
            .args(words);
        command.output().unwrap()
    };
    let clash = init(&["init", "--yes", "--domain", "other.test"]);
    let told = String::from_utf8_lossy(&clash.stderr).into_owned();
    assert!(
        clash.status.code() == Some(64) && told.contains("unset MAILCTL_DOMAIN") && !home.exists(),
        "{told}"
    );
    assert!(init(&["init", "--hostname", "mail.example.test"]).status.success());
    assert!(fs::read_to_string(home.join("settings.env")).unwrap().contains("\nDOMAIN=example.test\n"));
}

/// `init` writes settings once; afterwards they are the operator's.
#[test]
fn existing_settings_are_never_edited() {
    let folder = tempfile::tempdir().unwrap();
    let text = "# mine\nDOMAIN=example.test\nHOSTNAME=mx.example.test\nADMIN_EMAIL=postmaster@example.test\n";
    fs::write(folder.path().join("settings.env"), text).unwrap();
    fs::write(folder.path().join("mailctl.toml"), "[ports]\nsmtp = 0\n").unwrap();
    let (status, _, told) = run(folder.path(), &FLAGS);
    assert!(status == 64 && told.contains("--hostname") && told.contains("mx.example.test"), "{told}");
    let (status, password, told) = run(folder.path(), &["init"]);
    assert!(status == 0 && !password.is_empty(), "{told}");
    assert_eq!(fs::read_to_string(folder.path().join("settings.env")).unwrap(), text);
    assert_eq!(fs::read_to_string(folder.path().join("mailctl.toml")).unwrap(), "[ports]\nsmtp = 0\n");
}

/// Proves: S4-26 (an initial password of one's own), threat 14 (known defaults are refused).
#[test]
fn the_password_can_come_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let with = |password: &'static str| {
        mailctl(&home).args(FLAGS).arg("--admin-password-stdin").write_stdin(password).output().unwrap()
    };
    let weak = with("adminpass123\n");
    assert!(
        !weak.status.success() && !home.join("settings.env").exists(),
        "{}",
        String::from_utf8_lossy(&weak.stderr)
    );
    let good = with("correct horse battery\n");
    assert!(good.status.success() && good.stdout.is_empty(), "{}", String::from_utf8_lossy(&good.stderr));
}

/// Proves: S4-15: a secret on the command line is taken with a warning that does not repeat it.
#[test]
fn a_secret_as_an_argument_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let relay = ["--set", "RELAY_HOST=[relay.example.net]:587", "--set", "RELAY_USER=u"];
    let secret = ["--set", "RELAY_PASSWORD=C4N4RY-on-the-line", "--dry-run"];
    let (status, out, told) = run(&folder.path().join("home"), &[&FLAGS[..], &relay, &secret].concat());
    assert_eq!(status, 0, "{told}");
    assert!(told.contains("warning: ") && told.contains("RELAY_PASSWORD_FILE"), "{told}");
    assert!(!told.contains("C4N4RY") && !out.contains("C4N4RY"), "{told}{out}");
}

/// Killed at any moment: the next run completes it, and somebody has seen a password that works.
#[test]
fn interrupted_anywhere_the_next_run_converges() {
    let mut stopped = 0;
    for delay in (0..240).step_by(20) {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mailctl"))
            .env_clear()
            .arg("--home")
            .arg(&home)
            .args(FLAGS)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        let first = child.wait_with_output().unwrap();
        stopped += usize::from(!first.status.success());
        let (status, second, told) = run(&home, &FLAGS);
        assert_eq!(status, 0, "after {delay} ms: {told}");
        assert!(
            !first.stdout.is_empty() || !second.is_empty(),
            "after {delay} ms: no password was ever shown"
        );
        let before = tree(&home);
        let (status, third, told) = run(&home, &FLAGS);
        assert!(
            status == 0 && third.is_empty() && told.contains("nothing to do"),
            "after {delay} ms: {told}"
        );
        assert!(tree(&home) == before, "after {delay} ms");
        let leftovers: Vec<_> =
            before.keys().filter(|path| path.to_string_lossy().contains("owed")).collect();
        assert!(leftovers.is_empty(), "{leftovers:?}");
    }
    assert!(stopped > 0, "nothing was interrupted");
}

/// A person at a terminal: questions with proposals, a wrong answer is asked again.
#[test]
fn a_person_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let program = format!("{} --home {} init", env!("CARGO_BIN_EXE_mailctl"), home.display());
    let output = Command::new("script")
        .args(["-qec", &program, "/dev/null"])
        .write_stdin("example.test\r\rnot an address\r\rexample.net.test\rperhaps\ryes\r")
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("[mail.example.test]") && said.contains("has no domain part"), "{said}");
    let settings = fs::read_to_string(home.join("settings.env")).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert!(settings.contains("ADMIN_EMAIL=admin@example.test\n"), "{settings}");
    assert!(settings.contains("ADDITIONAL_DOMAINS=example.net.test\n"), "{settings}");
    assert!(said.contains("agree to its terms") && said.contains("neither true nor false"), "{said}");
    assert!(settings.contains("\nCERTIFICATES=acme\n"), "{settings}");
}

/// Proves: issue 5: `init` knows ACME by flag; without a word the certificate stays self-signed and the way on is told;
/// flags that contradict, or what the settings say already, are refused with nothing written.
#[test]
fn an_authority_is_asked_only_where_that_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let home = |name: &str| folder.path().join(name);
    let settings = |name: &str| fs::read_to_string(home(name).join("settings.env")).unwrap();
    let (status, _, told) = run(&home("plain"), &FLAGS);
    assert!(
        status == 0 && settings("plain").contains("\n#CERTIFICATES=self-signed\n"),
        "{}",
        settings("plain")
    );
    assert!(told.contains("write CERTIFICATES=acme into ") && told.contains("cert import"), "{told}");
    let with = |name: &str, more: &[&str]| run(&home(name), &[&FLAGS, more].concat());
    let (status, _, told) = with("acme", &["--acme", "--acme-email", "ca@example.net"]);
    assert_eq!(status, 0, "{told}");
    assert!(!told.contains("do not believe"), "{told}");
    assert!(
        settings("acme").contains("\nCERTIFICATES=acme\n")
            && settings("acme").contains("\nACME_EMAIL=ca@example.net\n"),
        "{}",
        settings("acme")
    );
    assert_eq!(with("acme", &["--acme"]).0, 0, "the same once more");
    let (status, _, told) = with("plain", &["--acme"]);
    assert!(status == 64 && told.contains("--acme is not what"), "{told}");
    for more in [&["--acme-email", "ca@example.net"][..], &["--acme", "--set", "CERTIFICATES=self-signed"]] {
        assert_eq!(with("none", more).0, 64, "{more:?}");
    }
    assert!(!home("none").exists());
}

/// Proves: issue "init": names that do not resolve only warn with --yes.
#[test]
fn names_that_do_not_resolve_only_warn() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let words = [
        "init",
        "--yes",
        "--domain",
        "example.org",
        "--hostname",
        "mail.example.org",
        "--admin",
        "ann@example.org",
    ];
    let began = std::time::Instant::now();
    let (status, _, told) = run(&home, &words);
    assert!(status == 0 && told.contains("warning: ") && told.contains("mail.example.org"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(10), "the deadline is 2 s");
}
