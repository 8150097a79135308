//! Packets, whole and in pieces.

use super::*;
use proptest::prelude::*;

fn packet(letter: u8, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[letter], data].concat()
}

fn one(bytes: &[u8]) -> Command<'_> {
    match decode(bytes) {
        Decoded::Command(command, used) if used == bytes.len() => command,
        other => panic!("{other:?}"),
    }
}

/// What a server says about a message, as Postfix 3.10 says it.
#[test]
fn a_conversation_is_understood() {
    let offer = ask::offer();
    let Command::Negotiate(offer) = one(&offer) else { panic!("no offer") };
    assert_eq!((offer.version, offer.actions, offer.steps), (6, 0x1ff, 0x001f_ffff));
    let mut answer = Vec::new();
    let wanted = actions::ADD_HEADERS | actions::CHANGE_HEADERS;
    offer.answer(wanted, steps::HEADERS_ONLY, &[(Stage::Mail, "{auth_authen}")], &mut answer);
    assert_eq!(ask::agreed(&answer[4..]), Some(6));
    assert!(answer.ends_with(b"\0\0\0\x02{auth_authen}\0"));
    assert_eq!(answer[9..13], (wanted | actions::MACROS).to_be_bytes());

    let came = packet(b'C', b"mx.example.net\x004\x04\xd2192.0.2.7\0");
    assert_eq!(one(&came).client(), Some([192, 0, 2, 7].into()));
    let came = packet(b'C', b"unknown\x006\0\x19IPv6:2001:db8::1\0");
    assert_eq!(one(&came).client(), Some("2001:db8::1".parse().unwrap()));
    for nobody in [&b"unknown\0U"[..], b"localhost\0L\0\0/run/x\0", b"x\x004\0\0no address\0"] {
        assert_eq!(one(&packet(b'C', nobody)).client(), None);
    }
    let macros = packet(b'D', b"Mi\x004ABC\0{auth_authen}\0ann@example.org\0{mail_addr}\0\0");
    let Command::Macros(b'M', macros) = one(&macros) else { panic!("no macros") };
    assert_eq!(macros.get("{auth_authen}"), Some(&b"ann@example.org"[..]));
    assert_eq!((macros.get("i"), macros.get("{mail_addr}")), (Some(&b"4ABC"[..]), None));
    assert_eq!(macros.iter().count(), 3);
    assert_eq!(one(&packet(b'M', b"<a@b.org>\0SIZE=5\0")), Command::Mail(b"<a@b.org>"));
    assert_eq!(one(&packet(b'L', b"From\0a\n b\0")), Command::Header { name: b"From", value: b"a\n b" });
    assert_eq!(one(&packet(b'E', b"")), Command::EndOfMessage(b""));
}

/// Proves: threats 11 (a packet that could be read in two ways is read in none).
#[test]
fn what_is_no_packet_ends_the_conversation() {
    for (letter, data) in [
        (b'O', &b"\0\0\0\x06\0\0\0\x01\0\0\0"[..]),
        (b'D', b""),
        (b'D', b"Mi\0"),
        (b'D', b"Mi\0x"),
        (b'C', b"name"),
        (b'C', b"name\0"),
        (b'C', b"name\x004\0"),
        (b'C', b"name\x004\0\x19192.0.2.7"),
        (b'H', b""),
        (b'H', b"a\0b\0"),
        (b'M', b""),
        (b'M', b"<>\0SIZE=1"),
        (b'L', b"From"),
        (b'L', b"From\0"),
        (b'L', b"From\0a\0b\0"),
        (b'N', b"x"),
        (b'A', b"x"),
        (b'Q', b"x"),
        (b'!', b""),
    ] {
        let bytes = packet(letter, data);
        assert!(matches!(decode(&bytes), Decoded::Malformed(_)), "{} {data:?}", char::from(letter));
    }
    assert!(matches!(decode(&[0, 0, 0, 0]), Decoded::Malformed(_)));
    // Refused by its length alone: nobody fills memory with it.
    assert!(matches!(decode(&[0, 4, 0, 1]), Decoded::Malformed(_)));
    assert_eq!(decode(&[0, 4, 0, 0]), Decoded::More(4 + LONGEST));
}

