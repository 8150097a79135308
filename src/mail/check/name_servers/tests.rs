use super::{
    super::zone::{codes_of, findings_of, served, server, settled, told},
    *,
};

const ZONE: &str = "example.org NS a.net\nexample.org NS b.net\na.net A 192.0.2.53\nb.net A 198.51.100.53\n";

/// What both servers say of the zone, but for the given lines.
fn world(first: &str, second: &str) -> String {
    let sets = |at: &str| format!("@{at} example.org NS a.net\n@{at} example.org NS b.net\n");
    format!(
        "{ZONE}{}{}@192.0.2.53 {first}\n@198.51.100.53 {second}\n",
        sets("192.0.2.53"),
        sets("198.51.100.53")
    )
}

/// Proves: issue 4 (NS agreement and lame servers), RFC 1912 §2.8, RFC 2182 §3.1, §5.
#[test]
fn each_fault_of_name_servers_is_told_apart() {
    let soa = "example.org SOA a.net 7";
    assert_eq!(codes_of(judge, &world(soa, soa)), ["dns.name_servers.ok"]);
    for (second, code) in [
        ("example.org SOA a.net 8", "dns.name_servers.serial"),
        ("example.org TXT \"x\"", "dns.name_servers.lame"),
        ("example.org SOA !timeout", "dns.name_servers.unchecked"),
        ("example.org SOA !refused", "dns.name_servers.unchecked"),
        ("example.org SOA !servfail", "dns.name_servers.unchecked"),
    ] {
        assert_eq!(codes_of(judge, &world(soa, second)), [code], "{second}");
    }
    let differ = world(soa, &format!("{soa}\n@198.51.100.53 example.org NS c.net"));
    assert_eq!(codes_of(judge, &differ), ["dns.name_servers.differ"]);
    let together = world(soa, soa).replace("198.51.100.53", "192.0.2.54");
    assert_eq!(codes_of(judge, &together), ["dns.name_servers.network"]);
    let only = "example.org NS a.net\na.net A 192.0.2.53\n@192.0.2.53 example.org SOA a.net 7\n@192.0.2.53 example.org NS a.net";
    assert_eq!(codes_of(judge, only), ["dns.name_servers.one"]);
    let gone = world(soa, soa).replace("b.net A 198.51.100.53", "");
    assert_eq!(codes_of(judge, &gone), ["dns.name_servers.no_address", "dns.name_servers.network"]);
    assert_eq!(codes_of(judge, "example.org NS !timeout"), ["dns.name_servers.unchecked"]);
}

/// Proves: a server counts by the addresses that can be reached from here.
#[test]
fn no_way_to_ipv6_is_no_fault() {
    let soa = "example.org SOA a.net 7";
    let zone = format!("{}a.net AAAA 2001:db8::53\n@2001:db8::53 example.org SOA !timeout", world(soa, soa));
    assert_eq!(codes_of(judge, &zone), ["dns.name_servers.ok"]);
}

/// Proves: issue 4 (`--authoritative`): disagreement names the server.
#[test]
fn every_server_is_asked_for_every_record() {
    let soa = "example.org SOA a.net 7";
    let mx = |at: &str, host: &str| format!("@{at} example.org MX 10 {host}\n");
    let options = Options { authoritative: true, ..Options::default() };
    let look = |zone: &str| settled(zone, |inquiry| judge(inquiry, &server(), &served(), &options));
    let base = format!("{}example.org MX 10 mail.example.org\n", world(soa, soa));
    let same =
        format!("{base}{}{}", mx("192.0.2.53", "mail.example.org"), mx("198.51.100.53", "mail.example.org"));
    assert_eq!(told(&look(&same)), ["dns.name_servers.ok"]);
    let old = format!("{base}{}{}", mx("192.0.2.53", "mail.example.org"), mx("198.51.100.53", "old.net"));
    let findings = look(&old);
    assert_eq!(told(&findings), ["dns.name_servers.disagree"]);
    assert!(findings[0].summary.starts_with("b.net says"), "{}", findings[0].summary);
    assert_eq!(findings[0].found, ["b.net: example.org. IN MX 10 old.net."]);
    assert!(
        findings_of(judge, &old).iter().all(|finding| finding.verdict == Verdict::Ok),
        "only where it was asked for"
    );
}

/// Proves: issue 4 (delegation against zone), and a domain that nobody registered.
#[test]
fn the_zone_above_is_asked_too() {
    let soa = "example.org SOA a.net 7";
    let above = "org NS t.net\nt.net A 203.0.113.1\n@203.0.113.1 example.org NS a.net\n";
    let zone = format!("{}{above}", world(soa, soa));
    assert_eq!(codes_of(judge, &format!("{zone}@203.0.113.1 example.org NS b.net")), ["dns.name_servers.ok"]);
    assert_eq!(codes_of(judge, &zone), ["dns.name_servers.delegation"]);
    assert_eq!(
        codes_of(judge, &format!("{zone}@203.0.113.1 example.org NS !timeout")),
        ["dns.name_servers.ok"]
    );
    assert_eq!(codes_of(judge, "org NS t.net\nt.net A 203.0.113.1"), ["dns.name_servers.absent"]);
    assert_eq!(codes_of(judge, ""), ["dns.name_servers.absent"], "not even its last label exists");
    assert_eq!(codes_of(judge, "org NS !servfail"), ["dns.name_servers.unchecked"]);
}
