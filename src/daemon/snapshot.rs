//! The directory in memory, kept current from the store's log of changes.
//!
//! It begins empty and answers "later" until the store was read once. A store that breaks afterwards leaves
//! the last good state in force: never "unknown user" because a disk had a bad day.

mod follow;

use crate::mail::{
    address::Address,
    directory::{Directory, Place},
};
use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    sync::{PoisonError, RwLock},
};

/// What the daemon's configuration says of this server.
#[derive(Clone, Debug)]
pub struct Here {
    /// Host name, administrator, delimiter.
    pub place: Place,
    /// Served domains of the settings.
    pub domains: HashSet<Box<str>>,
}

/// Everything that answers are made from.
#[derive(Debug)]
pub struct Memory {
    here: Here,
    domains: HashSet<Box<str>>,
    mailboxes: HashSet<Box<str>>,
    /// Source to targets with commas between: at a million aliases, two allocations each.
    aliases: HashMap<Box<str>, Box<str>>,
}

impl Memory {
    fn empty(here: Here) -> Self {
        Self { here, domains: HashSet::new(), mailboxes: HashSet::new(), aliases: HashMap::new() }
    }

    /// Host name, administrator, delimiter.
    pub fn place(&self) -> &Place {
        &self.here.place
    }

    /// Whether any mail for `domain` is taken: it is served, or is the host's own name with its roles.
    pub fn receives(&self, domain: &str) -> bool {
        self.is_served(domain) || self.here.place.hostname.as_str() == domain
    }

    fn is_served(&self, domain: &str) -> bool {
        self.here.domains.contains(domain) || self.domains.contains(domain)
    }
}

impl Directory for Memory {
    type Error = Infallible;

    fn serves(&self, domain: &str) -> Result<bool, Infallible> {
        Ok(self.is_served(domain))
    }

    fn mailbox(&self, address: &str) -> Result<bool, Infallible> {
        Ok(self.mailboxes.contains(address))
    }

    fn targets(&self, source: &str) -> Result<Vec<Address>, Infallible> {
        let Some(targets) = self.aliases.get(source) else { return Ok(Vec::new()) };
        // Parsed before they were stored; one that is not an address any more leads nowhere.
        Ok(targets.split(',').filter_map(|target| Address::parse(target).ok()).collect())
    }
}

/// The one memory, shared by all sessions.
#[derive(Debug)]
pub struct Snapshot {
    memory: RwLock<Memory>,
    /// Whether the store was read at least once.
    ready: std::sync::atomic::AtomicBool,
}

impl Snapshot {
    /// Nothing known yet.
    pub fn new(here: Here) -> Self {
        Self { memory: RwLock::new(Memory::empty(here)), ready: false.into() }
    }

    /// Gives `ask` the memory; `None` until the store was read once.
    pub fn with<T>(&self, ask: impl FnOnce(Option<&Memory>) -> T) -> T {
        if !self.ready.load(std::sync::atomic::Ordering::Acquire) {
            return ask(None);
        }
        // A panic while writing can leave an entry out at worst; the sessions go on.
        ask(Some(&self.memory.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// After a new configuration.
    pub fn set_place(&self, here: Here) {
        self.memory.write().unwrap_or_else(PoisonError::into_inner).here = here;
    }
}
