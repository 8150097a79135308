//! A resolver that says the same twice: as it remembers it, and as it came just now.

use crate::{
    ask::name,
    common::{
        resolver::{Kind as Program, Resolver},
        signed::World,
    },
};
use hickory_net::proto::op::Message;
use mailctl::{
    mail::dns::{Kind, Proof, Question, Whom},
    world::dns::{Asking, Dns},
};
use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

/// In front of a resolver; UDP only. Every record of its answers stands there once more, a second older.
fn twice(resolver: SocketAddr) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            let (socket, question) = (socket.try_clone().unwrap(), buffer[..length].to_vec());
            std::thread::spawn(move || {
                let upstream = UdpSocket::bind("127.0.0.1:0").unwrap();
                upstream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                upstream.send_to(&question, resolver).unwrap();
                let mut buffer = [0; 4096];
                let Ok(length) = upstream.recv(&mut buffer) else { return };
                let mut answer = Message::from_vec(&buffer[..length]).unwrap();
                for section in [&mut answer.answers, &mut answer.authorities] {
                    let mut older = section.clone();
                    older.iter_mut().for_each(|record| record.ttl = record.ttl.saturating_sub(1));
                    section.append(&mut older);
                }
                let _ = socket.send_to(&answer.to_vec().unwrap(), client);
            });
        }
    });
    at
}

/// Proves: RFC 4034 §6.3: what stands twice in an answer counts once. BIND answers so where one NSEC3 record proves two
/// things and it remembers it for one of them.
#[tokio::test]
async fn what_is_said_twice_counts_once() {
    let world = World::shared();
    for program in [Program::Unbound, Program::Bind] {
        let resolver = Resolver::start(program, &world);
        let at = twice(resolver.at());
        let dns = Dns::new(Asking { anchors: Some(world.anchors()), ..Asking::at([at]) });
        for (text, kind, proof) in [
            ("mail.bind.org", Kind::A, Proof::Secure),
            ("x.wild.bind.org", Kind::A, Proof::Secure),
            ("x.alias.knot3.org", Kind::Txt, Proof::Secure),
            ("absent.knot3.org", Kind::A, Proof::Secure),
            ("x.wild.plain.net", Kind::A, Proof::Insecure),
            ("mail.wrong.org", Kind::A, Proof::Bogus),
        ] {
            let answer = dns.ask(&Question::new(name(text), kind).to(Whom::Validating)).await;
            assert_eq!(answer.proof, proof, "{program:?} {text} {kind}: {answer:?}");
        }
    }
}
