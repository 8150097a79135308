//! Where a zone begins, who serves it, and whether all of them answer with what was published.

use super::{Dns, window::Turn};
use crate::mail::dns::{Data, Kind, Name, Outcome, Question, Whom};
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
    pub servers: Vec<Server>,
}

/// One name server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: Name,
    /// Its addresses; empty = it has none, or they could not be found.
    pub addresses: Vec<IpAddr>,
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
    /// The zone that `name` stands in; the error is one clear line. All names above are asked for at once.
    pub async fn zone(&self, name: &Name) -> Result<Zone, String> {
        let above: Vec<Name> = std::iter::successors(Some(name.clone()), Name::parent).collect();
        let starts =
            join_all(above.iter().map(async |name| self.ask(&Question::new(name, Kind::Soa)).await)).await;
        let mut apex = None;
        for (name, answer) in above.iter().zip(&starts) {
            match &answer.outcome {
                // Behind an alias stands another zone.
                Outcome::Found(records) if answer.aliases.is_empty() => {
                    apex = records.iter().find_map(|record| match record {
                        Data::Soa { primary, .. } => Some((name.clone(), primary.clone())),
                        _ => None,
                    });
                    break;
                }
                Outcome::Silent(why) => return Err(format!("the zone of {name} could not be found: {why}")),
                Outcome::Found(_) | Outcome::Nothing { .. } => {}
            }
        }
        let (apex, primary) = apex.ok_or_else(|| format!("no zone holds {name}"))?;
        let servers = self.ask(&Question::new(&apex, Kind::Ns)).await;
        let servers =
            servers.records().map_err(|why| format!("the servers of {apex} could not be found: {why}"))?;
        let names = servers.iter().filter_map(|record| match record {
            Data::Ns(name) => Some(name.clone()),
            _ => None,
        });
        let server = async |name: Name| Server { addresses: self.addresses_of(&name).await, name };
        let (mut servers, primary_addresses) =
            tokio::join!(join_all(names.map(server)), self.addresses_of(&primary));
        servers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Zone { apex, primary, primary_addresses, servers })
    }

    async fn addresses_of(&self, name: &Name) -> Vec<IpAddr> {
        let (four, six) = (Question::new(name, Kind::A), Question::new(name, Kind::Aaaa));
        let (four, six) = tokio::join!(self.ask(&four), self.ask(&six));
        let records =
            [four, six].into_iter().flat_map(|answer| answer.records().unwrap_or_default().to_vec());
        let address = |record| match record {
            Data::A(address) => Some(IpAddr::V4(address)),
            Data::Aaaa(address) => Some(IpAddr::V6(address)),
            _ => None,
        };
        records.filter_map(address).collect()
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

fn complete(zone: &Zone, stands: &[Stand]) -> bool {
    let wrong = |stand: &Stand| matches!(stand.seen, Seen::Other(_) | Seen::Lame);
    let right =
        |server: &Server| stands.iter().any(|stand| stand.server == server.name && stand.seen == Seen::Same);
    !zone.servers.is_empty() && zone.servers.iter().all(right) && !stands.iter().any(wrong)
}
