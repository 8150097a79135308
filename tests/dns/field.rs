//! Proofs against the programs of the field: zones signed by BIND and Knot, behind unbound, BIND, PowerDNS and dnsmasq.

use crate::{
    ask::name,
    common::{
        resolver::{Kind as Program, Resolver},
        signed::{World, dig},
    },
};
use mailctl::{
    mail::{
        check::{self, Options},
        dns::{Answer, Kind, Outcome, Proof, Question, Silence, Whom},
        finding::Subject,
        server::{Served, Server, Services},
    },
    world::dns::{Asking, Dns, settle},
};

/// NSEC and NSEC3, by BIND and by Knot, below zones with NSEC, NSEC3 and NSEC3 with opt-out.
const SIGNED: [&str; 7] =
    ["bind.org", "bind3.org", "knot.org", "knot3.org", "ed25519.org", "knot3.com", "bind.net"];

/// Below a zone with NSEC, with NSEC3, with opt-out by Knot and by BIND, and below an unsigned one.
const UNSIGNED: [&str; 5] = ["plain.org", "plain.com", "plain.net", "plain.edu", "plain.info"];

/// Each in its own way.
const BOGUS: [&str; 3] = ["wrong.org", "expired.org", "gaps.org"];

const VALIDATING: [Program; 2] = [Program::Unbound, Program::Bind];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Found,
    Empty,
    Absent,
}
use Shape::{Absent, Empty, Found};

/// What every zone holds and does not hold.
const CASES: [(&str, Kind, Shape); 23] = [
    ("mail.", Kind::A, Found),
    ("", Kind::Mx, Found),
    ("", Kind::Soa, Found),
    ("_25._tcp.mail.", Kind::Tlsa, Found),
    ("www.", Kind::A, Found),
    ("across.", Kind::A, Found),
    ("absent.", Kind::A, Absent),
    ("x.y.absent.", Kind::A, Absent),
    ("mail.", Kind::Txt, Empty),
    ("mail.", Kind::Soa, Empty),
    ("_25._tcp.", Kind::Tlsa, Absent),
    ("ent.", Kind::A, Empty),
    // Wildcards, a name one and two labels below them, and one that another wildcard is closer to.
    ("x.wild.", Kind::A, Found),
    ("x.y.wild.", Kind::A, Found),
    ("x.wild.", Kind::Txt, Empty),
    ("x.deep.wild.", Kind::A, Empty),
    ("x.alias.", Kind::A, Found),
    ("x.alias.", Kind::Txt, Empty),
    // Aliases that lead to nothing.
    ("gone.", Kind::A, Absent),
    ("empty.", Kind::A, Empty),
    ("gone-across.", Kind::A, Absent),
    // Aliases made from a DNAME.
    ("inner.tree.", Kind::A, Found),
    ("none.tree.", Kind::A, Absent),
];

fn dns(resolver: &Resolver, world: &World) -> Dns {
    Dns::new(Asking { anchors: Some(world.anchors()), ..Asking::at([resolver.at()]) })
}

async fn ask(dns: &Dns, text: &str, kind: Kind) -> Answer {
    dns.ask(&Question::new(name(text), kind).to(Whom::Validating)).await
}

async fn holds(dns: &Dns, text: &str, kind: Kind, wanted: (Proof, Shape), by: impl std::fmt::Debug) {
    let answer = ask(dns, text, kind).await;
    let shape = match &answer.outcome {
        Outcome::Found(_) => Found,
        Outcome::Nothing { exists: true } => Empty,
        Outcome::Nothing { exists: false } => Absent,
        Outcome::Silent(why) => panic!("{by:?} {text} {kind}: {why}"),
    };
    assert_eq!((answer.proof, shape), wanted, "{by:?} {text} {kind}: {answer:?}");
}

/// Proves: RFC 4035 §5, RFC 5155 §8: what is there, what is not, wildcards and aliases are secure in zones signed by
/// BIND and by Knot, with NSEC and NSEC3, through every resolver; insecure where the delegation is, also by opt-out.
#[tokio::test]
async fn secure_and_insecure() {
    let world = World::shared();
    for program in [Program::Unbound, Program::Bind, Program::Permissive, Program::Strict, Program::Iterator]
    {
        let resolver = Resolver::start(program, &world);
        let dns = dns(&resolver, &world);
        for (label, kind, shape) in CASES {
            for zone in SIGNED {
                holds(&dns, &format!("{label}{zone}"), kind, (Proof::Secure, shape), program).await;
            }
            for zone in UNSIGNED {
                holds(&dns, &format!("{label}{zone}"), kind, (Proof::Insecure, shape), program).await;
            }
        }
        for zone in SIGNED {
            holds(&dns, &format!("away.{zone}"), Kind::A, (Proof::Insecure, Found), program).await;
            if program != Program::Strict {
                holds(&dns, &format!("bad.{zone}"), Kind::A, (Proof::Bogus, Found), program).await;
                holds(&dns, &format!("bad-gone.{zone}"), Kind::A, (Proof::Bogus, Absent), program).await;
            }
        }
        for (text, proof) in [
            ("absent", Proof::Secure),
            ("absent.org", Proof::Secure),
            ("absent.com", Proof::Secure),
            // An unsigned zone may stand there: RFC 5155 §9.2.
            ("absent.net", Proof::Insecure),
            ("absent.edu", Proof::Insecure),
            ("absent.info", Proof::Insecure),
        ] {
            holds(&dns, text, Kind::A, (proof, Absent), program).await;
        }
    }
}

