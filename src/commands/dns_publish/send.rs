//! Sends a difference, and waits until it is everywhere.

use super::difference::Difference;
use crate::{
    error::{Error, codes},
    settings::Settings,
    ui::Ui,
    world::dns::{
        Dns, update,
        zone::{Seen, Stand},
    },
};
use futures_util::future::join_all;
use std::time::Duration;

/// All of it or nothing: one update, which the server takes only while everything is as it was seen.
pub async fn send(dns: &Dns, settings: &Settings, difference: &Difference) -> Result<(), Error> {
    let Some(file) = &settings.dns.update_key_file else {
        return Err(Error::new(codes::DNS_KEY, "no key is set that could sign changes to DNS")
            .hint("set dns.update_key_file in mailctl.toml; mailctl help dns tells how")
            .hint("publish by hand: mailctl dns-records --format form"));
    };
    let key = update::key(file)?;
    let changes: Vec<update::Change> = difference
        .changes
        .iter()
        .filter(|change| !change.is_empty())
        .map(|change| update::Change {
            name: change.name.clone(),
            kind: change.kind,
            before: change.before.clone(),
            after: change.after(),
            ttl: change.ttl,
        })
        .collect();
    let zone = &difference.zone.apex;
    dns.update(difference.server, zone, &key, &changes)
        .await
        .map_err(|refusal| refusal.error(difference.server, zone))
}

/// Until every name server of the zone answers with all of it; the error names those that do not.
pub async fn wait(dns: &Dns, difference: &Difference, patience: Duration, ui: &mut Ui) -> Result<(), Error> {
    let progress = ui.progress();
    progress.phase("waiting for every name server");
    let waits = difference.changes.iter().filter(|change| !change.is_empty()).map(async |change| {
        let after = change.after();
        let seen =
            dns.published(&difference.zone, (&change.name, change.kind, &after), patience, |_| {}).await;
        seen.map(drop).map_err(|stands| (change, stands))
    });
    let late: Vec<_> = join_all(waits).await.into_iter().filter_map(Result::err).collect();
    drop(progress);
    let Some((change, stands)) = late.first() else { return Ok(()) };
    let error = Error::new(
        codes::DNS_LATE,
        format!("the change was sent, but {} {} is not the same everywhere yet", change.name, change.kind),
    );
    let error = stands.iter().filter_map(told).fold(error, |error, line| error.cause(line));
    Err(error.hint("secondary servers may need minutes; look again: mailctl dns-check --authoritative"))
}

fn told(stand: &Stand) -> Option<String> {
    let what = match &stand.seen {
        Seen::Same => return None,
        Seen::Other(records) if records.is_empty() => "has nothing".to_owned(),
        Seen::Other(records) => {
            format!("says {}", records.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Seen::Lame => "does not serve the zone".to_owned(),
        Seen::Silent(why) => why.clone(),
    };
    Some(format!("{}: {what}", stand.server))
}
