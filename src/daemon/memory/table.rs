//! `Table`: entries of one kind, sharded.

use super::Key;
use hashbrown::{HashTable, hash_table::Entry};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Shards of a table; a power of two. Two threads rarely meet in one.
const SHARDS: usize = 64;

/// How many entries are looked at for one that can make room.
const LOOK: usize = 8;

/// Something that is remembered: small, and a few octets on the disk.
pub trait Value: Copy + Send + Sync + 'static {
    /// Which kind, on the disk: never used twice. 1 to 9 are the policies', 10 to 19 the logins'.
    const KIND: u8;
    /// Octets on the disk, always as many.
    const OCTETS: usize;
    /// Appends those octets.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads them.
    fn read(octets: &[u8]) -> Option<Self>;
}

/// What becomes of an entry after it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep<V> {
    /// As it was.
    AsIs,
    /// This, until that second (Unix time); on the disk as well.
    Put(V, u32),
    /// Nothing.
    Forget,
}

/// Entries of one kind.
pub struct Table<V> {
    shards: Box<[Mutex<Shard<V>>]>,
    /// Entries that a shard may hold.
    most: usize,
    displaced: AtomicUsize,
}

struct Shard<V> {
    slots: HashTable<Slot<V>>,
    /// Keys of what changed since it was last written.
    changed: Vec<[u64; 2]>,
}

struct Slot<V> {
    key: [u64; 2],
    until: u32,
    /// Its key is among the changed ones.
    changed: bool,
    value: V,
}

impl<V: Value> Table<V> {
    /// Empty; holds at most `most` entries.
    pub(super) fn new(most: usize) -> Self {
        let shard = || Mutex::new(Shard { slots: HashTable::new(), changed: Vec::new() });
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            most: (most / SHARDS).max(1),
            displaced: AtomicUsize::new(0),
        }
    }

    /// What is remembered under `key` at the second `now`.
    pub fn get(&self, key: Key, now: u32) -> Option<V> {
        let shard = self.shard(key.0);
        let slot = shard.slots.find(key.0[0], |slot| slot.key == key.0)?;
        (slot.until > now).then_some(slot.value)
    }

    /// Looks at what is remembered and says what becomes of it, with nobody in between. `change` must not take long, and
    /// must not touch this table.
    pub fn update<R>(&self, key: Key, now: u32, change: impl FnOnce(Option<V>) -> (Keep<V>, R)) -> R {
        let mut shard = self.shard(key.0);
        let found = shard.slots.find(key.0[0], |slot| slot.key == key.0);
        let (keep, told) = change(found.filter(|slot| slot.until > now).map(|slot| slot.value));
        match keep {
            Keep::AsIs => {}
            Keep::Put(value, until) => self.put(&mut shard, key.0, value, until, true),
            Keep::Forget => {
                if let Ok(found) = shard.slots.find_entry(key.0[0], |slot| slot.key == key.0) {
                    let (slot, _) = found.remove();
                    if !slot.changed {
                        shard.changed.push(key.0);
                    }
                }
            }
        }
        told
    }

    /// Everything that is remembered at the second `now`; for those who keep a copy in another form.
    pub fn values(&self, now: u32) -> Vec<V> {
        let of = |shard: &Mutex<Shard<V>>| {
            let shard = lock(shard);
            shard.slots.iter().filter(|slot| slot.until > now).map(|slot| slot.value).collect::<Vec<V>>()
        };
        self.shards.iter().flat_map(of).collect()
    }

    /// Entries, those included whose time is over and that were not swept away yet.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).slots.len()).sum()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries that had to make room before their time, since the start.
    pub fn displaced(&self) -> usize {
        self.displaced.load(Relaxed)
    }

    fn shard(&self, key: [u64; 2]) -> MutexGuard<'_, Shard<V>> {
        // The other half of the key is the hash within the shard.
        lock(&self.shards[key[1] as usize % SHARDS])
    }

    fn put(&self, shard: &mut Shard<V>, key: [u64; 2], value: V, until: u32, change: bool) {
        let mut changed = change;
        match shard.slots.entry(key[0], |slot| slot.key == key, |slot| slot.key[0]) {
            Entry::Occupied(mut found) => {
                let slot = found.get_mut();
                changed &= !slot.changed;
                (slot.value, slot.until) = (value, until);
                slot.changed |= changed;
            }
            Entry::Vacant(free) => {
                free.insert(Slot { key, until, changed, value });
            }
        }
        if changed {
            shard.changed.push(key);
        }
        if shard.slots.len() > self.most {
            self.displace(shard, key);
        }
    }

    /// Makes room: of a few entries, the one that would be forgotten first goes.
    fn displace(&self, shard: &mut Shard<V>, but: [u64; 2]) {
        let some = shard.slots.iter().filter(|slot| slot.key != but).take(LOOK);
        let Some(first) = some.min_by_key(|slot| slot.until).map(|slot| slot.key) else { return };
        if let Ok(found) = shard.slots.find_entry(first[0], |slot| slot.key == first) {
            found.remove();
            self.displaced.fetch_add(1, Relaxed);
        }
    }
}

