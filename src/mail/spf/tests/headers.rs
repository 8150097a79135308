//! What is written into a message.

use super::{Zone, own};
use crate::mail::spf::{Request, authentication_result, check_host, received_spf};

/// Proves: RFC 7208 §9.1, RFC 8601 §2.7.2.
#[test]
fn verdicts_are_written() {
    let request = Request {
        receiver: "mx.example.net",
        ..Request::mail_from([192, 0, 2, 1].into(), "joe doe@example.org", "mx.example.org")
    };
    let passed = own("v=spf1 ip4:192.0.2.1 -all");
    assert_eq!(
        received_spf(&request, &passed),
        "pass (mx.example.net: example.org lets 192.0.2.1 send)\r\n\treceiver=mx.example.net;\r\n\t\
         client-ip=192.0.2.1;\r\n\tenvelope-from=\"joe doe@example.org\";\r\n\thelo=mx.example.org;\r\n\t\
         identity=mailfrom;\r\n\tmechanism=\"ip4:192.0.2.1\""
    );
    assert_eq!(
        authentication_result(&request, &passed),
        "spf=pass (mx.example.net: example.org lets 192.0.2.1 send) smtp.mailfrom=example.org"
    );
    let broken = own("v=spf1 mo");
    assert!(received_spf(&request, &broken).ends_with("is no known mechanism\""));
    let helo = Request::helo([192, 0, 2, 1].into(), "mx.example.org");
    assert!(authentication_result(&helo, &own("v=spf1")).ends_with(" smtp.helo=mx.example.org"));
}

/// Proves: nobody can write a line of their own into a header.
#[test]
fn no_field_can_be_forged() {
    let evil = "x\"\\)\r\nX-Forged: (yes\u{0}ä";
    let from = format!("{evil}@example.org");
    for request in [
        Request { receiver: "mx", ..Request::mail_from([192, 0, 2, 1].into(), &from, evil) },
        Request { receiver: "mx", ..Request::helo([192, 0, 2, 1].into(), evil) },
    ] {
        let found =
            Zone::parse("example.org TXT v=spf1 -all").drive(|inquiry| check_host(inquiry, &request)).0;
        let header = received_spf(&request, &found) + &authentication_result(&request, &found);
        let folds = header.matches("\r\n\t").count();
        assert_eq!((header.matches('\r').count(), header.matches('\n').count()), (folds, folds));
        assert!(header.bytes().all(|b| b.is_ascii_graphic() || b" \r\n\t".contains(&b)), "{header}");
        assert!(header.contains(r#"helo="x\"\\)??X-Forged: (yes??""#), "{header}");
    }
}
