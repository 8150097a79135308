//! What the daemon remembers of messages and logins: in memory, and a moment later on the disk.
//!
//! One small interface, for whatever is remembered: a [`Table`] per kind of thing, a [`Key`] that tells nobody whose it
//! is, a small [`Value`] and the second at which it is forgotten. [`Memory`] makes the tables; [`Keeper`] reads them
//! from the disk once and then writes what changed, twice a second. Nothing here ever waits for the disk, and no fault
//! of the disk reaches an answer: what cannot be written stays in memory, and the log says so once.

mod keeper;
mod table;

pub use keeper::{Keeper, Standing, unix_now};
pub use table::{Keep, Table, Value};

use siphasher::sip128::{Hasher128, SipHasher13};
use std::{hash::Hasher, path::Path, sync::Arc};
use table::Durable;

/// What something is remembered under: a hash of what it is about, with a secret of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u64; 2]);

impl Key {
    /// For tables of another kind.
    pub fn parts(self) -> [u64; 2] {
        self.0
    }
}

/// Makes keys.
#[derive(Clone, Copy)]
pub struct Keys([u8; 16]);

impl Keys {
    /// The key of some parts; where one ends and the next begins counts.
    pub fn of(&self, parts: &[&[u8]]) -> Key {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        for part in parts {
            hasher.write(part);
            // A length of its own for each: ("ab", "c") is not ("a", "bc").
            hasher.write_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
        }
        let hash = hasher.finish128();
        Key([hash.h1, hash.h2])
    }
}

/// All tables, while the daemon is being set up.
pub struct Memory {
    keys: Keys,
    tables: Vec<Arc<dyn Durable>>,
    opened: Option<keeper::Found>,
}

impl Memory {
    /// On the disk in `file`; without one, or where it cannot be used, in memory only.
    pub async fn open(file: Option<&Path>) -> Self {
        let opened = match file {
            Some(file) => keeper::find(file).await,
            None => None,
        };
        let keys = Keys(opened.as_ref().map_or_else(rand::random, keeper::Found::secret));
        Self { keys, tables: Vec::new(), opened }
    }

    /// Makes keys for this memory.
    pub fn keys(&self) -> Keys {
        self.keys
    }

    /// A table of at most `most` entries: beyond that, some that would be forgotten soon make room.
    pub fn table<V: Value>(&mut self, most: usize) -> Arc<Table<V>> {
        let table = Arc::new(Table::new(most));
        self.tables.push(table.clone());
        table
    }

    /// Fills the tables with what was on the disk; from then on the [`Keeper`] writes what changes.
    pub fn begin(self, now: u32) -> Keeper {
        Keeper::new(self.tables, self.opened, now)
    }
}

#[cfg(test)]
mod tests;
