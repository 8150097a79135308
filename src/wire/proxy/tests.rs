use super::*;
use proptest::prelude::*;

fn behind(text: &str) -> Client {
    Client::Behind(text.parse().unwrap())
}

/// Version 2 with these fields.
fn header(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
    let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family][..], &length, addresses].concat()
}

fn v4() -> Vec<u8> {
    header(0x21, 0x11, &[192, 0, 2, 7, 198, 51, 100, 1, 0xc4, 0x2e, 0, 25])
}

#[test]
fn lines_tell_the_client() {
    for (text, client) in [
        ("PROXY TCP4 192.0.2.7 198.51.100.1 50222 25\r\n", behind("192.0.2.7:50222")),
        ("PROXY TCP6 2001:db8::7 2001:db8::1 1 25\r\n", behind("[2001:db8::7]:1")),
        ("PROXY UNKNOWN\r\n", Client::Unnamed),
        ("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", Client::Unnamed),
    ] {
        assert_eq!(decode(text.as_bytes()), Decoded::Header(client, text.len()), "{text:?}");
        let followed = [text.as_bytes(), b"request=x\n"].concat();
        assert_eq!(decode(&followed), Decoded::Header(client, text.len()));
        for cut in 0..text.len() {
            assert_eq!(decode(&text.as_bytes()[..cut]), Decoded::More, "{text:?} cut at {cut}");
        }
    }
}

#[test]
fn binary_headers_tell_the_client() {
    let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[7], &[0; 16], &[0, 1, 0, 25]].concat();
    let tlvs = [&v4()[16..], &[4, 0, 1, 0]].concat();
    for (bytes, client) in [
        (v4(), behind("192.0.2.7:50222")),
        (header(0x21, 0x21, &v6), behind("[2001:db8::7]:1")),
        (header(0x21, 0x11, &tlvs), behind("192.0.2.7:50222")),
        (header(0x20, 0, &[]), Client::Unnamed),
        (header(0x21, 0x31, &[0; 216]), Client::Unnamed),
        (header(0x21, 0, &[]), Client::Unnamed),
    ] {
        assert_eq!(decode(&bytes), Decoded::Header(client, bytes.len()));
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), Decoded::More, "cut at {cut}");
        }
    }
}

/// Proves: threats 3 and 20: nonsense is told at once, and nothing is waited for without end.
#[test]
fn what_is_no_header_is_refused() {
    let long = format!("PROXY UNKNOWN {}", "x".repeat(100));
    for bytes in [
        b"request=smtpd_access_policy\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 50222\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 50222 25 1\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 +1 25\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::7 198.51.100.1 1 25\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 1 25\n".to_vec(),
        b"PROXY TCP4  192.0.2.7 198.51.100.1 1 25\r\n".to_vec(),
        b"PROXY UDP4 192.0.2.7 198.51.100.1 1 25\r\n".to_vec(),
        b"PROXY \xff\r\n".to_vec(),
        long.into_bytes(),
        header(0x11, 0x11, &v4()[16..]),
        header(0x22, 0x11, &v4()[16..]),
        header(0x21, 0x11, &[192, 0, 2, 7]),
        header(0x21, 0x21, &v4()[16..]),
        header(0x21, 0x11, &[0; LONGEST]),
    ] {
        assert!(matches!(decode(&bytes), Decoded::Malformed(_)), "{:?}", String::from_utf8_lossy(&bytes));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        begin in prop::sample::select(vec![&b""[..], WORD, SIGNATURE]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [begin, &bytes].concat();
        match decode(&bytes) {
            Decoded::Header(_, used) => prop_assert!(used <= bytes.len()),
            Decoded::More => prop_assert!(bytes.len() < LONGEST),
            Decoded::Malformed(_) => {}
        }
    }

    #[test]
    fn what_is_sent_is_read(address in any::<std::net::IpAddr>(), port in any::<u16>()) {
        let family = if address.is_ipv4() { "TCP4" } else { "TCP6" };
        let text = format!("PROXY {family} {address} {address} {port} 25\r\n");
        let client = Client::Behind(SocketAddr::new(address, port));
        prop_assert_eq!(decode(text.as_bytes()), Decoded::Header(client, text.len()));
    }
}
