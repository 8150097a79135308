//! Changes to zones of real name servers.

use crate::{
    ask::name,
    common::{
        dns::{Dns as Server, Zone},
        nameserver::{KEY, NameServer, Program},
    },
};
use mailctl::{
    mail::dns::{Data, Kind, Question, Whom},
    wire::tsig::Key,
    world::dns::{
        Asking, Dns,
        update::{Change, Refusal},
        zone::{Seen, Zone as Found},
    },
};
use std::{net::SocketAddr, time::Duration};

const RECORDS: &str = "@ TXT \"v=spf1 mx -all\"\n@ TXT \"other\"\nmail A 192.0.2.25\nalias CNAME mail\n";

fn key(name: &str, secret: &str) -> Key {
    Key::parse(&format!("key \"{name}\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};")).unwrap()
}

fn txt(text: &str) -> Data {
    Data::Txt(text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect())
}

fn change(at: &str, before: &[Data], after: &[Data]) -> Change {
    let kind = before.iter().chain(after).next().unwrap().kind();
    Change { name: name(at), kind, before: before.to_vec(), after: after.to_vec(), ttl: 300 }
}

/// Both programs, their addresses, and a resolver that asks them.
fn servers() -> Vec<(Program, NameServer, Dns)> {
    let programs = [Program::Bind, Program::Knot];
    let servers: Vec<_> = programs
        .into_iter()
        .filter_map(|program| {
            let server = NameServer::start(program, "example.org", RECORDS)?;
            let dns = Dns::new(Asking::at([SocketAddr::new(server.address(), 53)]));
            Some((program, server, dns))
        })
        .collect();
    assert_eq!(servers.len(), 2, "BIND and Knot are needed: .ci/provision test");
    servers
}

/// Proves: RFC 2136, a signed change is made whole and seen on the zone's servers, of every kind that mail needs; only
/// what changes is touched.
#[tokio::test]
async fn a_change_is_made() {
    for (program, server, dns) in servers() {
        let zone = dns.zone(&name("_dmarc.mail.example.org")).await.unwrap();
        assert_eq!(
            (zone.apex.as_str(), zone.primary.as_str()),
            ("example.org", "ns.example.org"),
            "{program:?}"
        );
        assert_eq!(zone.primary_addresses, [server.address()], "{program:?}");
        assert_eq!(zone.servers.len(), 1, "{program:?}");
        let at = SocketAddr::new(server.address(), 53);
        let long = txt(&format!("v=DKIM1; p={}", "A".repeat(400)));
        let spf = [txt("v=spf1 mx -all"), txt("other")];
        let tlsa = Data::Tlsa { usage: 3, selector: 1, matching: 1, data: vec![7; 32] };
        let caa = Data::Caa { critical: true, tag: "issue".into(), value: "ca.example; accounturi=x".into() };
        let srv = Data::Srv { priority: 0, weight: 1, port: 993, target: name("mail.example.org") };
        let mx = Data::Mx { preference: 10, exchange: name("mail.example.org") };
        let changes = [
            change("m1._domainkey.example.org", &[], std::slice::from_ref(&long)),
            change("example.org", &spf, &[txt("v=spf1 mx ~all"), txt("other")]),
            change("_25._tcp.mail.example.org", &[], &[tlsa]),
            change("example.org", &[], &[caa]),
            change("_imaps._tcp.example.org", &[], &[srv]),
            change("example.org", &[], &[mx]),
        ];
        let key = key(KEY.0, KEY.1);
        dns.update(at, &zone.apex, &key, &changes)
            .await
            .unwrap_or_else(|e| panic!("{program:?}: {e}\n{}", server.log()));
        for change in &changes {
            let what = (&change.name, change.kind, change.after.as_slice());
            let stands = dns.published(&zone, what, Duration::from_secs(10), |_| {}).await;
            assert_eq!(stands.unwrap_or_else(|stands| panic!("{program:?} {change:?}: {stands:?}")).len(), 1);
        }
        dns.update(at, &zone.apex, &key, &[change("m1._domainkey.example.org", &[long], &[])]).await.unwrap();
        let gone = dns.fresh().ask(&Question::new(name("m1._domainkey.example.org"), Kind::Txt)).await;
        assert_eq!(gone.records(), Ok(&[][..]), "{program:?}");
    }
}

