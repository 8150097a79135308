//! Letters to people: that a limit is nearly used up, that a login is frozen.
//!
//! They go to our own Postfix, which queues and delivers them as any other mail: to port 25 in the stack's own network, as
//! everybody may send to addresses here; the administrator is reached as postmaster, wherever his mail goes. The policies
//! know our address and ask nothing of us: no letter counts towards the limit that it is about.
//!
//! Nobody waits for them: an answer to Postfix adds a line to a table. What Postfix has not taken yet is on the disk within
//! a second and is tried until it does, so neither a restart of Postfix nor one of ours loses a letter. How many there can
//! be is limited in [`Outbox`].

mod smtp;

use super::{memory::unix_now, state::State};
use crate::{
    mail::{
        address::{Address, Domain, Localpart},
        notice::{Notice, Outbox, Parcel},
    },
    world::atomic,
};
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// What comes up within this time goes together.
const GATHER: Duration = Duration::from_millis(500);

/// Longest time for one letter.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be told.
#[derive(Default)]
pub struct Letters {
    new: Mutex<Vec<(Notice, u32)>>,
    wake: Notify,
    counts: Counts,
}

/// For the metrics; since the start, but for those that wait.
#[derive(Default)]
struct Counts {
    added: AtomicU64,
    taken: AtomicU64,
    given_up: AtomicU64,
    waiting: AtomicU64,
}

/// Notices that wait to be taken up, at most: they do so for half a second.
const MOST: usize = 10_000;

impl Letters {
    /// Takes one; nothing waits for anything.
    pub fn add(&self, notice: &Notice, now: u32) {
        let mut new = self.lock();
        if new.len() < MOST {
            new.push((notice.clone(), now));
        }
        drop(new);
        self.wake.notify_one();
    }

    /// Letters that were begun, that Postfix took, and that were given up, each with its word.
    pub fn ended(&self) -> [(&'static str, u64); 3] {
        let counts = &self.counts;
        [("added", &counts.added), ("taken", &counts.taken), ("given_up", &counts.given_up)]
            .map(|(word, count)| (word, count.load(Relaxed)))
    }

    /// Letters that Postfix does not have yet.
    pub fn waiting(&self) -> u64 {
        self.counts.waiting.load(Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Notice, u32)>> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who takes them to Postfix.
pub struct Postman {
    letters: Arc<Letters>,
    state: Arc<State>,
    postfix: String,
    file: Option<PathBuf>,
    outbox: Outbox,
    written: Outbox,
}

impl Postman {
    /// Goes to `postfix`; keeps what is under way in `file`.
    pub fn new(letters: Arc<Letters>, state: Arc<State>, postfix: &str, file: Option<PathBuf>) -> Self {
        let outbox = Outbox::default();
        Self { letters, state, postfix: postfix.to_owned(), file, written: outbox.clone(), outbox }
    }

    /// Until it is stopped.
    pub async fn go(mut self) {
        self.read();
        loop {
            let now = unix_now();
            match self.outbox.next() {
                // Half a second at least, whatever the clock says.
                Some(next) => {
                    let pause = Duration::from_secs(u64::from(next.saturating_sub(now)));
                    let _ = timeout(pause, self.letters.wake.notified()).await;
                }
                None => self.letters.wake.notified().await,
            }
            sleep(GATHER).await;
            self.take_up();
            self.tell_waiting();
            self.write().await;
            for parcel in self.outbox.due(unix_now()) {
                self.bring(&parcel).await;
                self.tell_waiting();
            }
            self.write().await;
        }
    }

    fn take_up(&mut self) {
        let new = std::mem::take(&mut *self.letters.lock());
        if new.is_empty() {
            return;
        }
        let (_, admin) = self.place();
        let begun = self.outbox.begun();
        new.iter().for_each(|(notice, now)| self.outbox.add(notice, &admin, *now));
        self.letters.counts.added.fetch_add(self.outbox.begun() - begun, Relaxed);
    }

    fn tell_waiting(&self) {
        self.letters.counts.waiting.store(self.outbox.waiting() as u64, Relaxed);
    }

    /// The first served domain, and where the administrator is reached: a role address of it, so also from outside of
    /// this server's domains without the right to send there.
    fn place(&self) -> (Domain, Address) {
        let known = self.state.read();
        let domain = known.domain().clone();
        let local = Localpart::parse("postmaster").map(|local| Address::new(local, domain.clone()));
        (domain, local.unwrap_or_else(|_| known.place.admin.clone()))
    }

    async fn bring(&mut self, parcel: &Parcel) {
        let host = self.state.read().place.hostname.clone();
        let (message, sender) = parcel.message(&host, &self.place().0, unix_now());
        let to = parcel.to.to_string();
        let sent = timeout(PATIENCE, self.send(&host, &sender, &to, &message)).await;
        let now = unix_now();
        match sent {
            Ok(Ok(())) => {
                tracing::info!(to, "letter taken by Postfix");
                self.letters.counts.taken.fetch_add(1, Relaxed);
                self.done(parcel, now);
            }
            Ok(Err(smtp::Failure::Never(why))) => {
                tracing::error!(to, why, "a letter is refused and given up");
                self.letters.counts.given_up.fetch_add(1, Relaxed);
                self.done(parcel, now);
            }
            Ok(Err(smtp::Failure::Later(why))) => self.later(parcel, &why, now),
            Err(_) => self.later(parcel, "no answer in time", now),
        }
    }

    /// What came up meanwhile is another letter.
    fn done(&mut self, parcel: &Parcel, now: u32) {
        let begun = self.outbox.begun();
        self.outbox.done(parcel, now);
        self.letters.counts.added.fetch_add(self.outbox.begun() - begun, Relaxed);
    }

    fn later(&mut self, parcel: &Parcel, why: &str, now: u32) {
        if self.outbox.failed(parcel, now) {
            self.letters.counts.given_up.fetch_add(1, Relaxed);
            tracing::error!(to = %parcel.to, why, "a letter is given up after five days");
        } else {
            tracing::warn!(to = %parcel.to, why, "a letter cannot be sent now");
        }
    }

    async fn send(&self, host: &Domain, from: &str, to: &str, message: &str) -> Result<(), smtp::Failure> {
        let (mut session, own) = smtp::Session::open(&self.postfix).await?;
        // Before Postfix can ask about us.
        if self.state.read().own != Some(own) {
            self.state.write().own = Some(own);
        }
        session.send(host.as_str(), from, to, message).await
    }

    fn read(&mut self) {
        let Some(file) = &self.file else { return };
        match std::fs::read(file) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(older) => self.outbox.join(older),
                Err(error) => {
                    tracing::error!(file = %file.display(), %error, "letters that were under way are lost")
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(file = %file.display(), %error, "letters that were under way cannot be read")
            }
        }
        self.tell_waiting();
        self.written = self.outbox.clone();
    }

    async fn write(&mut self) {
        let Some(file) = self.file.clone().filter(|_| self.outbox != self.written) else { return };
        let Ok(text) = serde_json::to_vec(&self.outbox) else { return };
        let shown = file.display().to_string();
        let written = tokio::task::spawn_blocking(move || atomic::write(&file, &text, atomic::PRIVATE)).await;
        match written {
            Ok(Ok(())) => self.written = self.outbox.clone(),
            // Memory goes on; it is tried again with the next change.
            Ok(Err(error)) => tracing::error!(file = shown, %error, "letters under way are in memory only"),
            Err(error) => tracing::error!(%error, "letters under way are in memory only"),
        }
    }
}
