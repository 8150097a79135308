//! Where messages end, and dots.

use crate::wire::smtp::*;
use proptest::prelude::*;

/// What a mail server could take for the end of a message and must not (SMTP smuggling, CVE-2023-51764 and its kin).
const FALSE_ENDS: [&[u8]; 14] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\n\n.\r\n",
    b"\r\r\n.\r\n",
    b"\r\n.\r\r\n",
    b"\r\n.\0\n",
    b"\r\n.\r\0\n",
    b"\n\r.\n\r",
];

/// What comes out of a message in pieces: its octets and end mark, whether and where it ended, or the fault.
#[derive(Debug, PartialEq)]
enum Outcome {
    Goes { size: u64 },
    Ends { at: usize, size: u64 },
    Fault(Fault),
}

fn scan(bytes: &[u8], mut cut: impl FnMut() -> usize) -> Outcome {
    let (mut scanner, mut at) = (DataScanner::new(), 0);
    while at < bytes.len() {
        let piece = &bytes[at..bytes.len().min(at + cut().max(1))];
        match scanner.feed(piece) {
            Ok(Scanned::Goes) => at += piece.len(),
            Ok(Scanned::Ends(used)) => return Outcome::Ends { at: at + used, size: scanner.size() },
            Err(fault) => return Outcome::Fault(fault),
        }
    }
    Outcome::Goes { size: scanner.size() }
}

/// The same, an octet at a time, as RFC 5321 has it.
fn plainly(bytes: &[u8]) -> Outcome {
    let (mut size, mut line) = (0, 0);
    for at in 0..bytes.len() {
        match bytes[at] {
            b'\n' if at == 0 || bytes[at - 1] != b'\r' => return Outcome::Fault(Fault::BareLf),
            b'\n' => {
                let text = &bytes[line..=at];
                if text == b".\r\n" {
                    return Outcome::Ends { at: at + 1, size };
                }
                size += (text.len() - usize::from(text[0] == b'.')) as u64;
                line = at + 1;
            }
            _ if at > 0 && bytes[at - 1] == b'\r' => return Outcome::Fault(Fault::BareCr),
            _ => {}
        }
    }
    let text = &bytes[line..];
    Outcome::Goes { size: size + (text.len() - usize::from(text.first() == Some(&b'.'))) as u64 }
}

fn same(bytes: &[u8]) {
    let whole = plainly(bytes);
    assert_eq!(scan(bytes, || usize::MAX / 2), whole, "{bytes:?}");
    assert_eq!(scan(bytes, || 1), whole, "{bytes:?}");
}

/// Proves: threat 1 (12 end-of-data variants and more, whole and split at every octet, in front of a whole message).
#[test]
fn a_false_end_is_never_an_end() {
    for long in [
        0, 47, 48, 49, 61, 62, 63, 64, 65, 200, 1005, 1006, 1007, 1008, 1009, 1010, 1022, 1023, 1024, 1025,
        2048, 5000,
    ] {
        for false_end in FALSE_ENDS {
            let before = [b"Subject: x\r\n\r\n", &vec![b'x'; long][..]].concat();
            let bytes = [&before[..], false_end, b"MAIL FROM:<evil@example.org>\r\n.\r\n"].concat();
            same(&bytes);
            let whole = scan(&bytes, || usize::MAX / 2);
            if false_end == b"\r\n.\0\n" {
                assert_eq!(whole, Outcome::Fault(Fault::BareLf));
            }
            assert!(matches!(whole, Outcome::Fault(_)), "{false_end:?}: {whole:?}");
            for cut in before.len().saturating_sub(1)..bytes.len() {
                let mut first = Some(cut);
                assert_eq!(
                    scan(&bytes, || first.take().unwrap_or(usize::MAX / 2)),
                    whole,
                    "{false_end:?} at {cut}"
                );
            }
        }
    }
    // At the very beginning.
    for bare in [&b"\n.\r\n"[..], b".\n", b"\r.\r\n", b".\r.\r\n"] {
        same(bare);
        assert!(matches!(plainly(bare), Outcome::Fault(_)));
    }
}

