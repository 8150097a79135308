//! What servers answer, written and read; and what a client says.

use crate::{
    mail::status::EnhancedStatus,
    wire::smtp::{
        sasl::{Exchange, Mechanism},
        *,
    },
};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Answer<'_> {
    match decode_answer(bytes) {
        DecodedAnswer::Answer(answer, used) if used == bytes.len() => answer,
        other => panic!("{other:?}"),
    }
}

fn written(reply: &Reply) -> String {
    let mut out = Vec::new();
    reply.encode(&mut out);
    String::from_utf8(out).unwrap()
}

/// Proves: threat 11 (nothing that a next hop says begins a line of its own).
#[test]
fn a_reply_from_elsewhere_is_passed_on_clean() {
    let came = b"550-5.7.26 Your email\x07 has been blocked\r\n550-5.7.26 b\xc3\xa9cause\r\n550 5.7.26 \x1b[2Jend\r\n";
    let answer = read(came);
    assert_eq!((answer.code(), answer.kind()), (550, Kind::Never));
    assert_eq!(answer.status(), Some(EnhancedStatus::new(5, 7, 26)));
    assert_eq!(answer.text(), "Your email\\x07 has been blocked\nb\\xC3\\xA9cause\n\\x1B[2Jend");
    assert_eq!(
        written(&answer.reply()),
        "550-5.7.26 Your email\\x07 has been blocked\r\n550-5.7.26 b\\xC3\\xA9cause\r\n550 5.7.26 \\x1B[2Jend\r\n"
    );
    assert_eq!(
        answer.to_string(),
        "550 5.7.26 Your email\\x07 has been blocked / b\\xC3\\xA9cause / \\x1B[2Jend"
    );
    assert_eq!(read(b"250\r\n").text(), "");
    assert_eq!(read(b"250 ok\n").text(), "ok");
    assert_eq!(read(b"451 4.7.1\r\n").to_string(), "451 4.7.1 ");
}

#[test]
fn a_reply_is_written_in_lines_that_everybody_takes() {
    let status = EnhancedStatus::new(2, 1, 5);
    assert_eq!(written(&Reply::new(250, status, "ok")), "250 2.1.5 ok\r\n");
    // The class says what the code says.
    assert_eq!(
        written(&Reply::new(451, status, "a\r\nQUIT\r\n")),
        "451-4.1.5 a\r\n451-4.1.5 QUIT\r\n451 4.1.5 \r\n"
    );
    assert_eq!(written(&Reply::new(99, status, "a\rb\0")), "451 4.1.5 a\\x0Db\\x00\r\n");
    assert_eq!(written(&Reply::bare(354, "go on")), "354 go on\r\n");
    assert_eq!(
        written(&Reply::offer("mail.example.org", &["PIPELINING", "8BITMIME"])),
        "250-mail.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
    );
    let long = written(&Reply::new(554, status, "word ".repeat(300) + &"x".repeat(600)));
    assert!(long.lines().count() == 5 && long.lines().all(|line| line.len() <= 510), "{long}");
    assert_eq!(written(&Reply::new(554, status, "\n".repeat(1000))).lines().count(), 100);
}

#[test]
fn what_is_no_reply_is_refused() {
    for wrong in [
        &b"hello\r\n"[..],
        b"25\r\n",
        b"25x ok\r\n",
        b"250_ok\r\n",
        b"\r\n",
        b"150 x\r\n",
        b"600 x\r\n",
        b"000 x\r\n",
        b"250-a\r\n550 b\r\n",
        b"250-a\r\nb\r\n",
        b"2500 a\r\n",
    ] {
        assert!(matches!(decode_answer(wrong), DecodedAnswer::Malformed(_)), "{wrong:?}");
    }
    assert!(matches!(decode_answer(&b"250-x\r\n".repeat(100)), DecodedAnswer::Malformed(_)));
    let hundred = [&b"250-x\r\n".repeat(99)[..], b"250 x\r\n"].concat();
    assert_eq!(read(&hundred).lines().count(), 100);
    assert!(matches!(decode_answer(&[b'2'; 2048]), DecodedAnswer::Malformed(_)));
    assert_eq!(decode_answer(&[b'2'; 2047]), DecodedAnswer::More);
}

#[test]
fn an_offer_is_read() {
    let offer =
        b"250-mx.example.net at your service\r\n250-SIZE 35882577\r\n250-8bitmime\r\n250-AUTH=LOGIN\r\n\
        250-AUTH PLAIN XOAUTH2 OAUTHBEARER\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250-CHUNKING\r\n\
        250-STARTTLS\r\n250-DSN\r\n250-XFORWARD NAME ADDR\r\n250 SMTPUTF8\r\n";
    let offered = Capabilities::read(read(offer));
    assert_eq!(offered.size, Some(35_882_577));
    assert!(offered.eight_bit && offered.enhanced_status && offered.pipelining && offered.chunking);
    assert!(offered.starttls && offered.dsn && offered.smtputf8 && offered.xforward && offered.login());
    assert!(offered.offers(Mechanism::Plain) && offered.offers(Mechanism::Login));
    assert_eq!(Mechanism::for_password(&offered), Some(Mechanism::Plain));
    assert!(offered.too_large(35_882_578) && !offered.too_large(35_882_577));
    let little = Capabilities::read(read(b"250-SIZE\r\n250 SIZE\r\n"));
    assert_eq!(little, Capabilities { size: Some(0), ..Capabilities::default() });
    assert!(!little.too_large(u64::MAX) && !little.login());
}

