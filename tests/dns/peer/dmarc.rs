//! DMARC (RFC 7489).

use super::{Case, push, txt};

pub fn add(cases: &mut Vec<Case>) {
    for p in ["none", "quarantine", "reject"] {
        for sp in ["", "; sp=none", "; sp=quarantine", "; sp=reject"] {
            for more in ["", "; pct=100; adkim=s; aspf=r", "; rua=mailto:a@{own}; ruf=mailto:b@{own}; fo=1"] {
                of(cases, "right", &[&format!("v=DMARC1; p={p}{sp}{more}")]);
            }
        }
    }
    for (class, records) in RECORDS {
        for record in *records {
            of(cases, class, &[record]);
        }
    }
    of(cases, "two-records", &["v=DMARC1; p=none", "v=DMARC1; p=reject"]);
    of(cases, "beside-others", &["v=DMARC1; p=reject", "hello=world"]);
    of(cases, "beside-others", &["v=DMARC1; p=reject", "v=spf1 -all"]);
    push(cases, "dmarc", "missing", "@ A 192.0.2.1".to_owned());
    let strings = "_dmarc TXT \"v=DMARC1; p=re\" \"ject\"";
    push(cases, "dmarc", "right", strings.to_owned());
    subdomains(cases);
}

fn of(cases: &mut Vec<Case>, class: &'static str, records: &[&str]) {
    let zone: String = records.iter().map(|record| txt("_dmarc", record)).collect();
    push(cases, "dmarc", class, format!("@ MX 10 mx\nmx A 192.0.2.1\n{zone}"));
}

#[rustfmt::skip]
const RECORDS: &[(&str, &[&str])] = &[
    ("right", &["v=DMARC1;p=reject;", "v=DMARC1 ; p = reject", "v=DMARC1; p=reject; rua=mailto:a@{own}!10m", "v=DMARC1; p=none; rua=mailto:a@{own},mailto:b@{own}", "v=DMARC1; p=reject; fo=0:d:s", "v=DMARC1; p=reject; ri=3600; rf=afrf", "v=DMARC1; p=reject; np=reject"]),
    ("policy-in-capitals", &["v=DMARC1; p=REJECT", "v=DMARC1; p=None; sp=Reject"]),
    ("version", &["p=none; v=DMARC1", "v=DMARC2; p=none", "DMARC1; p=none", "v=DMARC1p=none", "v=DMARC1, p=none", "hello"]),
    ("version-case", &["v=dmarc1; p=none", "v=Dmarc1; p=none"]),
    ("version-tag-case", &["V=DMARC1; p=none"]),
    ("no-policy", &["v=DMARC1", "v=DMARC1;", "v=DMARC1; sp=none"]),
    ("no-policy-reports", &["v=DMARC1; rua=mailto:a@{own}"]),
    ("bad-policy", &["v=DMARC1; p=block", "v=DMARC1; p=", "v=DMARC1; p=monitor", "v=DMARC1; p=none; sp=all"]),
    ("bad-policy-reports", &["v=DMARC1; p=block; rua=mailto:a@{own}", "v=DMARC1; p=none; sp=all; rua=mailto:a@{own}"]),
    ("policy-not-second", &["v=DMARC1; sp=none; p=reject", "v=DMARC1; rua=mailto:a@{own}; p=none"]),
    ("unknown-tag", &["v=DMARC1; p=none; x=y", "v=DMARC1; p=reject; policy=none"]),
    ("bad-value", &["v=DMARC1; p=none; adkim=strict", "v=DMARC1; p=none; aspf=x", "v=DMARC1; p=none; pct=200", "v=DMARC1; p=none; pct=half", "v=DMARC1; p=none; ri=daily", "v=DMARC1; p=none; rf=iodef"]),
    ("bad-fo", &["v=DMARC1; p=none; fo=2", "v=DMARC1; p=reject; fo=x"]),
    ("part-of-the-mail", &["v=DMARC1; p=reject; pct=50", "v=DMARC1; p=reject; pct=0"]),
    ("bad-address", &["v=DMARC1; p=none; rua=a@{own}", "v=DMARC1; p=none; rua=mailto:a", "v=DMARC1; p=none; ruf=mailto:"]),
    ("addresses-without-comma", &["v=DMARC1; p=none; rua=mailto:a@{own} mailto:b@{own}"]),
    ("bad-size", &["v=DMARC1; p=none; rua=mailto:a@{own}!tenmegs"]),
    ("https-address", &["v=DMARC1; p=none; rua=https://{own}/report"]),
    ("empty-address", &["v=DMARC1; p=none; rua="]),
    ("not-a-list", &["v=DMARC1; p=none sp=none", "v=DMARC1; p=none;; sp=none", "v=DMARC1; none", "v=DMARC1; p:none", "v=DMARC1 p=none"]),
    ("tag-twice", &["v=DMARC1; p=none; p=reject", "v=DMARC1; p=none; rua=mailto:a@{own}; rua=mailto:b@{own}"]),
    ("quoted", &["\"v=DMARC1; p=none\""]),
    ("blank-before", &[" v=DMARC1; p=none"]),
    ("reports-taken", &["v=DMARC1; p=none; rua=mailto:a@taker.test", "v=DMARC1; p=reject; rua=mailto:a@{own},mailto:b@taker.test", "v=DMARC1; p=reject; ruf=mailto:a@taker.test"]),
    ("reports-denied", &["v=DMARC1; p=none; rua=mailto:a@silent.test", "v=DMARC1; p=reject; rua=mailto:a@{own},mailto:b@silent.test", "v=DMARC1; p=reject; ruf=mailto:a@silent.test", "v=DMARC1; p=none; rua=mailto:a@taker.test,mailto:b@silent.test"]),
];

/// Subdomains of an organisation: what stands above them holds, where they have nothing of their own.
fn subdomains(cases: &mut Vec<Case>) {
    for (class, above, own) in [
        ("inherited", Some("v=DMARC1; p=reject"), None),
        ("inherited", Some("v=DMARC1; p=reject; sp=none"), None),
        ("inherited-broken", Some("v=DMARC1; p=block"), None),
        ("inherited-nothing", None, None),
        ("own-policy", Some("v=DMARC1; p=reject"), Some("v=DMARC1; p=none")),
        ("own-policy", Some("v=DMARC1; p=block"), Some("v=DMARC1; p=reject")),
        ("own-broken", Some("v=DMARC1; p=reject"), Some("v=DMARC1; p=block")),
    ] {
        let number = cases.iter().filter(|case| case.class == class).count();
        let record = |name: &str, text: Option<&str>| text.map(|text| txt(name, text)).unwrap_or_default();
        // The organisation is a zone of its own name, below which the domain is an ordinary name.
        let organisation = format!("dmarc-{class}-{number}.test");
        let own = own.map(|own| own.replace("{own}", &organisation));
        let zone =
            format!("{}{}sub A 192.0.2.1\n", record("_dmarc", above), record("_dmarc.sub", own.as_deref()));
        cases.push(Case {
            subject: "dmarc",
            class,
            domain: format!("sub.{organisation}"),
            origin: organisation,
            zone,
        });
    }
}
