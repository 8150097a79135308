//! Figures of the filter.

use crate::mail::policy::Action;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Counts {
    answers: [AtomicU64; 3],
    removed: AtomicU64,
}

impl Counts {
    /// One more message.
    pub fn answered(&self, action: &Action) {
        let at = match action {
            Action::Dunno => 0,
            Action::Defer(_) => 1,
            Action::Reject(_) | Action::Refuse(_) => 2,
        };
        self.answers[at].fetch_add(1, Relaxed);
    }

    /// So many fields were removed.
    pub fn remove(&self, fields: usize) {
        self.removed.fetch_add(fields as u64, Relaxed);
    }

    /// How often what was answered.
    pub fn answers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ["pass", "defer", "reject"].into_iter().zip(self.answers.iter().map(|count| count.load(Relaxed)))
    }

    /// How many fields were removed.
    pub fn removed(&self) -> u64 {
        self.removed.load(Relaxed)
    }
}
