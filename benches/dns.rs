//! A hundred domains, each asked everything that a check asks, against a name server that takes 50 ms for every answer:
//! how long it takes beside the longest chain of one domain, and how much memory.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on panics")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/dns/judgement.rs"]
mod judgement;
mod report;

use common::dns::Dns as Server;
use judgement::{judge, zones};
use mailctl::world::dns::{Asking, Dns, settle};
use report::{Goal, line};
use std::{
    fs,
    time::{Duration, Instant},
};

const DELAY: Duration = Duration::from_millis(50);

/// Short, and turn about with nothing: what else the machine does is seen in the spread.
const ROUNDS: usize = 7;

fn main() {
    let (zones, names) = zones();
    let server = Server::start(&zones);
    server.delay(DELAY);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let before = resident();
    let mut most = 0.0_f64;
    let (mut times, mut chain, mut asked) = (Vec::new(), 0, 0);
    for _ in 0..ROUNDS {
        let dns = Dns::new(Asking::at([server.at()]));
        let earlier = server.asked();
        let began = Instant::now();
        let chains = runtime.block_on(async {
            let tasks = names.iter().cloned().map(|name| {
                let dns = dns.clone();
                tokio::spawn(
                    async move { settle(&dns, |inquiry| judge(inquiry, &name)).await.unwrap().chain },
                )
            });
            futures_util::future::join_all(tasks).await
        });
        times.push(began.elapsed());
        most = most.max(resident() - before);
        chain = chains.into_iter().map(Result::unwrap).max().unwrap();
        asked = server.asked() - earlier;
    }
    times.sort();
    let limit = (DELAY * chain * 3).as_secs_f64() * 1000.0;
    let name = format!("dns: 100 domains, {asked} questions, chain of {chain} x 50 ms");
    line(&name, times[ROUNDS / 2].as_secs_f64() * 1000.0, "ms", Goal::AtMost(limit));
    line("dns: questions at one time", server.most_at_once() as f64, "", Goal::None);
    line("dns: memory grown by it, this server's included", most, "MB", Goal::AtMost(50.0));
}

/// Resident memory in MB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