/// Proves: RFC 4035 §5.5: expired signatures, a DS record of another key, denials without proof and records that
/// were changed after they were signed are bogus, also where the resolver would say SERVFAIL; what still holds in such a zone does.
#[tokio::test]
async fn bogus() {
    let world = World::shared();
    for program in [Program::Unbound, Program::Bind, Program::Permissive, Program::Iterator] {
        let resolver = Resolver::start(program, &world);
        let dns = dns(&resolver, &world);
        for (label, kind, shape) in CASES {
            for zone in BOGUS {
                holds(&dns, &format!("{label}{zone}"), kind, (Proof::Bogus, shape), program).await;
            }
        }
        for label in ["mail", "www", "x.wild", "x.alias", "inner.tree"] {
            holds(&dns, &format!("{label}.broken.org"), Kind::A, (Proof::Bogus, Found), program).await;
        }
        holds(&dns, "_25._tcp.mail.broken.org", Kind::Tlsa, (Proof::Secure, Found), program).await;
        holds(&dns, "absent.broken.org", Kind::A, (Proof::Secure, Absent), program).await;
    }
}

/// Proves: our verdicts are those of unbound and of BIND, name by name: secure is AD, bogus is SERVFAIL.
#[tokio::test]
async fn the_resolvers_agree() {
    let world = World::shared();
    let zones = SIGNED.iter().chain(&UNSIGNED).chain(&BOGUS).chain(&["broken.org"]);
    let mut questions: Vec<(String, Kind)> = zones
        .flat_map(|zone| CASES.iter().map(move |(label, kind, _)| (format!("{label}{zone}"), *kind)))
        .collect();
    questions.extend(["bad.bind.org", "bad-gone.knot3.org"].map(|text| (text.to_owned(), Kind::A)));
    questions.extend(["net", "edu", "com"].map(|zone| (format!("absent.{zone}"), Kind::A)));
    for program in VALIDATING {
        // BIND says nothing at all for seconds about aliases of a zone that denies without proof.
        if program == Program::Bind {
            questions.retain(|(text, _)| !text.ends_with("gaps.org"));
        }
        let resolver = Resolver::start(program, &world);
        let dns = dns(&resolver, &world);
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines: String = questions.iter().map(|(text, kind)| format!("{text} {kind} +dnssec\n")).collect();
        std::fs::write(file.path(), lines).unwrap();
        let said = dig(resolver.address(), &["-f", file.path().to_str().unwrap()]);
        let verdicts: Vec<(bool, bool)> = said
            .split(";; ->>HEADER<<- ")
            .skip(1)
            .map(|answer| {
                let flags = answer.lines().find(|line| line.starts_with(";; flags:")).unwrap();
                let flags = flags.split(';').nth(2).unwrap();
                (answer.contains("status: SERVFAIL"), flags.split_whitespace().any(|flag| flag == "ad"))
            })
            .collect();
        assert_eq!(verdicts.len(), questions.len(), "{said}");
        for ((text, kind), (failed, secure)) in questions.iter().zip(verdicts) {
            let theirs = match (failed, secure) {
                (true, _) => Proof::Bogus,
                (false, true) => Proof::Secure,
                (false, false) => Proof::Insecure,
            };
            let ours = ask(&dns, text, *kind).await;
            assert_eq!(ours.proof, theirs, "{program:?} {text} {kind}: {ours:?}");
        }
    }
}

/// Proves: RFC 4035 §5.2: a zone whose kind of key is not known here is unchecked: others may know it, so it is not unsigned.
#[tokio::test]
async fn keys_of_a_kind_that_is_not_known() {
    let world = World::shared();
    let resolver = Resolver::start(Program::Unbound, &world);
    let dns = dns(&resolver, &world);
    for (text, proof) in [("mail.ed448.org", Proof::Unchecked), ("mail.sha1.org", Proof::Secure)] {
        holds(&dns, text, Kind::A, (proof, Found), "unbound").await;
    }
}

