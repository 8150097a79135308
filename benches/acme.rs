//! 200 renewals under trouble, against Debian's Pebble with a proxy before it that fails as told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on panics")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "report/mod.rs"]
mod report;

use common::acme::renewals::renewals;
use report::{Goal, line};
use std::path::Path;

const RENEWALS: u16 = 200;

fn main() {
    // `cargo test` builds benchmarks too, and runs them without this word.
    if !std::env::args().any(|word| word == "--bench") || !Path::new("/usr/bin/pebble").exists() {
        return;
    }
    let figures = renewals(usize::from(RENEWALS));
    let figure = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    line(
        "cert renew under trouble: valid in the end, of 200",
        figure(figures.renewed),
        "",
        Goal::AtLeast(f64::from(RENEWALS)),
    );
    line("cert renew under trouble: attempts", figure(figures.attempts), "", Goal::None);
    line("cert renew under trouble: accounts ever", figure(figures.accounts), "", Goal::AtMost(1.0));
    line("cert renew under trouble: key/chain mismatches", figure(figures.mismatches), "", Goal::AtMost(0.0));
    line(
        "cert renew under trouble: most orders of a name in a week",
        figure(figures.most_in_a_week),
        "",
        Goal::AtMost(5.0),
    );
}
