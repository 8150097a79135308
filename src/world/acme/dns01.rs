//! DNS-01: records below `_acme-challenge` (RFC 8555 §8.4), sent to the zone's server as signed updates (RFC 2136).

use super::fault::Fault;
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        dns::{Data, Kind, Name, Outcome, Question, Whom},
    },
    settings::Settings,
    world::dns::{
        Dns,
        update::{self, Change},
        zone::Zone,
    },
};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

/// Seconds for which others may keep such a record.
const TTL: u32 = 60;

/// How long all name servers get to answer with it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where records are published.
pub struct Zones<'a> {
    /// Who is asked.
    pub dns: &'a Dns,
    /// Who takes changes, and with which key.
    pub settings: &'a Settings,
}

/// A place in DNS that takes the records of one name.
struct Place {
    at: Name,
    zone: Zone,
    server: SocketAddr,
}

impl Zones<'_> {
    /// Publishes a text for each name, and returns when every name server of each zone answers with it.
    pub async fn add(&self, texts: impl Iterator<Item = (Domain, String)>) -> Result<(), Fault> {
        // Two names can lead to one place by an alias.
        let mut wanted: BTreeMap<Name, Vec<String>> = BTreeMap::new();
        for (name, text) in texts {
            wanted.entry(self.follow(&name).await?).or_default().push(text);
        }
        for (at, texts) in wanted {
            let place = self.place(at).await?;
            let before = self.there(&place).await?;
            let mut after = before.clone();
            after.extend(texts.iter().map(|text| Data::Txt(vec![text.clone().into_bytes()])));
            after.sort();
            after.dedup();
            self.change(&place, before, after.clone()).await?;
            let seen =
                self.dns.published(&place.zone, (&place.at, Kind::Txt, &after), PATIENCE, |_| {}).await;
            if seen.is_err() {
                return Err(Error::new(
                    codes::DNS_LATE,
                    format!("not every name server of {} answers with {} yet", place.zone.apex, place.at),
                )
                .hint("mailctl dns-check --only name-servers")
                .into());
            }
        }
        Ok(())
    }

    /// Removes those texts again; others stay. Where the zone cannot be changed now, they stay too: they say nothing
    /// to anybody once the order is at its end.
    pub async fn remove(&self, texts: &[(String, String)]) -> Result<(), Fault> {
        for (name, text) in texts {
            let Ok(name) = Domain::parse(name) else { continue };
            let place = self.place(self.follow(&name).await?).await?;
            let before = self.there(&place).await?;
            let ours = Data::Txt(vec![text.clone().into_bytes()]);
            let mut after: Vec<Data> = before.iter().filter(|data| **data != ours).cloned().collect();
            after.sort();
            self.change(&place, before, after).await?;
        }
        Ok(())
    }

    /// `_acme-challenge.NAME`, or where its alias leads: so a zone that takes no updates can be left out.
    async fn follow(&self, name: &Domain) -> Result<Name, Fault> {
        let at = Name::from(name).child("_acme-challenge");
        let at = at.map_err(|error| Error::new(codes::NAME_MALFORMED, error.to_string()))?;
        let answer = self.dns.fresh().ask(&Question::new(&at, Kind::Cname)).await;
        match answer.outcome {
            Outcome::Found(records) => Ok(match records.into_iter().next() {
                Some(Data::Cname(target)) => target,
                _ => at,
            }),
            Outcome::Nothing { .. } => Ok(at),
            Outcome::Silent(why) => Err(unknown(&at, why)),
        }
    }

    async fn place(&self, at: Name) -> Result<Place, Fault> {
        let zone = self.dns.zone(&at).await.map_err(|why| unknown(&at, why))?;
        let first = zone.primary_addresses.first().map(|address| SocketAddr::new(*address, 53));
        let server = self.settings.dns.update_server.or(first).ok_or_else(|| {
            Error::new(
                codes::DNS_UNCHECKED,
                format!("{}, which takes changes to {}, has no address", zone.primary, zone.apex),
            )
            .hint("name it as dns.update_server in mailctl.toml")
        })?;
        Ok(Place { at, zone, server })
    }

    /// What the server that takes changes says now.
    async fn there(&self, place: &Place) -> Result<Vec<Data>, Fault> {
        let question = Question::new(&place.at, Kind::Txt).to(Whom::Server(place.server.ip()));
        match self.dns.fresh().ask(&question).await.outcome {
            Outcome::Found(records) => Ok(records),
            Outcome::Nothing { .. } => Ok(Vec::new()),
            Outcome::Silent(why) => Err(unknown(&place.at, why)),
        }
    }

    async fn change(&self, place: &Place, before: Vec<Data>, after: Vec<Data>) -> Result<(), Fault> {
        let mut sorted = before.clone();
        sorted.sort();
        if sorted == after {
            return Ok(());
        }
        let Some(file) = &self.settings.dns.update_key_file else {
            return Err(Error::new(codes::DNS_KEY, "no key is set that could sign changes to DNS")
                .hint("set dns.update_key_file in mailctl.toml; mailctl help dns tells how")
                .into());
        };
        let change = Change { name: place.at.clone(), kind: Kind::Txt, before, after, ttl: TTL };
        let key = update::key(file)?;
        let sent = self.dns.update(place.server, &place.zone.apex, &key, &[change]).await;
        Ok(sent.map_err(|refusal| refusal.error(place.server, &place.zone.apex))?)
    }
}

fn unknown(at: &Name, why: impl std::fmt::Display) -> Fault {
    Error::new(codes::DNS_UNCHECKED, format!("what {at} says now is not known")).cause(why).into()
}
