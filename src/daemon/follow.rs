//! Keeps the snapshot current: follows the database's log of changes.
//!
//! What goes wrong here never empties the directory: the last good snapshot answers until there is a newer
//! one, and without any, sessions answer "try later".

use super::{memory::unix_now, snapshot::Snapshot, state::State};
use crate::{
    error::Error,
    mail::list::Table,
    world::store::{Entry, Kind, Listed, Row, Store, rules},
};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};

/// How often the database is asked for news; a question costs a tenth of a millisecond.
const POLL: Duration = Duration::from_millis(100);
/// How long a database that cannot be read is left alone.
const RETRY: Duration = Duration::from_millis(500);

/// Follows `database` for ever; `again` = read everything anew.
pub async fn follow(state: Arc<State>, database: PathBuf, again: Arc<Notify>) {
    let mut told = String::new();
    loop {
        match watch(&state, &database, &again, &mut told).await {
            Ok(()) => continue,
            Err(error) => {
                let why = error.to_string();
                if why != told {
                    // Once, and not twice a second.
                    tracing::error!(%error, "the directory cannot be read; the last good one is served, if any");
                    told = why;
                }
            }
        }
        sleep(RETRY).await;
    }
}

/// Opens and reads the database, then follows it until it is another one or fails.
async fn watch(state: &State, database: &Path, again: &Notify, told: &mut String) -> Result<(), Error> {
    let file = identity(database);
    let store = Store::read_only(database).await?;
    let mut version = store.data_version().await?;
    let (snapshot, mut seen) = read(&store).await?;
    let mut listed = listed(&store).await;
    let (mailboxes, aliases) = snapshot.counts();
    tracing::info!(mailboxes, aliases, "directory read");
    {
        let mut known = state.write();
        known.snapshot = Some(snapshot);
        if let Some((table, _)) = &listed {
            known.lists.commands = table.clone();
        }
        known.seen = seen;
    }
    told.clear();
    loop {
        tokio::select! {
            () = sleep(POLL) => {}
            () = again.notified() => return Ok(()),
        }
        let now = store.data_version().await?;
        if now != version {
            let Some(entries) = store.changes_since(seen).await? else { return Ok(()) };
            if entries.iter().any(|entry| entry.kind == Kind::List) {
                relist(&store, state, &mut listed).await;
            }
            apply(&store, state, &entries).await?;
            seen = entries.last().map_or(seen, |entry| entry.seq);
            version = now;
        }
        if listed.as_ref().is_some_and(|(_, until)| until.is_some_and(|until| until <= unix_now().into())) {
            relist(&store, state, &mut listed).await;
        }
        if identity(database) != file {
            tracing::info!("the database's file was replaced");
            return Ok(());
        }
    }
}

fn identity(file: &Path) -> Option<(u64, u64)> {
    fs::metadata(file).ok().map(|file| (file.dev(), file.ino()))
}

/// Everything, and the number of the last change that is in it for sure.
async fn read(store: &Store) -> Result<(Snapshot, i64), Error> {
    // What is written while we read is in the log after this number, and is read once more.
    let seen = store.last_change().await?;
    let mut snapshot = Snapshot::default();
    snapshot.set_domains(store.domains().await?.iter().map(ToString::to_string));
    snapshot.set_rights(store.rights().await?);
    for (source, terms) in store.all_terms(None).await? {
        snapshot.forwards.set_terms(&source, Some(&terms));
    }
    let rules = store.rules(None).await?;
    for of_source in rules.chunk_by(|one, next| one.0 == next.0) {
        let read = of_source.iter().map(rules::read).collect();
        if let Some((source, ..)) = of_source.first() {
            snapshot.forwards.set_rules(source, read);
        }
    }
    let patterns = store.patterns(None).await?;
    for of_domain in patterns.chunk_by(|(one, ..), (next, ..)| one == next) {
        let rows = of_domain.iter().map(|(_, source, target)| (source.as_str(), target.as_str()));
        of_domain
            .first()
            .into_iter()
            .for_each(|(domain, ..)| snapshot.forwards.set_patterns(domain, rows.clone()));
    }
    let (mut source, mut targets) = (String::new(), String::new());
    store
        .read_all(|row| match row {
            Row::Mailbox(address) => snapshot.set_mailbox(address, true),
            Row::Alias { source: of, target } => {
                if of != source {
                    if !source.is_empty() {
                        snapshot.set_targets(&source, &targets);
                    }
                    of.clone_into(&mut source);
                    targets.clear();
                }
                if !targets.is_empty() {
                    targets.push(',');
                }
                targets.push_str(target);
            }
        })
        .await?;
    if !source.is_empty() {
        snapshot.set_targets(&source, &targets);
    }
    snapshot.settle();
    Ok((snapshot, seen))
}

