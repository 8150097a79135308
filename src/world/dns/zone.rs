//! Where a zone begins, who serves it, and whether all of them answer with what was published.

use super::{Dns, settle, window::Turn};
use crate::mail::{
    dns::{Data, Inquiry, Kind, Name, Question, Silence, Whom},
    zone::{self, NameServer},
};
use futures_util::future::join_all;
use std::{net::IpAddr, time::Duration};
use tokio::time::Instant;

/// How long to wait before asking again: first, and at most. Secondaries are told of a change within seconds
/// (RFC 1996); those that are not ask by themselves, which takes longer than anybody waits.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// A zone and its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name.
    pub apex: Name,
    /// The server that takes changes, as its SOA says.
    pub primary: Name,
    /// Addresses of the primary; empty where it is hidden or has none.
    pub primary_addresses: Vec<IpAddr>,
    /// Everybody who answers for it, by its NS records.
    pub servers: Vec<NameServer>,
}

/// What one server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Its name.
    pub server: Name,
    /// Where it was asked; `None`: it has no address.
    pub address: Option<IpAddr>,
    /// What it said.
    pub seen: Seen,
}

/// An answer beside what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The same.
    Same,
    /// These records instead.
    Other(Vec<Data>),
    /// It does not serve the zone (RFC 1912 §2.8).
    Lame,
    /// Nothing, for this reason.
    Silent(String),
}

impl Dns {
    /// The zone that `name` stands in; the error is one clear line.
    pub async fn zone(&self, name: &Name) -> Result<Zone, String> {
        let found = settle(self, |inquiry| found(inquiry, name)).await?;
        found.verdict
    }

    /// Asks every server of `zone` until all answer with exactly `expected` (in any order; none = no such
    /// records), at most for `patience`. `seen` gets every round. The error is how it stood at last. A server with
    /// several addresses counts when it answers at one and nowhere wrongly: not every host reaches IPv6.
    pub async fn published(
        &self,
        zone: &Zone,
        (name, kind, expected): (&Name, Kind, &[Data]),
        patience: Duration,
        mut seen: impl FnMut(&[Stand]),
    ) -> Result<Vec<Stand>, Vec<Stand>> {
        let deadline = Instant::now() + patience;
        let mut pause = PAUSES.0;
        loop {
            let stands = self.stands(zone, name, kind, expected).await;
            seen(&stands);
            if complete(zone, &stands) {
                return Ok(stands);
            }
            if Instant::now() + pause >= deadline {
                return Err(stands);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// What every server of `zone` answers now.
    pub async fn stands(&self, zone: &Zone, name: &Name, kind: Kind, expected: &[Data]) -> Vec<Stand> {
        let places = zone.servers.iter().flat_map(|server| {
            let nowhere = server.addresses.is_empty().then_some(None);
            let places = server.addresses.iter().map(|address| Some(*address)).chain(nowhere);
            places.map(|address| (server.name.clone(), address))
        });
        join_all(places.map(async |(server, address)| {
            let seen = match address {
                Some(address) => self.stand(address, &Question::new(name, kind), expected).await,
                None => Seen::Silent("it has no address".to_owned()),
            };
            Stand { server, address, seen }
        }))
        .await
    }

    async fn stand(&self, address: IpAddr, question: &Question, expected: &[Data]) -> Seen {
        // Not what is remembered: the answer is waited for to change.
        let answer = self.find(&question.clone().to(Whom::Server(address)), Turn::Queue).await.answer;
        let sorted = |records: &[Data]| {
            let mut records = records.to_vec();
            records.sort();
            records
        };
        match answer.records() {
            Err(why) => Seen::Silent(why.to_string()),
            Ok(_) if !answer.authoritative => Seen::Lame,
            Ok(records) if sorted(records) == sorted(expected) => Seen::Same,
            Ok(records) => Seen::Other(records.to_vec()),
        }
    }
}

/// By its NS records, as the checks find it, and with the primary that its SOA names. `None` = an answer is missing.
fn found(inquiry: &Inquiry<'_>, name: &Name) -> Option<Result<Zone, String>> {
    let told = |why: &Silence| format!("the zone of {name} could not be found: {why}");
    let zone = match zone::of(inquiry, name)? {
        Ok(zone) if zone.apex.is_root() => return Some(Err(format!("no zone holds {name}"))),
        Ok(zone) => zone,
        Err(why) => return Some(Err(told(&why))),
    };
    let begin = inquiry.ask(Question::new(&zone.apex, Kind::Soa))?;
    let primary = match begin.records() {
        Err(why) => return Some(Err(told(why))),
        Ok(records) => records.iter().find_map(|record| match record {
            Data::Soa { primary, .. } => Some(primary.clone()),
            _ => None,
        }),
    };
    let Some(primary) = primary else { return Some(Err(format!("{} has no SOA record", zone.apex))) };
    let primary_addresses = zone::addresses(inquiry, &primary)?;
    Some(Ok(Zone { apex: zone.apex, primary, primary_addresses, servers: zone.servers }))
}

fn complete(zone: &Zone, stands: &[Stand]) -> bool {
    let wrong = |stand: &Stand| matches!(stand.seen, Seen::Other(_) | Seen::Lame);
    let right = |server: &NameServer| {
        stands.iter().any(|stand| stand.server == server.name && stand.seen == Seen::Same)
    };
    !zone.servers.is_empty() && zone.servers.iter().all(right) && !stands.iter().any(wrong)
}
