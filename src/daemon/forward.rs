//! Mail for addresses here that lead to other servers: taken from Postfix over LMTP, given to the next server, and answered
//! as that one answers.
//!
//! There is no queue here and nothing on a disk. 250 is said when the next server has said it; until then Postfix holds the
//! message and tries again. All targets of an address go in one transaction: where one of them is to be tried later,
//! nothing is sent, so nobody gets the message twice.
//!
//! - [`upstream`] talks with the one before us, [`message`] passes his message on.
//! - [`route`] says where mail for an address goes, and in whose name.
//! - [`pool`] lends connections to the next server, [`hop`] is one.
//! - [`report`] tells a sender which of the targets were refused.

mod counts;
mod hop;
mod message;
mod pool;
mod report;
mod route;
mod upstream;

pub use counts::{Counts, OUTCOMES};
pub use hop::Hop;

use super::{
    listener::Speak,
    session::{Drain, End},
    state::State,
};
use crate::{
    mail::srs::{Secrets, Srs},
    wire::smtp::Dialect,
};
use pool::Pool;
use std::{path::Path, sync::Arc};
use tokio::io::{AsyncRead, AsyncWrite};

/// Connections of the one before us at a time; Postfix runs a hundred processes of a kind.
pub const MOST: usize = 500;

/// Reads the secrets for senders. Where they cannot be read, those from before count on; where there were none, mail waits.
pub fn read_secrets(state: &State, file: &Path) {
    let read = std::fs::read(file).map_err(|error| error.to_string());
    match read.and_then(|text| Secrets::parse(&text).map_err(|why| format!("it {why}"))) {
        Ok(secrets) => state.write().srs = Some(Srs::new(secrets)),
        Err(why) => tracing::error!(file = %file.display(), why, "no secrets for senders of forwarded mail"),
    }
}

/// The service; each door has one, and all know the same.
#[derive(Clone)]
pub struct Forward(Arc<Desk>);

/// Everything that lasts longer than a message.
struct Desk {
    state: Arc<State>,
    pool: Pool,
    counts: Arc<Counts>,
}

impl Forward {
    /// Gives messages to `hop`, in the name of `name`.
    pub fn new(state: Arc<State>, hop: Hop, name: String) -> Self {
        Self(Arc::new(Desk { state, pool: Pool::new(hop, name), counts: Arc::default() }))
    }

    /// For the metrics.
    pub fn counts(&self) -> Arc<Counts> {
        self.0.counts.clone()
    }

    /// Closes connections that nobody uses, until it is stopped.
    pub async fn sweep(self) {
        self.0.pool.sweep().await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Speak<S> for Forward {
    async fn speak(&self, stream: S, drain: &Drain) -> End {
        upstream::serve(stream, Dialect::Lmtp, &self.0, drain).await
    }
}