/// Proves: RFC 2136 §2.4, what somebody else changed meanwhile is not overwritten, and nothing of the rest is done.
#[tokio::test]
async fn what_others_changed_is_kept() {
    for (program, server, dns) in servers() {
        let (at, zone) = (SocketAddr::new(server.address(), 53), name("example.org"));
        for before in
            [vec![], vec![txt("v=spf1 mx -all")], vec![txt("v=spf1 mx -all"), txt("other"), txt("third")]]
        {
            let changes = [
                change("new.example.org", &[], &[txt("new")]),
                change("example.org", &before, &[txt("v=spf1 -all")]),
            ];
            let refusal = dns.update(at, &zone, &key(KEY.0, KEY.1), &changes).await.unwrap_err();
            assert!(matches!(refusal, Refusal::Changed(_)), "{program:?} {before:?}: {refusal}");
        }
        let new = dns.ask(&Question::new(name("new.example.org"), Kind::Txt)).await;
        assert_eq!(new.records(), Ok(&[][..]), "{program:?}");
        let kept = dns.ask(&Question::new(&zone, Kind::Txt)).await;
        assert_eq!(kept.records().unwrap().len(), 2, "{program:?}");
    }
}

/// Proves: RFC 8945 §5.2, another secret, an unknown key, another zone, what the policy forbids: each has its name.
#[tokio::test]
async fn refusals_have_names() {
    for (program, server, dns) in servers() {
        let (at, zone) = (SocketAddr::new(server.address(), 53), name("example.org"));
        let new = [change("new.example.org", &[], &[txt("new")])];
        let wrong = dns.update(at, &zone, &key(KEY.0, "d3Jvbmc="), &new).await.unwrap_err();
        assert_eq!(wrong, Refusal::BadSignature(name(KEY.0)), "{program:?}");
        let unknown = dns.update(at, &zone, &key("nobody", KEY.1), &new).await.unwrap_err();
        let named = match program {
            Program::Bind => unknown == Refusal::BadKey(name("nobody")),
            // Knot names the key up to 3.3, and says no more than NOTAUTH from 3.4 on.
            Program::Knot => {
                unknown == Refusal::BadKey(name("nobody")) || unknown == Refusal::NotAuthoritative
            }
        };
        assert!(named, "{program:?}: {unknown:?}");
        let good = key(KEY.0, KEY.1);
        let elsewhere = [change("new.example.com", &[], &[txt("new")])];
        let foreign = dns.update(at, &name("example.com"), &good, &elsewhere).await.unwrap_err();
        assert!(matches!(foreign, Refusal::NotAuthoritative | Refusal::Refused), "{program:?}: {foreign:?}");
        let outside = dns.update(at, &zone, &good, &elsewhere).await.unwrap_err();
        assert!(matches!(outside, Refusal::NotInZone | Refusal::Refused), "{program:?}: {outside:?}");
        let servers = [change(
            "example.org",
            &[Data::Ns(name("ns.example.org"))],
            &[Data::Ns(name("mail.example.org"))],
        )];
        let policy = dns.update(at, &zone, &good, &servers).await.unwrap_err();
        let forbidden = match program {
            Program::Bind => policy == Refusal::Refused,
            Program::Knot => policy == Refusal::BadKey(name(KEY.0)) || policy == Refusal::NotAuthoritative,
        };
        assert!(forbidden, "{program:?}: {policy:?}");
        let kept = dns.ask(&Question::new(name("new.example.org"), Kind::Txt)).await;
        assert_eq!(kept.records(), Ok(&[][..]), "{program:?}");
    }
}

/// Proves: an answer that is not signed is not believed, and no answer is no success.
#[tokio::test]
async fn unsigned_and_no_answers_are_no_success() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let length = stream.read_u16().await.unwrap();
            let mut request = vec![0; usize::from(length)];
            stream.read_exact(&mut request).await.unwrap();
            let answer = [&request[..2], &[0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
            stream.write_all(&[&12_u16.to_be_bytes()[..], &answer].concat()).await.unwrap();
        }
    });
    let dns = Dns::new(Asking { patience: Duration::from_millis(500), ..Asking::at([]) });
    let new = [change("new.example.org", &[], &[txt("new")])];
    let forged = dns.update(at, &name("example.org"), &key(KEY.0, KEY.1), &new).await.unwrap_err();
    assert!(matches!(forged, Refusal::Unproven(_)), "{forged:?}");
    let nobody = Server::start(&[]).at();
    let silent = dns.update(nobody, &name("example.org"), &key(KEY.0, KEY.1), &new).await.unwrap_err();
    assert!(matches!(silent, Refusal::Silent(_)), "{silent:?}");
}

