//! `Snapshot`: the whole directory in memory, small enough for a million aliases.
//!
//! All texts lie one after another in one arena; a hash table of their offsets (four bytes each) finds them.
//! A record is `flags, length of key, length of value, key, value`, the value being the targets with commas
//! between them. What only some aliases have is in maps of its own ([`forwards`]). What changes is written anew at the end; when half of the arena is dead, it is copied.

mod forwards;

use forwards::Forwards;
use hashbrown::{HashTable, hash_table::Entry};
use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

/// Bytes before a record's key.
const HEAD: usize = 1 + 2 + 4;
const MAILBOX: u8 = 1;

/// What is known of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known<'a> {
    /// There is a mailbox of this name.
    pub mailbox: bool,
    /// Targets of the alias of this name, with commas between them; empty where there is none.
    pub targets: &'a str,
}

/// Mailboxes and aliases by name, and the store's domains.
#[derive(Default)]
pub struct Snapshot {
    arena: Vec<u8>,
    table: HashTable<u32>,
    hasher: RandomState,
    dead: usize,
    mailboxes: usize,
    aliases: usize,
    domains: HashSet<String>,
    /// Source and the logins that may send as it: a few, where they are used at all.
    rights: HashMap<String, Vec<String>>,
    /// What there is beside aliases that only lead: a few as well.
    pub forwards: Forwards,
}

impl Snapshot {
    /// What is known of `name`.
    pub fn get(&self, name: &str) -> Known<'_> {
        let hash = self.hasher.hash_one(name.as_bytes());
        let found = self.table.find(hash, |at| record(&self.arena, *at).key == name.as_bytes());
        found.map(|at| record(&self.arena, *at).known()).unwrap_or_default()
    }

    /// Whether the store lists `domain`.
    pub fn has_domain(&self, domain: &str) -> bool {
        self.domains.contains(domain)
    }

    /// Replaces the store's domains.
    pub fn set_domains(&mut self, domains: impl IntoIterator<Item = String>) {
        self.domains = domains.into_iter().collect();
    }

    /// The logins that were given the right to send as `source`.
    pub fn granted(&self, source: &str) -> impl Iterator<Item = &str> {
        self.rights.get(source).into_iter().flatten().map(String::as_str)
    }

    /// Replaces all sending rights: pairs of source and login.
    pub fn set_rights(&mut self, rights: impl IntoIterator<Item = (String, String)>) {
        self.rights.clear();
        for (source, login) in rights {
            self.rights.entry(source).or_default().push(login);
        }
    }

    /// Notes whether there is a mailbox of this name.
    pub fn set_mailbox(&mut self, name: &str, mailbox: bool) {
        let targets = self.get(name).targets.to_owned();
        self.put(name, mailbox, &targets);
    }

    /// Replaces an alias's targets; none = no such alias.
    pub fn set_targets(&mut self, name: &str, targets: &str) {
        self.put(name, self.get(name).mailbox, targets);
    }

    /// How many mailboxes and aliases there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.mailboxes, self.aliases)
    }

    /// Gives back what growing has taken too much; after reading everything.
    pub fn settle(&mut self) {
        self.arena.shrink_to_fit();
        let Self { table, arena, hasher, .. } = self;
        table.shrink_to_fit(|at| hasher.hash_one(record(arena, *at).key));
    }

    fn put(&mut self, name: &str, mailbox: bool, targets: &str) {
        let Ok(key_length) = u16::try_from(name.len()) else { return };
        let Ok(at) = u32::try_from(self.arena.len()) else {
            // Four gigabytes of names: nothing that this program is for.
            return;
        };
        let Self { arena, table, hasher, .. } = self;
        let hash = hasher.hash_one(name.as_bytes());
        let entry = table.entry(
            hash,
            |at| record(arena, *at).key == name.as_bytes(),
            |at| hasher.hash_one(record(arena, *at).key),
        );
        let empty = !mailbox && targets.is_empty();
        let (had_mailbox, had_alias) = match entry {
            Entry::Occupied(mut found) => {
                let old = record(arena, *found.get());
                let had = (old.flags & MAILBOX != 0, !old.value.is_empty());
                self.dead += HEAD + old.key.len() + old.value.len();
                if empty {
                    found.remove();
                } else {
                    *found.get_mut() = at;
                }
                had
            }
            Entry::Vacant(_) if empty => return,
            Entry::Vacant(free) => {
                free.insert(at);
                (false, false)
            }
        };
        self.mailboxes = self.mailboxes + usize::from(mailbox) - usize::from(had_mailbox);
        self.aliases = self.aliases + usize::from(!targets.is_empty()) - usize::from(had_alias);
        if !empty {
            arena.push(u8::from(mailbox) * MAILBOX);
            arena.extend(key_length.to_le_bytes());
            arena.extend(u32::try_from(targets.len()).unwrap_or(0).to_le_bytes());
            arena.extend(name.as_bytes());
            arena.extend(targets.as_bytes());
        }
        if self.dead > self.arena.len() / 2 && self.dead > 1 << 20 {
            self.sweep();
        }
    }

    /// Copies what is alive.
    fn sweep(&mut self) {
        let mut arena = Vec::with_capacity(self.arena.len() - self.dead);
        for at in &mut self.table {
            let old = record(&self.arena, *at);
            let start = *at as usize;
            // Shorter than the arena it is copied from, whose offsets fit.
            *at = u32::try_from(arena.len()).unwrap_or(u32::MAX);
            arena.extend_from_slice(&self.arena[start..start + HEAD + old.key.len() + old.value.len()]);
        }
        self.arena = arena;
        self.dead = 0;
    }
}

