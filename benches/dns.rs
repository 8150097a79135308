//! A hundred domains, each asked what a judgement of 24 questions asks, then all that `mailctl dns-check` judges, against a name server that takes 50 ms for every answer:
//! how long it takes beside the longest chain of one domain, and how much memory.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on panics")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/dns/judgement.rs"]
mod judgement;
mod report;

use common::dns::Dns as Server;
use judgement::{judge, zones};
use mailctl::{
    mail::{
        address::{Domain, Selector},
        check::{self, Options},
        dkim::{Algorithm, Record},
        finding::Verdict,
        server::{Key, Served, Server as Host, Services, Stage},
    },
    world::dns::{Asking, Dns, settle},
};
use report::{Goal, line};
use std::{
    fs,
    time::{Duration, Instant},
};

const DELAY: Duration = Duration::from_millis(50);

/// Short, and turn about with nothing: what else the machine does is seen in the spread.
const ROUNDS: usize = 7;

fn main() {
    questions();
    whole_check();
}

/// All subjects of all domains, as the command does it.
fn whole_check() {
    let host = host();
    let served: Vec<Served> = (0..100).map(|number| served(&format!("d{number}.example.net"))).collect();
    let server = Server::start(&published(&served));
    server.delay(DELAY);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let before = resident();
    let (mut times, mut chain, mut asked, mut most) = (Vec::new(), 0, 0, 0.0_f64);
    for _ in 0..ROUNDS {
        let dns = Dns::new(Asking::at([server.at()]));
        let earlier = server.asked();
        let began = Instant::now();
        let settled = runtime.block_on(async {
            let tasks = served.iter().cloned().map(|served| {
                let (dns, host, options) = (dns.clone(), host.clone(), Options::default());
                tokio::spawn(async move {
                    settle(&dns, |inquiry| check::domain(inquiry, &host, &served, &options)).await.unwrap()
                })
            });
            futures_util::future::join_all(tasks).await
        });
        times.push(began.elapsed());
        most = most.max(resident() - before);
        asked = server.asked() - earlier;
        for settled in settled.into_iter().map(Result::unwrap) {
            chain = chain.max(settled.chain);
            let wrong = settled.verdict.iter().find(|finding| finding.verdict == Verdict::Error);
            assert!(wrong.is_none(), "{wrong:?}");
        }
    }
    times.sort();
    let limit = (DELAY * chain * 3).as_secs_f64() * 1000.0;
    let name = format!("dns-check: 100 domains, all subjects, {asked} questions, chain of {chain} x 50 ms");
    line(&name, times[ROUNDS / 2].as_secs_f64() * 1000.0, "ms", Goal::AtMost(limit));
    line("dns-check: memory grown by it, this server's included", most, "MB", Goal::AtMost(50.0));
}

fn host() -> Host {
    Host {
        host: Domain::parse("mail.example.org").unwrap(),
        addresses: vec!["192.0.2.25".parse().unwrap()],
        services: Services {
            submissions: 465,
            submission: 587,
            imaps: 993,
            imap: 143,
            ..Services::default()
        },
        spki: None,
        relay: None,
    }
}

fn served(name: &str) -> Served {
    let record = Record { algorithm: Algorithm::Ed25519, public: vec![7; 32] };
    let key = Key { selector: Selector::parse("m1").unwrap(), record, stage: Stage::Active };
    Served { domain: Domain::parse(name).unwrap(), keys: vec![key] }
}

/// Every domain is a zone of its own; all are at this one server.
fn published(served: &[Served]) -> Vec<common::dns::Zone> {
    use common::dns::Zone;
    let mut zones = vec![
        Zone::new(".", ""),
        Zone::new("example.org", "mail A 192.0.2.25\nns1 A {at}\nns2 A {at}\n"),
        Zone::new("2.0.192.in-addr.arpa", "25 PTR mail.example.org.\n"),
    ];
    zones.extend(served.iter().map(|served| {
        let key = served.keys[0].record.text();
        let text = format!(
            "@ NS ns1.example.org.\n@ NS ns2.example.org.\n@ MX 10 mail.example.org.\n@ TXT \"v=spf1 mx -all\"\n\
             _dmarc TXT \"v=DMARC1; p=reject\"\nm1._domainkey TXT \"{key}\"\n"
        );
        Zone::new(served.domain.as_str(), &text)
    }));
    zones
}

/// The questions of a stand-in, to measure the asking alone.
fn questions() {
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
