use super::{
    super::zone::{codes_of, findings_of, served, server, settled, told},
    *,
};

const HOST: &str = "mail.example.org A 192.0.2.25\nmail.example.org AAAA 2001:db8::25\n\
                    example.org MX 10 mail.example.org\nexample.org A 198.51.100.80\n";

fn codes(record: &str) -> Vec<&'static str> {
    codes_of(judge, &format!("{HOST}example.org TXT \"{record}\""))
}

/// Proves: S0-32, S2-26, S4-11, S4-12, S4-32 (a record without `a` and `mx` that passes is right): by outcome.
#[test]
fn whatever_passes_is_right() {
    for record in [
        "v=spf1 mx -all",
        "v=spf1 mx ~all",
        "v=spf1 a mx ip4:192.0.2.25 -all",
        "V=SPF1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all",
        "v=spf1 a:mail.example.org -all",
        "v=spf1 exists:mail.example.org -all",
    ] {
        assert_eq!(codes(record), ["dns.spf.ok"], "{record}");
    }
    let zone = format!(
        "{HOST}example.org TXT \"v=spf1 include:x.net -all\"\nx.net TXT \"v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all\""
    );
    assert_eq!(codes_of(judge, &zone), ["dns.spf.ok"]);
    let zone = format!(
        "{HOST}example.org TXT \"v=spf1 redirect=x.net\"\nx.net TXT \"v=spf1 a:mail.example.org -all\""
    );
    assert_eq!(codes_of(judge, &zone), ["dns.spf.ok"]);
}

/// Proves: issue 4: what breaks, each named.
#[test]
fn each_wrong_form_is_named() {
    for (record, code) in [
        ("v=spf1 -all", "dns.spf.fails"),
        ("v=spf1 ip4:192.0.2.25 -all", "dns.spf.fails"),
        ("v=spf1 ip4:192.0.2.25 ~all", "dns.spf.fails"),
        ("v=spf1 mx +all", "dns.spf.all_pass"),
        ("v=spf1 mx ?all", "dns.spf.neutral"),
        ("v=spf1 mx", "dns.spf.neutral"),
        ("v=spf1 mx ip:192.0.2.1 -all", "dns.spf.syntax"),
        ("v=spf1 mx ptr -all", "dns.spf.ptr"),
        ("v=spf1 mx -all a", "dns.spf.ignored"),
        ("v=spf1 mx ip4:0.0.0.0/1 -all", "dns.spf.wide"),
    ] {
        assert!(codes(record).contains(&code), "{record}: {:?}", codes(record));
    }
    assert_eq!(codes_of(judge, HOST), ["dns.spf.missing"]);
    assert_eq!(codes("v=spf1;mx -all"), ["dns.spf.nearly"]);
    let two = format!("{HOST}example.org TXT \"v=spf1 mx -all\"\nexample.org TXT \"v=spf1 a ~all\"");
    assert_eq!(codes_of(judge, &two), ["dns.spf.several"]);
    assert_eq!(findings_of(judge, &two)[0].publish[0].value(), "v=spf1 mx a ~all");
    let redirected =
        format!("{HOST}example.org TXT \"v=spf1 redirect=x.net\"\nexample.org TXT \"v=spf1 mx -all\"");
    let joined = findings_of(judge, &redirected)[0].publish[0].value();
    assert_eq!(
        joined, "v=spf1 include:x.net mx -all",
        "RFC 7208 §6.1: redirect counts for nothing beside all"
    );
    let many: Vec<String> = (0..11).map(|n| format!("a:h{n}.net")).collect();
    assert!(codes(&format!("v=spf1 mx {} -all", many.join(" "))).contains(&"dns.spf.lookups"));
    let circle = format!(
        "{HOST}example.org TXT \"v=spf1 include:x.net -all\"\nx.net TXT \"v=spf1 include:example.org -all\""
    );
    assert!(codes_of(judge, &circle).contains(&"dns.spf.broken"), "{:?}", codes_of(judge, &circle));
}

/// Proves: issue 4: no answer is neither right nor wrong, also where it is an included domain's.
#[test]
fn silence_is_not_judged() {
    for silence in ["timeout", "servfail", "refused"] {
        assert_eq!(codes_of(judge, &format!("{HOST}example.org TXT !{silence}")), ["dns.spf.unchecked"]);
        let zone = format!("{HOST}example.org TXT \"v=spf1 include:x.net -all\"\nx.net TXT !{silence}");
        let codes = codes_of(judge, &zone);
        assert!(codes.iter().all(|code| *code == "dns.spf.unchecked"), "{codes:?}");
    }
}

/// Proves: the remedy keeps everybody who may send already, and passes.
#[test]
fn the_remedy_passes() {
    let findings = findings_of(judge, &format!("{HOST}example.org TXT \"v=spf1 ip4:198.51.100.1 -all\""));
    let record = findings[0].publish[0].value();
    assert_eq!(record, "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ip4:198.51.100.1 -all");
    assert_eq!(codes(&record), ["dns.spf.ok"]);
}

/// Proves: S2-26 (through a relay its addresses count), and what is not known is not judged.
#[test]
fn relays_and_unknown_addresses() {
    let zone = |record: &str| {
        format!("{HOST}example.org TXT \"{record}\"\nsendgrid.net TXT \"v=spf1 ip4:198.51.100.0/24 ~all\"")
    };
    let look = |server: &Server, zone: &str| {
        told(&settled(zone, |inquiry| judge(inquiry, server, &served(), &Options::default())))
    };
    let relayed = Server { relay: Some("[smtp.sendgrid.net]:587".to_owned()), ..server() };
    assert_eq!(look(&relayed, &zone("v=spf1 mx -all")), ["dns.spf.relay"]);
    assert_eq!(look(&relayed, &zone("v=spf1 mx include:sendgrid.net -all")), ["dns.spf.ok"]);
    let unknown = Server { addresses: Vec::new(), ..server() };
    assert_eq!(look(&unknown, &zone("v=spf1 mx -all")), ["dns.spf.ok"], "the host's own address is taken");
    assert_eq!(look(&unknown, "example.org TXT \"v=spf1 ip4:192.0.2.1 -all\""), ["dns.spf.unknown"]);
}
