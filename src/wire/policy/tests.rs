use super::*;
use proptest::prelude::*;

const REQUEST: &[u8] =
    b"request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=ann@example.org\nsender=\nx=\xff\n\n";

#[test]
fn attributes_come_in_any_order_and_pieces() {
    let Decoded::Request(request, used) = decode(REQUEST) else { panic!() };
    assert_eq!(used, REQUEST.len());
    assert_eq!(request.get("sasl_username"), Some(&b"ann@example.org"[..]));
    assert_eq!(request.get("sender"), None);
    assert_eq!(request.get("x"), Some(&b"\xff"[..]));
    for cut in 0..REQUEST.len() {
        assert_eq!(decode(&REQUEST[..cut]), Decoded::More, "cut at {cut}");
    }
    let twice = [REQUEST, REQUEST].concat();
    assert!(matches!(decode(&twice), Decoded::Request(_, used) if used == REQUEST.len()));
}

/// Proves: issue 6: attributes in any order, whatever is missing or unknown.
#[test]
fn what_is_expected_and_what_is_not_reads_the_same() {
    let ordered = ORDER.map(|(name, _)| [name, b"1.2.3.4"].concat());
    let read = |lines: Vec<&[u8]>| {
        let wire = [&lines.join(&b'\n')[..], b"\n\n"].concat();
        let Decoded::Request(request, used) = decode(&wire) else { panic!("{wire:?}") };
        assert_eq!(used, wire.len());
        let values = [request.client_address, request.sender, request.recipient_count, request.instance];
        (values.map(<[u8]>::to_vec), request.size.to_vec(), request.sasl_username.to_vec())
    };
    let lines: Vec<&[u8]> = ordered.iter().map(Vec::as_slice).collect();
    let right = read(lines.clone());
    assert_eq!(right.0, [b"1.2.3.4"; 4]);
    assert_eq!(read(lines.iter().rev().copied().collect()), right);
    let strange = lines.iter().flat_map(|line| [&b"new_in_4.0=x"[..], line]);
    assert_eq!(read(strange.collect()), right);
    for left_out in ["request=", "client_port=", "etrn_domain=", "policy_context="] {
        let rest = lines.iter().filter(|line| !line.starts_with(left_out.as_bytes()));
        assert_eq!(read(rest.copied().collect()), right, "without {left_out}");
    }
}

#[test]
fn too_much_and_nonsense_are_refused() {
    assert!(matches!(decode(b"\n"), Decoded::Malformed(_)));
    assert!(matches!(decode(b"nonsense\n\n"), Decoded::Malformed(_)));
    assert!(matches!(decode("a=b\n".repeat(201).as_bytes()), Decoded::Malformed(_)));
    assert!(matches!(decode("a".repeat(LONGEST + 1).as_bytes()), Decoded::Malformed(_)));
}

#[test]
fn an_answer_is_one_line() {
    let mut out = Vec::new();
    encode(&Action::Reject("5.7.8 gone\nother=1".into()), &mut out);
    assert_eq!(out, b"action=REJECT 5.7.8 gone other=1\n\n");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        if let Decoded::Request(_, used) = decode(&bytes) {
            prop_assert!(used <= bytes.len());
        }
    }

    #[test]
    fn what_is_sent_is_read(
        pairs in prop::collection::vec(("[a-z_]{1,20}", "[^\\x00\n]{1,20}"), 1..12),
        after in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut wire = String::new();
        for (name, value) in &pairs {
            wire.push_str(&format!("{name}={value}\n"));
        }
        wire.push('\n');
        let length = wire.len();
        let bytes = [wire.as_bytes(), &after].concat();
        let Decoded::Request(request, used) = decode(&bytes) else { panic!("{bytes:?}") };
        prop_assert_eq!(used, length);
        for (name, _) in &pairs {
            let first = pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_bytes());
            prop_assert_eq!(request.get(name), first);
        }
    }

    #[test]
    fn an_answer_is_one_line_whatever_it_says(text in any::<String>()) {
        let mut out = Vec::new();
        encode(&Action::Reject(text), &mut out);
        prop_assert!(out.ends_with(b"\n\n"));
        prop_assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
    }
}

/// Proves: issue 6: malformed requests of all kinds, each in one piece and in two.
#[test]
fn twelve_kinds_of_malformed_requests() {
    let long = |text: &str, times| text.repeat(times).into_bytes();
    let refused = [
        b"\n".to_vec(),
        b"\n\n".to_vec(),
        b"no equals sign\n\n".to_vec(),
        b"a=b\nno equals sign\n\n".to_vec(),
        b"a=b\n\r\n".to_vec(),
        long("a=b\n", ATTRIBUTES + 1),
        long("a", LONGEST + 1),
        [b"a=".to_vec(), long("b", LONGEST)].concat(),
        [long("a=b\n", 10), long("\0", LONGEST)].concat(),
        b"GET / HTTP/1.0\n\n".to_vec(),
        b"\x16\x03\x01\x02\x00\n".to_vec(),
        b"4:OK 1,\n".to_vec(),
    ];
    for bytes in &refused {
        assert!(matches!(decode(bytes), Decoded::Malformed(_)), "{:?}", String::from_utf8_lossy(bytes));
        for cut in [1, bytes.len() / 2, bytes.len() - 1] {
            assert!(!matches!(decode(&bytes[..cut]), Decoded::Request(..)));
        }
    }
    // Odd, and still requests: Postfix would not send them, and nothing in them hurts.
    for odd in [&b"=\n\n"[..], b"=b\n\n", b"a==\n\n", b"a=\xff\xfe\n\n", b"sender=\nsender=x\n\n"] {
        assert!(matches!(decode(odd), Decoded::Request(_, used) if used == odd.len()), "{odd:?}");
    }
}

#[test]
fn a_request_has_what_the_policies_ask_for() {
    let wire = b"request=smtpd_access_policy\nsize=12345\nprotocol_state=END-OF-MESSAGE\nrecipient_count=3\n\
                 client_address=::ffff:192.0.2.7\nhelo_name=x\nsender=a@b.org\nsender=second@b.org\n\n";
    let Decoded::Request(request, _) = decode(wire) else { panic!() };
    assert_eq!(request.stage, Stage::EndOfMessage);
    assert_eq!((number(request.size), number(request.recipient_count)), (12_345, 3));
    assert_eq!(request.client(), Some([192, 0, 2, 7].into()));
    assert_eq!(request.sender, b"a@b.org");
    assert_eq!((number(b""), number(b"x"), number(b"99999999999999999999")), (0, 0, u64::MAX));
    assert_eq!(PolicyRequest::default().client(), None);
}
