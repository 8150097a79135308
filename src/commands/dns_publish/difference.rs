//! What is published, beside what should be.

use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        dns::{Data, Kind, Name, Outcome, Question},
        record::{
            Record,
            merge::{Change, changes},
        },
    },
    settings::Settings,
    ui::Ui,
    world::dns::{Dns, zone::Zone},
};
use futures_util::future::join_all;
use std::{collections::HashMap, net::SocketAddr};

/// The difference, and where it goes.
pub struct Difference {
    /// The zone that the domain is in.
    pub zone: Zone,
    /// Who takes changes to it.
    pub server: SocketAddr,
    /// By name and kind; those without any are there as well.
    pub changes: Vec<Change>,
}

impl Difference {
    /// Asks the server that takes the changes, for it knows best; records outside of the zone are left out.
    pub async fn find(
        dns: &Dns,
        settings: &Settings,
        domain: &Domain,
        records: &[Record],
    ) -> Result<Self, Error> {
        let zone = dns.zone(&Name::from(domain)).await.map_err(|cause| {
            Error::new(codes::DNS_UNCHECKED, format!("the zone of {domain} is not known"))
                .cause(cause)
                .hint(format!("mailctl dns-check {domain} --only name-servers"))
        })?;
        let server = match (settings.dns.update_server, zone.primary_addresses.first()) {
            (Some(server), _) => server,
            (None, Some(address)) => SocketAddr::new(*address, 53),
            (None, None) => {
                return Err(Error::new(
                    codes::DNS_UNCHECKED,
                    format!("{}, which takes changes to {}, has no address", zone.primary, zone.apex),
                )
                .hint("name it as dns.update_server in mailctl.toml"));
            }
        };
        let records: Vec<Record> =
            records.iter().filter(|record| record.name.is_within(&zone.apex)).cloned().collect();
        let there = published(dns, server, &records).await?;
        let alias = |name: &Name| match there.get(&(name.clone(), Kind::Cname)).map(Vec::as_slice) {
            Some([Data::Cname(target), ..]) => Some(target.clone()),
            _ => None,
        };
        let of = |name: &Name, kind| there.get(&(name.clone(), kind)).cloned().unwrap_or_default();
        Ok(Self { changes: changes(&records, of, alias), zone, server })
    }

    /// What was left alone, and why.
    pub fn notes(&self) -> Vec<String> {
        self.changes.iter().flat_map(|change| change.notes.clone()).collect()
    }

    /// For a person, as a list of what goes and what comes.
    pub fn show(&self, ui: &mut Ui) {
        for change in &self.changes {
            let line = |sign: char, data: &Data| {
                format!("{sign} {}. {} IN {} {data}", change.name, change.ttl, change.kind)
            };
            change.remove.iter().for_each(|data| ui.data(line('-', data)));
            change.add.iter().for_each(|data| ui.data(line('+', data)));
        }
        self.notes().iter().for_each(|note| ui.warn(note));
    }
}

/// Everything under the names of `records`, and the CNAME there.
async fn published(
    dns: &Dns,
    server: SocketAddr,
    records: &[Record],
) -> Result<HashMap<(Name, Kind), Vec<Data>>, Error> {
    let mut wanted: Vec<(Name, Kind)> = records
        .iter()
        .flat_map(|record| {
            // Where a CNAME is wanted, whether something stands in its way.
            let kinds: &[Kind] = match record.data.kind() {
                Kind::Cname => &[Kind::A, Kind::Aaaa, Kind::Cname],
                kind => &[kind, Kind::Cname],
            };
            kinds.iter().map(|kind| (record.name.clone(), *kind)).collect::<Vec<_>>()
        })
        .collect();
    wanted.sort();
    wanted.dedup();
    let answers = join_all(
        wanted.iter().map(async |(name, kind)| dns.ask_at(server, &Question::new(name, *kind)).await),
    )
    .await;
    let mut there = HashMap::new();
    for ((name, kind), answer) in wanted.into_iter().zip(answers) {
        match answer.outcome {
            Outcome::Found(data) if answer.aliases.is_empty() || kind == Kind::Cname => {
                there.insert((name, kind), data);
            }
            Outcome::Found(_) | Outcome::Nothing { .. } => {}
            Outcome::Silent(why) => {
                return Err(Error::new(
                    codes::DNS_UNCHECKED,
                    format!("what {name} {kind} says now is not known"),
                )
                .cause(format!("{server}: {why}"))
                .hint("nothing was changed; try again"));
            }
        }
    }
    Ok(there)
}
