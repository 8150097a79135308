//! One SPF evaluation with every answer known, beside mail-auth with warm caches, turn about.
#![allow(clippy::unwrap_used, reason = "a benchmark panics where it cannot go on")]

#[path = "../tests/spf/peer.rs"]
mod peer;
mod report;
#[allow(dead_code, reason = "the unit tests use the rest")]
#[path = "../src/mail/spf/tests/zone.rs"]
mod zone;

use mailctl::mail::{
    dns::{self, Inquiry},
    spf::{Request, check_host},
};
use peer::Peer;
use report::{Goal, line};
use std::{hint::black_box, time::Instant};
use zone::Zone;

const ROUNDS: usize = 41;
const EACH: u32 = 5_000;

/// Two included records, the second one matches.
const INCLUDES: &str = "example.org TXT v=spf1 include:a.example.net include:b.example.net -all;
    a.example.net TXT v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 ip6:2001:db8:1::/48 ~all;
    b.example.net TXT v=spf1 ip4:198.51.100.7 ip4:192.0.2.0/24 ~all";

/// An include, `a` and `mx` that do not match, an `exists` that does.
const MECHANISMS: &str = "example.org TXT v=spf1 include:a.example.net a mx exists:%{ir}.x.example.net -all;
    a.example.net TXT v=spf1 ip4:198.51.100.0/24 ~all; example.org A 198.51.100.1;
    example.org MX 10 m.example.org; example.org MX 20 n.example.org; m.example.org A 198.51.100.2;
    n.example.org A 198.51.100.3; 1.2.0.192.x.example.net A 127.0.0.2";

const NAMES: [&str; 6] = [
    "example.org",
    "a.example.net",
    "b.example.net",
    "m.example.org",
    "n.example.org",
    "1.2.0.192.x.example.net",
];

fn main() {
    both("spf, 2 includes", INCLUDES);
    both("spf, include, a, mx, exists", MECHANISMS);
}

fn both(name: &str, text: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let zone = Zone::parse(text);
    let client = [192, 0, 2, 1].into();
    let request = Request::mail_from(client, "joe@example.org", "mx.example.org");
    let (found, _, known) = zone.drive(|inquiry| check_host(inquiry, &request));
    let peer = runtime.block_on(async { Peer::new(&zone, &NAMES) });
    let theirs = || peer.verdict(client, "joe@example.org", "mx.example.org");
    assert_eq!((found.verdict.as_str(), runtime.block_on(theirs())), ("pass", "pass"));

    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..EACH {
            let inquiry = Inquiry::new(black_box(&known));
            black_box(check_host(&inquiry, black_box(&request)));
        }
        ours.push(began.elapsed() / EACH);
        let began = Instant::now();
        runtime.block_on(async {
            for _ in 0..EACH {
                black_box(theirs().await);
            }
        });
        others.push(began.elapsed() / EACH);
    }
    let median = |all: &mut Vec<std::time::Duration>| {
        all.sort();
        all[ROUNDS / 2].as_secs_f64() * 1_000_000.0
    };
    line(name, median(&mut ours), "us", Goal::AtMost(10.0));
    line(&format!("{name}: mail-auth"), median(&mut others), "us", Goal::None);
}
