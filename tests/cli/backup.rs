//! `mailctl backup` and `mailctl restore` in homes of the test's own: no engine.

use crate::common::home::{Home, Ran, ran};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

/// A home with something of everything.
fn furnished() -> Home {
    let home = Home::new();
    home.ok(&["init"]);
    home.ok(&["user", "add", "ann@example.org", "--quota", "2G"]);
    home.ok(&["domain", "add", "example.net"]);
    home.ok(&["alias", "add", "info@example.net", "ann@example.org"]);
    let at = |path: &str| home.path().join(path);
    fs::create_dir_all(at("templates/postfix")).unwrap();
    fs::write(at("templates/postfix/transport"), "# mine\n").unwrap();
    fs::create_dir(at("secrets")).unwrap();
    fs::write(at("secrets/relay"), "relay-password\n").unwrap();
    fs::set_permissions(at("secrets/relay"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir_all(at("tls/sets/0001")).unwrap();
    symlink("sets/0001", at("tls/also")).unwrap();
    for (path, text) in [
        ("cur/1700000000.M1P1.host,S=5,W=6:2,FS", "one\n"),
        ("new/1700000001.M2P1.host,S=5,W=6", "two\n"),
        (".Sent/cur/1700000002.M3P1.host,S=5,W=6:2,Sa", "three\n"),
        ("dovecot-uidlist", "3 V1 N3\n1 :1700000000.M1P1.host\n2 :17000"),
        ("dovecot-keywords", "0 $Label\n"),
        ("dovecot.index.log", "index"),
        ("tmp/1700000003.half", "ha"),
    ] {
        let path = at("mail/example.org/ann/Maildir").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let received = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        fs::File::open(&path).unwrap().set_modified(received).unwrap();
    }
    fs::create_dir_all(at("mail/example.org/ann/Maildir/.Empty/cur")).unwrap();
    fs::create_dir_all(at("spool/deferred/A")).unwrap();
    fs::write(at("spool/deferred/A/A1"), "queued").unwrap();
    home
}

/// Every path below `root` with mode, owner and content, but for what is never in a backup.
fn tree(root: &Path) -> BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)> {
    let never =
        ["rendered", "run", "spool", "acme/challenges", "state/lock", "state/loaded", "state/db", ".restore"];
    let mut found = BTreeMap::new();
    let mut rest = vec![root.to_owned()];
    while let Some(folder) = rest.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(root).unwrap().to_owned();
            if never.iter().any(|never| name.starts_with(never)) {
                continue;
            }
            let meta = fs::symlink_metadata(&path).unwrap();
            let content = if meta.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if meta.is_dir() {
                rest.push(path);
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.insert(name, (meta.mode(), meta.uid(), meta.gid(), content));
        }
    }
    found
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Proves: S0-39 and S1-27 (backup and restore: full, list, dry-run, manifest), S4-9, fault 30 as far as files go.
#[test]
fn a_home_comes_back_as_it_was() {
    let home = furnished();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.tar");
    let told = home.json(&["backup", text(&file), "--mail"]);
    assert_eq!((&told["messages"], &told["removed_meanwhile"]), (&3.into(), &0.into()), "{told}");
    assert_eq!(told["left_out"], serde_json::json!([]), "{told}");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
    home.refused(&["backup", text(&file)], 65, "name.exists");

    // Any tar can read it; neither queue, lock, indexes nor half a message are in it.
    let listed = Command::new("tar").arg("tf").arg(&file).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for never in ["spool", "state/lock", "dovecot.index", "half", "-wal"] {
        assert!(!listed.contains(never), "{never}: {listed}");
    }
    let list = home.ok(&["restore", text(&file), "--list"]);
    assert!(list.contains("ann@example.org") && list.contains("3 messages in 2 folders"), "{list}");

    let other = folder.path().join("deep/home");
    let restored = ran(&other, &["restore", text(&file)]);
    assert_eq!(restored.status, 0, "{restored:?}");
    assert!(restored.err.contains("mailctl") && restored.err.contains(" up"), "{restored:?}");
    let (mut wanted, found) = (tree(home.path()), tree(&other));
    let mail = Path::new("mail/example.org/ann/Maildir");
    for left_out in ["dovecot.index.log", "tmp/1700000003.half"] {
        wanted.remove(&mail.join(left_out));
    }
    // The line that was being written is not there.
    let list = wanted.get_mut(&mail.join("dovecot-uidlist")).unwrap();
    list.3 = b"3 V1 N3\n1 :1700000000.M1P1.host\n".to_vec();
    let differing: Vec<_> =
        wanted.iter().filter(|(path, was)| found.get(*path) != Some(was)).map(|(path, _)| path).collect();
    assert!(differing.is_empty() && wanted.len() == found.len(), "{differing:?}\n{:?}", found.keys());
    let received = fs::metadata(other.join(mail).join("cur/1700000000.M1P1.host,S=5,W=6:2,FS")).unwrap();
    assert_eq!(received.mtime(), 1_700_000_000, "the date of receipt");
    for noun in ["user", "alias", "domain", "dkim"] {
        let words: &[&str] = if noun == "dkim" { &["dkim", "show", "example.org"] } else { &[noun, "list"] };
        assert_eq!(ran(&other, words).out, home.ok(words), "{noun}");
    }
    assert_eq!(names(folder.path()), ["all.tar", "deep"]);
    assert!(!other.join(".restore").exists());

    // Over what is there: only when told, and it is kept.
    let again = ran(&other, &["restore", text(&file)]);
    assert!(again.status == 65 && again.err.contains("restore.occupied"), "{again:?}");
    let would = ran(&other, &["restore", text(&file), "--dry-run"]);
    assert!(would.status == 0 && would.err.contains("would move aside state"), "{would:?}");
    assert_eq!(ran(&other, &["user", "del", "ann@example.org"]).status, 0);
    fs::write(other.join("settings.env"), "DOMAIN=example.com\n").unwrap();
    let forced = ran(&other, &["restore", text(&file), "--force", "--only", "state,keys", "--json"]);
    assert_eq!(forced.status, 0, "{forced:?}");
    let before = serde_json::from_str::<Value>(&forced.out).unwrap()["before"].as_str().unwrap().to_owned();
    assert!(Path::new(&before).join("state/db/directory.db").exists(), "{before}");
    assert_eq!(names(Path::new(&before)), ["acme", "keys", "state", "tls"]);
    assert_eq!(fs::read_to_string(other.join("settings.env")).unwrap(), "DOMAIN=example.com\n");
    fs::write(other.join("settings.env"), fs::read(home.path().join("settings.env")).unwrap()).unwrap();
    assert_eq!(ran(&other, &["user", "list"]).out, home.ok(&["user", "list"]));

    // One mailbox alone, where there is none.
    fs::remove_dir_all(other.join("mail")).unwrap();
    let one = ran(&other, &["restore", text(&file), "--mailbox", "ann@example.org"]);
    assert_eq!(one.status, 0, "{one:?}");
    assert!(other.join(mail).join("new/1700000001.M2P1.host,S=5,W=6").exists());
    let none = ran(&other, &["restore", text(&file), "--mailbox", "bob@example.org"]);
    assert!(none.status == 65 && none.err.contains("name.absent"), "{none:?}");
}

/// Proves: S1-27 (retention), fault 9 (a killed writer's file is cleared by the next one).
#[test]
fn a_folder_of_backups_is_dated_and_pruned() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    let folder = tempfile::tempdir().unwrap();
    let old =
        ["mailctl-20250101T000000Z.tar", "mailctl-20250102T000000Z.tar.age", "mailctl-20250103T000000Z.tar"];
    for name in old.iter().chain(&[
        "notes.tar",
        "mailctl-20250101T000000Z.tar.part",
        "mailctl-2-20250101T000000Z.tar",
    ]) {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    let slash = format!("{}/", folder.path().display());
    let dry = home.json(&["backup", &slash, "--keep", "2", "--dry-run"]);
    assert!(dry["size"].is_null() && dry["octets"].as_u64() > Some(0), "{dry}");
    assert_eq!(names(folder.path()).len(), 6);
    let told = home.json(&["backup", &slash, "--keep", "2"]);
    assert_eq!(told["pruned"], serde_json::json!([old[0], old[1]]), "{told}");
    let new = Path::new(told["file"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
    let mut left =
        vec![old[2].to_owned(), new, "mailctl-2-20250101T000000Z.tar".to_owned(), "notes.tar".to_owned()];
    left.sort();
    assert_eq!(names(folder.path()), left);
    home.refused(&["backup", text(&folder.path().join("file")), "--keep", "2"], 64, "--keep");
}

/// Proves: S1-27 (encryption), threat 15: the real `age` reads it, nobody without the key does, and no secret is
/// in it in clear.
#[test]
fn an_encrypted_backup_opens_with_its_key_alone() {
    let home = furnished();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let keygen = |name: &str| {
        let made = Command::new("age-keygen").arg("-o").arg(at(name)).output().unwrap();
        let said = String::from_utf8(made.stderr).unwrap();
        said.trim().strip_prefix("Public key: ").unwrap().to_owned()
    };
    let (ours, other, wrong) = (keygen("ours"), keygen("other"), keygen("wrong"));
    let file = at("all.tar.age");
    home.ok(&["backup", text(&file), "--mail", "--recipient", &ours, "--recipient", &other]);
    let raw = fs::read(&file).unwrap();
    for canary in ["relay-password", "DOMAIN=example.org", "PRIVATE KEY", "argon2"] {
        assert!(!raw.windows(canary.len()).any(|part| part == canary.as_bytes()), "{canary}");
    }
    for key in ["ours", "other"] {
        let list = home.ok(&["restore", text(&file), "--list", "--identity", text(&at(key))]);
        assert!(list.contains("ann@example.org"), "{list}");
    }
    home.refused(&["restore", text(&file), "--list"], 64, "backup.locked");
    let refused = home.refused(
        &["restore", text(&file), "--list", "--identity", text(&at("wrong"))],
        64,
        "backup.locked",
    );
    assert!(!refused.err.contains("AGE-SECRET"), "{refused:?}");
    home.refused(&["backup", text(&at("x")), "--recipient", &wrong[..20]], 64, "age-keygen");
    let plain = Command::new("age").args(["-d", "-i"]).arg(at("ours")).arg(&file).output().unwrap();
    assert!(plain.status.success(), "{plain:?}");
    fs::write(at("plain.tar"), &plain.stdout).unwrap();
    assert_eq!(ran(&at("home"), &["restore", text(&at("plain.tar"))]).status, 0);
    assert_eq!(ran(&at("home"), &["user", "list"]).out, home.ok(&["user", "list"]));

    let secret = at("passphrase");
    let give = |words: &str, mode: u32| {
        fs::write(&secret, words).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
    };
    give("correct horse battery staple\n", 0o644);
    home.refused(&["backup", text(&at("p.age")), "--passphrase-file", text(&secret)], 78, "chmod 0600");
    give("short\n", 0o600);
    home.refused(&["backup", text(&at("p.age")), "--passphrase-file", text(&secret)], 65, "password.weak");
    give("correct horse battery staple\n", 0o600);
    home.ok(&["backup", text(&at("p.age")), "--passphrase-file", text(&secret)]);
    home.ok(&["restore", text(&at("p.age")), "--list", "--passphrase-file", text(&secret)]);
    give("correct horse battery stable\n", 0o600);
    home.refused(
        &["restore", text(&at("p.age")), "--list", "--passphrase-file", text(&secret)],
        64,
        "backup.locked",
    );
    assert!(!at("p.age.part").exists() && !at("x").exists());
}

/// Proves: S1-27 (manifest, verify): one octet that is another, anywhere, or a missing end, and nothing of it is
/// used.
#[test]
fn a_damaged_backup_is_refused_wherever_the_damage_is() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    home.ok(&["backup", text(&at("good.tar"))]);
    fs::write(at("passphrase"), "correct horse battery staple").unwrap();
    fs::set_permissions(at("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
    let good = fs::read(at("good.tar")).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        fs::write(at("bad.tar"), bytes).unwrap();
        let ran = ran(&at("home"), &["restore", text(&at("bad.tar"))]);
        assert!(ran.status == 65 && ran.err.contains("backup.damaged"), "{what}: {ran:?}");
        assert!(!at("home").exists(), "{what}");
    };
    // Every header and its surroundings, and the rest in steps.
    let regions = (0..good.len()).filter(|at| at % 1531 == 7 || (at % 512 < 2 && at % 3072 < 512));
    let mut tried = 0;
    for position in regions {
        let mut bad = good.clone();
        bad[position] ^= 0x20;
        refused(&bad, &format!("octet {position} of {}", good.len()));
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
    for length in [0, 1, 511, 512, good.len() / 2, good.len() - 1025, good.len() - 1536] {
        refused(&good[..length], &format!("cut to {length}"));
    }
    refused(&[&good[..], b"more"].concat(), "something after it");
    refused(&[&good[..], &good[..]].concat(), "twice");
    // What a stranger made of it, with a tar of his own.
    let unpacked = at("unpacked");
    fs::create_dir(&unpacked).unwrap();
    let tar = |words: &[&str]| assert!(Command::new("tar").args(words).status().unwrap().success());
    tar(&["xf", text(&at("good.tar")), "-C", text(&unpacked)]);
    tar(&[
        "cf",
        text(&at("strange.tar")),
        "-C",
        text(&unpacked),
        "backup.json",
        "home",
        "manifest.json",
        "SHA-256",
    ]);
    refused(&fs::read(at("strange.tar")).unwrap(), "packed anew");
    assert_eq!(ran(&at("home"), &["restore", text(&at("good.tar"))]).status, 0);
}

/// Proves: fault 9: no room on the disk, and there is neither half a backup nor half a home.
#[test]
fn a_full_disk_leaves_nothing_half() {
    let home = furnished();
    let small = Small::mount("64k");
    let ran_out = |ran: &Ran| ran.status == 74 && ran.err.contains("No space left");
    let out = home.run(&["backup", text(&small.path().join("all.tar")), "--mail"]);
    assert!(ran_out(&out), "{out:?}");
    assert_eq!(names(small.path()), Vec::<String>::new());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.tar");
    home.ok(&["backup", text(&file), "--mail"]);
    let into = small.path().join("home");
    fs::create_dir(&into).unwrap();
    fs::write(into.join("settings.env"), "DOMAIN=old.example\n").unwrap();
    let before = tree(&into);
    let out = ran(&into, &["restore", text(&file), "--force"]);
    assert!(ran_out(&out), "{out:?}");
    assert_eq!(
        (tree(&into), names(&into), names(small.path())),
        (before, vec!["settings.env".to_owned()], vec!["home".to_owned()])
    );
    // A disk of its own, new and empty, is a home too.
    let large = Small::mount("4m");
    fs::create_dir(large.path().join("lost+found")).unwrap();
    let out = ran(large.path(), &["restore", text(&file)]);
    assert_eq!(out.status, 0, "{out:?}");
    assert_eq!(ran(large.path(), &["user", "list"]).out, home.ok(&["user", "list"]));
    let out = ran(large.path(), &["restore", text(&file), "--force"]);
    assert_eq!(out.status, 0, "{out:?}");
    assert!(names(large.path()).iter().any(|name| name.starts_with(".before-")), "{:?}", names(large.path()));
}

/// A file system of its own, in memory.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=755");
        let done =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).status();
        assert!(done.unwrap().success());
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Proves: fault 10 and the "kill -9 at every durable step of restore": whatever runs next finds the old
/// home or the new one, never a mixture.
#[test]
fn a_restore_that_is_killed_anywhere_leaves_the_old_or_the_new() {
    let (old, new) = (Home::new(), Home::new());
    for (home, name) in [(&old, "old"), (&new, "new")] {
        home.ok(&["user", "add", &format!("{name}@example.org")]);
        let settings = home.path().join("settings.env");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(settings, format!("{text}# {name}\n")).unwrap();
        for path in ["keys/mark", "mail/example.org/x/Maildir/cur/1.mark:2,", "templates/mark", "tls/mark"] {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
    }
    // Something that the other one lacks, on both sides.
    fs::write(old.path().join("mailctl.toml"), "[ports]\nsmtp = 0\n").unwrap();
    fs::create_dir(new.path().join("acme")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.tar");
    new.ok(&["backup", text(&file), "--mail"]);
    let kept = folder.path().join("old");
    copy(old.path(), &kept);
    let home = folder.path().join("home");
    let (mut olds, mut news) = (0, 0);
    for step in 1.. {
        assert!(step < 200, "it never ends");
        let _ = fs::remove_dir_all(&home);
        copy(&kept, &home);
        let calls = "rename,renameat,renameat2,fsync,syncfs,unlink,mkdir";
        let inject = format!("inject={calls}:signal=SIGKILL:when={step}");
        let ended = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject])
            .arg(env!("CARGO_BIN_EXE_mailctl"))
            .env_clear()
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .arg("--home")
            .arg(&home)
            .args(["restore", text(&file), "--force"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let users = ran(&home, &["user", "list"]);
        let state = match users.out.as_str().split('@').next().unwrap() {
            "old" => "old",
            "new" => "new",
            _ => panic!("killed at step {step}: {users:?} after {ended:?}"),
        };
        *if state == "old" { &mut olds } else { &mut news } += 1;
        let settings = fs::read_to_string(home.join("settings.env")).unwrap();
        assert!(settings.ends_with(&format!("# {state}\n")), "step {step}: {state}, but {settings}");
        for path in ["keys/mark", "mail/example.org/x/Maildir/cur/1.mark:2,", "templates/mark", "tls/mark"] {
            assert_eq!(fs::read_to_string(home.join(path)).unwrap(), state, "step {step}: {path}");
        }
        assert_eq!(home.join("mailctl.toml").exists(), state == "old", "step {step}");
        assert_eq!(home.join("acme").exists(), state == "new", "step {step}");
        assert!(!home.join(".restore/journal").exists(), "step {step}");
        // And it can be done again.
        if step % 5 == 0 {
            let again = ran(&home, &["restore", text(&file), "--force"]);
            assert_eq!(again.status, 0, "step {step}: {again:?}");
            assert!(ran(&home, &["user", "list"]).out.starts_with("new@"), "step {step}");
        }
        for entry in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
            if text(&entry).contains("home.before-") {
                fs::remove_dir_all(entry).unwrap();
            }
        }
        if ended.status.success() {
            break;
        }
    }
    assert!(olds > 10 && news > 5, "{olds} times the old, {news} times the new one");
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Proves: threat 34, fault 29 for backups: a newer state is saved as it is, and not restored here.
#[test]
fn the_state_of_a_newer_mailctl_is_saved_and_not_restored() {
    let home = Home::new();
    home.ok(&["user", "add", "ann@example.org"]);
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version = 99'); c.commit()";
    let database = home.path().join("state/db/directory.db");
    assert!(Command::new("/usr/bin/python3").args(["-c", script]).arg(&database).status().unwrap().success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("newer.tar");
    assert_eq!(home.json(&["backup", text(&file)])["schema"], 99);
    let other = folder.path().join("home");
    let refused = ran(&other, &["restore", text(&file)]);
    assert!(
        refused.status == 69 && refused.err.contains("store.newer") && refused.err.contains("99"),
        "{refused:?}"
    );
    assert!(!other.exists());
    assert_eq!(ran(&other, &["restore", text(&file), "--only", "settings,keys"]).status, 0);
}
