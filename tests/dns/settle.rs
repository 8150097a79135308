//! Judgements driven to their end.

use crate::{
    ask::name,
    common::dns::{Dns as Server, Fault},
    judgement::{judge, zones},
};
use mailctl::{
    mail::dns::{Inquiry, Kind, Question},
    world::dns::{Asking, Dns, settle, settle_with},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const DELAY: Duration = Duration::from_millis(50);

/// Proves: a hundred domains go out at once, and what they share is asked once. How fast that is, `make bench` says:
/// here the server itself is not optimised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_domains_at_once() {
    let (zones, names) = zones();
    let server = Server::start(&zones);
    server.delay(DELAY);
    // So patient that nothing is sent twice, however busy the machine.
    let dns = Dns::new(Asking { patience: Duration::from_secs(60), ..Asking::at([server.at()]) });
    let one = settle(&dns, |inquiry| judge(inquiry, &names[0])).await.unwrap();
    assert_eq!((one.verdict, one.chain), (24, 3));
    assert_eq!(one.links, ["d0.example.net MX", "mail.example.org A", "25.2.0.192.in-addr.arpa PTR"]);
    let dns = Arc::new(dns.fresh());
    let before = server.asked();
    let began = Instant::now();
    let tasks = names.into_iter().map(|name| {
        let dns = Arc::clone(&dns);
        tokio::spawn(async move { settle(&dns, |inquiry| judge(inquiry, &name)).await.unwrap().chain })
    });
    let chains: Vec<u32> =
        futures_util::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let all = began.elapsed();
    let chain = *chains.iter().max().unwrap();
    let asked = server.asked() - before;
    assert_eq!(asked, 100 * 22 + 2, "the shared server and its name are asked for once");
    assert_eq!(chain, 3);
    let together = server.most_at_once();
    assert!(together >= 100, "{together} questions at a time, in {all:?}");
}

/// Proves: no question waits for one that it does not depend on, and a dead one costs one deadline.
#[tokio::test]
async fn nothing_waits_for_a_dead_question() {
    let (zones, names) = zones();
    let server = Server::start(&zones);
    for label in ["_dmarc", "_mta-sts", "autoconfig", "_imap._tcp"] {
        server.fault(&format!("{label}.{}", names[0]), Fault::Drop);
    }
    let patience = Duration::from_millis(800);
    let dns = Dns::new(Asking { patience, ..Asking::at([server.at()]) });
    let began = Instant::now();
    let mut seen = Vec::new();
    let judge = |inquiry: &Inquiry<'_>| {
        let done = judge(inquiry, &names[0]);
        let reverse = inquiry.ask(Question::new(name("25.2.0.192.in-addr.arpa"), Kind::Ptr)).is_some();
        Some((done, reverse))
    };
    let settled = settle_with(&dns, judge, |verdict| seen.push((began.elapsed(), *verdict))).await.unwrap();
    assert_eq!(settled.verdict, (Some(24), true));
    assert!(began.elapsed() < patience * 2, "{:?}", began.elapsed());
    let (when, _) = seen.iter().find(|(_, (_, reverse))| *reverse).unwrap();
    assert!(*when < patience, "the end of the chain came only after {when:?}");
}

/// Proves: a judgement that never ends, and one that wants nothing and says nothing, are errors and not hangs.
#[tokio::test]
async fn judgements_without_end_are_errors() {
    // Nobody listens there any more, which is noticed at once.
    let closed = Server::start(&[]).at();
    let dns = Dns::new(Asking::at([closed]));
    let nothing = settle(&dns, |_| None::<()>).await;
    assert!(nothing.unwrap_err().contains("no end"));
    let mut number = 0;
    let endless = settle(&dns, |inquiry| {
        number += 1;
        inquiry.ask(Question::new(name(&format!("n{number}.example.org")), Kind::A)).map(|_| ())
    });
    assert!(endless.await.unwrap_err().contains("still asks"));
}
