//! From what is published to what should be: only what is ours is changed, and nobody's words are replaced.

use super::{Record, strings};
use crate::mail::{
    dmarc,
    dns::{Data, Kind, Name},
    mta_sts, spf,
};
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
            _ if kind == Kind::Cname => {
                let addresses = [Kind::A, Kind::Aaaa].iter().any(|kind| !published(name, *kind).is_empty());
                records.iter().for_each(|record| another_name(&mut change, &record.data, addresses));
            }
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

/// A CNAME stands alone (RFC 1034 §3.6.2): where there is anything, that stays.
fn another_name(change: &mut Change, data: &Data, addresses: bool) {
    match change.before.first() {
        Some(there) if there == data => {}
        Some(there) => change.notes.push(format!("{} CNAME {there} is not ours and stays", change.name)),
        None if addresses => {
            let note =
                format!("{} has addresses of its own, which stay; it could be a CNAME {data}", change.name);
            change.notes.push(note);
        }
        None => change.add.push(data.clone()),
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

/// What a text is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Spf,
    Dmarc,
    TlsReports,
    MtaSts,
}

impl Family {
    /// As receivers choose: a text that they pass over is nobody's (RFC 7208 §4.5, RFC 7489 §6.6.3, RFC 8460 §3,
    /// RFC 8461 §3.1).
    fn of(octets: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(octets).unwrap_or_default();
        if spf::Record::is_one(octets) {
            Some(Self::Spf)
        } else if dmarc::is_one(text) {
            Some(Self::Dmarc)
        } else if text
            .split(';')
            .next()
            .is_some_and(|first| first.trim_end_matches([' ', '\t']) == "v=TLSRPTv1")
        {
            Some(Self::TlsReports)
        } else {
            mta_sts::is_one(text).then_some(Self::MtaSts)
        }
    }

    /// What its records begin with.
    fn version(self) -> &'static str {
        match self {
            Self::Spf => "v=spf1",
            Self::Dmarc => "v=DMARC1",
            Self::TlsReports => "v=TLSRPTv1",
            Self::MtaSts => "v=STSv1",
        }
    }

    /// Whether a text was meant for it, and is passed over because of how it begins.
    fn meant(self, octets: &[u8]) -> bool {
        let text = String::from_utf8_lossy(octets).to_ascii_lowercase();
        let word = self.version().trim_start_matches("v=").to_ascii_lowercase();
        let begin: String = text.chars().take(word.len() + 8).collect();
        begin.contains(&word) && Self::of(octets).is_none()
    }
}

fn octets(data: &Data) -> Vec<u8> {
    match data {
        Data::Txt(strings) => strings.concat(),
        _ => Vec::new(),
    }
}

fn text(change: &mut Change, data: &Data) {
    let wanted = octets(data);
    if change.name.as_str().contains("._domainkey.") {
        // The name is our selector's: there is nothing of anybody else.
        let stale = change.before.iter().filter(|there| octets(there) != wanted).cloned();
        change.remove.extend(stale);
        if !change.before.iter().any(|there| octets(there) == wanted) {
            change.add.push(data.clone());
        }
        return;
    }
    let family = Family::of(&wanted);
    let of = |there: &&Data| family.is_some() && Family::of(&octets(there)) == family;
    let there: Vec<Data> = change.before.iter().filter(of).cloned().collect();
    match &there[..] {
        [] => {
            change.add.push(data.clone());
            let meant = |there: &&Data| family.is_some_and(|family| family.meant(&octets(there)));
            for there in change.before.iter().filter(meant) {
                change.notes.push(format!(
                    "{} TXT {there} is passed over by others, for it does not begin with {}; it stays, and can go",
                    change.name,
                    family.map_or("", Family::version)
                ));
            }
        }
        [one] if family == Some(Family::Spf) => spf_record(change, one, &wanted),
        [one] if octets(one) == wanted => {}
        [one] => change.notes.push(format!("{} TXT {one} stays as it is", change.name)),
        [..] => change.notes.push(format!(
            "{} has {} records that begin with {}; others take none of them: remove all but one",
            change.name,
            there.len(),
            family.map_or("", Family::version)
        )),
    }
}

/// What is broken goes on to be broken, whatever is added: a person mends it first.
fn spf_record(change: &mut Change, there: &Data, ours: &[u8]) {
    let old = octets(there);
    if let Err(fault) = spf::Record::parse(&old) {
        change.notes.push(format!(
            "{} TXT {there} stays as it is, and counts for nothing: {fault}; mend it first, mailctl dns-check shows how",
            change.name
        ));
        return;
    }
    let merged = merged_spf(&old, ours);
    if merged != old {
        change.remove.push(there.clone());
        change.add.push(strings(&merged));
    }
}

/// The old record with the terms of ours that it lacks, put first: whoever may send goes on to be allowed, and
/// `all` and modifiers stay the old one's.
fn merged_spf(old: &[u8], ours: &[u8]) -> Vec<u8> {
    let terms = |record| <[u8]>::split(record, |b: &u8| *b == b' ').filter(|term| !term.is_empty());
    let bare = |term: &[u8]| term.strip_prefix(b"+").unwrap_or(term).to_ascii_lowercase();
    let present: Vec<Vec<u8>> = terms(old).map(bare).collect();
    let is_all = |term: &[u8]| {
        let begins = term.first().is_some_and(|first| b"+-~?".contains(first));
        term[usize::from(begins)..].eq_ignore_ascii_case(b"all")
    };
    let missing: Vec<&[u8]> =
        terms(ours).skip(1).filter(|term| !is_all(term) && !present.contains(&bare(term))).collect();
    if missing.is_empty() {
        return old.to_vec();
    }
    let mut old = terms(old);
    old.next().into_iter().chain(missing).chain(old).collect::<Vec<_>>().join(&b' ')
}

#[cfg(test)]
mod tests;
