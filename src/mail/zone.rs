//! A zone's own name servers, and whether all of them say the same.

use super::dns::{Answer, Data, Inquiry, Kind, Name, Question, Silence, Whom};
use std::net::IpAddr;

/// A zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Where it begins.
    pub apex: Name,
    /// Its name servers, sorted by name.
    pub servers: Vec<NameServer>,
}

/// One of its name servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Its name.
    pub name: Name,
    /// Its addresses; empty where it has none, or they could not be learnt.
    pub addresses: Vec<IpAddr>,
}

/// The zone that `name` is in: the nearest name above it, or itself, that has name servers. The root, whose servers are
/// not asked for, where not even its last label has any: it does not exist. `None` = an answer is missing.
pub fn of(inquiry: &Inquiry<'_>, name: &Name) -> Option<Result<Zone, Silence>> {
    let mut at = Some(name.clone());
    while let Some(apex) = at.filter(|apex| !apex.is_root()) {
        let answer = inquiry.ask(Question::new(&apex, Kind::Ns))?;
        let names: Vec<Name> = match answer.records() {
            Err(why) => return Some(Err(why.clone())),
            // Name servers of where an alias leads to are those of another zone.
            Ok(_) if !answer.aliases.is_empty() => Vec::new(),
            Ok(records) => records.iter().filter_map(name_server).collect(),
        };
        if !names.is_empty() {
            return servers(inquiry, names).map(|servers| Ok(Zone { apex, servers }));
        }
        at = apex.parent();
    }
    Some(Ok(Zone { apex: Name::root(), servers: Vec::new() }))
}

fn name_server(record: &Data) -> Option<Name> {
    match record {
        Data::Ns(name) => Some(name.clone()),
        _ => None,
    }
}

fn servers(inquiry: &Inquiry<'_>, mut names: Vec<Name>) -> Option<Vec<NameServer>> {
    names.sort();
    names.dedup();
    // All are asked before the first answer is looked at.
    let all: Vec<_> = names.iter().map(|name| addresses(inquiry, name)).collect();
    let both = names.into_iter().zip(all);
    both.map(|(name, addresses)| Some(NameServer { name, addresses: addresses? })).collect()
}

/// A and AAAA of a server; empty where it has none, or they could not be learnt. `None` = an answer is missing.
pub fn addresses(inquiry: &Inquiry<'_>, name: &Name) -> Option<Vec<IpAddr>> {
    let [four, six] = [Kind::A, Kind::Aaaa].map(|kind| inquiry.ask(Question::new(name, kind)));
    let records = [four?, six?].into_iter().flat_map(|answer| answer.records().unwrap_or_default());
    let address = |record: &Data| match record {
        Data::A(address) => Some(IpAddr::V4(*address)),
        Data::Aaaa(address) => Some(IpAddr::V6(*address)),
        _ => None,
    };
    Some(records.filter_map(address).collect())
}

/// What each address of each server of the zone says. `None` = an answer is missing.
pub fn said<'a>(
    inquiry: &Inquiry<'a>,
    zone: &Zone,
    name: &Name,
    kind: Kind,
) -> Option<Vec<(Name, IpAddr, &'a Answer)>> {
    let asked: Vec<_> = zone
        .servers
        .iter()
        .flat_map(|server| server.addresses.iter().map(move |address| (server.name.clone(), *address)))
        .map(|(server, address)| {
            (server, address, inquiry.ask(Question::new(name, kind).to(Whom::Server(address))))
        })
        .collect();
    asked.into_iter().map(|(server, address, answer)| Some((server, address, answer?))).collect()
}

/// Whether all servers of a zone say something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All do.
    Everywhere,
    /// These answer, and do not say it yet.
    Lacking(Vec<Name>),
    /// Nobody lacks it, but from these there was no answer that counts, each with why.
    Unknown(Vec<String>),
}

