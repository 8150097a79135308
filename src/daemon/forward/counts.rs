//! How often what became of forwarded mail.

use crate::wire::smtp::Kind;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of a message for one address, for the metrics.
pub const OUTCOMES: [&str; 3] = ["sent", "deferred", "refused"];

/// Counted since the start.
#[derive(Default)]
pub struct Counts {
    outcomes: [AtomicU64; OUTCOMES.len()],
    reports: AtomicU64,
    octets: AtomicU64,
}

impl Counts {
    /// A message for one address, and what the next server said at its end.
    pub fn ended(&self, kind: Kind, octets: u64) {
        let at = match kind {
            Kind::Done => 0,
            Kind::GoOn | Kind::Later => 1,
            Kind::Never => 2,
        };
        self.outcomes[at].fetch_add(1, Relaxed);
        if at == 0 {
            self.octets.fetch_add(octets, Relaxed);
        }
    }

    /// A sender was told that some targets were refused.
    pub fn reported(&self) {
        self.reports.fetch_add(1, Relaxed);
    }

    /// As [`OUTCOMES`]; reports; octets that were sent.
    pub fn figures(&self) -> ([u64; OUTCOMES.len()], u64, u64) {
        let outcomes = std::array::from_fn(|at| self.outcomes[at].load(Relaxed));
        (outcomes, self.reports.load(Relaxed), self.octets.load(Relaxed))
    }
}
