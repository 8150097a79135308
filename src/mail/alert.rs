//! What needs a person, and who has heard of it: each thing once on each way, again when it gets worse, and once
//! that it is solved.

mod letter;

pub use letter::{Letter, flat};

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Stable: `certificate.ends`.
    pub kind: String,
    /// Of what: a host, a domain, a selector.
    pub about: String,
    /// How bad it is; of two steps of one alert the greater is the worse one.
    pub rank: u8,
    /// Which threshold was crossed. Another one of at least the same rank is told anew.
    pub step: String,
    /// One line for a person, with names and numbers.
    pub what: String,
    /// What to do, best a command.
    pub remedy: String,
}

/// A way to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Standard error, which is the journal where systemd runs us.
    Log,
    /// A message to ADMIN_EMAIL.
    Mail,
    /// A request to ALERT_WEBHOOK.
    Webhook,
}

/// What somebody heard last on one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    rank: u8,
    step: String,
    solved: bool,
}

/// One alert, from its first sight until everybody has heard that it is solved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The alert, as it was seen last.
    pub alert: Alert,
    /// When it was first seen, in seconds since 1970.
    pub since: i64,
    /// When it was seen no more.
    pub solved: Option<i64>,
    heard: BTreeMap<Way, Heard>,
}

/// All that stand or stood, as kept in `state/alerts.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// By kind and what it is about.
    entries: BTreeMap<String, Entry>,
}

/// What one look found.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The kinds that could be judged. What could not be looked at now is neither new nor solved.
    pub judged: BTreeSet<&'static str>,
    /// What is wrong.
    pub standing: Vec<Alert>,
}

impl Look {
    /// A kind was judged, and this is wrong with it.
    pub fn add(&mut self, kind: &'static str, found: impl IntoIterator<Item = Alert>) {
        self.judged.insert(kind);
        self.standing.extend(found);
    }
}

impl Book {
    /// Takes in what a look at `now` (seconds since 1970) found.
    pub fn note(&mut self, look: &Look, now: i64) {
        for alert in &look.standing {
            let entry = self.entries.entry(key(alert)).or_insert_with(|| Entry {
                alert: alert.clone(),
                since: now,
                solved: None,
                heard: BTreeMap::new(),
            });
            entry.alert = alert.clone();
            if entry.solved.take().is_some() {
                entry.since = now;
            }
        }
        let stands = |entry: &Entry| look.standing.iter().any(|alert| key(alert) == key(&entry.alert));
        for entry in self.entries.values_mut() {
            if look.judged.contains(entry.alert.kind.as_str()) && !stands(entry) {
                entry.solved.get_or_insert(now);
            }
        }
    }

    /// What is still to be told on a way.
    pub fn owed(&self, way: Way) -> Vec<Entry> {
        self.entries.values().filter(|entry| entry.owed(way)).cloned().collect()
    }

    /// It was told on that way.
    pub fn told(&mut self, told: &Entry, way: Way) {
        if let Some(entry) = self.entries.get_mut(&key(&told.alert)) {
            let Alert { rank, step, .. } = told.alert.clone();
            entry.heard.insert(way, Heard { rank, step, solved: told.solved.is_some() });
        }
    }

    /// Forgets what is solved and owed to nobody on these ways.
    pub fn forget(&mut self, ways: &[Way]) {
        self.entries.retain(|_, entry| entry.solved.is_none() || ways.iter().any(|way| entry.owed(*way)));
    }

    /// Since when an alert stands; `None` = it does not.
    pub fn since(&self, kind: &str, about: &str) -> Option<i64> {
        let entry = self.entries.get(&format!("{kind} {about}"));
        entry.filter(|entry| entry.solved.is_none()).map(|entry| entry.since)
    }

    /// What stands now, the worst first.
    pub fn standing(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.entries.values().filter(|entry| entry.solved.is_none()).collect();
        all.sort_by_key(|entry| (std::cmp::Reverse(entry.alert.rank), entry.since));
        all
    }
}