#[test]
fn an_end_is_found_and_what_follows_left_alone() {
    for (bytes, at, size) in [
        (&b".\r\nQUIT\r\n"[..], 3, 0),
        (b"x\r\n.\r\n", 6, 3),
        (b"..\r\n.\r\n.\r\n", 7, 3),
        (b".x\r\n.\r\n", 7, 3),
        (b"\r\n\r\n.\r\n", 7, 4),
        (b"\0\xff\xfe\r\n.\r\n", 8, 5),
    ] {
        same(bytes);
        assert_eq!(plainly(bytes), Outcome::Ends { at, size });
    }
    let mut scanner = DataScanner::new();
    assert_eq!(scanner.feed(b".\r\nQUIT\r\n"), Ok(Scanned::Ends(3)));
    assert!(scanner.ended());
    assert_eq!(scanner.feed(b"QUIT\r\n"), Ok(Scanned::Ends(0)));
}

fn unstuffed(bytes: &[u8], mut cut: impl FnMut() -> usize) -> Vec<u8> {
    let (mut unstuff, mut at, mut out) = (Unstuff::new(), 0, Vec::new());
    while at < bytes.len() {
        let piece = &bytes[at..bytes.len().min(at + cut().max(1))];
        unstuff.feed(piece, |run| {
            assert!(!run.is_empty());
            out.extend_from_slice(run);
        });
        at += piece.len();
    }
    out
}

#[test]
fn line_ends_of_our_own_text_become_right() {
    let written = |pieces: &[&str]| {
        let (mut stuff, mut out) = (Stuff::new(), Vec::new());
        pieces.iter().for_each(|piece| stuff.feed(piece.as_bytes(), &mut out));
        stuff.end(&mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(&["a\nb\r\nc\rd\n\n.e"]), "a\r\nb\r\nc\r\nd\r\n\r\n..e\r\n.\r\n");
    assert_eq!(written(&["a\r", "\n.", ".\r", "\r"]), "a\r\n...\r\n\r\n.\r\n");
    assert_eq!(written(&[]), ".\r\n");
}

/// Line ends, dots and text, in about the measure in which they matter.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        8 => Just(b"\r\n".to_vec()),
        4 => Just(b".".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b"\n".to_vec()),
        6 => prop::collection::vec(any::<u8>(), 0..6),
        3 => (1..300_usize).prop_map(|length| vec![b'x'; length]),
        1 => (960..1100_usize).prop_map(|length| vec![b'y'; length]),
        1 => Just(b"\r\n.\r\n".to_vec()),
    ];
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

fn clean_message() -> impl Strategy<Value = Vec<u8>> {
    let line =
        prop::collection::vec(any::<u8>().prop_filter("no line end", |o| !matches!(o, b'\r' | b'\n')), 0..90);
    let line = (0..3_usize, line).prop_map(|(dots, line)| [&b".."[..dots], &line, b"\r\n"].concat());
    prop::collection::vec(line, 0..90).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn any_pieces_give_the_same_as_the_whole(bytes in message(), cuts in prop::collection::vec(1..3000_usize, 1..6)) {
        let whole = plainly(&bytes);
        prop_assert_eq!(&scan(&bytes, || usize::MAX / 2), &whole);
        prop_assert_eq!(&scan(&bytes, || 1), &whole);
        let mut cuts = cuts.into_iter().cycle();
        prop_assert_eq!(&scan(&bytes, || cuts.next().unwrap()), &whole);
    }

    #[test]
    fn a_message_is_stuffed_and_back(message in clean_message(), cuts in prop::collection::vec(1..200_usize, 1..6)) {
        let mut stuffed = Vec::new();
        let mut stuff = Stuff::new();
        let mut sizes = cuts.iter().copied().cycle();
        let mut rest = &message[..];
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(sizes.next().unwrap().min(rest.len()));
            stuff.feed(piece, &mut stuffed);
            rest = behind;
        }
        stuff.end(&mut stuffed);
        let length = stuffed.len();
        prop_assert_eq!(
            scan(&stuffed, || sizes.next().unwrap()),
            Outcome::Ends { at: length, size: message.len() as u64 }
        );
        stuffed.extend_from_slice(b"QUIT\r\n");
        prop_assert_eq!(&unstuffed(&stuffed, || usize::MAX / 2), &message);
        prop_assert_eq!(&unstuffed(&stuffed, || 1), &message);
        prop_assert_eq!(&unstuffed(&stuffed, || sizes.next().unwrap()), &message);
    }
}
