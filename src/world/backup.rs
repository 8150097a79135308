//! Backups: one tar with a manifest and a seal, perhaps encrypted with age; written whole or not at all, and read
//! wholly before anything of it is believed. What is in it is decided in `plan::backup`.
//!
//! Entries: `backup.json` (where it comes from), `home/…` (the files), `manifest.json` (mode, owner, SHA-256 of
//! each), `SHA-256` (of every octet before). Any tar program can unpack it.

mod cipher;
mod extract;
mod gather;
mod maildir;
mod read;
mod seal;
mod target;
mod write;

pub use cipher::{Key, Locks, recipients};
pub use extract::extract;
pub use gather::{Source, gather};
pub use maildir::{Copied, mail};
pub use read::{check, is_encrypted, readable_state};
pub use target::{Target, sweep};
pub use write::Writer;

use crate::error::{Error, codes};
use std::path::Path;

/// What is told while a backup is written or read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Files so far.
    pub files: u64,
    /// Octets of them.
    pub octets: u64,
}

/// Hears of progress.
pub type Report<'a> = &'a mut dyn FnMut(Tally);

/// Name of this machine; not the mail server's.
pub fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// A backup that cannot be believed.
fn damaged(file: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(codes::BACKUP_DAMAGED, format!("{} is not a whole backup", file.display()))
        .cause(why)
        .hint("take another one; nothing was changed")
}

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