impl Entry {
    /// Who never heard of it need not hear that it is solved.
    fn owed(&self, way: Way) -> bool {
        match (self.heard.get(&way), self.solved) {
            (None, solved) => solved.is_none(),
            (Some(heard), Some(_)) => !heard.solved,
            (Some(heard), None) => {
                heard.solved || heard.step != self.alert.step && heard.rank <= self.alert.rank
            }
        }
    }

    /// The one line: what is wrong, or that it no longer is.
    pub fn line(&self) -> String {
        if self.solved.is_some() { format!("solved: {}", self.alert.what) } else { self.alert.what.clone() }
    }
}

fn key(alert: &Alert) -> String {
    format!("{} {}", alert.kind, alert.about)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(rank: u8, step: &str) -> Alert {
        Alert {
            kind: "certificate.ends".to_owned(),
            about: "mail.example.org".to_owned(),
            rank,
            step: step.to_owned(),
            what: format!("it ends in {step}"),
            remedy: "mailctl status".to_owned(),
        }
    }

    fn look(standing: Option<Alert>) -> Look {
        let mut look = Look::default();
        look.add("certificate.ends", standing);
        look
    }

    /// What is told on a way, and then taken as heard.
    fn hear(book: &mut Book, way: Way) -> Vec<String> {
        let owed = book.owed(way);
        owed.iter().for_each(|entry| book.told(entry, way));
        owed.iter().map(Entry::line).collect()
    }

    /// Proves: issue 5 (alerts at 21, 7 and 1 days, each once, and solved once).
    #[test]
    fn each_threshold_is_told_once_and_the_end_of_it_too() {
        let mut book = Book::default();
        for (now, seen, told) in [
            (1, Some(alert(1, "21")), &["it ends in 21"][..]),
            (2, Some(alert(1, "21")), &[]),
            (3, Some(alert(2, "7")), &["it ends in 7"]),
            // The clock was set back: not told anew.
            (2, Some(alert(1, "21")), &[]),
            (4, Some(alert(2, "7")), &[]),
            (5, Some(alert(3, "1")), &["it ends in 1"]),
            (6, None, &["solved: it ends in 1"]),
            (7, None, &[]),
            (8, Some(alert(1, "21")), &["it ends in 21"]),
        ] {
            book.note(&look(seen), now);
            assert_eq!(hear(&mut book, Way::Log), told, "at {now}");
            book.forget(&[Way::Log]);
            let text = serde_json::to_string(&book).unwrap();
            assert_eq!(serde_json::from_str::<Book>(&text).unwrap(), book);
        }
        assert_eq!(book.standing().len(), 1);
    }

    #[test]
    fn a_way_that_failed_is_tried_again_and_the_unseen_is_not_solved() {
        let mut book = Book::default();
        book.note(&look(Some(alert(1, "21"))), 1);
        assert_eq!(hear(&mut book, Way::Log).len(), 1);
        book.note(&look(Some(alert(1, "21"))), 2);
        assert_eq!((book.owed(Way::Log).len(), book.owed(Way::Mail).len()), (0, 1));
        // Nothing could be judged: it stands.
        book.note(&Look::default(), 3);
        assert_eq!(book.standing().len(), 1);
        book.note(&look(None), 4);
        // By mail nobody ever heard of it.
        assert_eq!((book.owed(Way::Log).len(), book.owed(Way::Mail).len()), (1, 0));
        book.forget(&[Way::Log, Way::Mail]);
        assert_eq!(book.owed(Way::Log).len(), 1, "it is kept until it was told");
        // Back before that was told: on the log nobody heard that it had gone.
        book.note(&look(Some(alert(1, "21"))), 5);
        assert_eq!((book.owed(Way::Log).len(), book.standing()[0].since), (0, 5));
        book.note(&look(None), 6);
        hear(&mut book, Way::Log);
        book.forget(&[Way::Log, Way::Mail]);
        assert_eq!(book, Book::default());
    }
}
