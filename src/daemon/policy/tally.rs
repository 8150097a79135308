//! How often each rule said what, and how long answers took.

use crate::mail::policy::{Action, Decision, Rule};
use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

/// What was answered, for the metrics.
const OUTCOMES: [&str; 3] = ["pass", "defer", "reject"];

/// Upper bounds of the latencies that are told apart, in microseconds.
const BOUNDS: [u64; 7] = [50, 100, 500, 1000, 10_000, 100_000, 1_500_000];

/// Parts of a tally: threads that count in different ones do not wait for each other's cache lines.
const PARTS: usize = 16;

/// Counted since the start.
#[derive(Default)]
pub struct Tally {
    parts: [Part; PARTS],
    warnings: AtomicU64,
}

#[derive(Default)]
#[repr(align(128))]
struct Part {
    decisions: [[AtomicU64; OUTCOMES.len()]; Rule::ALL.len()],
    latencies: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// Numbers for threads.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: usize = THREADS.fetch_add(1, Relaxed) % PARTS;
}

impl Tally {
    /// One more decision.
    pub fn decided(&self, decision: &Decision) {
        let outcome = match decision.action {
            Action::Dunno => 0,
            Action::Defer(_) => 1,
            Action::Reject(_) | Action::Refuse(_) => 2,
        };
        self.part().decisions[decision.rule as usize][outcome].fetch_add(1, Relaxed);
    }

    fn part(&self) -> &Part {
        &self.parts[THREAD.with(|thread| *thread)]
    }

    fn sum(&self, of: impl Fn(&Part) -> &AtomicU64) -> u64 {
        self.parts.iter().map(|part| of(part).load(Relaxed)).sum()
    }

    /// So many answers took this long, all together.
    pub fn took(&self, answers: u64, time: Duration) {
        if answers == 0 {
            return;
        }
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound * answers).unwrap_or(BOUNDS.len());
        let part = self.part();
        part.latencies[bucket].fetch_add(answers, Relaxed);
        part.micros.fetch_add(micros, Relaxed);
    }

    /// A limit was nearly used up.
    pub fn warned(&self) {
        self.warnings.fetch_add(1, Relaxed);
    }

    /// How often that was.
    pub fn warnings(&self) -> u64 {
        self.warnings.load(Relaxed)
    }

    /// Rule, what it said, how often; those that never spoke are left out.
    pub fn decisions(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        Rule::ALL.iter().flat_map(|rule| {
            OUTCOMES.iter().enumerate().filter_map(|(at, outcome)| {
                let count = self.sum(|part| &part.decisions[*rule as usize][at]);
                (count > 0).then_some((rule.name(), *outcome, count))
            })
        })
    }

    /// Answers up to each bound (in seconds, the last without one), growing; and the sum of all seconds.
    pub fn latencies(&self) -> (Vec<(String, u64)>, f64) {
        let bounds = BOUNDS.iter().map(|micros| (*micros as f64 / 1e6).to_string());
        let mut all = 0;
        let told = bounds.chain(["+Inf".to_owned()]).enumerate().map(|(at, bound)| {
            all += self.sum(|part| &part.latencies[at]);
            (bound, all)
        });
        (told.collect(), self.sum(|part| &part.micros) as f64 / 1e6)
    }
}
