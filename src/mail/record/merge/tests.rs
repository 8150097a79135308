use super::*;
use crate::mail::record::{Need, txt};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn change(owner: &str, wanted: Data, before: Vec<Data>) -> Change {
    let record = Record { name: name(owner), data: wanted, ttl: 60, need: Need::Required, purpose: "" };
    changes(&[record], |_, _| before.clone(), |_| None).remove(0)
}

fn shown(records: &[Data]) -> Vec<String> {
    records.iter().map(|data| data.text().unwrap_or_else(|| data.to_string())).collect()
}

/// Proves: only records that are ours are touched; SPF and DMARC are merged, never replaced.
#[test]
fn spf_keeps_everybody_who_may_send_already() {
    let spf = |before: Vec<Data>| change("example.org", txt("v=spf1 mx -all"), before);
    assert_eq!(shown(&spf(vec![]).add), ["v=spf1 mx -all"]);
    let other = txt("google-site-verification=1");
    let merged = spf(vec![other.clone(), txt("v=spf1 include:_spf.example.com ~all")]);
    assert_eq!(shown(&merged.add), ["v=spf1 mx include:_spf.example.com ~all"]);
    assert_eq!(shown(&merged.remove), ["v=spf1 include:_spf.example.com ~all"]);
    assert!(merged.after().contains(&other));
    // Also where it stands in other words, or in two strings.
    let split = Data::Txt(vec![b"V=SPF1 +MX ".to_vec(), b"?all".to_vec()]);
    assert!(spf(vec![split]).is_empty());
    let two = spf(vec![txt("v=spf1 -all"), txt("v=spf1 mx -all")]);
    assert!(two.is_empty() && two.notes[0].contains("2 records"), "{two:?}");
    assert!(!spf(vec![txt("v=spf10 -all")]).is_empty());
}

/// Proves: what others take for a record is taken for one here, and nothing else (RFC 7208 §4.5): a text that they
/// pass over is left, told, and ours put beside it; a record that is broken is not changed into another broken one.
#[test]
fn only_what_counts_is_merged() {
    let spf = |text: &[u8]| change("example.org", txt("v=spf1 mx -all"), vec![strings(text)]);
    for passed_over in [&b" v=spf1 a -all"[..], b"v=spf1;a -all", b"\"v=spf1 a -all\"", b"spf1 a -all"] {
        let beside = spf(passed_over);
        assert_eq!(shown(&beside.add), ["v=spf1 mx -all"], "{passed_over:?}");
        assert!(beside.remove.is_empty() && beside.notes[0].contains("passed over"), "{beside:?}");
    }
    for broken in [&b"v=spf1 ip4:bogus -all"[..], b"v=spf1 a:h\xe9te.example -all"] {
        let left = spf(broken);
        assert!(left.is_empty() && left.notes[0].contains("mend it first"), "{left:?}");
    }
    assert_eq!(shown(&spf(b"v=spf1  a  -all").add), ["v=spf1 mx a -all"]);
    let dmarc = |text: &str| change("_dmarc.example.org", txt("v=DMARC1; p=reject"), vec![txt(text)]);
    let wrong = dmarc("v=dmarc1; p=none");
    assert!(wrong.add.len() == 1 && wrong.notes[0].contains("does not begin with v=DMARC1"), "{wrong:?}");
    assert!(dmarc("verification of dmarc1 tools").notes.is_empty());
}

/// Proves: octets outside of UTF-8 are compared and kept as they are.
#[test]
fn octets_are_octets() {
    let key = |text: &[u8]| {
        change("s._domainkey.example.org", strings(b"v=DKIM1; n=\xff; p=A"), vec![strings(text)])
    };
    assert!(key(b"v=DKIM1; n=\xff; p=A").is_empty());
    assert!(!key(b"v=DKIM1; n=\xfe; p=A").is_empty());
}

#[test]
fn a_policy_that_is_there_stays() {
    let dmarc = |before| change("_dmarc.example.org", txt("v=DMARC1; p=quarantine"), before);
    let kept = dmarc(vec![txt("v=DMARC1; p=none")]);
    assert!(kept.is_empty() && kept.notes[0].contains("stays as it is"), "{kept:?}");
    assert!(!dmarc(vec![]).is_empty());
}

#[test]
fn a_key_replaces_whatever_its_name_had() {
    let key =
        change("s._domainkey.example.org", txt("v=DKIM1; p=NEW"), vec![txt("v=DKIM1; p=OLD"), txt("x")]);
    assert_eq!(shown(&key.after()), ["v=DKIM1; p=NEW"]);
    let long = "v=DKIM1; p=".to_owned() + &"A".repeat(300);
    let other_split = Data::Txt(long.as_bytes().chunks(100).map(<[u8]>::to_vec).collect());
    assert!(change("s._domainkey.example.org", txt(&long), vec![other_split]).is_empty());
}

#[test]
fn other_servers_stay_and_the_null_mx_goes() {
    let mx = |preference, host: &str| Data::Mx {
        preference,
        exchange: if host.is_empty() { Name::root() } else { name(host) },
    };
    let ours = mx(10, "mail.example.net");
    let beside = change("example.org", ours.clone(), vec![mx(5, "old.example.com")]);
    assert_eq!((beside.add.len(), beside.remove.len()), (1, 0));
    assert!(beside.notes[0].contains("5 old.example.com. is not ours"));
    assert!(change("example.org", ours.clone(), vec![mx(20, "mail.example.net")]).is_empty());
    let null = change("example.org", ours.clone(), vec![mx(0, "")]);
    assert_eq!(null.after(), [ours]);
}

#[test]
fn services_and_aliases_of_others_are_told_and_left() {
    let srv = |port, host: &str| Data::Srv {
        priority: 0,
        weight: 1,
        port,
        target: if host.is_empty() { Name::root() } else { name(host) },
    };
    let at = "_imaps._tcp.example.org";
    assert!(change(at, srv(993, "mail.example.net"), vec![srv(993, "imap.example.com")]).is_empty());
    let moved = change(at, srv(993, "mail.example.net"), vec![srv(1993, "mail.example.net"), srv(0, "")]);
    assert_eq!(moved.after(), [srv(993, "mail.example.net")]);
    let record =
        Record { name: name(at), data: srv(993, "m.org"), ttl: 1, need: Need::Required, purpose: "" };
    let alias = changes(&[record], |_, _| vec![], |_| Some(name("elsewhere.org"))).remove(0);
    assert!(alias.is_empty() && alias.notes[0].contains("CNAME"));
}
