//! What was ordered, what is under way and what went wrong: all that has to outlive a restart, so that no restart
//! costs an order. Pure: written to the disk by `world::acme`, before the order itself is placed.

use super::{
    Kind,
    schedule::{WEEK, backoff},
};
use serde::{Deserialize, Serialize};

/// Orders that may be placed for one name in a week; Let's Encrypt counts five certificates for the same names.
pub const ORDERS: usize = 5;

/// Attempts that went wrong after which an order is given up: it can be stuck at the authority.
const STUCK: u32 = 8;

/// Orders whose URLs are kept.
const REMEMBERED: usize = 100;

/// Longest time that an authority can make us wait by one `Retry-After`, in seconds: a week.
const LONGEST_WAIT: i64 = WEEK;

/// Longest time from one attempt to the next that we ourselves would choose, in seconds, with jitter.
const LONGEST_PAUSE: i64 = 9 * 3600;

/// The book. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// Orders of the last week, and some older ones.
    pub placed: Vec<Placed>,
    /// The last orders that were taken, the newest at the end: none of them is one that was cut off.
    pub taken: Vec<Taken>,
    /// Orders that are not at their end yet, at most one of a kind and directory.
    pub under_way: Vec<UnderWay>,
    /// What went wrong last; nothing after a success.
    pub failure: Option<Failure>,
    /// The authority's own advice when to renew (RFC 9773).
    pub advice: Option<Advice>,
    /// When to ask for advice again.
    pub ask: i64,
    /// A certificate that was revoked, and must go.
    pub revoked: Option<Revoked>,
}

/// An order that was placed, or may have been: it is written down before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// URL of the directory.
    pub directory: String,
    /// For these names.
    pub names: Vec<String>,
    /// When.
    pub at: i64,
}

/// An order that the authority took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// URL of the directory.
    pub directory: String,
    /// URL of the order.
    pub url: String,
}

/// An order that was not brought to its end yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// URL of the directory.
    pub directory: String,
    /// Of this key.
    pub kind: Kind,
    /// For these names.
    pub names: Vec<String>,
    /// URL of the order; `None` while no answer has told it.
    pub url: Option<String>,
    /// Records of DNS-01 that were published for it: name and value.
    #[serde(default)]
    pub texts: Vec<(String, String)>,
    /// Attempts at it that went wrong.
    #[serde(default)]
    pub failures: u32,
}

/// A certificate that nobody should believe any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Its serial number.
    pub serial: String,
    /// Its key may be known to others: the next one gets another.
    pub new_key: bool,
}

/// What went wrong, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// How often in a row.
    pub count: u32,
    /// The last time.
    pub at: i64,
    /// Nobody should try before.
    pub next: i64,
    /// The authority itself asked not to be asked before.
    pub told: Option<i64>,
    /// In one line.
    pub why: String,
    /// The authority refused: the next attempt goes to its staging directory first, where there is one.
    pub staging: bool,
}

/// When the authority wants a certificate to be renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// Of the certificate with this serial number.
    pub serial: String,
    /// Begin of its window.
    pub start: i64,
    /// End of its window.
    pub end: i64,
    /// The moment in it that was drawn (RFC 9773 §4.2).
    pub at: i64,
}

impl Ledger {
    /// Brings the book in line with the clock: what is older than a week goes when there is much of it (a clock that
    /// was ahead for a moment must not make us forget what we ordered), and what a clock that was wrong has put into
    /// the future comes back, or it would block for years. Whether anything changed.
    pub fn wind(&mut self, now: i64) -> bool {
        let before = self.clone();
        let mut surplus = self.placed.len().saturating_sub(REMEMBERED);
        self.placed.retain(|placed| {
            let goes = surplus > 0 && placed.at <= now - WEEK;
            surplus -= usize::from(goes);
            !goes
        });
        self.placed.iter_mut().for_each(|placed| placed.at = placed.at.min(now));
        self.ask = self.ask.min(now + 86_400);
        if let Some(failure) = &mut self.failure {
            failure.at = failure.at.min(now);
            failure.told = failure.told.map(|told| told.min(now + LONGEST_WAIT));
            let latest = failure.told.unwrap_or(now).max(now + LONGEST_PAUSE);
            failure.next = failure.next.min(latest);
        }
        *self != before
    }

    /// Orders for `name` in the week before `now`.
    pub fn orders(&self, directory: &str, name: &str, now: i64) -> usize {
        self.times(directory, name, now).len()
    }

    fn times(&self, directory: &str, name: &str, now: i64) -> Vec<i64> {
        let counts = |placed: &&Placed| placed.directory == directory && placed.at > now - WEEK;
        let of_name = |placed: &&Placed| placed.names.iter().any(|other| other == name);
        let mut times: Vec<i64> =
            self.placed.iter().filter(counts).filter(of_name).map(|placed| placed.at).collect();
        times.sort_unstable();
        times
    }

