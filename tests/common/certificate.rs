//! Certificates as an operator brings them: made with openssl, by nobody here.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What a certificate is to be.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    /// The names it holds for; the first is its common name.
    pub names: &'a [&'a str],
    /// RSA in place of ECDSA.
    pub rsa: bool,
    /// Vouched for by an authority of the test's own, whose certificate follows it in the file.
    pub issued: bool,
}

/// A self-signed certificate for `name` and its P-256 key, good for 30 days: `NAME.crt` and `NAME.key` in
/// `folder`.
pub fn pair(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    make(folder, name, Made { names: &[name], rsa: false, issued: false })
}

/// `FILE.crt`, with its chain where it has one, and `FILE.key` in `folder`, good for 30 days.
pub fn make(folder: &Path, file: &str, made: Made<'_>) -> (PathBuf, PathBuf) {
    let path = |kind: &str| folder.join(format!("{file}.{kind}"));
    let (certificate, key) = (path("crt"), path("key"));
    let names: Vec<String> = made.names.iter().map(|name| format!("DNS:{name}")).collect();
    let mut words = vec!["req", "-x509", "-nodes", "-days", "30"];
    words.extend(if made.rsa {
        ["-newkey", "rsa:2048"].as_slice()
    } else {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"].as_slice()
    });
    let (subject, alternative) =
        (format!("/CN={}", made.names[0]), format!("subjectAltName={}", names.join(",")));
    words.extend(["-subj", &subject, "-addext", &alternative]);
    let authority = made.issued.then(|| authority(folder));
    if let Some((root, root_key)) = &authority {
        words.extend(["-CA", root.to_str().unwrap(), "-CAkey", root_key.to_str().unwrap()]);
        words.extend(["-addext", "basicConstraints=critical,CA:FALSE"]);
    }
    words.extend(["-keyout", key.to_str().unwrap(), "-out", certificate.to_str().unwrap()]);
    openssl(&words);
    if let Some((root, _)) = authority {
        let chain = [fs::read(&certificate).unwrap(), fs::read(root).unwrap()].concat();
        fs::write(&certificate, chain).unwrap();
    }
    (certificate, key)
}

/// The folder's own authority: made once.
fn authority(folder: &Path) -> (PathBuf, PathBuf) {
    let (root, key) = (folder.join("authority.crt"), folder.join("authority.key"));
    if !root.exists() {
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
        let files = ["-keyout", key.to_str().unwrap(), "-out", root.to_str().unwrap()];
        let head = ["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=Authority of the tests"];
        openssl(&[&head[..], &curve, &files].concat());
    }
    (root, key)
}

/// SHA-256 of the public key of a certificate, as openssl computes it.
pub fn spki(certificate: &Path) -> String {
    let pem = openssl(&["x509", "-noout", "-pubkey", "-in", certificate.to_str().unwrap()]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(file("pem"), pem).unwrap();
    openssl(&["pkey", "-pubin", "-outform", "DER", "-in", &file("pem"), "-out", &file("der")]);
    let digest = openssl(&["dgst", "-sha256", "-r", &file("der")]);
    String::from_utf8(digest).unwrap().split(' ').next().unwrap().to_owned()
}

fn openssl(words: &[&str]) -> Vec<u8> {
    let done = Command::new("openssl").args(words).output().unwrap();
    assert!(done.status.success(), "openssl {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}
