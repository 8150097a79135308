//! `settings.env.example` is what the table of keys says. `MAILCTL_BLESS=1` rewrites it.

use mailctl::settings::{
    example::settings_env_example,
    keys::{Home, KEYS},
};
use std::{fs, path::Path};

/// Proves: S4-2 (an example file to start from).
#[test]
fn the_example_file_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings.env.example");
    let wanted = settings_env_example();
    if std::env::var_os("MAILCTL_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "settings.env.example is not what the table says; run: make bless");
}

/// The other way round: each key in the file is in the table, each in the table is in the file.
#[test]
fn no_key_is_missing_on_either_side() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("settings.env.example");
    let text = fs::read_to_string(path).unwrap();
    let in_file: Vec<&str> = text
        .lines()
        .map(|line| line.trim_start_matches('#'))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .filter(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'))
        .collect();
    let in_table: Vec<&str> = KEYS.iter().filter(|key| key.home == Home::Env).map(|key| key.name).collect();
    assert_eq!(in_file, in_table);
}
