//! Records, mechanisms, modifiers, macros.

use super::{own, records, table};
use crate::mail::spf::{Fault, Record, Request, Why, check_host};

/// Proves: RFC 7208 §2.4, §4.3: what is asked for, and what has no record.
#[test]
fn the_sender_names_the_domain() {
    let all = "example.org TXT v=spf1 -all; mx.example.org TXT v=spf1 +all";
    table(&[
        ("2.4 null sender: the greeting's name", all, "192.0.2.1", "", "pass"),
        ("2.4", all, "192.0.2.1", "joe@example.org", "fail"),
        ("4.3 no local part", all, "192.0.2.1", "@example.org", "fail"),
        ("4.3 no @ at all", all, "192.0.2.1", "example.org", "fail"),
        ("4.3 upper case", all, "192.0.2.1", "joe@EXAMPLE.Org", "fail"),
        ("4.3 final dot", all, "192.0.2.1", "joe@example.org.", "fail"),
        ("4.3 one label", "org TXT v=spf1 -all", "192.0.2.1", "joe@org", "none"),
        ("4.3 empty label", all, "192.0.2.1", "joe@example..org", "none"),
        ("4.3 literal", all, "192.0.2.1", "joe@[192.0.2.1]", "none"),
        ("4.3 beyond ASCII", all, "192.0.2.1", "joe@exämple.org", "none"),
        ("4.3 no such domain", all, "192.0.2.1", "joe@example.net", "none"),
        ("4.4 a name without TXT", "example.org A 192.0.2.1", "192.0.2.1", "joe@example.org", "none"),
        ("4.4 no answer", "example.org SILENT", "192.0.2.1", "joe@example.org", "temperror"),
        ("3.2 behind an alias", &format!("a.org CNAME example.org; {all}"), "192.0.2.1", "a@a.org", "fail"),
    ]);
}

/// Proves: RFC 7208 §3.1, §3.2, §3.3, §4.5, §4.6: which text is the record, and that a fault anywhere voids it.
#[test]
fn one_record_counts() {
    records(&[
        ("4.5 nothing behind the version", "v=spf1", "neutral"),
        ("4.5 in any case", "V=SpF1 -ALL", "fail"),
        ("4.5 no blank", "v=spf1-all", "none"),
        ("4.5 another version", "v=spf10 -all", "none"),
        ("4.5 a blank before", " v=spf1 -all", "none"),
        ("4.5 a quote before", "\"v=spf1 -all\"", "none"),
        ("4.5 two", "v=spf1 -all; example.org TXT v=spf1 -all", "permerror"),
        ("4.5 two, one empty", "v=spf1 -all; example.org TXT v=spf1", "permerror"),
        (
            "4.5 others do not matter",
            "v=spf1 -all; example.org TXT v=spf2.0/pra +all; example.org TXT x",
            "fail",
        ),
        ("3.3 strings", "v=spf1 ip4:192.|0.2.1 -all", "pass"),
        ("3.3 no blank between strings", "v=spf1 a|mx -all", "permerror"),
        ("3.3 version cut in two", "v=sp|f1 -all", "fail"),
        ("4.6.1 many blanks", "v=spf1   -all   ", "fail"),
        ("4.6.1 a tab is no blank", "v=spf1 a\t-all", "permerror"),
        ("4.6 a fault behind the match", "v=spf1 ip4:192.0.2.1 -all mo", "permerror"),
        ("4.6.2 +", "v=spf1 +ip4:192.0.2.1 -all", "pass"),
        ("4.6.2 -", "v=spf1 -ip4:192.0.2.1 +all", "fail"),
        ("4.6.2 ~", "v=spf1 ~ip4:192.0.2.1 +all", "softfail"),
        ("4.6.2 ?", "v=spf1 ?ip4:192.0.2.1 +all", "neutral"),
        ("4.6.2 a qualifier alone", "v=spf1 - all", "permerror"),
        ("4.6.2 none for modifiers", "v=spf1 +redirect=a.org", "permerror"),
        ("4.7 default", "v=spf1 ip4:192.0.2.2", "neutral"),
    ]);
}

