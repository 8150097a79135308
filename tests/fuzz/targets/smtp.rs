//! What clients and servers say in SMTP and LMTP, and messages in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::wire::smtp::{
    Capabilities, Command, DataScanner, Decoded, DecodedAnswer, Dialect, LONGEST, Scanned, Unstuff, decode_answer,
    decode_command, say,
};

fuzz_target!(|input: (u8, &[u8])| {
    let (how, bytes) = input;
    match how % 3 {
        0 => commands(bytes, if how & 4 == 0 { Dialect::Smtp } else { Dialect::Lmtp }),
        1 => answers(bytes),
        _ => message(bytes, usize::from(how / 3) + 1),
    }
});

fn commands(bytes: &[u8], dialect: Dialect) {
    let mut rest = bytes;
    loop {
        let (used, said) = match decode_command(rest, dialect) {
            Decoded::Command(command, used) => {
                assert!(!format!("{command:?}").contains(['\r', '\n']));
                (used, again(&command))
            }
            Decoded::Refused(reply, used) => {
                assert!(reply.code() >= 500);
                (used, None)
            }
            // Nothing is waited for without end.
            Decoded::More => return assert!(rest.len() < LONGEST),
            Decoded::Malformed(_) => return,
        };
        assert!(used > 1 && used <= LONGEST && rest[..used].ends_with(b"\r\n"));
        assert_eq!(decode_command(&rest[..used - 1], dialect), Decoded::More);
        if let Some(said) = said {
            let Decoded::Command(command, length) = decode_command(&said, dialect) else { panic!("{said:?}") };
            assert_eq!((again(&command).as_deref(), length), (Some(&said[..]), said.len()));
        }
        rest = &rest[used..];
    }
}

/// Said to the next server: one line, and the same when read.
fn again(command: &Command<'_>) -> Option<Vec<u8>> {
    let all = Capabilities { size: Some(0), eight_bit: true, dsn: true, ..Capabilities::default() };
    let mut said = Vec::new();
    match command {
        Command::Mail(from) => say::mail(from, &all, &mut said).ok()?,
        Command::Rcpt(to) => say::rcpt(to, &all, &mut said),
        _ => return None,
    }
    assert_eq!(said.iter().position(|octet| matches!(octet, b'\r' | b'\n')), Some(said.len() - 2));
    Some(said).filter(|said| said.len() <= LONGEST)
}

fn answers(bytes: &[u8]) {
    let mut rest = bytes;
    while let DecodedAnswer::Answer(answer, used) = decode_answer(rest) {
        assert_eq!(decode_answer(&rest[..used - 1]), DecodedAnswer::More);
        Capabilities::read(answer);
        assert!(answer.to_string().bytes().all(|octet| (b' '..=b'~').contains(&octet)));
        let mut passed = Vec::new();
        answer.reply().encode(&mut passed);
        assert!(passed.split_inclusive(|octet| *octet == b'\n').all(|line| line.len() <= 512 && line.ends_with(b"\r\n")));
        let DecodedAnswer::Answer(read, length) = decode_answer(&passed) else { panic!("{passed:?}") };
        assert_eq!((read.code(), length), (answer.code(), passed.len()));
        rest = &rest[used..];
    }
}

/// Whole, in pieces, and octet by octet: the same end, the same size, the same octets.
fn message(bytes: &[u8], piece: usize) {
    let scan = |piece: usize| {
        let (mut scanner, mut unstuff, mut used, mut size) = (DataScanner::new(), Unstuff::new(), 0, 0);
        for piece in bytes.chunks(piece) {
            let here = match scanner.feed(piece) {
                Ok(Scanned::Goes) => piece.len(),
                Ok(Scanned::Ends(here)) => here,
                Err(fault) => return Err(fault),
            };
            unstuff.feed(&piece[..here], |run| size += run.len() as u64);
            used += here;
            if scanner.ended() {
                assert_eq!(size, scanner.size());
                break;
            }
        }
        Ok((used, scanner.ended(), scanner.size(), size))
    };
    let whole = scan(bytes.len().max(1));
    assert_eq!(scan(piece), whole);
    assert_eq!(scan(1), whole);
    if let Ok((used, ended, ..)) = whole {
        let passed = &bytes[..used];
        let end = passed == b".\r\n" || passed.ends_with(b"\r\n.\r\n");
        assert_eq!(ended, end);
        for (at, octet) in passed.iter().enumerate() {
            assert!(*octet != b'\n' || at > 0 && passed[at - 1] == b'\r');
            assert!(*octet != b'\r' || at + 1 == used || passed[at + 1] == b'\n');
        }
    }
}