#[test]
fn only_what_is_offered_is_said() {
    let from = MailFrom {
        path: Path::parse("ann@example.org").unwrap(),
        size: Some(100),
        body: Some(Body::EightBitMime),
        ret: Some(Return::Full),
        envid: Some(Xtext::encode(b"a\r\nRSET")),
    };
    let to = RcptTo {
        path: Path::parse("bob@example.net").unwrap(),
        notify: Some(Notify { success: true, failure: true, delay: false }),
        orcpt: Some(OriginalRecipient::rfc822("old+x@example.org")),
    };
    let said = |offered: &Capabilities| {
        let mut out = Vec::new();
        say::mail(&from, offered, &mut out).unwrap();
        say::rcpt(&to, offered, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        said(&Capabilities::default()),
        "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.net>\r\n"
    );
    let all = Capabilities { size: Some(100), eight_bit: true, dsn: true, ..Capabilities::default() };
    assert_eq!(
        said(&all),
        "MAIL FROM:<ann@example.org> SIZE=100 BODY=8BITMIME RET=FULL ENVID=a+0D+0ARSET\r\n\
         RCPT TO:<bob@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;old+2Bx@example.org\r\n"
    );
    let small = Capabilities { size: Some(99), ..all };
    let mut out = Vec::new();
    assert_eq!(say::mail(&from, &small, &mut out), Err(say::Unsendable::TooLarge(99)));
    for name in ["", "a b", "a\r\nQUIT", "\u{e4}"] {
        assert_eq!(say::hello(Dialect::Smtp, name, &mut out), Err(say::Unsendable::Name));
    }
    assert!(out.is_empty());
    say::hello(Dialect::Lmtp, "mail.example.org", &mut out).unwrap();
    say::xforward(&[("NAME", "a b"), ("ADDR", "")], &mut out).unwrap();
    assert_eq!(out, b"LHLO mail.example.org\r\nXFORWARD NAME=a+20b ADDR=[UNAVAILABLE]\r\n");
}

/// Proves: threat 15 (no secret in what is shown).
#[test]
fn logins_are_said_as_servers_want_them() {
    let said = |mechanism, lines| {
        let mut exchange = Exchange::new(mechanism, "ann", "s3cret").unwrap();
        assert!(!format!("{exchange:?}").contains("s3cret"));
        let mut out = Vec::new();
        (0..lines).for_each(|_| exchange.next(&mut out));
        String::from_utf8(out).unwrap()
    };
    assert_eq!(said(Mechanism::Plain, 2), "AUTH PLAIN AGFubgBzM2NyZXQ=\r\n*\r\n");
    assert_eq!(said(Mechanism::Login, 3), "AUTH LOGIN\r\nYW5u\r\nczNjcmV0\r\n");
    assert_eq!(said(Mechanism::Xoauth2, 2), "AUTH XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFyZXIgczNjcmV0AQE=\r\n\r\n");
    for (user, secret) in [("", "x"), ("a", ""), ("a\0b", "x"), ("a", "x\0y"), ("a\r\nb", "x")] {
        assert!(Exchange::new(Mechanism::Plain, user, secret).is_err());
    }
    assert!(Exchange::new(Mechanism::Xoauth2, "a", "x\x01y").is_err());
}

proptest! {
    /// Whatever a text holds, one reply of this code comes out, with lines that everybody takes; and read again it says
    /// the same.
    #[test]
    fn a_reply_is_one_reply(code in 200..600_u16, subject in 0..8_u16, detail in 0..30_u16, text in "(?s).{0,900}") {
        let reply = Reply::new(code, EnhancedStatus::new(5, subject, detail), text);
        let bytes = written(&reply);
        prop_assert!(bytes.split_inclusive("\r\n").all(|line| line.len() <= 512));
        prop_assert!(bytes.bytes().all(|octet| (b' '..=b'~').contains(&octet) || matches!(octet, b'\r' | b'\n')));
        prop_assert_eq!(bytes.matches('\n').count(), bytes.matches("\r\n").count());
        prop_assert_eq!(bytes.matches('\r').count(), bytes.matches("\r\n").count());
        let answer = read(bytes.as_bytes());
        prop_assert_eq!(answer.code(), code);
        let again = written(&answer.reply());
        prop_assert_eq!(read(again.as_bytes()).text(), answer.text());
        for cut in 0..bytes.len() {
            prop_assert_eq!(decode_answer(&bytes.as_bytes()[..cut]), DecodedAnswer::More);
        }
    }

    #[test]
    fn any_answer_is_survived(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"250- 5.7.1\r\n".to_vec())], 0..80)) {
        if let DecodedAnswer::Answer(answer, used) = decode_answer(&bytes) {
            prop_assert!(used <= bytes.len());
            Capabilities::read(answer);
            let passed = written(&answer.reply());
            prop_assert!(matches!(decode_answer(passed.as_bytes()), DecodedAnswer::Answer(_, used) if used == passed.len()));
        }
    }
}