/// Proves: RFC 7208 §5.1 to §5.7: each mechanism.
#[test]
fn mechanisms_match() {
    let two = "a.org A 192.0.2.1; a.org AAAA 2001:db8::1; b.org A 192.0.2.9";
    records(&[
        ("5.1 all takes nothing", "v=spf1 all:a.org", "permerror"),
        ("5.1 behind all nothing counts", "v=spf1 -all +ip4:192.0.2.1", "fail"),
        ("5.2 include of a pass", "v=spf1 ?include:a.org -all; a.org TXT v=spf1 +all", "neutral"),
        ("5.2 of a fail", "v=spf1 include:a.org ~all; a.org TXT v=spf1 -all", "softfail"),
        ("5.2 of a softfail", "v=spf1 include:a.org -all; a.org TXT v=spf1 ~all", "fail"),
        ("5.2 of neutral", "v=spf1 include:a.org -all; a.org TXT v=spf1", "fail"),
        ("5.2 of none", "v=spf1 include:a.org -all; a.org TXT hello", "permerror"),
        ("5.2 of nothing", "v=spf1 include:a.org -all", "permerror"),
        ("5.2 of a broken one", "v=spf1 include:a.org -all; a.org TXT v=spf1 x", "permerror"),
        ("5.2 of a silent one", "v=spf1 include:a.org -all; a.org SILENT", "temperror"),
        (
            "5.2 the outer qualifier counts",
            "v=spf1 -include:a.org +all; a.org TXT v=spf1 include:b.org; b.org TXT v=spf1 +all",
            "fail",
        ),
        ("5.2 needs a domain", "v=spf1 include -all", "permerror"),
        ("5.3 own", "v=spf1 a -all; example.org A 192.0.2.1", "pass"),
        ("5.3 other", &format!("v=spf1 a:a.org -all; {two}"), "pass"),
        ("5.3 not that one", &format!("v=spf1 a:b.org -all; {two}"), "fail"),
        ("5.3 a wider net", &format!("v=spf1 a:b.org/28 -all; {two}"), "pass"),
        ("5.3 IPv6 prefix says nothing", &format!("v=spf1 a:b.org//0 -all; {two}"), "fail"),
        ("5.3 both", &format!("v=spf1 a:b.org/24//64 -all; {two}"), "pass"),
        ("5.3 an address", "v=spf1 a:192.0.2.1 -all", "permerror"),
        ("5.3 no address", "v=spf1 a:a.org -all; a.org TXT x", "fail"),
        ("5.3 silent", "v=spf1 a:a.org -all; a.org SILENT", "temperror"),
        ("5.4 own", "v=spf1 mx -all; example.org MX 5 a.org; a.org A 192.0.2.1", "pass"),
        (
            "5.4 second",
            "v=spf1 mx -all; example.org MX 9 a.org; example.org MX 1 b.org; a.org A 192.0.2.1",
            "pass",
        ),
        ("5.4 no MX is no A", "v=spf1 mx -all; example.org A 192.0.2.1", "fail"),
        ("5.4 null MX", "v=spf1 mx -all; example.org MX 0 .; example.org A 192.0.2.1", "fail"),
        ("5.4 net", "v=spf1 mx:c.org/24 -all; c.org MX 5 b.org; b.org A 192.0.2.9", "pass"),
        (
            "5.4 a silent server first",
            "v=spf1 mx -all; example.org MX 1 b.org; example.org MX 2 a.org; b.org SILENT; a.org A 192.0.2.1",
            "temperror",
        ),
        (
            "5.4 a silent server last",
            "v=spf1 mx -all; example.org MX 2 b.org; example.org MX 1 a.org; b.org SILENT; a.org A 192.0.2.1",
            "pass",
        ),
        ("5.6 net", "v=spf1 ip4:192.0.2.128/24 -all", "pass"),
        ("5.6 IPv6 only", "v=spf1 ip6:::/0 -all", "fail"),
        ("5.6 prefix too long", "v=spf1 ip4:192.0.2.1/33 -all", "permerror"),
        ("5.6 leading zero", "v=spf1 ip4:192.0.2.01 -all", "permerror"),
        ("5.6 no address", "v=spf1 ip4: -all", "permerror"),
        ("5.7 exists", "v=spf1 exists:a.org -all; a.org A 127.0.0.2", "pass"),
        ("5.7 only A", "v=spf1 exists:a.org -all; a.org AAAA ::1", "fail"),
        ("5.7 no prefix", "v=spf1 exists:a.org/24 -all", "permerror"),
    ]);
    let six = "example.org TXT v=spf1 a -all; example.org A 192.0.2.1; example.org AAAA 2001:db8::1";
    table(&[
        ("5 IPv6", six, "2001:db8::1", "a@example.org", "pass"),
        ("5 IPv4 in IPv6", six, "::ffff:192.0.2.1", "a@example.org", "pass"),
        ("5.6", "a.org TXT v=spf1 ip6:2001:db8::/32 -all", "2001:db8:1::9", "a@a.org", "pass"),
        ("5.6", "a.org TXT v=spf1 ip6:2001:db8::/32 -all", "2001:db9::", "a@a.org", "fail"),
        (
            "5.7 A for IPv6 too",
            "a.org TXT v=spf1 exists:b.org -all; b.org A 127.0.0.2",
            "2001:db8::1",
            "a@a.org",
            "pass",
        ),
    ]);
}

