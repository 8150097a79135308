//! Judgements driven to their end.

use crate::{
    ask::name,
    common::dns::{Dns as Server, Fault, Zone},
};
use mailctl::{
    mail::dns::{Data, Inquiry, Kind, Name, Question},
    world::dns::{Asking, Dns, settle, settle_with},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const DELAY: Duration = Duration::from_millis(50);

/// Twenty-four questions of the kinds that a whole check asks, one chain of three among them: MX, its address, and
/// who that address says it is.
fn judge(inquiry: &Inquiry<'_>, domain: &Name) -> Option<usize> {
    let mut answers = Vec::new();
    for kind in [Kind::Txt, Kind::Ns, Kind::Soa, Kind::Caa] {
        answers.push(inquiry.ask(Question::new(domain, kind)));
    }
    for (label, kind) in [
        ("_dmarc", Kind::Txt),
        ("_mta-sts", Kind::Txt),
        ("_smtp._tls", Kind::Txt),
        ("m202611._domainkey", Kind::Txt),
        ("m202610._domainkey", Kind::Txt),
        ("mta-sts", Kind::A),
        ("mta-sts", Kind::Aaaa),
        ("autoconfig", Kind::A),
        ("autoconfig", Kind::Aaaa),
        ("autodiscover", Kind::A),
        ("autodiscover", Kind::Aaaa),
        ("_imaps._tcp", Kind::Srv),
        ("_imap._tcp", Kind::Srv),
        ("_submissions._tcp", Kind::Srv),
        ("_submission._tcp", Kind::Srv),
        ("_autodiscover._tcp", Kind::Srv),
        ("nothing-has-this-name", Kind::Mx),
    ] {
        answers.push(inquiry.ask(Question::new(domain.child(label).unwrap(), kind)));
    }
    let mx = inquiry.ask(Question::new(domain, Kind::Mx))?;
    for record in mx.records().unwrap_or_default() {
        let Data::Mx { exchange, .. } = record else { continue };
        let addresses = inquiry.ask(Question::new(exchange, Kind::A))?;
        for record in addresses.records().unwrap_or_default() {
            let Data::A(address) = record else { continue };
            answers.push(inquiry.ask(Question::new(Name::reverse((*address).into()), Kind::Ptr)));
        }
    }
    answers.into_iter().collect::<Option<Vec<_>>>().map(|answers| answers.len() + 2)
}

fn zones() -> (Vec<Zone>, Vec<Name>) {
    let mut zones = vec![
        Zone::new("example.org", "mail A 192.0.2.25\n"),
        Zone::new("2.0.192.in-addr.arpa", "25 PTR mail.example.org.\n"),
    ];
    let names: Vec<Name> = (0..100).map(|number| name(&format!("d{number}.example.net"))).collect();
    zones.extend(names.iter().map(|name| {
        Zone::new(
            name.as_str(),
            "@ MX 10 mail.example.org.\n@ TXT \"v=spf1 mx -all\"\n_dmarc TXT \"v=DMARC1; p=none\"\n",
        )
    }));
    (zones, names)
}

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
    assert!(all < Duration::from_secs(5), "one after the other takes 15 s: {all:?}");
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
