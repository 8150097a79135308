//! What is counted, and for how long it is kept. The clock comes in with every call, in seconds since 1970.

use super::{
    Attempt, Ban, By, KNOWN_FOR, Key, LONGEST_DELAY, Outcome, Rules, Verdict, delay, neighbours, own,
};
use ipnet::IpNet;
use std::{
    collections::{BTreeSet, HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    net::IpAddr,
};

/// Entries that each table may have; a flood drops what was quiet longest.
const MOST: usize = 100_000;
/// A ban that has ended makes the next one longer for so long, in seconds.
pub const REMEMBERED: u64 = 86_400;

/// What somebody outside may want to keep, or to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A ban began, or was made longer.
    Banned(Key, Ban),
    /// A ban was taken back, or is forgotten.
    Lifted(Key),
    /// The pair of an account and a network, by its fingerprint: somebody was let in at this moment.
    Known(u64, u64),
}

/// What wrong passwords are counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Of(Key),
    Pair(String, IpNet),
}

/// The wrong passwords that count still: when, and a fingerprint of what was said.
#[derive(Clone, Debug, Default)]
struct Wrong(Vec<(u64, u64)>);

impl Wrong {
    /// What lies in the future was noted by a clock that was wrong.
    fn recent(&self, now: u64, window: u64) -> impl Iterator<Item = &(u64, u64)> {
        self.0.iter().filter(move |(at, _)| *at <= now && now - at < window)
    }

    fn count(&self, now: u64, window: u64) -> u32 {
        u32::try_from(self.recent(now, window).count()).unwrap_or(u32::MAX)
    }

    fn add(&mut self, now: u64, window: u64, print: u64) {
        self.0.retain(|(at, _)| *at <= now && now - at < window);
        self.0.push((now, print));
    }
}

/// Everything that is known of those who log in.
#[derive(Debug, Default)]
pub struct Penalties {
    rules: Rules,
    wrong: HashMap<Subject, Wrong>,
    bans: HashMap<Key, Ban>,
    /// Lengths of the networks in `bans`, so that an address needs few looks.
    lengths: BTreeSet<(bool, u8)>,
    /// Fingerprints of pairs of account and network, and when somebody was last let in.
    known: HashMap<u64, u64>,
}

