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
    assert_eq!(findings_of(judge, &two)[0].publish[0].value(), "v=spf1 a mx ~all");
    let redirected =
        format!("{HOST}example.org TXT \"v=spf1 redirect=x.net\"\nexample.org TXT \"v=spf1 mx -all\"");
    let joined = findings_of(judge, &redirected)[0].publish[0].value();
    assert_eq!(
        joined, "v=spf1 mx include:x.net -all",
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

/// Proves: issue 4 (every finding carries the exact remedy): a finished record, the same for all that is found at a
/// time and in whatever order the answer comes, and with it everything is right.
#[test]
fn every_fault_has_a_finished_record() {
    let many: Vec<String> = (0..11).map(|n| format!("a:h{n}.net")).collect();
    let many = format!("v=spf1 mx {} -all", many.join(" "));
    for (record, finished) in [
        ("v=spf1 mx +all", "v=spf1 mx -all"),
        ("v=spf1 mx ?all", "v=spf1 mx -all"),
        ("v=spf1 mx", "v=spf1 mx -all"),
        (
            "v=spf1 ip:192.0.2.25 ip4:bogus ip6=2001:db8::25 ~all",
            "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ~all",
        ),
        ("v=spf1 mx -all a:mail.example.org", "v=spf1 mx a:mail.example.org -all"),
        ("v=spf1 ptr -all", "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"),
        ("v=spf1 mx ip4:0.0.0.0/0 ip4:192.0.2.7/1 -all", "v=spf1 mx ip4:192.0.2.7 -all"),
        ("v=spf1 mx include:nothing.net redirect=x.net -all", "v=spf1 mx include:x.net -all"),
        ("v=spf1 mx exp=e.net v=spf1 unknown=1 -all", "v=spf1 mx -all exp=e.net"),
        ("v=spf1 mx -all include:x.net include:x.net", "v=spf1 mx include:x.net -all"),
        (&many, "v=spf1 mx -all"),
    ] {
        let zone = |record: &str| {
            format!(
                "{HOST}example.org TXT \"{record}\"\nx.net TXT \"v=spf1 ip4:198.51.100.1 -all\"\ne.net TXT \"no\""
            )
        };
        let findings = findings_of(judge, &zone(record));
        let remedies: Vec<String> =
            findings.iter().flat_map(|finding| &finding.publish).map(Entry::value).collect();
        assert!(
            !remedies.is_empty() && remedies.iter().all(|one| one == finished),
            "{record}: {remedies:#?}"
        );
        assert_eq!(codes_of(judge, &zone(finished)), ["dns.spf.ok"], "{record}");
    }
    let glued = format!("{HOST}example.org TXT \"v=spf1 mx\" \"a:mail.example.org -all\"");
    assert_eq!(findings_of(judge, &glued)[0].publish[0].value(), "v=spf1 mx a:mail.example.org -all");
    // Eleven that are there: the last ones become the addresses that they stand for.
    let eleven: Vec<String> = (0..11).map(|n| format!("a:h{n}.net")).collect();
    let hosts: String = (0..11).map(|n| format!("h{n}.net A 198.51.100.{n}\n")).collect();
    let zone = format!("{HOST}{hosts}example.org TXT \"v=spf1 mx {} -all\"", eleven.join(" "));
    let finished = findings_of(judge, &zone)[0].publish[0].value();
    assert!(finished.ends_with("a:h8.net ip4:198.51.100.9 ip4:198.51.100.10 -all"), "{finished}");
    // What others lead to cannot be shortened from here.
    let deep: String = (0..11).map(|n| format!("a:h{n}.net ")).collect();
    let zone = format!(
        "{HOST}{hosts}x.net TXT \"v=spf1 {deep}-all\"\nexample.org TXT \"v=spf1 mx include:x.net -all\""
    );
    let findings = findings_of(judge, &zone);
    assert!(findings[0].publish.is_empty() && !findings[0].remedy.is_empty(), "{findings:?}");
}

/// Proves: of several records the remedy does not depend on the order of the answer, and this server passes with it.
#[test]
fn several_records_become_the_same_one() {
    let mut remedies = std::collections::BTreeSet::new();
    for order in
        [["v=spf1 a -all", "v=spf1 ip4:198.51.100.7 ~all"], ["v=spf1 ip4:198.51.100.7 ~all", "v=spf1 a -all"]]
    {
        let zone = format!("{HOST}example.org TXT \"{}\"\nexample.org TXT \"{}\"", order[0], order[1]);
        remedies.insert(findings_of(judge, &zone)[0].publish[0].value());
    }
    let wanted = "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 a ip4:198.51.100.7 ~all";
    assert_eq!(remedies.into_iter().collect::<Vec<_>>(), [wanted]);
}

/// Proves: RFC 7208 §2.3: the name in the greeting is judged by evaluation, like a domain.
#[test]
fn the_greeting_is_judged_too() {
    let look = |record: &str, options: &Options| {
        let zone = format!("{HOST}{record}");
        settled(&zone, |inquiry| host(inquiry, &server(), options))
    };
    let options = Options::default();
    for (record, code) in [
        ("mail.example.org TXT \"v=spf1 a -all\"", "dns.spf.ok"),
        ("mail.example.org TXT \"v=spf1 ip4:192.0.2.25 ip6:2001:db8::/32 -all\"", "dns.spf.ok"),
        ("", "dns.spf.helo"),
        ("mail.example.org TXT \"v=spf1 -all\"", "dns.spf.fails"),
        ("mail.example.org TXT !servfail", "dns.spf.unchecked"),
    ] {
        assert_eq!(told(&look(record, &options)), [code], "{record}");
    }
    assert_eq!(look("", &options)[0].publish[0].value(), "v=spf1 a -all");
    let served = Options { served: vec![server().host], ..Options::default() };
    assert!(look("", &served).is_empty(), "it is judged as a domain");
    let relayed = Server { relay: Some("[smtp.example.com]".to_owned()), ..server() };
    assert!(settled(HOST, |inquiry| host(inquiry, &relayed, &options)).is_empty());
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
