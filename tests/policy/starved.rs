//! Nonsense without end, and a system that gives nothing more.

use crate::place::{LONG, Place, Session, soon};
use std::{fs, os::unix::net::UnixStream, time::Duration};

/// Proves: issue 6: 12 kinds of malformed request, 10,000 rounds: no descriptor and no memory stays behind, and who asks
/// rightly is answered.
#[test]
fn ten_thousand_rounds_of_nonsense_leave_nothing_behind() {
    let mut place = Place::new("[policies.rates]\nclient = \"messages 2/d\"\n");
    place.start();
    let long = |text: &str, times| text.repeat(times).into_bytes();
    // All but the last two end the connection; those are given up by the client.
    let nonsense: [Vec<u8>; 12] = [
        b"\n".to_vec(),
        b"no equals sign\n\n".to_vec(),
        b"a=b\n\r\n".to_vec(),
        long("a=b\n", 201),
        long("a", 32_769),
        [b"a=".to_vec(), long("b", 32_768)].concat(),
        b"GET / HTTP/1.0\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\n".to_vec(),
        b"4:OK 1,\n".to_vec(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"request=smtpd_access_policy\nsender=half".to_vec(),
        b"\xff\xfe\0=\xff\nclient_address=192.0.2.7\nprotocol_state=END-OF-MESSAGE\nsize=99999999999999999999".to_vec(),
    ];
    let mut bystander = place.connect();
    let mut rounds = |times: usize| {
        for number in 0..times {
            let bytes = &nonsense[number % nonsense.len()];
            let mut session = place.connect();
            session.send(bytes);
            if number % nonsense.len() < 10 {
                assert!(session.is_closed(), "{:?}", String::from_utf8_lossy(&bytes[..20.min(bytes.len())]));
            }
            if number % 100 == 0 {
                assert_eq!(bystander.ask("protocol_state=RCPT client_address=192.0.2.9").unwrap(), "DUNNO");
            }
        }
    };
    rounds(1000);
    let (descriptors, memory) = (place.descriptors(), place.resident());
    rounds(10_000);
    soon("as many descriptors as before", || place.descriptors() <= descriptors);
    let grown = place.resident() - memory;
    assert!(grown < 4096, "{grown} KiB more after 10,000 rounds");
    // The half message of the last kind was counted by nobody.
    for _ in 0..2 {
        assert_eq!(place.ask("protocol_state=END-OF-MESSAGE client_address=192.0.2.7"), "DUNNO");
    }
}

/// Proves: fault 3 (out of files): sessions that are there are answered, new ones are turned away at once and never hang;
/// with room again all is well, by the same process.
#[test]
fn out_of_descriptors_it_answers_those_it_has() {
    let mut place = Place::new("[policies.rates]\nclient = \"messages 2/d\"\n");
    place.through = ["prlimit", "--nofile=64:64"].map(str::to_owned).to_vec();
    place.environment = vec![("PATH".into(), "/usr/bin:/bin".into())];
    place.start();
    let mut old = place.connect();
    assert_eq!(old.ask("protocol_state=RCPT client_address=192.0.2.7").unwrap(), "DUNNO");
    let crowd = |name: &str| -> Vec<UnixStream> {
        (0..100).filter_map(|_| UnixStream::connect(place.path(name)).ok()).collect()
    };
    let (maps, asking) = (crowd("map"), crowd("policy"));
    soon("no file is left", || {
        let log = place.log();
        log.contains("too many connections, refused") || log.contains("cannot accept a connection")
    });
    for _ in 0..20 {
        assert_eq!(old.ask("protocol_state=RCPT client_address=192.0.2.7").unwrap(), "DUNNO");
    }
    // Postfix meets a closed connection, or waits: 451 by its own default, never an answer that is wrong.
    let mut new = place.connect();
    new.0.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert_eq!(new.ask("protocol_state=RCPT client_address=192.0.2.7"), None);
    drop((maps, asking, new));
    soon("new ones are answered", || {
        let mut session = place.connect();
        session.0.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        session.ask("protocol_state=RCPT client_address=192.0.2.7").is_some()
    });
    assert!(place.lives());
    assert!(!place.log().contains("panic"), "{}", place.log());
}

/// Proves: fault 3 (out of memory), threats 20: as many as may come, each with the longest half request, are cut off or turned
/// away, and cost what was said; honest ones are answered all the time.
#[test]
fn clients_that_fill_the_memory_are_held_within_bounds() {
    let mut place = Place::new("[policies.rates]\nclient = \"messages 2/d\"\n");
    place.through = ["prlimit", "--nofile=4096:4096"].map(str::to_owned).to_vec();
    place.environment = vec![("PATH".into(), "/usr/bin:/bin".into())];
    place.start();
    let mut honest = place.connect();
    assert!(honest.ask("protocol_state=RCPT").is_some());
    let before = place.resident();
    let half = [&b"a="[..], &[b'b'; 32_000]].concat();
    let mut crowd: Vec<Session<UnixStream>> = (0..1500).map(|_| place.connect()).collect();
    for session in &mut crowd {
        session.send(&half);
    }
    let each = (place.resident() - before) / 1500;
    assert!(each <= 64, "{each} KiB for each");
    assert!(honest.ask("protocol_state=RCPT").is_some());
    // Ten seconds for a whole request.
    let began = std::time::Instant::now();
    let cut = |session: &mut Session<UnixStream>| session.is_closed();
    assert!(crowd.iter_mut().all(cut), "somebody was left in");
    assert!(began.elapsed() < LONG);
    assert!(honest.ask("protocol_state=RCPT").is_some());
    assert!(place.lives() && fs::metadata(place.path("policy")).is_ok());
}
