//! Renewals under trouble and restarts in the middle of them, against Debian's Pebble with a proxy before it that fails
//! as told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on panics")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "report/mod.rs"]
mod report;

use common::acme::{renewals::renewals, restarts::restarts};
use report::{Goal, line};
use std::{path::Path, time::Duration};

const RENEWALS: u16 = 200;

/// Servers that renew side by side: they mostly wait for an authority that is silent.
const SERVERS: usize = 8;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

const RESTARTS: u16 = 200;

fn main() {
    // `cargo test` builds benchmarks too, and runs them without this word.
    if !std::env::args().any(|word| word == "--bench") || !Path::new("/usr/bin/pebble").exists() {
        return;
    }
    let told = |what: &str, number: usize, goal: Goal| {
        line(what, f64::from(u32::try_from(number).unwrap_or(u32::MAX)), "", goal);
    };
    let figures = renewals(usize::from(RENEWALS), SERVERS, PATIENCE);
    let all = f64::from(RENEWALS);
    told("cert renew under trouble: valid in the end, of 200", figures.renewed, Goal::AtLeast(all));
    told("cert renew under trouble: requests", figures.requests, Goal::None);
    told("cert renew under trouble: of them with trouble", figures.troubles, Goal::None);
    told("cert renew under trouble: attempts", figures.attempts, Goal::None);
    told("cert renew under trouble: orders", figures.orders, Goal::None);
    told("cert renew under trouble: accounts of a server ever", figures.accounts, Goal::AtMost(1.0));
    told("cert renew under trouble: key/chain mismatches", figures.mismatches, Goal::AtMost(0.0));
    told(
        "cert renew under trouble: most orders of a name in a week",
        figures.most_in_a_week,
        Goal::AtMost(5.0),
    );

    let figures = restarts(usize::from(RESTARTS));
    told("cert renew killed: times", figures.kills, Goal::AtLeast(f64::from(RESTARTS)));
    told("cert renew killed: of them while a request was under way", figures.under_way, Goal::None);
    told("cert renew killed: renewals brought to their end", figures.renewed, Goal::None);
    told("cert renew killed: extra orders", figures.extra, Goal::AtMost(0.0));
    told("cert renew killed: accounts ever", figures.accounts, Goal::AtMost(1.0));
}
