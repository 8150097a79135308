//! Changing a DKIM key without a message that cannot be verified: the new key is published, seen everywhere, then
//! signs; the old one stays in DNS until nothing that it signed can be on its way, and is then withdrawn.

use super::{address::Selector, server::Stage};

/// A key that does not sign now, and since when it stands where it stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Staged {
    /// Its name.
    pub selector: Selector,
    /// Pending, leaving or retired.
    pub stage: Stage,
    /// Seconds since 1970.
    pub since: i64,
}

/// How old the mail is that this server still has to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// There is none.
    Empty,
    /// The oldest arrived then, in seconds since 1970.
    Oldest(i64),
    /// Nobody can tell now.
    Unknown,
}

/// Why a key cannot be withdrawn yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// Mail that it may have signed is in the queue; the oldest is from then.
    Queued(i64),
    /// It signed until so short a time ago that receivers may still be looking at its mail; until then.
    Until(i64),
    /// The queue cannot be seen.
    Unknown,
}

/// Whether a key that signed until `since` can be withdrawn. Besides the queue, whoever took the mail gets `hold`
/// seconds to look the key up.
pub fn may_retire(since: i64, queue: Queue, hold: i64, now: i64) -> Result<(), Stays> {
    match queue {
        Queue::Unknown => Err(Stays::Unknown),
        // Signed at the last moment of a second, queued within it: that second counts as before.
        Queue::Oldest(oldest) if oldest <= since => Err(Stays::Queued(oldest)),
        Queue::Empty | Queue::Oldest(_) if now < since.saturating_add(hold) => {
            Err(Stays::Until(since.saturating_add(hold)))
        }
        Queue::Empty | Queue::Oldest(_) => Ok(()),
    }
}

/// A name for a new key that tells its month, and is not taken: `m202611`, `m202611b`, `m202611c` …
pub fn fresh(dated: &Selector, taken: &[Selector]) -> Option<Selector> {
    let letters = ('b'..='z').map(|letter| format!("{dated}{letter}"));
    let more = (2..1000).map(|number| format!("{dated}z{number}"));
    let mut names = std::iter::once(dated.to_string()).chain(letters).chain(more);
    names.find_map(|name| Selector::parse(&name).ok().filter(|name| !taken.contains(name)))
}

/// When the oldest message of Postfix's queue arrived, from what `postqueue -j` prints: an object per line
/// (postqueue(1)).
pub fn oldest(listing: &str) -> Queue {
    let mut oldest: Option<i64> = None;
    for line in listing.lines().filter(|line| !line.trim().is_empty()) {
        let read = serde_json::from_str::<serde_json::Value>(line).ok();
        let Some(arrival) = read.and_then(|message| message["arrival_time"].as_i64()) else {
            return Queue::Unknown;
        };
        oldest = Some(oldest.map_or(arrival, |other| other.min(arrival)));
    }
    oldest.map_or(Queue::Empty, Queue::Oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: the old key is kept until the queue is older than the switch.
    #[test]
    fn a_key_stays_while_its_mail_may_be_on_the_way() {
        let may = |queue, now| may_retire(1000, queue, 60, now);
        assert_eq!(may(Queue::Unknown, 5000), Err(Stays::Unknown));
        assert_eq!(may(Queue::Oldest(900), 5000), Err(Stays::Queued(900)));
        assert_eq!(may(Queue::Oldest(1000), 5000), Err(Stays::Queued(1000)));
        assert_eq!(may(Queue::Oldest(1001), 1059), Err(Stays::Until(1060)));
        assert_eq!(may(Queue::Oldest(1001), 1060), Ok(()));
        assert_eq!(may(Queue::Empty, 1059), Err(Stays::Until(1060)));
        assert_eq!(may(Queue::Empty, 1060), Ok(()));
    }

    #[test]
    fn a_new_name_is_never_an_old_one() {
        let name = |text: &str| Selector::parse(text).unwrap();
        let month = Selector::dated(2026, 11);
        assert_eq!(fresh(&month, &[name("mail")]), Some(name("m202611")));
        assert_eq!(fresh(&month, &[name("m202611"), name("m202611c")]), Some(name("m202611b")));
        let mut all: Vec<Selector> = vec![month.clone()];
        all.extend(('b'..='z').map(|letter| name(&format!("m202611{letter}"))));
        assert_eq!(fresh(&month, &all), Some(name("m202611z2")));
    }

    #[test]
    fn the_queue_is_read_or_not_known() {
        let line = |time: i64| format!("{{\"queue_name\": \"deferred\", \"arrival_time\": {time}}}\n");
        assert_eq!(oldest(""), Queue::Empty);
        assert_eq!(oldest(&(line(50) + &line(40))), Queue::Oldest(40));
        assert_eq!(oldest("postqueue: fatal: cannot connect\n"), Queue::Unknown);
        assert_eq!(oldest(&(line(50) + "{}")), Queue::Unknown);
    }
}
