//! What a client says.

use crate::wire::smtp::*;
use proptest::prelude::*;

fn one(line: &str) -> Command<'_> {
    said(line, Dialect::Smtp)
}

fn said(line: &str, dialect: Dialect) -> Command<'_> {
    match decode_command(line.as_bytes(), dialect) {
        Decoded::Command(command, used) if used == line.len() => command,
        other => panic!("{line:?}: {other:?}"),
    }
}

fn refused(line: &str) -> u16 {
    match decode_command(line.as_bytes(), Dialect::Smtp) {
        Decoded::Refused(reply, used) if used == line.len() => reply.code(),
        other => panic!("{line:?}: {other:?}"),
    }
}

fn closed(line: &[u8]) -> u16 {
    match decode_command(line, Dialect::Lmtp) {
        Decoded::Malformed(reply) => reply.code(),
        other => panic!("{line:?}: {other:?}"),
    }
}

fn path(text: &str) -> Path<'_> {
    Path::parse(text).unwrap()
}

/// What Postfix 3.10 says over LMTP, and what else is known.
#[test]
fn a_conversation_is_understood() {
    assert_eq!(said("LHLO mail.example.org\r\n", Dialect::Lmtp), Command::Hello("mail.example.org"));
    assert_eq!(one("ehlo [192.0.2.1] \r\n"), Command::Hello("[192.0.2.1]"));
    assert_eq!(one("HELO x\r\n"), Command::Helo("x"));
    let Command::Mail(from) =
        one("MAIL FROM:<ann@example.org> SIZE=4711 BODY=8BITMIME RET=HDRS ENVID=a+2Bb AUTH=<>\r\n")
    else {
        panic!("no MAIL")
    };
    assert_eq!((from.path, from.size), (path("ann@example.org"), Some(4711)));
    assert_eq!((from.body, from.ret), (Some(Body::EightBitMime), Some(Return::Headers)));
    assert_eq!(from.envid.unwrap().decode(), b"a+b");
    let Command::Mail(bounce) = one("mail from: <>\r\n") else { panic!("no MAIL") };
    assert!(bounce.path.is_null());
    let Command::Rcpt(to) =
        one("RCPT TO:<bob@example.net> NOTIFY=SUCCESS,delay ORCPT=rfc822;bob+2Bx@example.net\r\n")
    else {
        panic!("no RCPT")
    };
    assert_eq!(to.notify, Some(Notify { success: true, failure: false, delay: true }));
    let original = to.orcpt.unwrap();
    assert_eq!((original.kind(), &original.address().decode()[..]), ("rfc822", &b"bob+x@example.net"[..]));
    let Command::Rcpt(quiet) = one("RCPT TO:<Postmaster> NOTIFY=never\r\n") else { panic!("no RCPT") };
    assert_eq!(
        (quiet.path.local(), quiet.path.domain(), quiet.notify),
        ("Postmaster", "", Some(Notify::NEVER))
    );
    for (line, command) in [
        ("DATA\r\n", Command::Data),
        ("rset\r\n", Command::Rset),
        ("NOOP and more\r\n", Command::Noop),
        ("QUIT \r\n", Command::Quit),
        ("VRFY ann\r\n", Command::Vrfy("ann")),
        ("STARTTLS\r\n", Command::StartTls),
        ("EXPN list\r\n", Command::Unknown("EXPN")),
        ("\r\n", Command::Unknown("")),
    ] {
        assert_eq!(one(line), command);
    }
    let Command::Xforward(client) = one(
        "XFORWARD NAME=mx.example.net ADDR=192.0.2.7 HELO=a+20b PROTO=ESMTP IDENT=[UNAVAILABLE] SOURCE=REMOTE\r\n",
    ) else {
        panic!("no XFORWARD")
    };
    assert_eq!(client.get("addr").as_deref(), Some("192.0.2.7"));
    assert_eq!(client.get("HELO").as_deref(), Some("a b"));
    assert_eq!((client.get("IDENT"), client.has("IDENT"), client.has("PORT")), (None, true, false));
}

#[test]
fn the_dialects_are_kept_apart() {
    assert_eq!(refused("LHLO x\r\n"), 502);
    for line in ["EHLO x\r\n", "HELO x\r\n"] {
        let Decoded::Refused(reply, _) = decode_command(line.as_bytes(), Dialect::Lmtp) else {
            panic!("{line}")
        };
        assert!(reply.to_string().starts_with("502 5.5.1 "), "{reply}");
    }
}

