//! One line per figure: on stdout, and in `target/bench.txt` for the end of `make bench`.
#![allow(dead_code, reason = "every benchmark uses a part of it")]
#![allow(clippy::print_stdout, reason = "the report is what a benchmark prints")]

use std::{
    fs::OpenOptions,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

/// Whether the figure should be small or large.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At most so much.
    AtMost(f64),
    /// At least so much.
    AtLeast(f64),
    /// Only stated.
    None,
}

/// Writes `name  figure unit  goal  held|short`.
pub fn line(name: &str, figure: f64, unit: &str, goal: Goal) {
    let (goal, verdict) = match goal {
        Goal::AtMost(most) => (format!("<= {most} {unit}"), if figure <= most { "held" } else { "short" }),
        Goal::AtLeast(least) => {
            (format!(">= {least} {unit}"), if figure >= least { "held" } else { "short" })
        }
        Goal::None => ("stated".to_owned(), "held"),
    };
    let figure = if figure >= 100.0 { format!("{figure:.0}") } else { format!("{figure:.2}") };
    let text = format!("{name:<58} {figure:>10} {unit:<8} {goal:<18} {verdict}\n");
    print!("{text}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench.txt");
    let _ = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
}

/// The middle one of `rounds` measurements, in milliseconds; the first of all is not counted.
pub fn median_ms(rounds: usize, mut round: impl FnMut() -> Duration) -> f64 {
    round();
    let mut all: Vec<Duration> = (0..rounds).map(|_| round()).collect();
    all.sort();
    all[rounds / 2].as_secs_f64() * 1000.0
}

/// How long `work` takes.
pub fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}
