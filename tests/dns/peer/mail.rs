//! MX, TLS-RPT, MTA-STS and name servers.

use super::{Case, push, txt};

pub fn add(cases: &mut Vec<Case>) {
    for (class, zones) in MX {
        for zone in *zones {
            push(cases, "mx", class, (*zone).to_owned());
        }
    }
    for (class, records) in TLS_RPT {
        for record in *records {
            push(cases, "tls-rpt", class, txt("_smtp._tls", record));
        }
    }
    let two = "_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:a@{own}\"\n_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:b@{own}\"";
    push(cases, "tls-rpt", "two-records", two.to_owned());
    let beside = "_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:a@{own}\"\n_smtp._tls TXT \"hello\"";
    push(cases, "tls-rpt", "beside-others", beside.to_owned());
    push(cases, "tls-rpt", "absent", "@ A 192.0.2.1".to_owned());
    for (class, records) in MTA_STS {
        for record in *records {
            push(cases, "mta-sts", class, txt("_mta-sts", record));
        }
    }
    let two = "_mta-sts TXT \"v=STSv1; id=1\"\n_mta-sts TXT \"v=STSv1; id=2\"";
    push(cases, "mta-sts", "two-records", two.to_owned());
    let beside = "_mta-sts TXT \"v=STSv1; id=1\"\n_mta-sts TXT \"hello\"";
    push(cases, "mta-sts", "beside-others", beside.to_owned());
    push(cases, "mta-sts", "absent", "@ A 192.0.2.1".to_owned());
    for servers in 1..=4 {
        let lines = (0..servers).map(|n| format!("@ NS ns{n}\nns{n} A {{at}}\n"));
        push(cases, "name-servers", "set", lines.collect());
    }
    push(cases, "name-servers", "set", "@ NS ns\nns A {at}\n@ NS ns.taker.test.".to_owned());
}

#[rustfmt::skip]
const MX: &[(&str, &[&str])] = &[
    ("right", &[
        "@ MX 10 mx\nmx A 192.0.2.1", "@ MX 0 mx\nmx A 192.0.2.1\nmx AAAA 2001:db8::1", "@ MX 10 mx\n@ MX 20 mx2\nmx A 192.0.2.1\nmx2 A 192.0.2.2",
        "@ MX 10 mx\n@ MX 10 mx2\nmx A 192.0.2.1\nmx2 AAAA 2001:db8::2", "@ MX 10 {own}.\n@ A 192.0.2.1", "@ MX 65535 mx.taker.test.",
    ]),
    ("null", &["@ MX 0 ."]),
    ("null-with-preference", &["@ MX 10 ."]),
    ("null-beside", &["@ MX 0 .\n@ MX 10 mx\nmx A 192.0.2.1", "@ MX 0 .\n@ MX 10 ."]),
    ("alias", &["@ MX 10 al\nal CNAME mx\nmx A 192.0.2.1", "@ MX 10 mx\n@ MX 20 al\nal CNAME mx\nmx A 192.0.2.1", "@ MX 10 al\nal CNAME gone"]),
    ("literal", &["@ MX 10 192.0.2.1.", "@ MX 10 mx\n@ MX 20 192.0.2.1.\nmx A 192.0.2.2"]),
    ("no-address", &["@ MX 10 gone", "@ MX 10 here\nhere TXT \"x\"", "@ MX 10 mx\n@ MX 20 gone\nmx A 192.0.2.1", "@ MX 10 gone.nowhere.test."]),
    ("same-target", &["@ MX 10 mx\n@ MX 20 mx\nmx A 192.0.2.1"]),
    ("none", &["@ TXT \"x\"", "www A 192.0.2.1"]),
    ("none-with-address", &["@ A 192.0.2.1", "@ AAAA 2001:db8::1"]),
];

#[rustfmt::skip]
const TLS_RPT: &[(&str, &[&str])] = &[
    ("right", &["v=TLSRPTv1; rua=mailto:a@{own}", "v=TLSRPTv1;rua=mailto:a@{own};", "v=TLSRPTv1; rua=https://{own}/report", "v=TLSRPTv1; rua=mailto:a@{own},https://{own}/report"]),
    ("other-texts", &["hello"]),
    ("unknown-tag", &["v=TLSRPTv1; rua=mailto:a@{own}; x=y"]),
    ("no-address", &["v=TLSRPTv1", "v=TLSRPTv1;", "v=TLSRPTv1; ruf=mailto:a@{own}"]),
    ("bad-address", &["v=TLSRPTv1; rua=a@{own}", "v=TLSRPTv1; rua=", "v=TLSRPTv1; rua=http://{own}/report", "v=TLSRPTv1; rua=mailto:a"]),
    ("version", &["v=TLSRPTv2; rua=mailto:a@{own}", "rua=mailto:a@{own}; v=TLSRPTv1", "v=tlsrptv1; rua=mailto:a@{own}"]),
    ("blank-before", &[" v=TLSRPTv1; rua=mailto:a@{own}"]),
    ("not-a-list", &["v=TLSRPTv1 rua=mailto:a@{own}", "v=TLSRPTv1; rua:mailto:a@{own}"]),
];

#[rustfmt::skip]
const MTA_STS: &[(&str, &[&str])] = &[
    ("right", &["v=STSv1; id=20260101T000000", "v=STSv1;id=1;", "v=STSv1; id=a1B2c3"]),
    ("unknown-tag", &["v=STSv1; id=1; x=y"]),
    ("no-id", &["v=STSv1;", "v=STSv1", "v=STSv1; x=y"]),
    ("bad-id", &["v=STSv1; id=", "v=STSv1; id=2026-01-01", "v=STSv1; id=123456789012345678901234567890123"]),
    ("version", &["id=1; v=STSv1", "v=stsv1; id=1"]),
    ("other-texts", &["v=STSv2; id=1", "hello"]),
    ("blank-before", &[" v=STSv1; id=1"]),
    ("not-a-list", &["v=STSv1 id=1", "v=STSv1; id:1"]),
];
