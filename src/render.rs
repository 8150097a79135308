//! Settings and facts become a [`ConfigSet`]: whole files, with modes and one digest.

mod dovecot;
pub mod ids;
pub mod mailctld;
mod opendkim;
mod postfix;
pub mod systemd;
pub mod template;
pub mod tls;

use crate::{
    mail::{
        address::Domain,
        dkim::{Algorithm, Signer},
    },
    settings::Settings,
};
use sha2::{Digest, Sha256};
use std::fmt;
use template::Templates;

/// The configuration of the OpenDKIM that signs with Ed25519; there only while a domain has such a key.
pub const ED25519_CONF: &str = "opendkim/ed25519.conf";

/// All files of one generation. The same settings and facts give the same bytes, always.
pub fn render(settings: &Settings, facts: &Facts) -> Result<ConfigSet, Fault> {
    let templates = Templates::new(&facts.overrides)?;
    let mut files = postfix::render(settings, facts, &templates)?;
    files.extend(dovecot::render(settings, facts, &templates)?);
    files.extend(opendkim::render(settings, facts, &templates)?);
    files.extend(mailctld::render(settings, &templates)?);
    Ok(ConfigSet::new(files))
}

/// Why nothing could be rendered: always something of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `templates/postfix/main.cf`, or the entry in `mailctl.toml`.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What rendering needs beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every served domain: those of the settings and those of the store.
    pub domains: Vec<Domain>,
    /// The keys that sign now, at most one of each algorithm for a domain; a domain without one leaves unsigned.
    pub signers: Vec<Signer>,
    /// The operator's own templates: name as in `templates/`, and text.
    pub overrides: Vec<(String, String)>,
    /// The certificates beside the server's own, which is always there.
    pub certificates: Certificates,
}

/// Certificates beside the server's own.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// The server has an RSA one too.
    pub rsa: bool,
    /// Domains with one of their own.
    pub domains: Vec<Named>,
}

/// A domain whose clients get a certificate of its own.
#[derive(Clone, Debug)]
pub struct Named {
    /// Which.
    pub domain: Domain,
    /// The names under which they ask for it: `mail.example.org`, `*.example.org`.
    pub names: Vec<String>,
}

impl Facts {
    /// Whether any domain signs with this algorithm.
    pub fn sign_with(&self, algorithm: Algorithm) -> bool {
        self.signers.iter().any(|signer| signer.algorithm == algorithm)
    }
}

/// One rendered file.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Relative to the generation: `postfix/main.cf`.
    pub path: String,
    /// Its content.
    pub text: String,
    /// Permission bits: 0644, or 0600 where it holds a secret.
    pub mode: u32,
    /// Owner group (uid is always 0).
    pub gid: u32,
}

impl ConfigFile {
    /// A file that everyone in the containers may read.
    fn public(path: &str, text: String) -> Self {
        Self { path: path.to_owned(), text, mode: 0o644, gid: 0 }
    }

    /// A file for root alone.
    fn secret(path: &str, text: String) -> Self {
        Self { path: path.to_owned(), text, mode: 0o600, gid: 0 }
    }
}

/// All rendered files of one generation, sorted by path.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ConfigSet {
    files: Vec<ConfigFile>,
}

impl ConfigSet {
    /// Sorts and keeps the files.
    pub fn new(mut files: Vec<ConfigFile>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[ConfigFile] {
        &self.files
    }

    /// Whether it holds a file.
    pub fn holds(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// SHA-256 over paths, modes and contents of the files whose path begins with `prefix`, in hex.
    pub fn digest(&self, prefix: &str) -> String {
        let mut hash = Sha256::new();
        for file in self.files.iter().filter(|file| file.path.starts_with(prefix)) {
            let head = format!("{}\0{:o}\0{}\0{}\0", file.path, file.mode, file.gid, file.text.len());
            hash.update(head.as_bytes());
            hash.update(file.text.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
