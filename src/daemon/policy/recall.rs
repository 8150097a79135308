//! What the policies remember, and how it lies on the disk.

use crate::{
    daemon::memory::{Keep, Key, Keys, Memory, Table, Value},
    mail::{
        greylist::{self, Change, Seen, Standing, Verdict as Grey},
        habit::{Freeze, Habit},
        limit::{self, Counts, Limit, Limits, Load, Verdict},
    },
};
use std::{fmt, net::IpAddr, sync::Arc};

/// Entries of a table at most; a million of the largest kind are 90 MB.
const MOST: usize = 1_000_000;

/// The tables.
pub struct Recall {
    keys: Keys,
    counts: Arc<Table<Counts>>,
    habits: Arc<Table<Habit>>,
    triplets: Arc<Table<Seen>>,
    networks: Arc<Table<Standing>>,
}

/// Whose messages are counted.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// A login's.
    Login(&'a str),
    /// A client's; an IPv6 client is its /64.
    Client(IpAddr),
    /// Those in the name of a domain.
    Sender(&'a [u8]),
    /// Those to a domain.
    Recipient(&'a [u8]),
}

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(login) => f.write_str(login),
            Self::Client(client) => write!(f, "{client}"),
            Self::Sender(domain) => write!(f, "from @{}", String::from_utf8_lossy(domain)),
            Self::Recipient(domain) => write!(f, "to @{}", String::from_utf8_lossy(domain)),
        }
    }
}

impl Recall {
    /// Makes its tables.
    pub fn new(memory: &mut Memory) -> Self {
        Self {
            keys: memory.keys(),
            counts: memory.table(MOST),
            habits: memory.table(MOST),
            triplets: memory.table(MOST),
            networks: memory.table(MOST),
        }
    }

