//! Our filter in Postfix (milter): the only place where the header of a message is seen while its client can still be told.
//!
//! Postfix shows it nothing but the client, the login, the sender and the header, and gets one answer for each message, at
//! its end ([`session`]). What is answered: a login sends under its own addresses only, and what bears our name and did
//! not come from us is removed.
//!
//! It stands behind OpenDKIM in `smtpd_milters`, so it sees what OpenDKIM added and touches nothing that is signed. Where
//! mailctld is away Postfix says 451 on every door: who has a mailbox is not known then either, and open it would let
//! through what it is there to stop.

mod counts;
mod message;
mod session;

pub use counts::Counts;

use super::{
    listener::Speak,
    policy::{Tally, rights},
    session::{Drain, End},
    state::State,
};
use crate::mail::{
    header::author::HeaderFrom,
    policy::{Action, Decision, Rule},
};
use message::Message;
use rights::May;
use std::{sync::Arc, time::Instant};
use tokio::net::UnixStream;

/// The filter.
pub struct Milter {
    state: Arc<State>,
    tally: Arc<Tally>,
    counts: Arc<Counts>,
}

/// What becomes of a message.
struct Outcome {
    action: Action,
    /// Name and number of each field that is removed, the last ones first: so no number changes before its turn.
    remove: Vec<(&'static str, u32)>,
}

impl Milter {
    /// Answers from this.
    pub fn new(state: Arc<State>, tally: Arc<Tally>) -> Self {
        Self { state, tally, counts: Arc::default() }
    }

    /// For the metrics.
    pub fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }

    /// The one answer about a message.
    async fn judge(&self, message: &Message) -> Outcome {
        let began = Instant::now();
        let decision = self.decide(message);
        self.tally.decided(&decision);
        self.tally.took(1, began.elapsed());
        self.counts.answered(&decision.action);
        if !decision.goes_on() {
            let text = String::from_utf8_lossy;
            tracing::info!(
                rule = decision.rule.name(),
                action = %decision.action,
                queue_id = ?text(&message.queue_id),
                login = ?text(&message.login),
                sender = ?text(&message.sender),
                "milter"
            );
            return Outcome { action: decision.action, remove: Vec::new() };
        }
        let remove = message.forged();
        if !remove.is_empty() {
            self.counts.remove(remove.len());
            tracing::info!(
                fields = remove.len(),
                queue_id = ?String::from_utf8_lossy(&message.queue_id),
                "removed what bore our name falsely"
            );
        }
        Outcome { action: Action::Dunno, remove }
    }

    fn decide(&self, message: &Message) -> Decision {
        if let Some(why) = message.excess() {
            return Decision { action: Action::Reject(format!("5.6.0 {why}")), rule: Rule::HeaderFrom };
        }
        if message.login.is_empty() {
            return Decision::NONE;
        }
        let known = self.state.read();
        if known.rules.header_from == HeaderFrom::Any {
            return Decision::NONE;
        }
        let login = String::from_utf8_lossy(&message.login);
        let all = match message.author.addresses() {
            Ok(all) => all,
            Err(unclear) => {
                let action = Action::Reject(format!("5.6.0 the message is not taken: {}", unclear.0));
                return Decision { action, rule: Rule::HeaderFrom };
            }
        };
        for (field, written) in all {
            let action = match rights::may(&known, &login, &format!("{}@{}", written.local, written.domain)) {
                May::Yes => continue,
                May::No => Action::Reject(format!("5.7.1 {login} may not send with <{written}> in {field}")),
                May::Unknown => rights::later(),
            };
            return Decision { action, rule: Rule::HeaderFrom };
        }
        Decision::NONE
    }

    /// The name that forged results bear.
    fn host(&self) -> String {
        self.state.read().place.hostname.to_string()
    }
}

impl Speak<UnixStream> for Milter {
    async fn speak(&self, stream: UnixStream, drain: &Drain) -> End {
        session::serve(stream, self, drain).await
    }
}
