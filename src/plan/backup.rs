//! What a backup holds, as values: its parts, its manifest, and which dated files are kept.

pub mod dated;

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The form of the file; a reader refuses a higher one.
pub const FORMAT: u32 = 1;
/// First entry of the tar: [`Head`] as JSON.
pub const HEAD: &str = "backup.json";
/// Last but one: [`Manifest`] as JSON.
pub const MANIFEST: &str = "manifest.json";
/// Last entry: SHA-256 in hex digits of every octet of the tar before this entry.
pub const SEAL: &str = "SHA-256";
/// Below this lie the files, each under its path in the home.
pub const TREE: &str = "home/";

/// The database, as a path in a home.
pub const DATABASE: &str = "state/db/directory.db";

/// What can be restored by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// `settings.env`, `mailctl.toml`, templates, and other files that the operator keeps in the home.
    Settings,
    /// The directory and what commands remember.
    State,
    /// DKIM keys, secrets of SRS, certificates, the ACME account.
    Keys,
    /// Maildirs and Sieve scripts.
    Mail,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Settings, Self::State, Self::Keys, Self::Mail];

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::State => "state",
            Self::Keys => "keys",
            Self::Mail => "mail",
        }
    }

    /// What belongs to it at the top of a home, whether or not it is there.
    pub fn tops(self) -> &'static [&'static str] {
        match self {
            Self::Settings => &["settings.env", "mailctl.toml", "templates", "lists"],
            Self::State => &["state"],
            Self::Keys => &["keys", "tls", "acme"],
            Self::Mail => &["mail"],
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Part {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|part| part.name() == text)
            .ok_or_else(|| format!("no part {text:?}; there are settings, state, keys and mail"))
    }
}

/// Made anew by every `up`, or of this moment only. The queue is here: a message in it would be sent once by
/// the server that goes on and once more by the one that was restored.
const NEVER: &[&str] = &[
    "rendered",
    "run",
    "spool",
    "lost+found",
    "acme/challenges",
    "state/lock",
    "state/policy/policy.db",
    "state/policy/policy.db-wal",
    "state/policy/policy.db-shm",
    "state/loaded",
    "state/image.json",
    "state/db/directory.db-wal",
    "state/db/directory.db-shm",
];

/// To which part a path in a home belongs; `None` = to no backup. What is nobody's at the top of a home is the
/// operator's own (a file with a password that a setting names), and goes with the settings.
pub fn part_of(path: &str) -> Option<Part> {
    let within = |folder: &str| path == folder || path.starts_with(&format!("{folder}/"));
    if NEVER.iter().any(|never| within(never)) {
        return None;
    }
    let mut components = path.split('/');
    let top = components.next().unwrap_or_default();
    // Hidden, or a backup that lies in the home itself.
    if top.starts_with('.') || [".tar", ".tar.age", ".part"].iter().any(|end| top.ends_with(end)) {
        return None;
    }
    let part = Part::ALL.into_iter().find(|part| part.tops().contains(&top)).unwrap_or(Part::Settings);
    // A file that another command is just writing.
    let draft = part != Part::Mail && components.any(|name| name.starts_with(".new-"));
    (!draft).then_some(part)
}

/// Where a backup comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`] of the mailctl that made it.
    pub format: u32,
    /// Version of that mailctl.
    pub mailctl: String,
    /// Schema of the directory database; `None` = there was none.
    pub schema: Option<i64>,
    /// Name of the stack.
    pub project: String,
    /// The setting HOSTNAME; empty where the settings could not be read.
    pub hostname: String,
    /// Name of the machine.
    pub machine: String,
    /// Its public addresses, as DNS should have them.
    pub addresses: Vec<String>,
    /// When (RFC 3339, UTC).
    pub created: String,
    /// What is in it.
    pub parts: Vec<Part>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Kind {
    /// A plain file.
    File {
        /// Octets.
        size: u64,
        /// SHA-256 of them, hex.
        sha256: String,
    },
    /// A folder.
    Folder,
    /// A symbolic link to another path of the home, relative to where it is.
    Link {
        /// Its text.
        to: String,
    },
}

