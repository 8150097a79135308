//! Proven answers.

use crate::{
    ask::name,
    common::dns::{Dns as Server, Fault, Zone},
};
use mailctl::{
    mail::dns::{Answer, Kind, Outcome, Proof, Question, Silence, Whom},
    world::dns::{Asking, Dns},
};
use std::time::{Duration, Instant};

const HOST: &str = "@ MX 10 mail\nmail A 192.0.2.25\n_25._tcp.mail TLSA 3 1 1 ABCD\nwww CNAME mail\n";

/// A signed root; below it `org`, signed, with one zone of each sort.
fn zones() -> Vec<Zone> {
    vec![
        Zone::new(".", "").signed(),
        Zone::new("org", "").signed(),
        Zone::new("signed.org", HOST).signed(),
        Zone::new("unsigned.org", HOST),
        Zone::new("broken.org", HOST).broken(),
        Zone::new("net", ""),
        Zone::new("below.net", HOST),
    ]
}

fn dns(server: &Server) -> Dns {
    let patience = Duration::from_millis(1500);
    Dns::new(Asking { patience, anchors: Some(server.anchors()), ..Asking::at([server.at()]) })
}

async fn ask(dns: &Dns, text: &str, kind: Kind) -> Answer {
    dns.ask(&Question::new(name(text), kind).to(Whom::Validating)).await
}

/// Proves: RFC 4033 §5, secure, provably unsigned and bogus are told apart, for what is there and what is not.
#[tokio::test]
async fn secure_unsigned_and_bogus() {
    let server = Server::start(&zones());
    let dns = dns(&server);
    for (zone, proof) in [
        ("signed.org", Proof::Secure),
        ("unsigned.org", Proof::Insecure),
        ("below.net", Proof::Insecure),
        ("broken.org", Proof::Bogus),
    ] {
        let there = ask(&dns, &format!("_25._tcp.mail.{zone}"), Kind::Tlsa).await;
        assert_eq!((there.proof, there.records().unwrap().len()), (proof, 1), "{zone}: {there:?}");
        let alias = ask(&dns, &format!("www.{zone}"), Kind::A).await;
        assert_eq!((alias.proof, alias.records().unwrap().len()), (proof, 1), "{zone}: {alias:?}");
        let no_name = ask(&dns, &format!("absent.{zone}"), Kind::Tlsa).await;
        assert_eq!((no_name.proof, &no_name.outcome), (proof, &Outcome::Nothing { exists: false }), "{zone}");
        let no_data = ask(&dns, &format!("mail.{zone}"), Kind::Txt).await;
        assert_eq!((no_data.proof, &no_data.outcome), (proof, &Outcome::Nothing { exists: true }), "{zone}");
    }
}

/// Proves: a resolver that hands on no proofs makes nothing bogus, only unchecked.
#[tokio::test]
async fn a_resolver_without_proofs_proves_nothing() {
    let signed = Server::start(&zones());
    let plain = Server::start(&[
        Zone::new(".", ""),
        Zone::new("org", ""),
        Zone::new("signed.org", HOST),
        Zone::new("unsigned.org", HOST),
    ]);
    let dns = Dns::new(Asking { anchors: Some(signed.anchors()), ..Asking::at([plain.at()]) });
    for zone in ["signed.org", "unsigned.org"] {
        let there = ask(&dns, &format!("_25._tcp.mail.{zone}"), Kind::Tlsa).await;
        assert_eq!((there.proof, there.records().unwrap().len()), (Proof::Unchecked, 1), "{zone}");
        let absent = ask(&dns, &format!("absent.{zone}"), Kind::Tlsa).await;
        assert_eq!(absent.proof, Proof::Unchecked, "{zone}");
    }
}

/// Proves: what is missing of the chain of trust because a server is silent or fails makes nothing bogus.
#[tokio::test]
async fn a_gap_in_the_chain_is_not_bogus() {
    let server = Server::start(&zones());
    for fault in [Fault::Drop, Fault::ServFail, Fault::Refused] {
        server.fault("signed.org", fault);
        let dns = dns(&server);
        let began = Instant::now();
        let answer = ask(&dns, "_25._tcp.mail.signed.org", Kind::Tlsa).await;
        assert_eq!((answer.proof, answer.records().unwrap().len()), (Proof::Unchecked, 1), "{fault:?}");
        assert!(began.elapsed() < Duration::from_secs(4), "{fault:?}: {:?}", began.elapsed());
    }
    server.fault("_25._tcp.mail.signed.org", Fault::ServFail);
    let answer = ask(&dns(&server), "_25._tcp.mail.signed.org", Kind::Tlsa).await;
    assert_eq!(answer.outcome, Outcome::Silent(Silence::ServFail));
}

/// Proves: the links of a chain of trust are asked for together, and once for all who need them.
#[tokio::test]
async fn the_chain_is_asked_for_at_once() {
    let server = Server::start(&zones());
    server.delay(Duration::from_millis(100));
    let dns = dns(&server);
    let began = Instant::now();
    let question =
        |zone: &str| Question::new(name(&format!("_25._tcp.mail.{zone}")), Kind::Tlsa).to(Whom::Validating);
    let (signed, unsigned) = (question("signed.org"), question("unsigned.org"));
    let (signed, unsigned) = tokio::join!(dns.asked(&signed), dns.asked(&unsigned));
    assert_eq!((signed.answer.proof, unsigned.answer.proof), (Proof::Secure, Proof::Insecure));
    assert!(began.elapsed() < Duration::from_millis(600), "{:?}", began.elapsed());
    assert_eq!((signed.steps, unsigned.steps), (1, 1));
    for (zone, kind) in [("org", "DNSKEY"), (".", "DNSKEY"), ("org", "DS")] {
        assert_eq!(server.asked_for(zone, kind), 1, "{zone} {kind}");
    }
}