/// Proves: a change counts as published only when every server of the zone answers with it.
#[tokio::test]
async fn every_server_must_answer_with_it() {
    let zone = |text: &str| Zone::new("example.org", &format!("@ NS a.ns\n@ NS b.ns\n{text}"));
    let new = Server::start(&[zone("new TXT \"new\"\n")]);
    let old = Server::start(&[zone("new TXT \"old\"\n")]);
    let lame = Server::start(&[]);
    let dns = Dns::new(Asking { patience: Duration::from_millis(500), ..Asking::at([new.at()]) });
    let server = |label: &str, at: &Server| mailctl::mail::zone::NameServer {
        name: name(&format!("{label}.ns.example.org")),
        addresses: vec![at.at().ip()],
    };
    let found = |servers| Found {
        apex: name("example.org"),
        primary: name("a.ns.example.org"),
        primary_addresses: vec![],
        servers,
    };
    let expected = [txt("new")];
    let at = name("new.example.org");
    let look = async |servers: Vec<_>| {
        dns.published(&found(servers), (&at, Kind::Txt, &expected), Duration::from_millis(400), |_| {}).await
    };
    look(vec![server("a", &new), server("b", &new)]).await.unwrap();
    let stale = look(vec![server("a", &new), server("b", &old)]).await.unwrap_err();
    assert_eq!((&stale[0].seen, &stale[1].seen), (&Seen::Same, &Seen::Other(vec![txt("old")])));
    let refused = look(vec![server("a", &new), server("b", &lame)]).await.unwrap_err();
    assert!(matches!(refused[1].seen, Seen::Silent(_)), "{refused:?}");
    assert!(look(vec![]).await.is_err(), "nobody answers for it");
}

/// A primary, a secondary that it tells of every change, and a resolver that asks the primary.
fn pair(programs: (Program, Program)) -> (NameServer, NameServer, Dns) {
    let (primary, secondary) = NameServer::pair(programs, "example.org", RECORDS);
    let at = SocketAddr::new(primary.address(), 53);
    let patience = Duration::from_millis(1000);
    (primary, secondary, Dns::new(Asking { patience, ..Asking::at([at]) }))
}

/// Proves: RFC 1996, RFC 1995, RFC 5936: a change counts when a real secondary has taken it over, which it does within
/// seconds of being told; one that is stopped is named, and is enough to wait. BIND and Knot in both parts.
#[tokio::test]
async fn a_secondary_follows() {
    for programs in [(Program::Bind, Program::Knot), (Program::Knot, Program::Bind)] {
        let (primary, mut secondary, dns) = pair(programs);
        let at = SocketAddr::new(primary.address(), 53);
        let zone = dns.zone(&name("example.org")).await.unwrap();
        assert_eq!(zone.servers.len(), 2, "{programs:?}");
        let key = key(KEY.0, KEY.1);
        for text in ["first", "second", "third"] {
            let label = name(&format!("{text}._domainkey.example.org"));
            let expected = [txt(text)];
            dns.update(at, &zone.apex, &key, &[change(label.as_str(), &[], &expected)]).await.unwrap();
            let stands =
                dns.published(&zone, (&label, Kind::Txt, &expected), Duration::from_secs(30), |_| {});
            let stands =
                stands.await.unwrap_or_else(|stands| panic!("{programs:?}: {stands:?}\n{}", secondary.log()));
            assert_eq!(stands.len(), 2);
            let whom = Whom::Server(secondary.address());
            let there = dns.fresh().ask(&Question::new(label, Kind::Txt).to(whom)).await;
            assert_eq!(
                there.records(),
                Ok(&expected[..]),
                "{programs:?}: no sooner than the secondary has it"
            );
        }
        secondary.stop();
        let expected = [txt("late")];
        let late = name("late._domainkey.example.org");
        dns.update(at, &zone.apex, &key, &[change(late.as_str(), &[], &expected)]).await.unwrap();
        let patience = Duration::from_secs(2);
        let stands = dns.published(&zone, (&late, Kind::Txt, &expected), patience, |_| {}).await.unwrap_err();
        for stand in stands {
            let right = match stand.server.as_str() {
                "ns.example.org" => stand.seen == Seen::Same,
                _ => matches!(stand.seen, Seen::Silent(_)),
            };
            assert!(right, "{programs:?}: {stand:?}");
        }
    }
}
