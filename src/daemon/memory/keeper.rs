//! `Keeper`: reads what is remembered from the disk once, then writes what changes.

use super::table::{Durable, HEAD};
use crate::world::journal::{Journal, Opened};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Between two writes: what kill -9 can cost.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a disk that does not take anything is left alone.
const RETRY: Duration = Duration::from_secs(5);
/// Between two sweeps.
const SWEEP: Duration = Duration::from_secs(60);
/// Octets of changes after which it is worth writing everything anew, at least.
const WORTH: usize = 8 << 20;

/// What was found on the disk.
pub(super) struct Found {
    journal: Journal,
    batches: Vec<Vec<u8>>,
}

impl Found {
    pub(super) fn secret(&self) -> [u8; 16] {
        self.journal.secret()
    }
}

/// Opens `file`; what is wrong is told in the log.
pub(super) async fn find(file: &Path) -> Option<Found> {
    let mut batches = Vec::new();
    match Journal::open(file, |_, batch| batches.push(batch.to_owned())).await {
        Ok(Opened { journal, aside }) => {
            if let Some((aside, why)) = aside {
                batches.clear();
                tracing::error!(file = %file.display(), aside = %aside.display(), why,
                    "what the policies remember was damaged and is moved aside; they begin anew");
            }
            Some(Found { journal, batches })
        }
        Err(error) => {
            tracing::error!(%error, "what the policies remember is kept in memory only");
            None
        }
    }
}

/// How writing does.
#[derive(Default)]
pub struct Standing {
    stuck: AtomicBool,
    written: AtomicU64,
    entries: AtomicU64,
}

impl Standing {
    /// Whether the last write went well.
    pub fn well(&self) -> bool {
        !self.stuck.load(Relaxed)
    }

    /// Octets written since the start, and entries at the last sweep.
    pub fn figures(&self) -> (u64, u64) {
        (self.written.load(Relaxed), self.entries.load(Relaxed))
    }
}

/// Writes the tables.
pub struct Keeper {
    tables: Vec<Arc<dyn Durable>>,
    journal: Option<Journal>,
    standing: Arc<Standing>,
    /// Octets of everything, when it was last written.
    whole: usize,
}

impl Keeper {
    pub(super) fn new(tables: Vec<Arc<dyn Durable>>, found: Option<Found>, now: u32) -> Self {
        let standing = Arc::new(Standing::default());
        standing.stuck.store(found.is_none(), Relaxed);
        let mut keeper = Self { tables, journal: None, standing, whole: 0 };
        if let Some(found) = found {
            found.batches.iter().for_each(|batch| keeper.restore(batch));
            keeper.journal = Some(found.journal);
        }
        let entries = keeper.sweep(now);
        tracing::info!(entries, "memory read");
        keeper
    }

    /// For the metrics.
    pub fn standing(&self) -> Arc<Standing> {
        self.standing.clone()
    }

    /// An entry of a kind that is not known ends its batch: a newer mailctl wrote it.
    fn restore(&self, mut batch: &[u8]) {
        while let Some((head, rest)) = batch.split_at_checked(HEAD) {
            let Some(table) = self.tables.iter().find(|table| table.kind() == head[0]) else { return };
            let Some((value, rest)) = rest.split_at_checked(table.octets()) else { return };
            let part = |at: usize| -> [u8; 8] { std::array::from_fn(|index| head[at + index]) };
            let key = [u64::from_le_bytes(part(1)), u64::from_le_bytes(part(9))];
            let until = u32::from_le_bytes([head[17], head[18], head[19], head[20]]);
            table.restore(key, until, value);
            batch = rest;
        }
    }

    /// Writes until `stop`, and once more then.
    pub async fn keep(mut self, stop: Arc<Notify>) {
        let mut sweep = Instant::now() + SWEEP;
        let mut next = Instant::now() + PAUSE;
        loop {
            let stopping = tokio::select! {
                () = sleep_until(next) => false,
                () = stop.notified() => true,
            };
            if Instant::now() >= sweep {
                self.sweep(unix_now());
                sweep = Instant::now() + SWEEP;
            }
            let pause = if self.write().await { PAUSE } else { RETRY };
            if stopping {
                return;
            }
            next = Instant::now() + pause;
        }
    }

    fn sweep(&self, now: u32) -> u64 {
        let entries = self.tables.iter().map(|table| table.sweep(now) as u64).sum();
        self.standing.entries.store(entries, Relaxed);
        entries
    }

    /// Whether the disk took it.
    pub(super) async fn write(&mut self) -> bool {
        let Some(journal) = &mut self.journal else { return true };
        let stuck = self.standing.stuck.load(Relaxed);
        // After a failure the changes of then are in no batch: everything is written.
        let done = if stuck || journal.octets() > WORTH.max(3 * self.whole) {
            let parts: Vec<Vec<u8>> = self.tables.iter().flat_map(|table| table.everything()).collect();
            self.whole = parts.iter().map(Vec::len).sum();
            journal.replace(&parts).await.map(|()| self.whole)
        } else {
            let mut batch = Vec::new();
            self.tables.iter().for_each(|table| table.changes(&mut batch));
            if batch.is_empty() {
                return true;
            }
            journal.append(&batch).await.map(|()| batch.len())
        };
        match done {
            Ok(octets) => {
                self.standing.written.fetch_add(octets as u64, Relaxed);
                if self.standing.stuck.swap(false, Relaxed) {
                    tracing::info!("what the policies remember is written again");
                }
                true
            }
            Err(error) => {
                if !self.standing.stuck.swap(true, Relaxed) {
                    tracing::error!(%error, "what the policies remember cannot be written; memory goes on");
                }
                false
            }
        }
    }
}

/// The second it is, in Unix time.
pub fn unix_now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    u32::try_from(since).unwrap_or(u32::MAX)
}