/// Proves: RFC 7208 §5.5: a name counts if it leads back, and errors of the client's DNS are not the sender's.
#[test]
fn a_pointer_must_lead_back() {
    let ptr = |more: &str| format!("v=spf1 ptr -all; 1.2.0.192.in-addr.arpa PTR {more}");
    records(&[
        ("5.5", &ptr("mx.example.org; mx.example.org A 192.0.2.1"), "pass"),
        ("5.5 the domain itself", &ptr("example.org; example.org A 192.0.2.1"), "pass"),
        ("5.5 not back", &ptr("mx.example.org; mx.example.org A 192.0.2.2"), "fail"),
        ("5.5 not within", &ptr("anexample.org; anexample.org A 192.0.2.1"), "fail"),
        (
            "5.5 an error is skipped",
            &ptr("b.org; 1.2.0.192.in-addr.arpa PTR example.org; b.org SILENT; example.org A 192.0.2.1"),
            "pass",
        ),
        ("5.5 no name", "v=spf1 ptr -all", "fail"),
        ("5.5 silent", "v=spf1 ptr -all; 1.2.0.192.in-addr.arpa SILENT", "fail"),
        ("5.5 no prefix", "v=spf1 ptr/24 -all", "permerror"),
    ]);
}

/// Proves: RFC 7208 §6, §6.1.
#[test]
fn modifiers_change_the_end() {
    records(&[
        ("6 unknown", "v=spf1 x=%{d}y ip4:192.0.2.1 -all", "pass"),
        ("6 unknown with a bad macro", "v=spf1 x=%y -all", "permerror"),
        ("6 twice", "v=spf1 redirect=a.org redirect=a.org", "permerror"),
        ("6 exp twice", "v=spf1 exp=a.org exp=a.org -all", "permerror"),
        ("6 an unknown one may come twice", "v=spf1 x=1 x=1 -all", "fail"),
        ("6 anywhere", "v=spf1 redirect=a.org ip4:192.0.2.1; a.org TXT v=spf1 -all", "pass"),
        ("6.1", "v=spf1 redirect=a.org; a.org TXT v=spf1 ~all", "softfail"),
        ("6.1 beside all", "v=spf1 ?all redirect=a.org; a.org TXT v=spf1 -all", "neutral"),
        ("6.1 no record", "v=spf1 redirect=a.org", "permerror"),
        ("6.1 malformed", "v=spf1 redirect=org", "permerror"),
        (
            "6.1 of an included record",
            "v=spf1 include:a.org -all; a.org TXT v=spf1 redirect=b.org; b.org TXT v=spf1 +all",
            "pass",
        ),
        (
            "6.1 the domain changes",
            "v=spf1 redirect=a.org; a.org TXT v=spf1 a -all; a.org A 192.0.2.1",
            "pass",
        ),
    ]);
}

/// Proves: RFC 7208 §6.2.
#[test]
fn a_fail_is_explained_by_who_fails() {
    let said = |record: &str| own(record).explanation;
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        said("v=spf1 exp=e.org -all; e.org TXT No %{s} from|  %{c}%_at %{r}"),
        some("No joe@example.org from  192.0.2.1 at unknown")
    );
    assert_eq!(said("v=spf1 exp=e.org ~all; e.org TXT No"), None);
    assert_eq!(said("v=spf1 exp=e.org -all; e.org TXT No; e.org TXT Yes"), None);
    assert_eq!(said("v=spf1 exp=e.org -all"), None);
    assert_eq!(said("v=spf1 exp=e.org -all; e.org SILENT"), None);
    assert_eq!(said("v=spf1 exp=e.org -all; e.org TXT %{x}"), None);
    assert_eq!(said("v=spf1 exp=e.org -all; e.org TXT über"), None);
    assert_eq!(said("v=spf1 exp=e.org redirect=a.org; a.org TXT v=spf1 -all; e.org TXT No"), None);
    let both =
        "v=spf1 include:a.org -all exp=e.org; a.org TXT v=spf1 -all exp=f.org; e.org TXT E; f.org TXT F";
    assert_eq!(said(both), some("E"));
    let long = format!("v=spf1 exp=e.org -all; e.org TXT {}", "%{s}".repeat(5000));
    assert_eq!(said(&long).unwrap().len(), 400);
}