/// One file, folder or link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Below the home, with `/` between names.
    pub path: String,
    /// What it is.
    #[serde(flatten)]
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Seconds since 1970 of its last change; Dovecot's date of receipt.
    pub mtime: i64,
}

/// Everything that is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where it comes from.
    #[serde(flatten)]
    pub head: Head,
    /// Folders before what is in them.
    pub entries: Vec<Entry>,
}

impl Manifest {
    /// Why nothing of it may be written to a disk; `None` = it may. The file may come from anywhere, and what
    /// restores it is root.
    pub fn fault(&self) -> Option<String> {
        let mut seen: BTreeMap<&str, &Kind> = BTreeMap::new();
        for entry in &self.entries {
            let path = entry.path.as_str();
            if !is_plain(path) {
                return Some(format!("{path:?} is not a path within a home"));
            }
            match part_of(path) {
                Some(part) if self.head.parts.contains(&part) => {}
                _ => return Some(format!("{path:?} does not belong into this backup")),
            }
            if entry.mode & !0o7777 != 0 {
                return Some(format!("{path:?} has no possible mode"));
            }
            if let Kind::Link { to } = &entry.kind
                && !stays_inside(path, to)
            {
                return Some(format!("the link {path:?} leads out of the home"));
            }
            // Nothing may be written through a link, nor into a file.
            let above =
                ancestors(path).find_map(|above| seen.get(above).filter(|kind| ***kind != Kind::Folder));
            if above.is_some() {
                return Some(format!("{path:?} lies in something that is no folder"));
            }
            if seen.insert(path, &entry.kind).is_some() {
                return Some(format!("{path:?} is there twice"));
            }
        }
        None
    }

    /// Octets of all files.
    pub fn octets(&self) -> u64 {
        self.entries.iter().map(|entry| if let Kind::File { size, .. } = entry.kind { size } else { 0 }).sum()
    }

    /// Files of a part.
    pub fn files(&self, part: Part) -> usize {
        let of_it =
            |entry: &&Entry| matches!(entry.kind, Kind::File { .. }) && part_of(&entry.path) == Some(part);
        self.entries.iter().filter(of_it).count()
    }

    /// Messages by mailbox (`ann@example.org`) and folder (`INBOX`, `Sent`), as they lie in Maildirs.
    pub fn messages(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let mut found: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.kind != Kind::Folder) {
            if let Some((mailbox, folder)) = message(&entry.path) {
                *found.entry(mailbox).or_default().entry(folder).or_default() += 1;
            }
        }
        found
    }

    /// Tops of homes that it brings beside the known ones: the operator's own files.
    pub fn own_tops(&self) -> BTreeSet<&str> {
        let known = |top: &&str| Part::ALL.iter().any(|part| part.tops().contains(top));
        let tops = self.entries.iter().filter_map(|entry| entry.path.split('/').next());
        tops.filter(|top| !known(top)).collect()
    }
}

/// Mailbox and folder of a message's file: `mail/DOMAIN/NAME/Maildir[/.Folder]/{new,cur}/FILE`.
pub fn message(path: &str) -> Option<(String, String)> {
    let names: Vec<&str> = path.split('/').collect();
    let ["mail", domain, local, "Maildir", folder @ .., "new" | "cur", _] = names.as_slice() else {
        return None;
    };
    let folder = match folder {
        [] => "INBOX".to_owned(),
        [one] => one.strip_prefix('.')?.replace('.', "/"),
        _ => return None,
    };
    Some((format!("{local}@{domain}"), folder))
}

/// Only names, none of them `.` or `..`, and no control characters.
fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && path.len() < 4096
        && !path.chars().any(char::is_control)
        && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

/// Whether a link at `path` with the text `to` ends within the home.
pub fn stays_inside(path: &str, to: &str) -> bool {
    if to.is_empty() || to.starts_with('/') || to.chars().any(char::is_control) {
        return false;
    }
    let mut depth = path.split('/').count() - 1;
    for name in to.split('/') {
        match name {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

#[cfg(test)]
mod tests;
