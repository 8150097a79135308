//! The records of a server in a zone that DNSSEC signs, with DANE.

use crate::common::dns::{Dns as Server, Zone};
use mailctl::{
    mail::{
        address::{Domain, Selector},
        check::{self, Options},
        dkim::{Algorithm, Record},
        dns::Inquiry,
        finding::{Finding, Verdict},
        record::{self, Wishes},
        server::{Key, Served, Server as Host, Services, Stage},
    },
    world::dns::{Asking, Dns, settle},
};

fn host() -> Host {
    Host {
        host: Domain::parse("mail.example.org").unwrap(),
        addresses: vec!["192.0.2.25".parse().unwrap(), "2001:db8::25".parse().unwrap()],
        services: Services { submissions: 465, imaps: 993, ..Services::default() },
        spki: vec![[7; 32]],
        relay: None,
        policy: None,
    }
}

fn served() -> Served {
    let record = Record { algorithm: Algorithm::Ed25519, public: vec![7; 32] };
    let key = Key { selector: Selector::parse("m1").unwrap(), record, stage: Stage::Active };
    Served { domain: Domain::parse("example.org").unwrap(), keys: vec![key] }
}

/// What there is to publish, as lines of zones.
fn lines() -> Vec<String> {
    let wishes = Wishes::default();
    let all = record::for_host(&host(), &wishes).into_iter();
    let all = all.chain(record::for_domain(&host(), &served(), &wishes));
    all.map(|record| record.to_string()).collect()
}

/// A signed root, `org` and `example.org` below it; the last one is bogus where it is `broken`.
fn serve(lines: &[String], broken: bool) -> Server {
    let of = |ends: &str| {
        let name = |line: &&String| line.split_whitespace().next().is_some_and(|name| name.ends_with(ends));
        lines.iter().filter(name).cloned().collect::<Vec<_>>().join("\n")
    };
    let zone = Zone::new("example.org", &format!("{}\n@ NS ns\nns A {{at}}", of("example.org.")));
    Server::start(&[
        Zone::new(".", "").signed(),
        Zone::new("org", "").signed(),
        if broken { zone.broken() } else { zone.signed() },
        Zone::new("2.0.192.in-addr.arpa", &of("in-addr.arpa.")).signed(),
        Zone::new("8.b.d.0.1.0.0.2.ip6.arpa", &of("ip6.arpa.")).signed(),
    ])
}

/// All that is said of host and domain, but for the one name server that the test has.
async fn look(server: &Server) -> Vec<Finding> {
    let (host, served, options) = (host(), served(), Options::default());
    let dns = Dns::new(Asking { anchors: Some(server.anchors()), ..Asking::at([server.at()]) });
    let of_host = |inquiry: &Inquiry<'_>| check::host(inquiry, &host, &options);
    let of_domain = |inquiry: &Inquiry<'_>| check::domain(inquiry, &host, &served, &options);
    let (of_host, of_domain) = tokio::join!(settle(&dns, of_host), settle(&dns, of_domain));
    let all = of_host.unwrap().verdict.into_iter().chain(of_domain.unwrap().verdict);
    all.filter(|finding| !finding.code.starts_with("dns.name_servers.")).collect()
}

fn wrong(findings: &[Finding]) -> Vec<&str> {
    findings.iter().filter(|finding| finding.verdict != Verdict::Ok).map(|finding| finding.code).collect()
}

/// Proves: issue 4: in a signed zone what is printed is right, the key of TLSA too (RFC 7672); another key, a
/// certificate in its place and signatures that do not hold are found, and the record that is named mends it.
#[tokio::test]
async fn what_is_published_in_a_signed_zone_is_green() {
    let right = lines();
    let findings = look(&serve(&right, false)).await;
    assert_eq!(wrong(&findings), Vec::<&str>::new(), "{findings:#?}\n{right:#?}");
    for code in ["dns.tlsa.ok", "dns.dnssec.secure"] {
        assert!(findings.iter().any(|finding| finding.code == code), "{code}: {findings:#?}");
    }
    let key = "07".repeat(32);
    for (written, code) in [
        (format!("3 1 1 {}", "08".repeat(32)), "dns.tlsa.mismatch"),
        (format!("3 0 1 {key}"), "dns.tlsa.certificate"),
        (format!("1 1 1 {key}"), "dns.tlsa.unusable"),
    ] {
        let changed = |line: &String| line.replace(&format!("3 1 1 {key}"), &written);
        let changed: Vec<String> = right.iter().map(changed).collect();
        let findings = look(&serve(&changed, false)).await;
        assert_eq!(wrong(&findings), [code]);
        let finding = findings.iter().find(|finding| finding.code == code).unwrap();
        let mut mended: Vec<String> = changed.into_iter().filter(|line| !line.contains("TLSA")).collect();
        mended.extend(finding.publish.iter().map(ToString::to_string));
        assert_eq!(wrong(&look(&serve(&mended, false)).await), Vec::<&str>::new(), "{code}");
    }
    let findings = look(&serve(&right, true)).await;
    let codes = wrong(&findings);
    assert!(codes.contains(&"dns.tlsa.bogus") && codes.contains(&"dns.dnssec.bogus"), "{codes:?}");
}