fn lock<V>(shard: &Mutex<Shard<V>>) -> MutexGuard<'_, Shard<V>> {
    // A session that panicked has left a whole entry: each is put in its place in one move.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A table as the keeper sees it.
pub(super) trait Durable: Send + Sync {
    fn kind(&self) -> u8;
    fn octets(&self) -> usize;
    /// Takes an entry from the disk; `until` 0 = forgotten.
    fn restore(&self, key: [u64; 2], until: u32, octets: &[u8]);
    /// Appends what changed since the last time.
    fn changes(&self, out: &mut Vec<u8>);
    /// Everything, in some parts. What changes meanwhile is in the next changes.
    fn everything(&self) -> Vec<Vec<u8>>;
    /// Forgets what is over; returns how many are left.
    fn sweep(&self, now: u32) -> usize;
}

/// An entry on the disk begins with kind, key and end.
pub(super) const HEAD: usize = 1 + 16 + 4;

fn head(out: &mut Vec<u8>, kind: u8, key: [u64; 2], until: u32) {
    out.push(kind);
    out.extend(key[0].to_le_bytes());
    out.extend(key[1].to_le_bytes());
    out.extend(until.to_le_bytes());
}

impl<V: Value> Durable for Table<V> {
    fn kind(&self) -> u8 {
        V::KIND
    }

    fn octets(&self) -> usize {
        V::OCTETS
    }

    fn restore(&self, key: [u64; 2], until: u32, octets: &[u8]) {
        let mut shard = self.shard(key);
        match V::read(octets) {
            Some(value) if until > 0 => self.put(&mut shard, key, value, until, false),
            _ => {
                if let Ok(found) = shard.slots.find_entry(key[0], |slot| slot.key == key) {
                    found.remove();
                }
            }
        }
    }

    fn changes(&self, out: &mut Vec<u8>) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let changed = std::mem::take(&mut shard.changed);
            for key in changed {
                match shard.slots.find_mut(key[0], |slot| slot.key == key) {
                    Some(slot) => {
                        slot.changed = false;
                        head(out, V::KIND, key, slot.until);
                        slot.value.write(out);
                    }
                    None => {
                        head(out, V::KIND, key, 0);
                        out.resize(out.len() + V::OCTETS, 0);
                    }
                }
            }
        }
    }

    fn everything(&self) -> Vec<Vec<u8>> {
        let dump = |shard: &Mutex<Shard<V>>| {
            let mut shard = lock(shard);
            shard.changed = Vec::new();
            let mut out = Vec::with_capacity(shard.slots.len() * (HEAD + V::OCTETS));
            for slot in &mut shard.slots {
                slot.changed = false;
                head(&mut out, V::KIND, slot.key, slot.until);
                slot.value.write(&mut out);
            }
            out
        };
        self.shards.iter().map(dump).filter(|part| !part.is_empty()).collect()
    }

    fn sweep(&self, now: u32) -> usize {
        let sweep = |shard: &Mutex<Shard<V>>| {
            let mut shard = lock(shard);
            let before = shard.slots.len();
            // One whose change is still to be written is swept the next time.
            shard.slots.retain(|slot| slot.until > now || slot.changed);
            if shard.slots.len() < before / 2 {
                shard.slots.shrink_to_fit(|slot| slot.key[0]);
            }
            shard.slots.len()
        };
        self.shards.iter().map(sweep).sum()
    }
}
