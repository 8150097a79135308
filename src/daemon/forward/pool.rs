//! Connections to one next server: as many as it may have, those that are idle used again.

use super::hop::{Begun, Connection, Failure, Hop};
use crate::{
    mail::status::EnhancedStatus,
    wire::smtp::{MailFrom, RcptTo, Reply},
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{sleep, timeout},
};

/// Connections at a time; Postfix runs a hundred processes of a kind.
const MOST: usize = 80;
/// How long a message waits for one, before the one before us is told to come again.
const WAIT: Duration = Duration::from_secs(60);
/// How long one is kept that nobody uses: each is a process of Postfix.
const IDLE: Duration = Duration::from_secs(5);
/// Messages on one connection.
const MESSAGES: u32 = 1000;

/// The connections.
pub struct Pool {
    hop: Hop,
    name: String,
    idle: Mutex<Vec<(Connection, Instant)>>,
    room: Semaphore,
}

/// One of them, for one message. Given back by [`Pool::done`]; dropped, it is closed, and what was sent on it is void
/// unless it was whole.
pub struct Lent<'a> {
    /// The connection.
    pub connection: Connection,
    _room: SemaphorePermit<'a>,
}

impl Pool {
    /// To `hop`, as `name`.
    pub fn new(hop: Hop, name: String) -> Self {
        Self { hop, name, idle: Mutex::default(), room: Semaphore::new(MOST) }
    }

    /// Where they lead.
    pub fn hop(&self) -> &Hop {
        &self.hop
    }

    /// Sends an envelope; the refused recipients, where the message may come, and a reply where not.
    pub async fn begin(
        &self,
        from: &MailFrom<'_>,
        to: &[RcptTo<'_>],
    ) -> Result<(Lent<'_>, Vec<(usize, Reply)>), Reply> {
        let room = timeout(WAIT, self.room.acquire()).await;
        let Ok(Ok(room)) = room else {
            return Err(Reply::new(
                451,
                EnhancedStatus::new(4, 4, 5),
                format!("{MOST} messages are on their way to {} already", self.hop),
            ));
        };
        if let Some(mut connection) = self.kept() {
            match connection.begin(from, to).await {
                // It was closed while it was idle: nothing was heard, nothing is lost, another one will do.
                Err(Failure::Unheard(_)) => {}
                begun => return self.begun(connection, room, begun),
            }
        }
        let opened = Connection::open(&self.hop, &self.name).await;
        let mut connection = opened.map_err(|failure| failure.reply(&self.hop))?;
        let begun = connection.begin(from, to).await;
        self.begun(connection, room, begun)
    }

    fn begun<'a>(
        &'a self,
        connection: Connection,
        room: SemaphorePermit<'a>,
        begun: Result<Begun, Failure>,
    ) -> Result<(Lent<'a>, Vec<(usize, Reply)>), Reply> {
        let lent = Lent { connection, _room: room };
        match begun {
            Ok(Begun::Ready(refused)) => Ok((lent, refused)),
            Ok(Begun::Refused(reply)) => {
                self.done(lent);
                Err(reply)
            }
            Err(failure) => Err(failure.reply(&self.hop)),
        }
    }

    /// Keeps a connection for the next message, where it can be used for one.
    pub fn done(&self, lent: Lent<'_>) {
        if lent.connection.whole() && lent.connection.messages < MESSAGES {
            self.lock().push((lent.connection, Instant::now()));
        }
    }

    /// The one that was used last: the others may come to rest.
    fn kept(&self) -> Option<Connection> {
        loop {
            let (mut connection, since) = self.lock().pop()?;
            if since.elapsed() < IDLE && !connection.gone() {
                return Some(connection);
            }
        }
    }

    /// Closes those that nobody uses, until it is stopped.
    pub async fn sweep(&self) {
        loop {
            sleep(IDLE).await;
            self.lock().retain(|(_, since)| since.elapsed() < IDLE);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        // Whoever panicked has left whole entries.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
