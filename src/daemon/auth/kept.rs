//! What outlives the daemon: bans, and in which networks accounts are known.

use crate::{
    daemon::memory::{Keep, Keys, Memory, Table, Value},
    mail::penalty::{Ban, By, Event, KNOWN_FOR, Key, REMEMBERED},
};
use ipnet::IpNet;
use std::{net::IpAddr, sync::Arc};

/// Bans that are kept.
const BANS: usize = 20_000;
/// Pairs of account and network that are kept.
const KNOWN: usize = 100_000;
/// Octets of a name; a longer one is banned until the next start only.
const NAME: usize = 255;

/// The tables.
pub struct Kept {
    keys: Keys,
    bans: Arc<Table<KeptBan>>,
    known: Arc<Table<KeptPair>>,
}

/// A ban, with whom it is on: whoever lists it wants to read that.
#[derive(Clone, Copy)]
struct KeptBan {
    kind: u8,
    length: u8,
    name: [u8; NAME],
    ban: Ban,
}

/// A pair's fingerprint, and when somebody was let in.
#[derive(Clone, Copy)]
struct KeptPair(u64, u64);

fn number(octets: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(octets.get(at..at + 8)?.try_into().ok()?))
}

impl Value for KeptPair {
    const KIND: u8 = 11;
    const OCTETS: usize = 16;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_le_bytes());
        out.extend(self.1.to_le_bytes());
    }

    fn read(octets: &[u8]) -> Option<Self> {
        Some(Self(number(octets, 0)?, number(octets, 8)?))
    }
}

impl Value for KeptBan {
    const KIND: u8 = 10;
    const OCTETS: usize = 2 + NAME + 2 + 16;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.kind, self.length]);
        out.extend(self.name);
        out.extend([u8::from(self.ban.by == By::Operator), self.ban.level]);
        out.extend(self.ban.since.to_le_bytes());
        out.extend(self.ban.until.to_le_bytes());
    }

    fn read(octets: &[u8]) -> Option<Self> {
        let (head, rest) = octets.split_at_checked(2 + NAME)?;
        let by = if *rest.first()? == 0 { By::Rule } else { By::Operator };
        let ban = Ban { by, level: *rest.get(1)?, since: number(rest, 2)?, until: number(rest, 10)? };
        Some(Self { kind: head[0], length: head[1], name: head[2..].try_into().ok()?, ban })
    }
}

impl KeptBan {
    /// `None` where the name is too long.
    fn new(key: &Key, ban: Ban) -> Option<Self> {
        let (kind, text) = match key {
            Key::Network(net) => (0, format!("{}/{}", net.addr(), net.prefix_len())),
            Key::Account(account) => (1, account.clone()),
        };
        let mut name = [0; NAME];
        name.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { kind, length: u8::try_from(text.len()).ok()?, name, ban })
    }

    /// `None` where it is not understood: a newer mailctl wrote it.
    fn event(&self) -> Option<Event> {
        let text = std::str::from_utf8(self.name.get(..usize::from(self.length))?).ok()?;
        let key = match self.kind {
            0 => Key::Network(text.parse::<IpNet>().ok()?),
            1 => Key::Account(text.to_owned()),
            _ => return None,
        };
        Some(Event::Banned(key, self.ban))
    }
}

fn second(time: u64) -> u32 {
    u32::try_from(time).unwrap_or(u32::MAX)
}

impl Kept {
    /// Its tables in `memory`, which fills them when it begins.
    pub fn new(memory: &mut Memory) -> Self {
        Self { keys: memory.keys(), bans: memory.table(BANS), known: memory.table(KNOWN) }
    }

    /// All that was kept.
    pub fn all(&self, now: u64) -> Vec<Event> {
        let bans = self.bans.values(second(now)).into_iter().filter_map(|kept| kept.event());
        let known =
            self.known.values(second(now)).into_iter().map(|KeptPair(pair, at)| Event::Known(pair, at));
        bans.chain(known).collect()
    }

    /// Keeps what happened.
    pub fn keep(&self, now: u64, event: &Event) {
        let now = second(now);
        match event {
            Event::Banned(key, ban) => {
                let Some(kept) = KeptBan::new(key, *ban) else { return };
                let until = second(ban.until.saturating_add(REMEMBERED));
                self.bans.update(self.key(key), now, |_| (Keep::Put(kept, until), ()));
            }
            Event::Lifted(key) => self.bans.update(self.key(key), now, |_| (Keep::Forget, ())),
            Event::Known(pair, at) => {
                let key = self.keys.of(&[b"known", &pair.to_le_bytes()]);
                let until = second(at.saturating_add(KNOWN_FOR));
                self.known.update(key, now, |_| (Keep::Put(KeptPair(*pair, *at), until), ()));
            }
        }
    }

    fn key(&self, key: &Key) -> crate::daemon::memory::Key {
        match key {
            Key::Network(net) => {
                let octets = match net.addr() {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                self.keys.of(&[b"network", &octets, &[net.prefix_len()]])
            }
            Key::Account(account) => self.keys.of(&[b"account", account.as_bytes()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_read_as_it_was() {
        let mut memory = Memory::open(None).await;
        let kept = Kept::new(&mut memory);
        let ban = Ban { since: 1_800_000_000, until: 1_800_000_600, by: By::Operator, level: 3 };
        for text in ["192.0.2.7", "192.0.2.0/24", "2001:db8::/32", "ann@example.org"] {
            let (key, event) = (text.parse().unwrap(), Event::Banned(text.parse().unwrap(), ban));
            kept.keep(ban.since, &event);
            let mut octets = Vec::new();
            KeptBan::new(&key, ban).unwrap().write(&mut octets);
            assert_eq!(octets.len(), KeptBan::OCTETS);
            assert_eq!(KeptBan::read(&octets).unwrap().event(), Some(event));
            assert!(KeptBan::read(&octets[1..]).is_none());
        }
        kept.keep(ban.since, &Event::Known(7, ban.since));
        assert_eq!(kept.all(ban.since).len(), 5);
        kept.keep(ban.since, &Event::Lifted("192.0.2.7".parse().unwrap()));
        assert_eq!(kept.all(ban.since).len(), 4);
        assert_eq!(kept.all(ban.until + REMEMBERED).len(), 1, "an account is known for a month");
        assert!(KeptBan::new(&Key::Account("x".repeat(256)), ban).is_none());
    }
}