/// The entries that commands made, compiled, and the second at which the first of them is over.
type Listing = (Arc<Table>, Option<i64>);

/// A fault of theirs leaves those that were there before, and keeps nobody from having mail.
async fn listed(store: &Store) -> Option<Listing> {
    match store.listed(unix_now().into()).await {
        Ok(all) => {
            let until = all.iter().filter_map(|listed| listed.until).min();
            Some((Arc::new(Table::new(all.iter().map(Listed::entry).collect())), until))
        }
        Err(error) => {
            tracing::error!(%error, "the entries of lists cannot be read; those of before count");
            None
        }
    }
}

async fn relist(store: &Store, state: &State, known: &mut Option<Listing>) {
    let Some((table, until)) = listed(store).await else {
        // Not again until something changes.
        *known = None;
        return;
    };
    state.write().lists.commands = table.clone();
    *known = Some((table, until));
}

/// Reads each thing that changed anew, then puts all of it in place at once.
async fn apply(store: &Store, state: &State, entries: &[Entry]) -> Result<(), Error> {
    let keys = |kind: Kind| {
        let of_kind = entries.iter().filter(|entry| entry.kind == kind);
        of_kind.map(|entry| entry.key.as_str()).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let (addresses, sources) = (keys(Kind::Mailbox), keys(Kind::Alias));
    let present: BTreeSet<String> = store.mailboxes_among(&addresses).await?.into_iter().collect();
    let aliases = store.aliases_among(&sources).await?;
    let domains = if keys(Kind::Domain).is_empty() { None } else { Some(store.domains().await?) };
    let (forwards, patterned) = (keys(Kind::Forward), keys(Kind::Pattern));
    let terms = if forwards.is_empty() { Vec::new() } else { store.all_terms(Some(&forwards)).await? };
    let patterns = if patterned.is_empty() { Vec::new() } else { store.patterns(Some(&patterned)).await? };
    let ruled = keys(Kind::Rule);
    let rules = if ruled.is_empty() { Vec::new() } else { store.rules(Some(&ruled)).await? };
    let rights = if keys(Kind::Right).is_empty() { None } else { Some(store.rights().await?) };

    let mut known = state.write();
    let Some(snapshot) = &mut known.snapshot else { return Ok(()) };
    for address in addresses {
        snapshot.set_mailbox(address, present.contains(address));
    }
    for source in sources {
        // Sorted by source: those of one follow each other.
        let first = aliases.partition_point(|(of, _)| of.as_str() < source);
        let of_source = aliases[first..].iter().take_while(|(of, _)| of == source);
        let targets: Vec<&str> = of_source.map(|(_, target)| target.as_str()).collect();
        snapshot.set_targets(source, &targets.join(","));
    }
    for source in forwards {
        let of_source = terms.iter().find(|(of, _)| of == source);
        snapshot.forwards.set_terms(source, of_source.map(|(_, terms)| terms));
    }
    for source in ruled {
        let of_source = rules.iter().filter(|row| row.0 == source);
        snapshot.forwards.set_rules(source, of_source.map(rules::read).collect());
    }
    for domain in patterned {
        let of_domain = patterns.iter().filter(|(of, ..)| of == domain);
        let rows = of_domain.map(|(_, source, target)| (source.as_str(), target.as_str()));
        snapshot.forwards.set_patterns(domain, rows);
    }
    if let Some(domains) = domains {
        snapshot.set_domains(domains.iter().map(ToString::to_string));
    }
    if let Some(rights) = rights {
        snapshot.set_rights(rights);
    }
    known.seen = entries.last().map_or(known.seen, |entry| entry.seq);
    Ok(())
}

#[cfg(test)]
mod tests;