/// Whether every name server of the zone has records of which `holds` is true. A server with an address that is
/// silent counts by its other addresses. `None` = an answer is missing.
pub fn seen(inquiry: &Inquiry<'_>, name: &Name, kind: Kind, holds: impl Fn(&[Data]) -> bool) -> Option<Seen> {
    let zone = match of(inquiry, name)? {
        Ok(zone) if zone.apex.is_root() => {
            return Some(Seen::Unknown(vec![format!("no zone holds {name}")]));
        }
        Ok(zone) => zone,
        Err(why) => return Some(Seen::Unknown(vec![format!("{name}: {why}")])),
    };
    let said = said(inquiry, &zone, name, kind)?;
    let (mut lacking, mut unknown) = (Vec::new(), Vec::new());
    for server in &zone.servers {
        let answers: Vec<_> = said
            .iter()
            .filter(|(of, ..)| *of == server.name)
            .map(|(_, address, answer)| (address, answer.records()))
            .collect();
        let heard = || answers.iter().filter_map(|(_, records)| records.as_ref().ok());
        if heard().any(|records| !holds(records)) {
            lacking.push(server.name.clone());
        } else if heard().next().is_none() {
            let why = match answers.first() {
                Some((address, Err(why))) => format!("{} ({address}): {why}", server.name),
                _ => format!("{}: has no address", server.name),
            };
            unknown.push(why);
        }
    }
    Some(match (lacking.is_empty(), unknown.is_empty()) {
        (true, true) => Seen::Everywhere,
        (false, _) => Seen::Lacking(lacking),
        (true, false) => Seen::Unknown(unknown),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::dns::{Known, Outcome};

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// Two servers, the first with an IPv6 address that is silent; `texts`: what each says, `None` = nothing.
    fn world(texts: [Option<&str>; 2]) -> Known {
        let mut known = Known::default();
        let selector = name("s._domainkey.example.org");
        for above in ["s._domainkey.example.org", "_domainkey.example.org"] {
            let nothing = Answer::new(Outcome::Nothing { exists: true });
            known.answers.insert(Question::new(name(above), Kind::Ns), nothing);
        }
        for (server, (address, text)) in ["a", "b"].iter().zip(["192.0.2.1", "192.0.2.2"].iter().zip(texts)) {
            let server = name(&format!("{server}.example.net"));
            known.add(&name("example.org"), Data::Ns(server.clone()));
            known.add(&server, Data::A(address.parse().unwrap()));
            let outcome = match text {
                Some(text) => Outcome::Found(vec![Data::Txt(vec![text.as_bytes().to_vec()])]),
                None => Outcome::Silent(Silence::Timeout),
            };
            let question = Question::new(&selector, Kind::Txt).to(Whom::Server(address.parse().unwrap()));
            known.answers.insert(question, Answer::new(outcome));
        }
        let six = "2001:db8::1".parse().unwrap();
        known.add(&name("a.example.net"), Data::Aaaa(six));
        let none = Answer::new(Outcome::Nothing { exists: true });
        known.answers.insert(Question::new(name("b.example.net"), Kind::Aaaa), none);
        let silent = Answer::new(Outcome::Silent(Silence::Timeout));
        known.answers.insert(Question::new(&selector, Kind::Txt).to(Whom::Server(six.into())), silent);
        known
    }

    fn judge(texts: [Option<&str>; 2]) -> Seen {
        let known = world(texts);
        let inquiry = Inquiry::new(&known);
        let holds = |records: &[Data]| records.iter().any(|record| record.text().as_deref() == Some("new"));
        seen(&inquiry, &name("s._domainkey.example.org"), Kind::Txt, holds).unwrap()
    }

    /// Proves: a record is there when every server of the zone says so, and silence is neither yes nor no.
    #[test]
    fn everywhere_is_everywhere() {
        assert_eq!(judge([Some("new"), Some("new")]), Seen::Everywhere);
        assert_eq!(judge([Some("new"), Some("old")]), Seen::Lacking(vec![name("b.example.net")]));
        assert_eq!(judge([None, Some("old")]), Seen::Lacking(vec![name("b.example.net")]));
        let Seen::Unknown(why) = judge([Some("new"), None]) else { panic!() };
        assert_eq!(why, ["b.example.net (192.0.2.2): no answer in time"]);
    }

    #[test]
    fn what_is_missing_is_asked_for_all_servers_at_once() {
        let mut known = world([None, None]);
        known.answers.retain(|question, _| question.whom == Whom::Resolver);
        let inquiry = Inquiry::new(&known);
        assert_eq!(seen(&inquiry, &name("s._domainkey.example.org"), Kind::Txt, |_| true), None);
        assert_eq!(inquiry.missing().questions.len(), 3);
    }
}