/// Proves: who validates although he is asked not to makes a bad signature look like a dead server: unchecked.
#[tokio::test]
async fn a_resolver_that_keeps_bogus_answers() {
    let world = World::shared();
    let resolver = Resolver::start(Program::Strict, &world);
    let dns = dns(&resolver, &world);
    for zone in BOGUS {
        let answer = ask(&dns, &format!("mail.{zone}"), Kind::A).await;
        assert_eq!((answer.proof, &answer.outcome), (Proof::Unchecked, &Outcome::Silent(Silence::ServFail)));
    }
}

/// Proves: a resolver that hands on no signatures makes nothing bogus and nothing secure.
#[tokio::test]
async fn a_resolver_that_strips() {
    let world = World::shared();
    let resolver = Resolver::start(Program::Stripping, &world);
    let dns = dns(&resolver, &world);
    for zone in SIGNED.iter().chain(&UNSIGNED).chain(&BOGUS) {
        for (label, kind, shape) in CASES {
            holds(&dns, &format!("{label}{zone}"), kind, (Proof::Unchecked, shape), "PowerDNS").await;
        }
    }
}

/// Proves: a relay at home that remembers answers without their signatures makes nothing bogus that is not.
#[tokio::test]
async fn a_relay_in_between() {
    let world = World::shared();
    let unbound = Resolver::start(Program::Unbound, &world);
    let relay = Resolver::start(Program::Dnsmasq(unbound.address()), &world);
    // As another host would have asked, so that it remembers.
    for zone in ["org", "bind.org", "knot3.org"] {
        for kind in ["NS", "A", "SOA", "DS", "DNSKEY"] {
            dig(relay.address(), &[zone, kind]);
        }
        dig(relay.address(), &[&format!("mail.{zone}"), "A"]);
    }
    let dns = dns(&relay, &world);
    for (label, kind, shape) in CASES {
        for zone in ["bind.org", "knot3.org", "knot3.com"] {
            holds(&dns, &format!("{label}{zone}"), kind, (Proof::Secure, shape), "dnsmasq").await;
        }
        holds(&dns, &format!("{label}plain.net"), kind, (Proof::Insecure, shape), "dnsmasq").await;
        holds(&dns, &format!("{label}wrong.org"), kind, (Proof::Bogus, shape), "dnsmasq").await;
    }
}

/// Proves: where the keys of a zone cannot be had because its servers are dead, what is remembered of it is unchecked.
#[tokio::test]
async fn keys_of_a_dead_server() {
    let mut world = World::start();
    let resolver = Resolver::start(Program::Iterator, &world);
    let said = dig(resolver.address(), &["+dnssec", "mail.knot.org", "A"]);
    assert!(said.contains("RRSIG"), "{said}");
    world.stop_knot();
    let answer = ask(&dns(&resolver, &world), "mail.knot.org", Kind::A).await;
    assert_eq!((answer.proof, answer.records().unwrap().len()), (Proof::Unchecked, 1), "{answer:?}");
    let silent = ask(&dns(&resolver, &world), "_25._tcp.mail.knot.org", Kind::Tlsa).await;
    assert!(matches!(silent.outcome, Outcome::Silent(_)), "{silent:?}");
}

/// Proves: S4-11 for DNSSEC and TLSA: the findings follow from the proofs that the field gives.
#[tokio::test]
async fn the_findings() {
    let world = World::shared();
    for (program, zone, dnssec, tlsa) in [
        (Program::Unbound, "bind.org", "dns.dnssec.secure", "dns.tlsa.ok"),
        (Program::Unbound, "knot3.com", "dns.dnssec.secure", "dns.tlsa.ok"),
        (Program::Bind, "plain.net", "dns.dnssec.unsigned", "dns.tlsa.unsigned"),
        (Program::Bind, "expired.org", "dns.dnssec.bogus", "dns.tlsa.bogus"),
        (Program::Unbound, "wrong.org", "dns.dnssec.bogus", "dns.tlsa.bogus"),
        (Program::Strict, "wrong.org", "dns.dnssec.unchecked", "dns.tlsa.unchecked"),
        (Program::Stripping, "bind.org", "dns.dnssec.unchecked", "dns.tlsa.unchecked"),
    ] {
        let resolver = Resolver::start(program, &world);
        let dns = dns(&resolver, &world);
        let host = format!("mail.{zone}").parse().unwrap();
        let server = Server {
            host,
            addresses: Vec::new(),
            services: Services::default(),
            spki: vec![[7; 32]],
            relay: None,
            policy: None,
        };
        let served = Served { domain: zone.parse().unwrap(), keys: Vec::new() };
        let options = Options { subjects: [Subject::Dnssec, Subject::Tlsa].into(), ..Options::default() };
        let settled = settle(&dns, |inquiry| {
            let host = check::host(inquiry, &server, &options);
            let domain = check::domain(inquiry, &server, &served, &options);
            Some([domain?, host?].concat())
        });
        let findings = settled.await.unwrap().verdict;
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [dnssec, tlsa], "{program:?} {zone}");
    }
}