/// Proves: RFC 7208 §7.4, its own examples, and §7.2, §7.3.
#[test]
fn macros_expand() {
    let expand = |text: &str, client: &str| {
        let zone = format!(
            "email.example.com TXT v=spf1 -all exp=e.org; e.org TXT {text}; 3.2.0.192.in-addr.arpa PTR mx.example.org; mx.example.org A 192.0.2.3"
        );
        let mut request =
            Request::mail_from(client.parse().unwrap(), "strong-bad@email.example.com", "h.org");
        (request.receiver, request.now) = ("mx.example.net", 1_700_000_000);
        super::Zone::parse(&zone).drive(|inquiry| check_host(inquiry, &request)).0.explanation.unwrap()
    };
    for (text, wanted) in [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{h} %{c} %{r} %{t} %{p}", "h.org 192.0.2.3 mx.example.net 1700000000 mx.example.org"),
        ("%{S} %%%_%-", "strong-bad%40email.example.com % %20"),
        ("%{d999999999999}", "email.example.com"),
    ] {
        assert_eq!(expand(text, "192.0.2.3"), wanted, "{text}");
    }
    let six = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com";
    assert_eq!(expand("%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01"), six);
    assert_eq!(expand("%{p}", "192.0.2.4"), "unknown");
}

/// Proves: RFC 7208 §7.1, §7.2, §7.3: what is wrong with a macro, and names that cannot be asked for.
#[test]
fn macros_in_names() {
    records(&[
        ("7.1 a lone %", "v=spf1 exists:%.a.org -all", "permerror"),
        ("7.1 no end", "v=spf1 exists:%{d -all", "permerror"),
        ("7.1 no such letter", "v=spf1 exists:%{x}.a.org -all", "permerror"),
        ("7.1 no part at all", "v=spf1 exists:%{d0}.a.org -all", "permerror"),
        ("7.1 no such delimiter", "v=spf1 exists:%{d:}.a.org -all", "permerror"),
        ("7.1 order", "v=spf1 exists:%{dr2}.a.org -all", "permerror"),
        ("7.1 ends in a macro", "v=spf1 a:%{d} -all; example.org A 192.0.2.1", "pass"),
        ("7.1 literal after a macro", "v=spf1 a:%{d}x -all", "permerror"),
        ("7.2 only in explanations", "v=spf1 exists:%{t}.a.org -all", "permerror"),
        ("7.2 h", "v=spf1 a:%{h} -all; mx.example.org A 192.0.2.1", "pass"),
        ("7.3 p", "v=spf1 exists:%{p}.a.org -all; unknown.a.org A 127.0.0.1", "pass"),
        ("4.8 label too long", &format!("v=spf1 a:{}.org -all", "x".repeat(64)), "fail"),
    ]);
    let long = format!(
        "v=spf1 exists:{}a.org -all; org.{}a.org A 127.0.0.1",
        "%{d}.".repeat(5000),
        "example.org.".repeat(20)
    );
    assert_eq!(own(&long).verdict.as_str(), "pass", "§7.3: cut to 253 octets from the left");
    table(&[(
        "RFC 8616 §4",
        "example.org TXT v=spf1 exists:%{l}.a.org -all",
        "192.0.2.1",
        "jö@example.org",
        "fail",
    )]);
}

/// Proves: RFC 7208 §4.6: every fault is told, each with its term and what was meant.
#[test]
fn faults_name_their_terms() {
    let text = "v=spf1 ipv4:192.0.2.1 ip4:2001:db8::1 ip6:192.0.2.1 a:192.0.2.1 mx/33 include redirect:a.org all. 1x=y";
    let faults: Vec<(usize, Why)> =
        Record::faults(text.as_bytes()).iter().map(|f| (f.position, f.why)).collect();
    let wanted = [
        Why::UnknownMechanism(Some("ip4:")),
        Why::Ip6AfterIp4,
        Why::Ip4AfterIp6,
        Why::AddressAsDomain,
        Why::BadPrefix,
        Why::NoDomain,
        Why::UnknownMechanism(Some("redirect=")),
        Why::TakesNothing,
        Why::BadName,
    ];
    assert_eq!(faults, (1..).zip(wanted).collect::<Vec<_>>());
    let Fault { position, term, why } = Record::parse(b"v=spf1 a \xffmx").unwrap_err();
    assert_eq!((position, term.as_str(), why), (2, "\u{fffd}mx", Why::Octets));
    let said = Record::parse(b"v=spf1 ip:192.0.2.1").unwrap_err().to_string();
    assert_eq!(said, "term 1 \"ip:192.0.2.1\" is no known mechanism; did you mean ip4:?");
}
