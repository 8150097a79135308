//! Policy requests: `mailctl daemon` as a process, beside a server that looks for the end of a request and answers a
//! constant. Same load generator, same run, turn about.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and panics where it cannot go on"
)]

#[path = "../../tests/common/mod.rs"]
mod common;
mod crowd;
mod load;
mod peers;
mod postfix;
#[path = "../report/mod.rs"]
mod report;
mod servers;

use common::dns::{Dns, Zone};
use load::{Place, Requests, all, load, median, request};
use report::{Goal, line};
use servers::{GREYLIST, NO_SPF, RATES, SPF, Server, constant, mailctld, null};
use std::{sync::Arc, time::Duration};

/// Many short ones: what else the machine does then meets both servers alike.
const ROUNDS: usize = 11;
/// Triplets that are asked about, all known.
const TRIPLETS: usize = 100_000;
/// Triplets in memory at the end.
const MILLION: usize = 1_000_000;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[..] {
        [_, mode, socket] if mode == "--null" => return null(socket.into()).await,
        // `cargo test` builds benchmarks too, and runs them without this word.
        words if !words.iter().any(|word| word == "--bench") => return,
        _ => {}
    }
    let home = tempfile::tempdir().unwrap();
    servers::for_all(home.path());
    let peer = constant(&home.path().join("null")).await;
    let names = names();
    let triplets: Requests = Arc::new((0..TRIPLETS).map(request).collect());
    let ours = mailctld(&home.path().join("ours"), &format!("{NO_SPF}{RATES}{GREYLIST}")).await;
    known(&ours, &triplets).await;
    if wanted("rates") {
        against(&peer, &ours, "limits, greylist", &triplets, [0.85, 0.75]).await;
    }
    if wanted("spf") {
        let rules = format!("resolvers = [\"{}\"]\n{SPF}{RATES}{GREYLIST}", names.at());
        let ours = mailctld(&home.path().join("spf"), &rules).await;
        known(&ours, &triplets).await;
        against(&peer, &ours, "limits, greylist, SPF", &triplets, [0.7, 0.7]).await;
    }
    if wanted("postfix") {
        postfix::through(&home.path().join("through"), &peer, &ours).await;
    }
    if wanted("peers") {
        peers::beside(&home.path().join("peers"), &ours).await;
    }
    if wanted("crowd") {
        crowd::slow(&ours, &triplets).await;
        crowd::idle(&ours, &triplets).await;
    }
    if wanted("memory") {
        let more: Requests = Arc::new((TRIPLETS..MILLION).map(request).collect());
        all(&ours.unix, &more, b"action=").await;
        line("policy: memory at a million triplets", ours.resident(), "MiB", Goal::AtMost(200.0));
    }
}

/// Whether a part is to be measured: `cargo bench --bench policy -- rates crowd`; all of them where none is named.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
    named.peek().is_none() || named.any(|word| word == part)
}

/// Every sender's domain says the same of its servers.
fn names() -> Dns {
    Dns::start(&[Zone::new("example.net", "* 3600 TXT \"v=spf1 ip4:198.18.0.0/15 -all\"\n")])
}

/// Known senders, as nearly all are: each comes, and comes again when the second of the delay is over.
async fn known(ours: &Server, triplets: &Requests) {
    all(&ours.unix, triplets, b"action=").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    all(&ours.unix, triplets, b"action=dunno").await;
}

/// Our server beside the null server; the goals are for TCP and for unix.
async fn against(peer: &Server, ours: &Server, with: &str, triplets: &Requests, goals: [f64; 2]) {
    let places = |server: &Server| [server.tcp.clone(), server.unix.clone()];
    for (number, (null, place)) in places(peer).into_iter().zip(places(ours)).enumerate() {
        for connections in [1, 10, 100] {
            let goal = Goal::AtLeast(goals[number]);
            beside(
                (peer, &null),
                (ours, &place),
                &format!("{with}, {}, {connections}", kind(&place)),
                connections,
                triplets,
                goal,
            )
            .await;
        }
    }
}

async fn beside(
    (peer, null): (&Server, &Place),
    (ours, place): (&Server, &Place),
    name: &str,
    connections: usize,
    triplets: &Requests,
    goal: Goal,
) {
    let (mut nulls, mut figures, mut ratios, mut p99s) = (vec![], vec![], vec![], vec![]);
    let before = [peer.worked(), ours.worked()];
    for _ in 0..ROUNDS {
        let constant = load(null, connections, triplets).await;
        let mailctl = load(place, connections, triplets).await;
        ratios.push(mailctl.rate / constant.rate);
        p99s.push(mailctl.p99.as_secs_f64() / constant.p99.as_secs_f64());
        nulls.push(constant.rate);
        figures.push(mailctl.rate);
    }
    // Time is spent in the rounds' beginnings as well, by both alike.
    let each =
        |worked: Duration, rates: &[f64]| worked.as_secs_f64() * 1e6 / rates.iter().sum::<f64>() / 0.35;
    println!(
        "  processor time per answer: null server {:.2} us, mailctld {:.2} us",
        each(peer.worked() - before[0], &nulls),
        each(ours.worked() - before[1], &figures)
    );
    line(&format!("policy {name}: null server"), median(&mut nulls), "/s", Goal::None);
    line(&format!("policy {name}: mailctld"), median(&mut figures), "/s", Goal::None);
    line(&format!("policy {name}: to null server"), median(&mut ratios), "", goal);
    let most = if connections == 100 { Goal::AtMost(1.5) } else { Goal::None };
    line(&format!("policy {name}: p99 to null server's"), median(&mut p99s), "", most);
}

fn kind(place: &Place) -> &'static str {
    match place {
        Place::Tcp(_) => "TCP",
        Place::Unix(_) => "unix",
        Place::Spawn(_) => "spawned",
    }
}
