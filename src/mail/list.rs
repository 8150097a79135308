//! Blocklists and allowlists: who is refused and who is not asked further, by an entry that a person made.
//!
//! An [`Entry`] names a client's address or network, a HELO name, a sender or a recipient ([`key`]). They come from
//! files ([`file`]) and from commands, and are compiled into a [`Table`], which answers from one binary search for an
//! address and from hashes for names, however many there are. [`Lists`] has the rule which entry wins.

pub mod file;
mod key;
mod lists;
mod ranges;
mod table;

pub use key::{Key, Kind, Pattern};
pub use lists::{Lists, Subject};
pub use table::Table;

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// The longest comment of an entry, in characters.
pub const COMMENT: usize = 200;

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Nothing more is asked.
    Allow,
    /// The message is refused.
    Block,
}

impl Way {
    /// As in file names, commands and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Way {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Allow, Self::Block].into_iter().find(|way| way.name() == text);
        found.ok_or_else(|| format!("{text:?} is neither allow nor block"))
    }
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a file of the folder `lists`.
    File {
        /// Its name in that folder.
        name: Arc<str>,
        /// Counted from 1.
        line: u32,
    },
    /// In the directory, by `mailctl block add` or `mailctl allow add`.
    Command,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line } => write!(f, "lists/{name}:{line}"),
            Self::Command => f.write_str("by command"),
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it does.
    pub way: Way,
    /// Whom it is on.
    pub key: Key,
    /// Where it stands.
    pub origin: Origin,
    /// What the person who made it wrote beside it; "" = nothing.
    pub comment: Box<str>,
}

impl Entry {
    /// What a person does to be rid of it.
    pub fn remedy(&self) -> String {
        match &self.origin {
            Origin::File { name, line } => format!("take line {line} out of lists/{name}"),
            Origin::Command => format!("mailctl {} del {}", self.way, self.key),
        }
    }
}

impl fmt::Display for Entry {
    /// `block 192.0.2.0/24 (lists/drop.block:17, SBL123)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({}", self.way, self.key, self.origin)?;
        if !self.comment.is_empty() {
            write!(f, ", {}", self.comment)?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests;
