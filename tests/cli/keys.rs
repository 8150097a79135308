//! `mailctl dkim` in a temporary home.

use crate::common::home::Home;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Proves: S0-5, S4-5, S4-8, S4-9: the printed record is the public half of the key on the disk.
#[test]
fn a_key_and_its_record_belong_together() {
    let home = Home::new();
    let line = home.ok(&["dkim", "generate", "--selector", "mail"]);
    let folder = home.path().join("keys/dkim/example.org");
    assert_eq!(fs::read_to_string(folder.join("mail.txt")).unwrap(), line);
    assert!(line.split('"').skip(1).step_by(2).all(|string| string.len() <= 255), "{line}");
    let key = folder.join("mail.private");
    assert_eq!(mode(&key), 0o640);
    let public = Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&key).output().unwrap();
    let public: String =
        String::from_utf8(public.stdout).unwrap().lines().filter(|line| !line.starts_with('-')).collect();
    let shown = home.json(&["dkim", "show"]);
    assert_eq!(shown[0]["record"], format!("v=DKIM1; k=rsa; p={public}"));
    assert_eq!(shown[0]["signs"], true);
    assert_eq!(shown[0]["name"], "mail._domainkey.example.org");
    let one_line = home.ok(&["dkim", "show", "example.org"]);
    assert!(one_line.contains(&format!("p={public}\n")), "{one_line}");

    let before = fs::read(&key).unwrap();
    home.refused(&["dkim", "generate", "--selector", "mail"], 65, "--selector");
    assert_eq!(fs::read(&key).unwrap(), before, "a key is never overwritten");
}

/// Proves: RFC 8463 §5 (both kinds side by side), the sizes and kinds of the behaviours list; a new key does not take over by itself.
#[test]
fn a_new_key_signs_when_it_is_told_to() {
    let home = Home::new();
    home.ok(&["dkim", "generate", "--selector", "old", "--bits", "1024"]);
    home.ok(&["dkim", "generate", "--selector", "new", "--bits", "3072"]);
    home.ok(&["dkim", "generate", "--selector", "ed", "--type", "ed25519"]);
    let signing = || home.json(&["domain", "list"])[0]["selector"].as_str().unwrap().to_owned();
    assert_eq!(signing(), "old");
    home.ok(&["dkim", "activate", "--selector", "new"]);
    assert_eq!(signing(), "new");
    let shown = home.json(&["dkim", "show", "example.org"]);
    let bits: Vec<u64> = shown.as_array().unwrap().iter().map(|key| key["bits"].as_u64().unwrap()).collect();
    assert_eq!(bits, [3072, 256, 1024], "first those that sign, RSA before Ed25519");
    let selectors = || home.json(&["domain", "list"])[0]["selectors"].to_string();
    assert_eq!(selectors(), r#"["new","ed"]"#, "the first of its kind signs at once");
    home.ok(&["dkim", "generate", "--selector", "ed2", "--type", "ed25519"]);
    assert_eq!(selectors(), r#"["new","ed"]"#, "the second waits for its record");
    home.ok(&["dkim", "activate", "--selector", "ed2"]);
    assert_eq!(selectors(), r#"["new","ed2"]"#);
    home.ok(&["dkim", "deactivate", "--dry-run"]);
    home.ok(&["dkim", "deactivate"]);
    assert_eq!(selectors(), r#"["new"]"#);
    home.refused(&["dkim", "deactivate"], 65, "dkim show");
    home.refused(&["dkim", "activate", "--selector", "gone"], 65, "dkim generate");
    home.refused(&["dkim", "generate", "--type", "ed25519", "--bits", "2048"], 64, "one size");
    home.refused(&["dkim", "generate", "--bits", "512"], 64, "--bits");
    home.refused(&["dkim", "generate", "foreign.example"], 65, "domain add");
    home.refused(&["dkim", "generate", "--selector", "../x"], 64, "name.malformed");
    assert_eq!(signing(), "new");
}

/// Proves: keys of an older server, copied in under their old name, sign at once.
#[test]
fn an_old_key_is_taken_as_it_is() {
    let home = Home::new();
    home.ok(&["domain", "add", "example.net"]);
    let keys = home.path().join("keys/dkim");
    fs::create_dir_all(keys.join("example.org")).unwrap();
    let mut made = fs::read_dir(keys.join("example.net")).unwrap().map(|entry| entry.unwrap().path());
    let made = made.find(|path| path.extension().is_some_and(|ext| ext == "private")).unwrap();
    fs::copy(made, keys.join("example.org/mail.private")).unwrap();
    assert_eq!(home.json(&["domain", "list"])[0]["selector"], "mail");
    home.ok(&["dkim", "generate", "--selector", "next"]);
    assert_eq!(home.json(&["domain", "list"])[0]["selector"], "mail", "a new key waits for its record");
}
