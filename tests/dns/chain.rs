//! How long a look at many domains takes, counted in the longest chain of one.

use crate::common::dns::{Dns as Server, Zone};
use mailctl::{
    mail::{
        address::Domain,
        check::{self, Options},
        dns::Inquiry,
        finding::Verdict,
        server::{Served, Server as Host, Services},
    },
    world::dns::{Asking, Dns, settle},
};
use std::time::{Duration, Instant};

/// So slow that what this machine does meanwhile does not count.
const DELAY: Duration = Duration::from_millis(500);

fn served(number: usize) -> Served {
    Served { domain: Domain::parse(&format!("d{number}.example.net")).unwrap(), keys: Vec::new() }
}

/// Proves: issue 4: twenty domains and all subjects within 3 times the longest chain of one, whose links are told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_domains_take_three_chains_at_most() {
    let text = "@ NS ns1.example.org.\n@ NS ns2.example.org.\n@ MX 10 mail.example.org.\n\
                @ TXT \"v=spf1 mx -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n";
    let zones = (0..20).map(|number| Zone::new(served(number).domain.as_str(), text));
    let server = Server::start(
        &zones
            .chain([
                Zone::new(".", ""),
                Zone::new("example.org", "mail A 192.0.2.25\nns1 A {at}\nns2 A {at}\n"),
            ])
            .collect::<Vec<_>>(),
    );
    server.delay(DELAY);
    let host = Host {
        host: Domain::parse("mail.example.org").unwrap(),
        addresses: vec!["192.0.2.25".parse().unwrap()],
        services: Services { submissions: 465, imaps: 993, ..Services::default() },
        spki: Vec::new(),
        relay: None,
        policy: None,
    };
    let dns = Dns::new(Asking::at([server.at()]));
    let began = Instant::now();
    let looks = (0..20).map(|number| {
        let (dns, host) = (dns.clone(), host.clone());
        tokio::spawn(async move {
            let (served, options) = (served(number), Options::default());
            let judge = |inquiry: &Inquiry<'_>| check::domain(inquiry, &host, &served, &options);
            settle(&dns, judge).await.unwrap()
        })
    });
    let looks = futures_util::future::join_all(looks).await;
    let took = began.elapsed();
    let looks: Vec<_> = looks.into_iter().map(Result::unwrap).collect();
    let longest = looks.iter().max_by_key(|look| look.chain).unwrap();
    assert!((3..=6).contains(&longest.chain), "{:?}", longest.links);
    assert!(longest.links.len() >= 3 && longest.links[0].starts_with('d'), "{:?}", longest.links);
    assert!(
        took <= 3 * longest.chain * DELAY,
        "{took:?} for a chain of {}: {:?}",
        longest.chain,
        longest.links
    );
    // There are no keys, which is all that is wrong.
    let wrong =
        looks.iter().flat_map(|look| &look.verdict).filter(|finding| finding.verdict == Verdict::Error);
    assert!(
        wrong.clone().all(|finding| finding.code == "dns.dkim.no_key"),
        "{:?}",
        wrong.collect::<Vec<_>>()
    );
}
