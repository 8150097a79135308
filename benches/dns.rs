//! A hundred domains against a name server that takes 50 ms for every answer: how long that takes beside the longest
//! chain of one domain, and how much memory. First the questions of a stand-in, then `mailctl dns-check` itself.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on panics")]
#![allow(clippy::print_stdout, reason = "the chain is shown")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/dns/judgement.rs"]
mod judgement;
mod report;

use common::{
    dns::{Dns as Server, Zone},
    home::Home,
};
use judgement::{judge, zones};
use mailctl::{
    mail::{
        address::Domain,
        check::{self, Options},
        dns::Inquiry,
        server::{Served, Server as Host, Services},
    },
    world::dns::{Asking, Dns, settle},
};
use report::{Goal, line};
use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    time::{Duration, Instant},
};

const DELAY: Duration = Duration::from_millis(50);

/// All that are served.
const DOMAINS: usize = 100;

/// Short, and turn about with nothing: what else the machine does is seen in the spread.
const ROUNDS: usize = 7;

fn main() {
    questions();
    command();
}

/// `mailctl dns-check` itself, all subjects of all domains; every record is published as it prints them.
fn command() {
    let home = home();
    let server = Server::start(&published(&home));
    server.delay(DELAY);
    let chain = chain(&server);
    let at = server.at().to_string();
    let (mut times, mut asked, mut most) = (Vec::new(), 0, 0.0_f64);
    let worked = processor();
    for _ in 0..ROUNDS {
        let earlier = server.asked();
        let began = Instant::now();
        let mut child = home.command(&["dns-check", "--json", "--resolver", &at]).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).unwrap();
            text
        });
        while child.try_wait().unwrap().is_none() {
            most = most.max(peak(child.id()).unwrap_or_default());
            std::thread::yield_now();
        }
        times.push(began.elapsed());
        asked = server.asked() - earlier;
        let said: serde_json::Value = serde_json::from_str(&reading.join().unwrap()).unwrap();
        // Whether the zones are signed cannot be seen without the real root zone; all else is right.
        assert_eq!(said["counts"]["error"], 0, "{said:#}");
        assert_eq!(said["counts"]["could_not_check"], DOMAINS, "{said:#}");
    }
    times.sort();
    let limit = (DELAY * chain * 3).as_secs_f64() * 1000.0;
    let name = format!("dns-check: {DOMAINS} domains, {asked} questions, chain of {chain} x 50 ms");
    line(&name, times[ROUNDS / 2].as_secs_f64() * 1000.0, "ms", Goal::AtMost(limit));
    let worked = (processor() - worked) / ROUNDS as f64;
    line("dns-check: processor time", worked, "ms", Goal::None);
    line("dns-check: most memory of the process", most, "MB", Goal::AtMost(50.0));
}

/// A home that serves a hundred domains, each with an RSA key.
fn home() -> Home {
    let home = Home::new();
    fs::write(home.path().join("mailctl.toml"), "[dns]\naddresses = \"192.0.2.25\"\n").unwrap();
    home.ok(&["dkim", "generate", "--quiet"]);
    for number in 1..DOMAINS {
        home.ok(&["domain", "add", &format!("d{number}.example.net"), "--quiet"]);
    }
    home
}

/// What it prints, as zones; every domain is a zone of its own, and all are at this one server.
fn published(home: &Home) -> Vec<Zone> {
    let printed = home.json(&["dns-records"]);
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for record in
        printed.as_array().unwrap().iter().flat_map(|section| section["records"].as_array().unwrap())
    {
        let line = record["zone"].as_str().unwrap();
        let labels: Vec<&str> =
            line.split_whitespace().next().unwrap().trim_end_matches('.').split('.').collect();
        let apex = match labels[..] {
            [.., "in-addr", "arpa"] => "2.0.192.in-addr.arpa".to_owned(),
            [.., domain, "example", "net"] => format!("{domain}.example.net"),
            _ => "example.org".to_owned(),
        };
        *lines.entry(apex).or_default() += &format!("{line}\n");
    }
    lines.entry("example.org".to_owned()).or_default().push_str("ns1 A {at}\nns2 A {at}\n");
    let servers = "@ NS ns1.example.org.\n@ NS ns2.example.org.\n";
    let zones = lines.iter().map(|(apex, text)| Zone::new(apex, &format!("{servers}{text}")));
    zones.chain([Zone::new(".", "")]).collect()
}

/// The longest chain of one domain, and of the host; shown.
fn chain(server: &Server) -> u32 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let domain = |name: &str| Domain::parse(name).unwrap();
    let host = Host {
        host: domain("mail.example.org"),
        addresses: vec!["192.0.2.25".parse().unwrap()],
        services: Services::default(),
        spki: Vec::new(),
        relay: None,
        policy: None,
    };
    let served = Served { domain: domain("d1.example.net"), keys: Vec::new() };
    let options = Options::default();
    let dns = Dns::new(Asking::at([server.at()]));
    let of_host = runtime.block_on(settle(&dns, |inquiry| check::host(inquiry, &host, &options))).unwrap();
    let dns = dns.fresh();
    let judge = |inquiry: &Inquiry<'_>| check::domain(inquiry, &host, &served, &options);
    let of_domain = runtime.block_on(settle(&dns, judge)).unwrap();
    println!("longest chain of the host, {}: {}", of_host.chain, of_host.links.join(" -> "));
    println!("longest chain of a domain, {}: {}", of_domain.chain, of_domain.links.join(" -> "));
    of_domain.chain
}

/// Processor time of all processes that this one waited for, in ms (proc_pid_stat(5): cutime and cstime, in ticks of
/// 10 ms).
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[13..15].iter().map(|ticks| ticks.parse::<f64>().unwrap() * 10.0).sum()
}

/// The most memory that a process had so far, in MB; `None` = it has ended.
fn peak(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

/// The questions of a stand-in, to measure the asking alone.
fn questions() {
    let (zones, names) = zones();
    let server = Server::start(&zones);
    server.delay(DELAY);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let before = peak(std::process::id()).unwrap();
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
        most = most.max(peak(std::process::id()).unwrap() - before);
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