impl Penalties {
    /// Nothing is known yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// The rules that count.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Goes over to other rules; what was counted stays.
    pub fn configure(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// What to do with a try.
    pub fn check(&self, now: u64, attempt: &Attempt) -> Verdict {
        let rules = &self.rules;
        let account = Key::Account(attempt.account.clone());
        let spared = attempt.remote.is_none_or(|address| rules.spares(address));
        let banned = |by: By| {
            let network = attempt.remote.filter(|_| !spared).and_then(|from| self.network_ban(now, from, by));
            let held = |key: &Key| self.bans.get(key).is_some_and(|ban| ban.by == by && ban.holds(now));
            network.or_else(|| held(&account).then(|| account.clone()))
        };
        if let Some(key) = banned(By::Operator) {
            return Verdict::Refuse(key);
        }
        if !rules.enabled || self.trusts(now, attempt) {
            return Verdict::Pass;
        }
        if let Some(key) = banned(By::Rule) {
            // Who may be anybody is never shut out: an owner may be behind the same address.
            return if spared { Verdict::Delay(LONGEST_DELAY) } else { Verdict::Refuse(key) };
        }
        let count = |key: Key, limit| delay(self.count(now, &Subject::Of(key)), limit);
        let mut wait = count(account, rules.account_failures);
        if let Some(address) = attempt.remote.filter(|_| !spared) {
            wait = wait.max(count(Key::Network(own(address)), rules.failures));
            wait = wait.max(count(Key::Network(neighbours(address)), rules.network_failures));
        }
        if wait == 0 { Verdict::Pass } else { Verdict::Delay(wait) }
    }

    /// Takes up what became of a try.
    pub fn report(&mut self, now: u64, attempt: &Attempt, outcome: Outcome) -> Vec<Event> {
        match outcome {
            Outcome::Good => self.learn(now, attempt).into_iter().collect(),
            Outcome::Wrong if self.rules.enabled => self.count_wrong(now, attempt),
            Outcome::Wrong | Outcome::Other => Vec::new(),
        }
    }

    /// Shuts somebody out for `seconds`, by a person's word.
    pub fn ban(&mut self, now: u64, key: &Key, seconds: u64) -> Event {
        let ban = Ban { since: now, until: now.saturating_add(seconds), by: By::Operator, level: 0 };
        self.put(key.clone(), ban);
        Event::Banned(key.clone(), ban)
    }

    /// The bans that stand in the way of `key`: on itself, on networks that it is in, on what is within it.
    pub fn bans_on(&self, now: u64, key: &Key) -> Vec<Key> {
        let meets = |other: &Key| match (key, other) {
            (Key::Network(a), Key::Network(b)) => a.contains(b) || b.contains(a),
            (a, b) => a == b,
        };
        let held = self.bans.iter().filter(|(key, ban)| meets(key) && ban.holds(now));
        let mut keys: Vec<Key> = held.map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys
    }

    /// Takes back all bans that stand in the way of `key`, and forgets the wrong passwords that led to them.
    pub fn lift(&mut self, now: u64, key: &Key) -> Vec<Event> {
        // With one that is over, for it would make the next one longer.
        let mut keys = self.bans_on(now, key);
        keys.extend((!keys.contains(key)).then(|| key.clone()));
        keys.retain(|key| self.bans.remove(key).is_some());
        let meets = |subject: &Subject| match (key, subject) {
            (Key::Network(net), Subject::Of(Key::Network(other)) | Subject::Pair(_, other)) => {
                net.contains(other) || other.contains(net)
            }
            (Key::Account(account), Subject::Of(Key::Account(other)) | Subject::Pair(other, _)) => {
                account == other
            }
            _ => false,
        };
        self.wrong.retain(|subject, _| !meets(subject));
        self.measure();
        keys.into_iter().map(Event::Lifted).collect()
    }

    /// The bans that hold, by key.
    pub fn bans(&self, now: u64) -> Vec<(Key, Ban)> {
        let held = self.bans.iter().filter(|(_, ban)| ban.holds(now));
        let mut bans: Vec<(Key, Ban)> = held.map(|(key, ban)| (key.clone(), *ban)).collect();
        bans.sort_by(|a, b| a.0.cmp(&b.0));
        bans
    }

    /// Takes up what was kept over a restart.
    pub fn recall(&mut self, event: Event) {
        match event {
            Event::Banned(key, ban) => self.put(key, ban),
            Event::Known(pair, at) => {
                self.known.insert(pair, at);
            }
            Event::Lifted(key) => {
                self.bans.remove(&key);
                self.measure();
            }
        }
    }

    /// Forgets what counts no more. To be called now and then.
    pub fn sweep(&mut self, now: u64) -> Vec<Event> {
        let window = self.rules.window;
        self.wrong.retain(|_, wrong| wrong.recent(now, window).next().is_some());
        self.known.retain(|_, at| now < at.saturating_add(KNOWN_FOR));
        let over = |ban: &Ban| now >= ban.until.saturating_add(REMEMBERED);
        let gone: Vec<Key> =
            self.bans.iter().filter(|(_, ban)| over(ban)).map(|(key, _)| key.clone()).collect();
        self.bans.retain(|_, ban| !over(ban));
        self.measure();
        gone.into_iter().map(Event::Lifted).collect()
    }

    /// How many entries there are: wrong passwords' subjects, bans, known pairs.
    pub fn sizes(&self) -> [usize; 3] {
        [self.wrong.len(), self.bans.len(), self.known.len()]
    }

    fn network_ban(&self, now: u64, address: IpAddr, by: By) -> Option<Key> {
        let lengths = self.lengths.iter().filter(|(four, _)| *four == address.is_ipv4());
        lengths
            .filter_map(|(_, length)| Some(Key::Network(IpNet::new(address, *length).ok()?.trunc())))
            .find(|key| self.bans.get(key).is_some_and(|ban| ban.by == by && ban.holds(now)))
    }

    fn count(&self, now: u64, subject: &Subject) -> u32 {
        self.wrong.get(subject).map_or(0, |wrong| wrong.count(now, self.rules.window))
    }

    /// The pair of account and network, where one can be known in.
    fn pair(&self, attempt: &Attempt) -> Option<(String, IpNet)> {
        let address = attempt.remote.filter(|address| !self.rules.gateways.contains(address))?;
        Some((attempt.account.clone(), neighbours(address)))
    }

    /// Whether the account is known there, and the pair itself has not begun to guess.
    fn trusts(&self, now: u64, attempt: &Attempt) -> bool {
        let Some(pair) = self.pair(attempt) else { return false };
        let since = self.known.get(&print(&pair)).copied();
        let known = since.is_some_and(|at| now < at.saturating_add(KNOWN_FOR));
        let limit = self.rules.failures.saturating_mul(2);
        known && (limit == 0 || self.count(now, &Subject::Pair(pair.0, pair.1)) < limit)
    }

    fn learn(&mut self, now: u64, attempt: &Attempt) -> Option<Event> {
        let pair = self.pair(attempt)?;
        let print = print(&pair);
        self.wrong.remove(&Subject::Pair(pair.0, pair.1));
        // Once an hour is news enough.
        let before = self.known.get(&print).copied();
        if before.is_some_and(|at| at <= now && now - at < 3600) {
            return None;
        }
        if self.known.len() >= MOST && before.is_none() {
            quietest(&mut self.known, |at| *at);
        }
        self.known.insert(print, now);
        Some(Event::Known(print, now))
    }

    fn count_wrong(&mut self, now: u64, attempt: &Attempt) -> Vec<Event> {
        let rules = self.rules.clone();
        let guess = print(&(&attempt.account, &attempt.secret));
        let mut subjects: Vec<(Subject, u32)> = Vec::new();
        let pair = self.pair(attempt).filter(|pair| self.known.contains_key(&print(pair)));
        match pair {
            // Its owner's own mistakes lead to no ban of the account.
            Some((account, net)) => subjects.push((Subject::Pair(account, net), 0)),
            None => {
                let account = Key::Account(attempt.account.clone());
                subjects.push((Subject::Of(account), rules.account_failures));
            }
        }
        if let Some(address) = attempt.remote.filter(|address| !rules.spares(*address)) {
            subjects.push((Subject::Of(Key::Network(own(address))), rules.failures));
            subjects.push((Subject::Of(Key::Network(neighbours(address))), rules.network_failures));
        }
        // Said before by the same client: others who try the same password are no such repeat.
        let client = if subjects.len() > 1 { 1 } else { 0 };
        let before = self.wrong.get(&subjects[client].0).filter(|_| attempt.secret.is_some());
        let repeat =
            before.is_some_and(|wrong| wrong.recent(now, rules.window).any(|(_, said)| *said == guess));
        if repeat && !rules.count_repeats {
            return Vec::new();
        }
        let mut events = Vec::new();
        for (subject, limit) in subjects {
            if self.wrong.len() >= MOST && !self.wrong.contains_key(&subject) {
                quietest(&mut self.wrong, |wrong| wrong.0.last().map_or(0, |(at, _)| *at));
            }
            let wrong = self.wrong.entry(subject.clone()).or_default();
            wrong.add(now, rules.window, guess);
            if limit == 0 || wrong.count(now, rules.window) < limit {
                continue;
            }
            if let Subject::Of(key) = &subject {
                self.wrong.remove(&subject);
                events.extend(self.shut_out(now, key));
            }
        }
        events
    }

    fn shut_out(&mut self, now: u64, key: &Key) -> Option<Event> {
        let before = self.bans.get(key).copied();
        if before.is_some_and(|ban| ban.by == By::Operator && ban.holds(now)) {
            return None;
        }
        let again = before.filter(|ban| ban.by == By::Rule && now < ban.until.saturating_add(REMEMBERED));
        // Of an account only strangers are kept out, and its owner may be one today: that never gets longer.
        let level = match (key, again) {
            (Key::Network(_), Some(ban)) => ban.level.saturating_add(1),
            _ => 0,
        };
        let length = self.rules.ban.saturating_mul(1 << level.min(32)).min(self.rules.longest);
        let ban = Ban { since: now, until: now.saturating_add(length), by: By::Rule, level };
        self.put(key.clone(), ban);
        Some(Event::Banned(key.clone(), ban))
    }

    fn put(&mut self, key: Key, ban: Ban) {
        if self.bans.len() >= MOST && !self.bans.contains_key(&key) {
            quietest(&mut self.bans, |ban| if ban.by == By::Operator { u64::MAX } else { ban.until });
            self.measure();
        }
        if let Key::Network(net) = &key {
            self.lengths.insert((net.addr().is_ipv4(), net.prefix_len()));
        }
        self.bans.insert(key, ban);
    }

    fn measure(&mut self) {
        let networks = self.bans.keys().filter_map(|key| match key {
            Key::Network(net) => Some((net.addr().is_ipv4(), net.prefix_len())),
            Key::Account(_) => None,
        });
        self.lengths = networks.collect();
    }
}

/// Drops a quarter of a table: what has the least `age`.
fn quietest<K: Eq + Hash, V>(table: &mut HashMap<K, V>, age: impl Fn(&V) -> u64) {
    let mut ages: Vec<u64> = table.values().map(&age).collect();
    let quarter = ages.len() / 4;
    if quarter == 0 {
        return;
    }
    let (_, cut, _) = ages.select_nth_unstable(quarter);
    let (cut, mut left) = (*cut, quarter);
    table.retain(|_, value| {
        let goes = left > 0 && age(value) <= cut;
        left -= usize::from(goes);
        !goes
    });
}

/// Tells things apart, and nothing of what they are. The same after a restart.
fn print(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}