    /// Whether an order for all of `names` may be placed; else the first name that was ordered too often, and when it
    /// may be ordered again.
    pub fn allows<'a>(&self, directory: &str, names: &'a [String], now: i64) -> Result<(), (&'a str, i64)> {
        let full = names.iter().filter_map(|name| {
            let times = self.times(directory, name, now);
            let index = times.len().checked_sub(ORDERS)?;
            Some((name.as_str(), times.get(index)? + WEEK))
        });
        full.max_by_key(|(_, until)| *until).map_or(Ok(()), Err)
    }

    /// Writes down an order that is about to be placed. One of the same kind and directory is given up.
    pub fn place(&mut self, directory: &str, kind: Kind, names: &[String], now: i64) {
        self.drop_order(directory, kind);
        let (directory, names) = (directory.to_owned(), names.to_vec());
        self.placed.push(Placed { directory: directory.clone(), names: names.clone(), at: now });
        self.under_way.push(UnderWay { directory, kind, names, url: None, texts: Vec::new(), failures: 0 });
    }

    /// The order under way of that kind.
    pub fn order(&self, directory: &str, kind: Kind) -> Option<&UnderWay> {
        self.under_way.iter().find(|order| order.directory == directory && order.kind == kind)
    }

    /// The same, to write into.
    pub fn order_mut(&mut self, directory: &str, kind: Kind) -> Option<&mut UnderWay> {
        self.under_way.iter_mut().find(|order| order.directory == directory && order.kind == kind)
    }

    /// The authority took the order under way, and this is its URL.
    pub fn told(&mut self, directory: &str, kind: Kind, url: &str) {
        if let Some(order) = self.order_mut(directory, kind) {
            order.url = Some(url.to_owned());
        }
        self.taken.push(Taken { directory: directory.to_owned(), url: url.to_owned() });
        self.taken.drain(..self.taken.len().saturating_sub(REMEMBERED));
    }

    /// The URLs of the last orders that a directory took.
    pub fn urls(&self, directory: &str) -> Vec<&str> {
        let there = self.taken.iter().filter(|taken| taken.directory == directory);
        there.map(|taken| taken.url.as_str()).collect()
    }

    /// An order is at its end, or given up.
    pub fn drop_order(&mut self, directory: &str, kind: Kind) {
        self.under_way.retain(|order| order.directory != directory || order.kind != kind);
    }

    /// An attempt went wrong. `asked`: seconds that the authority told to wait; `refused`: it did not like what it
    /// saw, so asking again the same will not do; `chance` from 0 to 1 is the jitter. Returns when to try again.
    pub fn failed(&mut self, why: &str, refused: bool, asked: Option<u64>, now: i64, chance: f64) -> i64 {
        let (count, staging) = self.failure.as_ref().map_or((0, false), |last| (last.count, last.staging));
        let count = count.saturating_add(1);
        self.under_way.iter_mut().for_each(|order| order.failures = order.failures.saturating_add(1));
        self.under_way.retain(|order| order.failures < STUCK);
        let told = asked.map(|seconds| now + i64::try_from(seconds).unwrap_or(i64::MAX).min(LONGEST_WAIT));
        let next = (now + backoff(count, chance)).max(told.unwrap_or(now));
        self.failure =
            Some(Failure { count, at: now, next, told, why: why.to_owned(), staging: staging || refused });
        next
    }

    /// The authority said that it did not take the order that was written down last: it does not count.
    pub fn not_placed(&mut self, directory: &str, kind: Kind) {
        if let Some(order) = self.order(directory, kind).cloned() {
            let same = |placed: &Placed| placed.directory == directory && placed.names == order.names;
            if let Some(index) = self.placed.iter().rposition(same) {
                self.placed.remove(index);
            }
        }
        self.drop_order(directory, kind);
    }

    /// Staging works: the next order goes to the real directory.
    pub fn proven(&mut self) {
        if let Some(failure) = &mut self.failure {
            failure.staging = false;
        }
    }

    /// A certificate was had and is served.
    pub fn succeeded(&mut self) {
        self.failure = None;
        self.under_way.clear();
        self.revoked = None;
        self.advice = None;
        self.ask = 0;
    }

    /// Whether an attempt may be made now; else when. A person who asks is only held by the authority's own word.
    pub fn may_try(&self, now: i64, by_hand: bool) -> Result<(), i64> {
        let Some(failure) = &self.failure else { return Ok(()) };
        let next = if by_hand { failure.told.unwrap_or(now) } else { failure.next };
        if next <= now { Ok(()) } else { Err(next) }
    }
}

#[cfg(test)]
mod tests;