#[test]
fn replies_are_written_as_libmilter_does() {
    let written = |reply: Reply<'_>| {
        let mut out = Vec::new();
        reply.encode(&mut out);
        out
    };
    assert_eq!(written(Reply::Continue), [0, 0, 0, 1, b'c']);
    assert_eq!(written(Reply::Code("550 5.7.1 a%b")), packet(b'y', b"550 5.7.1 a%%b\0"));
    assert_eq!(written(Reply::Insert(0, "X", "a\r\n\tb\0")), packet(b'i', b"\0\0\0\0X\0a\n\tb\0"));
    assert_eq!(written(Reply::Change(2, "X", "")), packet(b'm', b"\0\0\0\x02X\0\0"));
}

fn command() -> impl Strategy<Value = Vec<u8>> {
    let text = || prop::collection::vec(1..=255_u8, 0..40);
    let joined = |texts: Vec<Vec<u8>>| -> Vec<u8> {
        texts.into_iter().flat_map(|text| [text, vec![0]].concat()).collect()
    };
    prop_oneof![
        (prop::sample::select(vec![b'H', b'U']), text())
            .prop_map(|(letter, text)| packet(letter, &[text, vec![0]].concat())),
        (prop::sample::select(vec![b'M', b'R']), prop::collection::vec(text(), 1..4))
            .prop_map(move |(letter, texts)| packet(letter, &joined(texts))),
        (text(), text()).prop_map(|(name, value)| packet(b'L', &[&name[..], &[0], &value, &[0]].concat())),
        prop::sample::select(vec![b'T', b'N', b'A', b'Q', b'K']).prop_map(|letter| packet(letter, &[])),
        (prop::sample::select(vec![b'B', b'E']), text()).prop_map(|(letter, data)| packet(letter, &data)),
        (text(), any::<u16>(), text()).prop_map(|(name, port, address)| {
            packet(b'C', &[&name[..], &[0, b'4'], &port.to_be_bytes(), &address, &[0]].concat())
        }),
        prop::collection::vec(text(), 0..3).prop_map(|pairs| {
            let pairs: Vec<u8> =
                pairs.iter().flat_map(|text| [&text[..], &[0], text, &[0]].concat()).collect();
            packet(b'D', &[vec![b'E'], pairs].concat())
        }),
    ]
}

proptest! {
    /// Pieces give the same as the whole: a prefix asks for more, and never for less than there is.
    #[test]
    fn pieces_give_the_same_as_the_whole(packets in prop::collection::vec(command(), 1..6)) {
        let whole = packets.concat();
        let mut rest = &whole[..];
        for packet in &packets {
            for cut in 0..packet.len() {
                let Decoded::More(wanted) = decode(&rest[..cut]) else { panic!("{:?}", decode(&rest[..cut])) };
                prop_assert!(wanted > cut && wanted <= packet.len());
            }
            let Decoded::Command(command, used) = decode(rest) else { panic!("{:?}", decode(rest)) };
            prop_assert_eq!(used, packet.len());
            prop_assert_eq!(command, one(packet));
            rest = &rest[used..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..80), letter in any::<u8>()) {
        let framed = packet(letter, &bytes);
        for bytes in [&bytes, &framed] {
            if let Decoded::Command(command, used) = decode(bytes) {
                prop_assert!(used <= bytes.len());
                command.client();
                if let Command::Macros(_, macros) = command {
                    macros.iter().count();
                }
            }
        }
    }

    /// Whatever stands in a text, one packet comes out, and its texts end where they should.
    #[test]
    fn a_reply_is_one_packet(name in ".{0,20}", value in ".{0,60}", at in any::<u32>()) {
        for reply in [Reply::Insert(at, &name, &value), Reply::Code(&value), Reply::Quarantine(&value)] {
            let mut out = Vec::new();
            reply.encode(&mut out);
            prop_assert_eq!(u32::from_be_bytes([out[0], out[1], out[2], out[3]]) as usize, out.len() - 4);
            let texts = if matches!(reply, Reply::Insert(..)) { &out[9..] } else { &out[5..] };
            let ends = texts.iter().filter(|octet| **octet == 0).count();
            prop_assert_eq!(ends, if matches!(reply, Reply::Insert(..)) { 2 } else { 1 });
        }
    }
}
