use super::*;
use crate::daemon::memory::Memory;

async fn facts(resolvers: Vec<SocketAddr>) -> Facts {
    Facts::new(Memory::open(None).await.keys(), resolvers)
}

fn sender(address: &str) -> Sender {
    Sender {
        client: "192.0.2.1".parse().unwrap(),
        helo: "mx.example.net".to_owned(),
        sender: address.to_owned(),
    }
}

fn known(facts: &Facts, sender: &Sender) -> Option<Verdict> {
    let found = facts.known(sender.client, sender.helo.as_bytes(), sender.sender.as_bytes());
    found.map(|found| found.verdict)
}

/// Proves: nobody waits longer than Postfix does, and a resolver that is dead is not waited for by everybody.
#[tokio::test]
async fn a_dead_resolver_is_a_temperror_in_time() {
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let facts = facts(vec![mute.local_addr().unwrap()]).await;
    let began = Instant::now();
    let ann = sender("ann@example.org");
    assert_eq!(facts.find(&ann, "mail.example.com", 0).await.verdict, Verdict::TempError);
    assert!(began.elapsed() < LATEST, "{:?}", began.elapsed());
    assert_eq!(known(&facts, &ann), Some(Verdict::TempError));
    assert_eq!(
        known(&facts, &sender("bob@example.org")),
        Some(Verdict::TempError),
        "one domain, one verdict"
    );
    assert_eq!(known(&facts, &sender("ann@example.com")), None);
    facts.configure(vec!["127.0.0.1:1".parse().unwrap()]);
    assert_eq!(known(&facts, &ann), None, "another resolver may know");
}

/// Proves: memory for verdicts is bounded, and what is new is kept.
#[tokio::test]
async fn the_verdicts_are_bounded() {
    let facts = facts(vec![]).await;
    let evaluation = Some(Arc::new(silent(&sender("a@b.org").request("x", 0), Silence::Timeout)));
    for number in 0..MOST * 2 {
        let one = sender(&format!("ann@shop{number}.example"));
        let key = facts.key(one.client, b"mx.example.net", one.sender.as_bytes(), false);
        facts.put(
            key,
            Kept { until: 1000, verdict: Some(Verdict::TempError), evaluation: evaluation.clone() },
        );
        if number % 10_000 == 0 {
            assert_eq!(known(&facts, &one), Some(Verdict::TempError));
        }
    }
    let (_, kept) = facts.figures();
    assert!(kept > MOST / 2 && kept <= MOST, "{kept}");
}