    /// Entries of each table.
    pub fn sizes(&self) -> [(&'static str, usize); 4] {
        [
            ("counts", self.counts.len()),
            ("habits", self.habits.len()),
            ("triplets", self.triplets.len()),
            ("networks", self.networks.len()),
        ]
    }

    /// Whether `load` would be within the limits.
    pub fn judge(&self, whose: Whose<'_>, limits: &Limits, load: &Load, now: u32) -> Verdict {
        if !limits.any() {
            return Verdict::Within;
        }
        self.counts(whose, now).judge(limits, load, now)
    }

    /// Counts `load` where it is within the limits, with nobody in between. Also the limits that are nearly used up since
    /// just now.
    pub fn count(&self, whose: Whose<'_>, limits: &Limits, load: &Load, now: u32) -> (Verdict, Vec<Limit>) {
        if !limits.any() {
            return (Verdict::Within, Vec::new());
        }
        self.counts.update(self.key(whose), now, |counts| {
            let counts = counts.unwrap_or_default();
            match counts.judge(limits, load, now) {
                Verdict::Within => {
                    let (counts, warnings) = counts.add(limits, load, now);
                    (Keep::Put(counts, now.saturating_add(limit::LONGEST)), (Verdict::Within, warnings))
                }
                verdict => (Keep::AsIs, (verdict, Vec::new())),
            }
        })
    }

    /// What was counted.
    pub fn counts(&self, whose: Whose<'_>, now: u32) -> Counts {
        self.counts.get(self.key(whose), now).unwrap_or_default()
    }

    /// What [`Recall::greylist`] would say, and whether the triplet never came; nothing is noted.
    pub fn foretell(
        &self,
        rule: &greylist::Rule,
        network: &[u8],
        (origin, sender, recipient): (&[u8], &[u8], &[u8]),
        now: u32,
    ) -> (Grey, bool) {
        let standing = self.networks.get(self.keys.of(&[b"n", network]), now).unwrap_or_default();
        if standing.judge(rule, now).0 {
            return (Grey::Known, false);
        }
        let seen = self.triplets.get(self.keys.of(&[b"g", origin, sender, recipient]), now);
        (greylist::judge(rule, seen, now).0, seen.is_none())
    }

    /// Whether a login is frozen.
    pub fn frozen(&self, login: &str, now: u32) -> bool {
        self.habits.get(self.login(login), now).is_some_and(|habit| habit.frozen().is_some())
    }

    /// Adds to a login's habit; whether it is frozen, and whether that is new.
    pub fn used(&self, login: &str, rule: &Freeze, recipients: u32, now: u32) -> (bool, bool) {
        if rule.times == 0 {
            return (false, false);
        }
        self.habits.update(self.login(login), now, |habit| {
            let before = habit.unwrap_or_default();
            let after = before.add(rule, recipients, now);
            let told = (after.frozen().is_some(), after.frozen().is_some() && before.frozen().is_none());
            (Keep::Put(after, now.saturating_add(Habit::KEPT)), told)
        })
    }

    /// Frees a login; whether it was frozen.
    pub fn thaw(&self, login: &str, rule: &Freeze, now: u32) -> bool {
        self.habits.update(self.login(login), now, |habit| match habit {
            Some(habit) if habit.frozen().is_some() => {
                (Keep::Put(habit.thawed(rule), now.saturating_add(Habit::KEPT)), true)
            }
            _ => (Keep::AsIs, false),
        })
    }

    /// What greylisting says to a triplet; `origin` is the network or the pool, `network` always the network.
    pub fn greylist(
        &self,
        rule: &greylist::Rule,
        network: &[u8],
        (origin, sender, recipient): (&[u8], &[u8], &[u8]),
        now: u32,
    ) -> Grey {
        let triplet = self.keys.of(&[b"g", origin, sender, recipient]);
        // Nearly all mail comes from who is known, and nothing is to be noted of it: one look is enough.
        if let Some(seen) = self.triplets.get(triplet, now)
            && let (Grey::Known, None) = greylist::judge(rule, Some(seen), now)
        {
            return Grey::Known;
        }
        let network = self.keys.of(&[b"n", network]);
        let standing = self.networks.get(network, now).unwrap_or_default();
        if let (true, change) = standing.judge(rule, now) {
            if change.is_some() {
                self.networks
                    .update(network, now, |found| (keep(found.unwrap_or(standing).judge(rule, now).1), ()));
            }
            return Grey::Known;
        }
        let verdict = self.triplets.update(triplet, now, |seen| {
            let (verdict, change) = greylist::judge(rule, seen, now);
            (keep(change), verdict)
        });
        if verdict == Grey::Learnt {
            self.networks.update(network, now, |found| {
                let (standing, until) = found.unwrap_or_default().learn(rule, now);
                (Keep::Put(standing, until), ())
            });
        }
        verdict
    }

    fn key(&self, whose: Whose<'_>) -> Key {
        match whose {
            Whose::Login(login) => self.login(login),
            Whose::Client(IpAddr::V4(address)) => self.keys.of(&[b"c", &address.octets()]),
            Whose::Client(IpAddr::V6(address)) => self.keys.of(&[b"c", &address.octets()[..8]]),
            Whose::Sender(domain) => self.keys.of(&[b"s", domain]),
            Whose::Recipient(domain) => self.keys.of(&[b"r", domain]),
        }
    }

    fn login(&self, login: &str) -> Key {
        self.keys.of(&[b"l", login.as_bytes()])
    }
}

fn keep<V>(change: Change<V>) -> Keep<V> {
    change.map_or(Keep::AsIs, |(value, until)| Keep::Put(value, until))
}

impl Value for Counts {
    const KIND: u8 = 1;
    const OCTETS: usize = Self::OCTETS;
    fn write(&self, out: &mut Vec<u8>) {
        self.to_octets(out);
    }
    fn read(octets: &[u8]) -> Option<Self> {
        Self::from_octets(octets)
    }
}

impl Value for Habit {
    const KIND: u8 = 2;
    const OCTETS: usize = Self::OCTETS;
    fn write(&self, out: &mut Vec<u8>) {
        self.to_octets(out);
    }
    fn read(octets: &[u8]) -> Option<Self> {
        Self::from_octets(octets)
    }
}

impl Value for Seen {
    const KIND: u8 = 3;
    const OCTETS: usize = 8;
    fn write(&self, out: &mut Vec<u8>) {
        pair(out, self.first, self.passed);
    }
    fn read(octets: &[u8]) -> Option<Self> {
        let (first, passed) = unpair(octets)?;
        Some(Self { first, passed })
    }
}

impl Value for Standing {
    const KIND: u8 = 4;
    const OCTETS: usize = 8;
    fn write(&self, out: &mut Vec<u8>) {
        pair(out, self.passes, self.last);
    }
    fn read(octets: &[u8]) -> Option<Self> {
        let (passes, last) = unpair(octets)?;
        Some(Self { passes, last })
    }
}

fn pair(out: &mut Vec<u8>, one: u32, two: u32) {
    out.extend(one.to_le_bytes());
    out.extend(two.to_le_bytes());
}

fn unpair(octets: &[u8]) -> Option<(u32, u32)> {
    let octets = u64::from_le_bytes(octets.try_into().ok()?);
    // The low half came first.
    Some((octets as u32, (octets >> 32) as u32))
}
