//! The door for other hosts' Postfix, and proxies before it.

use crate::place::{Place, soon};
use std::time::{Duration, Instant};

const RATES: &str = "[policies.rates]\nclient = \"messages 2/d\"\n";
const END: &str = "protocol_state=END-OF-MESSAGE recipient_count=1 size=9";

fn from(client: &str) -> String {
    format!("{END} client_address={client}")
}

/// Proves: issue 6 (unix and TCP by one skeleton): both doors know the same, and one's nonsense is its own.
#[test]
fn other_hosts_ask_over_tcp_and_are_counted_alike() {
    let mut place = Place::new(&format!("policy_tcp = \"127.0.0.1:0\"\n{RATES}"));
    place.start();
    let mut tcp = place.connect_tcp();
    assert_eq!(tcp.ask(&from("192.0.2.7")).unwrap(), "DUNNO");
    assert_eq!(place.ask(&from("192.0.2.7")), "DUNNO");
    assert!(tcp.ask(&from("192.0.2.7")).unwrap().starts_with("451 4.7.1 "));
    let mut other = place.connect_tcp();
    other.send(b"nonsense\n");
    assert!(other.is_closed());
    assert_eq!(tcp.ask(&from("192.0.2.8")).unwrap(), "DUNNO");
}

/// Proves: issue 6 (PROXY), threats 3 (forged header), fault 32 (a peer that sends nothing, or a wrong header).
#[test]
fn only_named_proxies_are_let_in_and_their_header_comes_first() {
    let mut place =
        Place::new(&format!("policy_tcp = \"127.0.0.1:0\"\npolicy_proxies = [\"127.0.0.0/8\"]\n{RATES}"));
    place.start();
    let v2 = [
        &b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..],
        &[192, 0, 2, 9, 198, 51, 100, 1, 0xc4, 0x2e, 0x23, 0xc3],
    ]
    .concat();
    for header in [&b"PROXY TCP4 192.0.2.9 198.51.100.1 50222 9155\r\n"[..], b"PROXY UNKNOWN\r\n", &v2] {
        let mut session = place.connect_tcp();
        // In one packet with the first request, and in pieces.
        let request = "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.7\n\n";
        assert!(session.send(&[header, request.as_bytes()].concat()));
        assert_eq!(session.answer().unwrap(), "DUNNO");
        assert_eq!(session.ask("protocol_state=RCPT").unwrap(), "DUNNO");
        let mut session = place.connect_tcp();
        for byte in header {
            assert!(session.send(&[*byte]));
        }
        assert_eq!(session.ask("protocol_state=RCPT").unwrap(), "DUNNO");
    }
    let mut without = place.connect_tcp();
    without.send(b"request=smtpd_access_policy\n\n");
    assert!(without.is_closed());
    let mut silent = place.connect_tcp();
    let began = Instant::now();
    assert!(silent.is_closed());
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
    // Postfix of this host needs none.
    assert_eq!(place.ask(&from("192.0.2.7")), "DUNNO");
    for told in ["client=192.0.2.9:50222", "no PROXY header"] {
        soon(told, || place.log().contains(told));
    }
}

/// Proves: threats 3: a header from anybody else is not even read.
#[test]
fn a_header_from_elsewhere_is_not_believed() {
    let mut place = Place::new("policy_tcp = \"127.0.0.1:0\"\npolicy_proxies = [\"192.0.2.0/24\"]\n");
    place.start();
    let mut forger = place.connect_tcp();
    forger.send(b"PROXY TCP4 192.0.2.9 198.51.100.1 50222 9155\r\nrequest=smtpd_access_policy\n\n");
    assert!(forger.is_closed());
    soon("it is told", || place.log().contains("comes from none of the proxies"));
}
