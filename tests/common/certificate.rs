//! Certificates as an operator brings them: made with openssl, by nobody here.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A self-signed certificate for `name` and its P-256 key, good for 30 days: `NAME.crt` and `NAME.key` in
/// `folder`.
pub fn pair(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let file = |kind: &str| folder.join(format!("{name}.{kind}"));
    let (certificate, key) = (file("crt"), file("key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
        ])
        .args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName=DNS:{name}")])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}