/// Proves: RFC 5321 §4.1.2 and appendix C.
#[test]
fn paths_are_kept_as_they_are_written() {
    for (text, local, meant, domain) in [
        ("ann@example.org", "ann", "ann", "example.org"),
        ("\"a b\\\"@c\"@Example.org", "\"a b\\\"@c\"", "a b\"@c", "Example.org"),
        ("a..b.@example.org", "a..b.", "a..b.", "example.org"),
        ("x@[IPv6:2001:db8::1]", "x", "x", "[IPv6:2001:db8::1]"),
        ("@a.org,@b.org:ann@c.org", "ann", "ann", "c.org"),
        (
            "SRS0=HHHH=TT=example.net=a/b@fwd_1.example.org",
            "SRS0=HHHH=TT=example.net=a/b",
            "SRS0=HHHH=TT=example.net=a/b",
            "fwd_1.example.org",
        ),
        ("\"\"@example.org", "\"\"", "", "example.org"),
    ] {
        let path = path(text);
        assert_eq!((path.local(), &*path.local_meant(), path.domain()), (local, meant, domain));
        assert_eq!(path.to_string(), format!("<{local}@{domain}>"));
    }
    assert!(path("x@[192.0.2.1]").is_literal());
    assert_eq!((path("").local(), path("").domain()), ("", ""));
    for wrong in [
        "@",
        "a@",
        "@b.org",
        "ann",
        "a b@c.org",
        "a@b@c.org",
        "a@b..org",
        "a@.org",
        "a@b.org.",
        "a<b@c.org",
        "\"a@c.org",
        "\"a\"b@c.org",
        "a@[]",
        "a@[1.2.3.4",
        "a@[1]2]",
        "@a.org:",
        "@a:b",
        "a\r@b.org",
        "a\0@b.org",
        "ä@b.org",
        "a@bä.org",
        "a,b@c.org",
        "\"a\u{7f}\"@c.org",
        "|x@c.org>",
        "a@-",
    ] {
        let taken = Path::parse(wrong);
        assert!(taken.is_err() || wrong == "a@-", "{wrong:?} was taken as {taken:?}");
    }
    assert!(Path::parse(&format!("{}@c.org", "a".repeat(1000))).is_err());
    assert!(Path::parse(&format!("a@{}.org", "b".repeat(64))).is_err());
}

#[test]
fn a_line_that_is_wrong_is_answered_and_the_next_one_read() {
    for (line, code) in [
        ("MAIL <a@b.org>\r\n", 501),
        ("MAIL FROM:a@b.org\r\n", 501),
        ("MAIL FROM:<a@b.org\r\n", 501),
        ("MAIL FROM:<a@b.org>SIZE=1\r\n", 501),
        ("MAIL FROM:<\"a>b\"@c.org> SIZE=\r\n", 501),
        ("MAIL FROM:<postmaster>\r\n", 501),
        ("MAIL FROM:<a@b.org> SIZE=1 SIZE=2\r\n", 501),
        ("MAIL FROM:<a@b.org> SIZE=-1\r\n", 501),
        ("MAIL FROM:<a@b.org> BODY=9BIT\r\n", 501),
        ("MAIL FROM:<a@b.org> BODY=BINARYMIME\r\n", 555),
        ("MAIL FROM:<a@b.org> SMTPUTF8\r\n", 555),
        ("MAIL FROM:<a@b.org> NOTIFY=NEVER\r\n", 555),
        ("MAIL FROM:<a@b.org> ENVID=a=b\r\n", 501),
        ("MAIL FROM:<\u{e4}@b.org>\r\n", 553),
        ("RCPT TO:<>\r\n", 553),
        ("RCPT TO:<a@b.org> NOTIFY=NEVER,DELAY\r\n", 501),
        ("RCPT TO:<a@b.org> ORCPT=a@b.org\r\n", 501),
        ("RCPT TO:<a@b.org> ORCPT=rfc822;a+2\r\n", 501),
        ("RCPT TO:<a@b.org> X=Y\r\n", 555),
        ("DATA now\r\n", 501),
        ("EHLO\r\n", 501),
        ("XFORWARD\r\n", 501),
        ("XFORWARD NAME\r\n", 501),
        ("XFORWARD NAME=a+0Ab\r\n", 501),
        ("XFORWARD COLOUR=red\r\n", 501),
    ] {
        assert_eq!(refused(line), code, "{line}");
    }
    // The largest number that fits is a size; a larger one is too large for everybody.
    let Command::Mail(from) = one("MAIL FROM:<> SIZE=99999999999999999999\r\n") else { panic!("no MAIL") };
    assert_eq!(from.size, Some(u64::MAX));
}

