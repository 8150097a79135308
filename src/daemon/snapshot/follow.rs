//! Reads the store once, then whatever changes in it.

use super::{Memory, Snapshot};
use crate::{
    error::Error,
    mail::{address::Address, alias::Source},
    world::store::{Entry, Kind, Store},
};
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// A change is live after this, at the latest.
const POLL: Duration = Duration::from_millis(100);
/// Between two tries to open a store that does not open.
const RETRY: Duration = Duration::from_millis(500);

impl Snapshot {
    /// Follows the store for ever; faults are logged once each, then tried again.
    pub async fn follow(self: Arc<Self>, database: PathBuf) {
        let mut told = String::new();
        loop {
            let Err(error) = self.follow_one(&database).await else { continue };
            let fault = error.to_string();
            if fault != told {
                tracing::error!(%error, "the directory cannot be read; trying again");
                told = fault;
            }
            sleep(RETRY).await;
        }
    }

    /// Until the file is another one, or a read fails.
    async fn follow_one(&self, database: &Path) -> Result<(), Error> {
        let inode = inode(database);
        let store = Store::read_only(database).await?;
        let mut seen = self.read_all(&store).await?;
        let mut version = store.data_version().await?;
        loop {
            sleep(POLL).await;
            if self::inode(database) != inode {
                tracing::info!("the directory is another file now");
                return Ok(());
            }
            let now = store.data_version().await?;
            if now == version {
                continue;
            }
            version = now;
            match store.changes_since(seen).await? {
                Some(changes) => {
                    seen = changes.last().map_or(seen, |change| change.seq);
                    self.apply(&store, changes).await?;
                }
                None => seen = self.read_all(&store).await?,
            }
        }
    }

    /// Reads everything; the number of the last change that is surely in it.
    async fn read_all(&self, store: &Store) -> Result<i64, Error> {
        let began = Instant::now();
        // Changes that come while we read are applied again afterwards, which does no harm.
        let seen = store.last_change().await?;
        let here = self.memory.read().unwrap_or_else(PoisonError::into_inner).here.clone();
        let mut new = Memory::empty(here);
        new.domains.extend(store.domains().await?.iter().map(|domain| Box::from(domain.as_str())));
        let mut after = String::new();
        loop {
            let page = store.mailboxes("*", &after).await?;
            let Some([last, ..]) = page.rows().last() else { break };
            after = last.to_owned();
            new.mailboxes.extend(page.rows().map(|[address, ..]| Box::from(address)));
        }
        read_aliases(store, &mut new).await?;
        new.mailboxes.shrink_to_fit();
        new.aliases.shrink_to_fit();
        let (mailboxes, aliases, milliseconds) =
            (new.mailboxes.len(), new.aliases.len(), began.elapsed().as_millis());
        {
            let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
            new.here = memory.here.clone();
            *memory = new;
        }
        self.ready.store(true, Ordering::Release);
        tracing::info!(mailboxes, aliases, milliseconds, "directory read");
        Ok(seen)
    }

    async fn apply(&self, store: &Store, changes: Vec<Entry>) -> Result<(), Error> {
        for Entry { kind, key, .. } in changes {
            match kind {
                Kind::Domain => {
                    let domains = store.domains().await?;
                    let names = domains.iter().map(|domain| Box::from(domain.as_str())).collect();
                    self.memory.write().unwrap_or_else(PoisonError::into_inner).domains = names;
                }
                Kind::Mailbox => {
                    let Ok(address) = Address::parse(&key) else { continue };
                    let exists = store.mailbox(&address).await?.is_some();
                    let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
                    if exists {
                        memory.mailboxes.insert(key.into());
                    } else {
                        memory.mailboxes.remove(key.as_str());
                    }
                }
                Kind::Alias => {
                    let Ok(source) = Source::parse(&key) else { continue };
                    let targets: Vec<String> =
                        store.targets(&source).await?.iter().map(ToString::to_string).collect();
                    let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
                    if targets.is_empty() {
                        memory.aliases.remove(key.as_str());
                    } else {
                        memory.aliases.insert(key.into(), targets.join(",").into());
                    }
                }
                // Signing is rendered for OpenDKIM, not looked up.
                Kind::Signing => {}
            }
        }
        Ok(())
    }
}

/// Rows come sorted by source, then target, so the targets of one alias follow each other.
async fn read_aliases(store: &Store, memory: &mut Memory) -> Result<(), Error> {
    let (mut source, mut targets) = (String::new(), String::new());
    let mut after = (String::new(), String::new());
    loop {
        let page = store.aliases("*", (&after.0, &after.1)).await?;
        let Some([last_source, last_target]) = page.rows().last() else { break };
        after = (last_source.to_owned(), last_target.to_owned());
        for [next, target] in page.rows() {
            if next == source {
                targets.push(',');
            } else {
                keep(memory, &source, &targets);
                next.clone_into(&mut source);
                targets.clear();
            }
            targets.push_str(target);
        }
    }
    keep(memory, &source, &targets);
    Ok(())
}

fn keep(memory: &mut Memory, source: &str, targets: &str) {
    if !source.is_empty() {
        memory.aliases.insert(source.into(), targets.into());
    }
}

fn inode(file: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(file).ok().map(|meta| (meta.dev(), meta.ino()))
}
