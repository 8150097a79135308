//! `Table`: entries, compiled for looking up.

use super::{
    Entry, Way,
    key::{Key, Kind, Pattern},
    ranges::{Net, Ranges},
};
use ipnet::IpNet;
use std::{cmp::Ordering, collections::HashMap, net::IpAddr};

/// Entries that answer for one client, name or address. Never changed: another one takes its place.
#[derive(Debug, Default)]
pub struct Table {
    entries: Vec<Entry>,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    names: [Names; Kind::NAMES.len()],
}

#[derive(Debug, Default)]
struct Names {
    whole: HashMap<Box<str>, u32>,
    below: HashMap<Box<str>, u32>,
    local: HashMap<Box<str>, u32>,
}

/// How much an entry says about what was looked up; the greater rank is the more specific one.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    rank: u32,
    /// The entry.
    pub entry: &'a Entry,
}

/// A whole address, a whole domain or host.
const ADDRESS: u32 = 2000;
const NAME: u32 = 1000;
/// A domain and all below it: one more for each octet of its name.
const BELOW: u32 = 100;
/// A local part in every domain.
const LOCAL: u32 = 1;

impl<'a> Hit<'a> {
    /// The more specific one; where both are alike, that which allows, and else the first.
    pub fn stronger(one: Option<Self>, two: Option<Self>) -> Option<Self> {
        let (Some(first), Some(second)) = (one, two) else { return one.or(two) };
        let stronger = match second.rank.cmp(&first.rank) {
            Ordering::Greater => second,
            Ordering::Equal if second.entry.way < first.entry.way => second,
            _ => first,
        };
        Some(stronger)
    }
}

impl Table {
    /// Compiles them. Of two on the same the one that allows counts, and else the first.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| entry.way);
        entries.truncate(u32::MAX as usize - 1);
        let (mut v4, mut v6): (Vec<Net<u32>>, Vec<Net<u128>>) = Default::default();
        let mut names: [Names; Kind::NAMES.len()] = Default::default();
        for (at, entry) in (0..).zip(&entries) {
            match &entry.key {
                Key::Network(IpNet::V4(net)) => {
                    v4.push((net.network().to_bits(), net.broadcast().to_bits(), at))
                }
                Key::Network(IpNet::V6(net)) => {
                    v6.push((net.network().to_bits(), net.broadcast().to_bits(), at))
                }
                Key::Name(kind, pattern) => {
                    let Some(names) = names.get_mut(number(*kind)) else { continue };
                    let (map, name) = match pattern {
                        Pattern::Whole(name) => (&mut names.whole, name),
                        Pattern::Below(name) => (&mut names.below, name),
                        Pattern::Local(name) => (&mut names.local, name),
                    };
                    map.entry(name.as_str().into()).or_insert(at);
                }
            }
        }
        Self { entries, v4: Ranges::new(v4), v6: Ranges::new(v6), names }
    }

    /// All entries, those that allow first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many allow and how many block.
    pub fn counts(&self) -> (usize, usize) {
        let allow = self.entries.partition_point(|entry| entry.way == Way::Allow);
        (allow, self.entries.len() - allow)
    }

    /// The smallest network around a client.
    pub fn client(&self, address: IpAddr) -> Option<Hit<'_>> {
        let owner = match address.to_canonical() {
            IpAddr::V4(address) => self.v4.owner(address.to_bits()),
            IpAddr::V6(address) => self.v6.owner(address.to_bits()),
        };
        let entry = self.entries.get(owner? as usize)?;
        let Key::Network(net) = &entry.key else { return None };
        Some(Hit { rank: u32::from(net.prefix_len()), entry })
    }

    /// What is said of a host's name, in lower case.
    pub fn helo(&self, name: &str) -> Option<Hit<'_>> {
        self.domain(Kind::Helo, name)
    }

    /// What is said of a sender or recipient, in lower case: of the address, of it without its tag, of its domain, of
    /// the domains above, of its local part.
    pub fn address(&self, kind: Kind, address: &str, delimiter: char) -> Option<Hit<'_>> {
        let names = self.names.get(number(kind))?;
        if names.whole.is_empty() && names.below.is_empty() && names.local.is_empty() {
            return None;
        }
        let (local, domain) = address.rsplit_once('@')?;
        let plain = local.split_once(delimiter).map(|(user, _)| user).filter(|user| !user.is_empty());
        let whole = self.hit(ADDRESS, names.whole.get(address));
        let untagged = || {
            let plain = plain.filter(|_| !names.whole.is_empty())?;
            self.hit(ADDRESS - 1, names.whole.get(format!("{plain}@{domain}").as_str()))
        };
        let of_local = || {
            let found = names.local.get(local).or_else(|| names.local.get(plain?));
            self.hit(LOCAL, found)
        };
        whole.or_else(untagged).or_else(|| self.domain(kind, domain)).or_else(of_local)
    }

    /// Of the name itself, then of the domains that it is in, the longest first.
    fn domain(&self, kind: Kind, name: &str) -> Option<Hit<'_>> {
        let names = self.names.get(number(kind))?;
        let name = name.strip_suffix('.').unwrap_or(name);
        if let Some(hit) = self.hit(NAME, names.whole.get(name)) {
            return Some(hit);
        }
        let mut rest = if names.below.is_empty() { None } else { Some(name) };
        while let Some(part) = rest {
            if let Some(at) = names.below.get(part) {
                return self.hit(BELOW + u32::try_from(part.len()).unwrap_or(0), Some(at));
            }
            rest = part.split_once('.').map(|(_, above)| above);
        }
        None
    }

    fn hit(&self, rank: u32, at: Option<&u32>) -> Option<Hit<'_>> {
        let entry = self.entries.get(*at? as usize)?;
        Some(Hit { rank, entry })
    }
}

/// Where the names of a kind are; a client has none.
fn number(kind: Kind) -> usize {
    Kind::NAMES.iter().position(|named| *named == kind).unwrap_or(Kind::NAMES.len())
}
