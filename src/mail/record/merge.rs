//! From what is published to what should be: only what is ours is changed, and nobody's words are replaced.

use super::{Record, txt};
use crate::mail::dns::{Data, Kind, Name};
use std::collections::BTreeMap;

/// The difference at one name and kind.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// The owner.
    pub name: Name,
    /// Of these records.
    pub kind: Kind,
    /// Seconds for what is added.
    pub ttl: u32,
    /// What is there now: the change is only made while it still is.
    #[serde(serialize_with = "texts")]
    pub before: Vec<Data>,
    /// What goes.
    #[serde(serialize_with = "texts")]
    pub remove: Vec<Data>,
    /// What comes.
    #[serde(serialize_with = "texts")]
    pub add: Vec<Data>,
    /// What a person should know: what was left alone, or cannot be done.
    pub notes: Vec<String>,
}

impl Change {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }

    /// What will be there.
    pub fn after(&self) -> Vec<Data> {
        let kept = self.before.iter().filter(|data| !self.remove.contains(data));
        kept.chain(&self.add).cloned().collect()
    }
}

fn texts<S: serde::Serializer>(records: &[Data], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(records.iter().map(ToString::to_string))
}

/// The difference, by name and kind, sorted; those without any are there as well. `published` gives what a name
/// has now; `alias` whether it is a CNAME, beside which nothing can stand (RFC 1034 §3.6.2).
pub fn changes(
    wanted: &[Record],
    published: impl Fn(&Name, Kind) -> Vec<Data>,
    alias: impl Fn(&Name) -> Option<Name>,
) -> Vec<Change> {
    let mut sets: BTreeMap<(&Name, Kind), Vec<&Record>> = BTreeMap::new();
    for record in wanted {
        sets.entry((&record.name, record.data.kind())).or_default().push(record);
    }
    let mut changes = Vec::new();
    for ((name, kind), records) in sets {
        let mut change = Change {
            name: name.clone(),
            kind,
            ttl: records.iter().map(|record| record.ttl).min().unwrap_or_default(),
            before: published(name, kind),
            remove: Vec::new(),
            add: Vec::new(),
            notes: Vec::new(),
        };
        match alias(name) {
            Some(target) => change.notes.push(format!(
                "{name} is another name for {target} (CNAME); its records are made there, or the CNAME goes first"
            )),
            None => records.iter().for_each(|record| want(&mut change, &record.data)),
        }
        changes.push(change);
    }
    changes
}

fn want(change: &mut Change, data: &Data) {
    match data {
        Data::Txt(_) => text(change, data),
        Data::Mx { .. } => exchange(change, data),
        Data::Srv { .. } => service(change, data),
        _ => {
            beside(change, data);
        }
    }
}

/// Adds it where it is not there; others are left, and told.
fn beside(change: &mut Change, data: &Data) {
    if !change.before.contains(data) {
        change.add.push(data.clone());
    }
    let (before, add) = (&change.before, &change.add);
    let foreign: Vec<&Data> = before.iter().filter(|other| *other != data && !add.contains(other)).collect();
    if let [first, ..] = foreign[..] {
        let note = format!("{} {} {first} is not ours and stays", change.name, change.kind);
        if !change.notes.contains(&note) {
            change.notes.push(note);
        }
    }
}

/// A host with another preference is ours as well. "Nobody takes mail" cannot stand beside a server (RFC 7505 §3).
fn exchange(change: &mut Change, data: &Data) {
    let host = |data: &Data| match data {
        Data::Mx { exchange, .. } => Some(exchange.clone()),
        _ => None,
    };
    let ours = host(data);
    if !change.before.iter().any(|there| host(there) == ours) {
        change.add.push(data.clone());
    }
    for there in &change.before {
        match host(there) {
            Some(name) if name.is_root() => change.remove.push(there.clone()),
            other if other == ours => {}
            _ => change.notes.push(format!("{} MX {there} is not ours and stays", change.name)),
        }
    }
}

/// Somebody else's server for the same service stays, and ours is not put beside it: clients would take turns.
fn service(change: &mut Change, data: &Data) {
    let target = |data: &Data| match data {
        Data::Srv { target, .. } => Some(target.clone()),
        _ => None,
    };
    if change.before.contains(data) {
        return;
    }
    let foreign = change
        .before
        .iter()
        .find(|there| target(there) != target(data) && target(there) != Some(Name::root()));
    if let Some(there) = foreign {
        change.notes.push(format!("{} SRV {there} is not ours and stays; ours is left out", change.name));
        return;
    }
    change.remove.extend(change.before.iter().cloned());
    change.add.push(data.clone());
}

/// What a text is for, by how it begins.
fn family(text: &str) -> Option<&'static str> {
    let lower = text.trim_start().to_ascii_lowercase();
    let whole = |tag: &str| {
        lower.strip_prefix(tag).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ';', '\t']))
    };
    ["v=spf1", "v=dmarc1", "v=tlsrptv1", "v=stsv1"].into_iter().find(|tag| whole(tag))
}

fn text(change: &mut Change, data: &Data) {
    let wanted = data.text().unwrap_or_default();
    if change.name.as_str().contains("._domainkey.") {
        // The name is our selector's: there is nothing of anybody else.
        let stale = change.before.iter().filter(|there| there.text().as_deref() != Some(&wanted)).cloned();
        change.remove.extend(stale);
        if !change.before.iter().any(|there| there.text().as_deref() == Some(&wanted)) {
            change.add.push(data.clone());
        }
        return;
    }
    let of = family(&wanted);
    let there: Vec<Data> = change
        .before
        .iter()
        .filter(|there| there.text().is_some_and(|text| family(&text) == of))
        .cloned()
        .collect();
    match &there[..] {
        [] => change.add.push(data.clone()),
        [one] if of == Some("v=spf1") => {
            let old = one.text().unwrap_or_default();
            let merged = merged_spf(&old, &wanted);
            if merged != old {
                change.remove.push(one.clone());
                change.add.push(txt(&merged));
            }
        }
        [one] if one.text().as_deref() == Some(&wanted) => {}
        [one] => change.notes.push(format!("{} TXT {one} stays as it is", change.name)),
        [..] => change.notes.push(format!(
            "{} has {} records that begin with {}; others take none of them: remove all but one",
            change.name,
            there.len(),
            of.unwrap_or_default()
        )),
    }
}

/// The old record with the terms of ours that it lacks, put first: whoever may send goes on to be allowed, and
/// `all` and modifiers stay the old one's.
fn merged_spf(old: &str, ours: &str) -> String {
    let bare = |term: &str| term.trim_start_matches('+').to_ascii_lowercase();
    let present: Vec<String> = old.split_whitespace().map(bare).collect();
    let is_all = |term: &str| term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all");
    let missing: Vec<&str> = ours
        .split_whitespace()
        .skip(1)
        .filter(|term| !is_all(term) && !present.contains(&bare(term)))
        .collect();
    let mut terms = old.split_whitespace();
    match terms.next() {
        Some(version) if !missing.is_empty() => {
            [version].into_iter().chain(missing).chain(terms).collect::<Vec<_>>().join(" ")
        }
        _ => old.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::record::Need;

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
}