struct Record<'a> {
    flags: u8,
    key: &'a [u8],
    value: &'a [u8],
}

impl<'a> Record<'a> {
    fn known(&self) -> Known<'a> {
        Known {
            mailbox: self.flags & MAILBOX != 0,
            // It was text when it was put there.
            targets: std::str::from_utf8(self.value).unwrap_or_default(),
        }
    }
}

fn record(arena: &[u8], at: u32) -> Record<'_> {
    let head = &arena[at as usize..];
    let key = usize::from(u16::from_le_bytes([head[1], head[2]]));
    let value = u32::from_le_bytes([head[3], head[4], head[5], head[6]]) as usize;
    let (key, rest) = head[HEAD..].split_at(key);
    Record { flags: head[0], key, value: &rest[..value] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_name_can_be_mailbox_and_alias() {
        let mut snapshot = Snapshot::default();
        snapshot.set_targets("a@b.org", "c@d.org,a@b.org");
        snapshot.set_mailbox("a@b.org", true);
        assert_eq!(snapshot.get("a@b.org"), Known { mailbox: true, targets: "c@d.org,a@b.org" });
        assert_eq!(snapshot.counts(), (1, 1));
        snapshot.set_mailbox("a@b.org", false);
        snapshot.set_targets("a@b.org", "");
        assert_eq!(snapshot.get("a@b.org"), Known::default());
        assert_eq!(snapshot.counts(), (0, 0));
    }

    #[test]
    fn dead_records_are_swept() {
        let mut snapshot = Snapshot::default();
        let targets = "x".repeat(1000);
        for round in 0..5000 {
            snapshot.set_targets("kept@b.org", &format!("{targets}{round}"));
        }
        assert!(snapshot.arena.len() < 4 << 20, "{} bytes", snapshot.arena.len());
        assert!(snapshot.get("kept@b.org").targets.ends_with("x4999"));
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(
            steps in prop::collection::vec(("[a-d]@x", any::<bool>(), prop::option::of("[a-c]{0,3}")), 0..100)
        ) {
            let mut snapshot = Snapshot::default();
            let mut model: BTreeMap<String, (bool, String)> = BTreeMap::new();
            for (at, (name, mailbox, targets)) in steps.into_iter().enumerate() {
                let entry = model.entry(name.clone()).or_default();
                match targets {
                    Some(targets) => { snapshot.set_targets(&name, &targets); entry.1 = targets; }
                    None => { snapshot.set_mailbox(&name, mailbox); entry.0 = mailbox; }
                }
                match at % 20 {
                    7 => snapshot.sweep(),
                    13 => snapshot.settle(),
                    _ => {}
                }
                for (name, (mailbox, targets)) in &model {
                    prop_assert_eq!(snapshot.get(name), Known { mailbox: *mailbox, targets });
                }
            }
            prop_assert_eq!(snapshot.counts().0, model.values().filter(|entry| entry.0).count());
        }
    }
}
