//! How many connections came to a door, how many are open, how many were turned away, how many a fault of ours ended.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Traffic {
    came: AtomicU64,
    turned_away: AtomicU64,
    open: AtomicU64,
    failed: AtomicU64,
}

/// An open connection, for as long as this is held; also where its session panics.
#[derive(Debug)]
pub struct Open(Arc<Traffic>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl Traffic {
    /// One more, taken.
    pub fn opened(self: &Arc<Self>) -> Open {
        self.came.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        Open(self.clone())
    }

    /// One more, turned away for there were too many.
    pub fn refused(&self) {
        self.turned_away.fetch_add(1, Relaxed);
    }

    /// One less, for its session panicked.
    pub fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    /// Taken, turned away, open now, failed.
    pub fn counts(&self) -> [u64; 4] {
        [&self.came, &self.turned_away, &self.open, &self.failed].map(|count| count.load(Relaxed))
    }
}
