//! Settings and facts become a [`ConfigSet`]: whole files, with modes and one digest.

pub mod ids;

use crate::mail::address::{Domain, Selector};
use sha2::{Digest, Sha256};

/// What rendering needs beside the settings.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every served domain: those of the settings and those of the store.
    pub domains: Vec<Domain>,
    /// The selector that signs for a domain now; a domain without one leaves unsigned.
    pub selectors: Vec<(Domain, Selector)>,
    /// The operator's own templates: name as in `templates/`, and text.
    pub overrides: Vec<(String, String)>,
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
