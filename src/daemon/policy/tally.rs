//! How often each rule said what, and how long answers took.

use crate::mail::policy::{Action, Decision, Rule};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What was answered, for the metrics.
const OUTCOMES: [&str; 3] = ["pass", "defer", "reject"];

/// Upper bounds of the latencies that are told apart, in microseconds.
const BOUNDS: [u64; 7] = [50, 100, 500, 1000, 10_000, 100_000, 1_500_000];

/// Counted since the start.
#[derive(Default)]
pub struct Tally {
    decisions: [[AtomicU64; OUTCOMES.len()]; Rule::ALL.len()],
    latencies: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
    warnings: AtomicU64,
}

impl Tally {
    /// One more decision.
    pub fn decided(&self, decision: &Decision) {
        let outcome = match decision.action {
            Action::Dunno => 0,
            Action::Defer(_) => 1,
            Action::Reject(_) | Action::Refuse(_) => 2,
        };
        self.decisions[decision.rule as usize][outcome].fetch_add(1, Relaxed);
    }

    /// So many answers took this long, all together.
    pub fn took(&self, answers: u64, time: Duration) {
        if answers == 0 {
            return;
        }
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound * answers).unwrap_or(BOUNDS.len());
        self.latencies[bucket].fetch_add(answers, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
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
        Rule::ALL.iter().zip(&self.decisions).flat_map(|(rule, counts)| {
            OUTCOMES.iter().zip(counts).filter_map(|(outcome, count)| {
                let count = count.load(Relaxed);
                (count > 0).then_some((rule.name(), *outcome, count))
            })
        })
    }

    /// Answers up to each bound (in seconds, the last without one), growing; and the sum of all seconds.
    pub fn latencies(&self) -> (Vec<(String, u64)>, f64) {
        let bounds = BOUNDS.iter().map(|micros| (*micros as f64 / 1e6).to_string());
        let mut all = 0;
        let told = bounds.chain(["+Inf".to_owned()]).zip(&self.latencies).map(|(bound, count)| {
            all += count.load(Relaxed);
            (bound, all)
        });
        (told.collect(), self.micros.load(Relaxed) as f64 / 1e6)
    }
}