/// Proves: threats 1, 20 (what could be read in two ways is read in none, and nothing is waited for without end).
#[test]
fn what_is_no_line_ends_the_conversation() {
    for (line, code) in [
        (&b"DATA\n"[..], 521),
        (b"DATA\r\r\n", 521),
        (b"MAIL FROM:<a@b.org>\rRCPT TO:<c@d.org>\r\n", 521),
        (b"NOOP \0\r\n", 521),
        (b"NOOP\t1\r\n", 521),
        (b"\x7f\r\n", 521),
        (b"\n", 521),
        (b"GET / HTTP/1.1\r\n", 521),
        (b"BDAT 10 LAST\r\n", 502),
    ] {
        assert_eq!(closed(line), code, "{line:?}");
    }
    let long = [b"NOOP ", &[b'x'; LONGEST - 7][..], b"\r\n"].concat();
    assert_eq!(decode_command(&long, Dialect::Smtp), Decoded::Command(Command::Noop, LONGEST));
    assert_eq!(decode_command(&long[..LONGEST - 1], Dialect::Smtp), Decoded::More);
    assert_eq!(closed(&[b'x'; LONGEST]), 500);
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "(MAIL FROM:|RCPT TO:) ?<[a-c@.\"\\\\>,: ]{0,12}> ?[A-Z=0-9;+ ]{0,12}\r\n",
        "(MAIL FROM|RCPT TO):<a@b.org>( (SIZE|BODY|RET|ENVID|NOTIFY|ORCPT)=[0-9A-Z;,+]{0,9}){0,3}\r\n",
        "(LHLO|EHLO|XFORWARD|NOOP|DATA|RSET|QUIT|BDAT|FOO)( [ -~]{0,20})?\r\n",
        "[ -~]{0,30}\r\n",
    ]
}

/// Everything that a client sends, given in pieces of these sizes.
fn conversation(bytes: &[u8], cuts: &[usize]) -> Vec<String> {
    let (mut heard, mut buffer, mut at) = (Vec::new(), Vec::new(), 0);
    let mut cuts = cuts.iter().copied().cycle();
    loop {
        match decode_command(&buffer, Dialect::Lmtp) {
            Decoded::Command(command, used) => {
                heard.push(format!("{command:?}"));
                buffer.drain(..used);
            }
            Decoded::Refused(reply, used) => {
                heard.push(reply.to_string());
                buffer.drain(..used);
            }
            Decoded::Malformed(reply) => {
                heard.push(reply.to_string());
                return heard;
            }
            Decoded::More if at == bytes.len() => return heard,
            Decoded::More => {
                let next = bytes.len().min(at + cuts.next().unwrap_or(1).max(1));
                buffer.extend_from_slice(&bytes[at..next]);
                at = next;
            }
        }
    }
}

proptest! {
    #[test]
    fn pieces_give_the_same_as_the_whole(
        lines in prop::collection::vec(line(), 1..8),
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
        cuts in prop::collection::vec(1..9_usize, 1..5),
    ) {
        let mut bytes = lines.concat().into_bytes();
        for (at, octet) in noise {
            let at = at.index(bytes.len());
            bytes[at] = octet;
        }
        let whole = conversation(&bytes, &[bytes.len()]);
        prop_assert_eq!(&conversation(&bytes, &[1]), &whole);
        prop_assert_eq!(&conversation(&bytes, &cuts), &whole);
    }

    /// What is taken is written to the next server as it was meant.
    #[test]
    fn what_is_taken_is_said_again_and_the_same(line in line()) {
        let all = Capabilities { size: Some(0), eight_bit: true, dsn: true, ..Capabilities::default() };
        let mut out = Vec::new();
        match decode_command(line.as_bytes(), Dialect::Smtp) {
            Decoded::Command(Command::Mail(from), _) => {
                say::mail(&from, &all, &mut out).unwrap();
                prop_assert_eq!(one(str::from_utf8(&out).unwrap()), Command::Mail(from));
            }
            Decoded::Command(Command::Rcpt(to), _) => {
                say::rcpt(&to, &all, &mut out);
                prop_assert_eq!(one(str::from_utf8(&out).unwrap()), Command::Rcpt(to));
            }
            _ => {}
        }
    }

    #[test]
    fn any_octets_are_xtext_and_back(value in prop::collection::vec(any::<u8>(), 0..60)) {
        let written = Xtext::encode(&value);
        prop_assert_eq!(written.decode(), value);
        prop_assert_eq!(Xtext::parse(written.as_str()), Some(written.clone()));
    }

    #[test]
    fn any_path_that_is_taken_can_stand_in_a_command(text in "[ -~]{0,30}|[a-z\"\\\\@.]{0,20}") {
        if let Ok(path) = Path::parse(&text)
            && !path.domain().is_empty()
        {
            let line = format!("RCPT TO:{path}\r\n");
            let Command::Rcpt(to) = one(&line) else { panic!("{line}") };
            prop_assert_eq!(to.path, path);
        }
    }
}
