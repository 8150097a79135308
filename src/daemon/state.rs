//! `State`: what every session answers from, and who replaces it.

use super::{config::Config, memory::unix_now, snapshot::Snapshot};
use crate::mail::{
    address::{Address, Domain, Malformed},
    directory::{Directory, Place},
    forward::{Off, Patterns},
    list::Lists,
    policy::Rules,
    rights::Restriction,
    rule::Rule,
    srs::Srs,
};
use crate::{settings::trust::Trust, world::lists::Trouble};
use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Arc, PoisonError},
};

/// Shared by all sessions. Readers hold it for microseconds, the one writer as well. Threads that read do not write into
/// each other's cache lines; the writer pays for that.
pub struct State(ShardedLock<Known>);

/// What is known now.
pub struct Known {
    /// Names and delimiter of this server.
    pub place: Place,
    first: Option<Domain>,
    domains: HashSet<String>,
    /// What users may send as.
    pub restriction: Restriction,
    /// What may pass.
    pub rules: Rules,
    /// Who is not asked about it.
    pub trusted: Trust,
    /// Who is refused, and who is not asked about it.
    pub lists: Lists,
    /// What of their files does not count as it stands.
    pub troubles: Vec<Trouble>,
    /// Whether mail that leads elsewhere is handed to us, and not sent on by Postfix itself.
    pub forwards: bool,
    /// Senders of such mail in our name, and back; `None` = there are no secrets.
    pub srs: Option<Srs>,
    /// Whether such mail tells that it was forwarded.
    pub tell: bool,
    /// Our own address, as Postfix sees it when we bring it a letter; `None` until we did.
    pub own: Option<IpAddr>,
    /// The directory; `None` until it could be read once.
    pub snapshot: Option<Snapshot>,
    /// Number of the last change that is in it.
    pub seen: i64,
}

impl State {
    /// Knows the configuration, and no directory yet.
    pub fn new(config: &Config) -> Self {
        let (rules, trusted) = (config.policies, config.trusted.clone());
        let known = Known {
            place: config.place(),
            first: config.domains.first().cloned(),
            domains: domains(config),
            restriction: config.sender_restrictions,
            rules,
            trusted,
            lists: Lists::default(),
            troubles: Vec::new(),
            forwards: config.forward.is_some(),
            srs: None,
            tell: config.forward.as_ref().is_some_and(|forward| forward.tell),
            own: None,
            snapshot: None,
            seen: 0,
        };
        Self(ShardedLock::new(known))
    }

    /// For answering.
    pub fn read(&self) -> ShardedLockReadGuard<'_, Known> {
        // A session that panicked while reading has broken nothing.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For replacing.
    pub fn write(&self) -> ShardedLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes over to another configuration.
    pub fn configure(&self, config: &Config) {
        let mut known = self.write();
        known.place = config.place();
        known.first = config.domains.first().cloned();
        known.domains = domains(config);
        known.restriction = config.sender_restrictions;
        known.rules = config.policies;
        known.trusted = config.trusted.clone();
        known.tell = config.forward.as_ref().is_some_and(|forward| forward.tell);
    }
}

fn domains(config: &Config) -> HashSet<String> {
    config.domains.iter().map(ToString::to_string).collect()
}

impl Known {
    /// Whether mail for `domain` is ours; before the directory was read, whether the settings say so.
    pub fn serves(&self, domain: &str) -> bool {
        self.domains.contains(domain) || self.snapshot.as_ref().is_some_and(|known| known.has_domain(domain))
    }

    /// The first served domain of the settings: what is sent from there is signed.
    pub fn domain(&self) -> &Domain {
        self.first.as_ref().unwrap_or(&self.place.hostname)
    }

    /// The directory as it is in this second, where there is one.
    pub fn directory(&self) -> Option<View<'_>> {
        self.snapshot.as_ref().map(|snapshot| View {
            snapshot,
            domains: &self.domains,
            now: unix_now().into(),
        })
    }
}

/// The directory as [`crate::mail::directory::resolve`] walks it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// All names.
    pub snapshot: &'a Snapshot,
    domains: &'a HashSet<String>,
    /// What ends by itself ends by this, in seconds since 1970.
    now: i64,
}

impl Directory for View<'_> {
    /// A target that is no address: the database was changed by something else.
    type Error = Malformed;

    fn serves(&self, domain: &str) -> Result<bool, Malformed> {
        Ok(self.domains.contains(domain) || self.snapshot.has_domain(domain))
    }

    fn mailbox(&self, address: &str) -> Result<bool, Malformed> {
        Ok(self.snapshot.get(address).mailbox)
    }

    fn targets(&self, source: &str) -> Result<Vec<Address>, Malformed> {
        let targets = self.snapshot.get(source).targets;
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        targets.split(',').map(Address::parse).collect()
    }

    fn off(&self, source: &str) -> Result<Option<Off>, Malformed> {
        Ok(self.snapshot.forwards.off(source, self.now))
    }

    fn patterns(&self, domain: &str) -> Result<Option<Arc<Patterns>>, Malformed> {
        self.snapshot.forwards.patterns(domain)
    }

    fn rules(&self, source: &str) -> Result<Option<Arc<[Rule]>>, Malformed> {
        self.snapshot.forwards.rules(source)
    }

    fn granted(&self, source: &str) -> Result<Vec<Address>, Malformed> {
        self.snapshot.granted(source).map(Address::parse).collect()
    }
}
