//! Our filter in Postfix (milter): the only place where the header of a message is seen while its client can still be told.
//!
//! Postfix shows it nothing but the client, the login, the sender and the header, and gets one answer for each message, at
//! its end ([`session`]). What is answered: a login sends under its own addresses only; what bears our name and did not
//! come from us is removed; and a stranger's message gets what SPF says of it, on top (RFC 7208 §9.1, RFC 8601 §4).
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
    memory::unix_now,
    policy::{Facts, Sender, Tally, rights},
    session::{Drain, End},
    state::State,
};
use crate::mail::{
    header::author::HeaderFrom,
    policy::{Action, Decision, Rule},
    spf::{authentication_result, received_spf, rule::Mode},
};
use message::{Message, RECEIVED_SPF, RESULTS};
use rights::May;
use std::{net::IpAddr, sync::Arc, time::Instant};
use tokio::net::UnixStream;

/// The filter.
pub struct Milter {
    state: Arc<State>,
    tally: Arc<Tally>,
    facts: Arc<Facts>,
    counts: Arc<Counts>,
}

/// What becomes of a message.
struct Outcome {
    action: Action,
    /// Name and number of each field that is removed, the last ones first: so no number changes before its turn.
    remove: Vec<(&'static str, u32)>,
    /// Name and value of what is put on top, the topmost last.
    insert: Vec<(&'static str, String)>,
}

impl Milter {
    /// Answers from this.
    pub fn new(state: Arc<State>, tally: Arc<Tally>, facts: Arc<Facts>) -> Self {
        Self { state, tally, facts, counts: Arc::default() }
    }

    /// For the metrics.
    pub fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }

    /// The one answer about a message.
    async fn judge(&self, message: &Message, client: Option<IpAddr>, helo: &[u8]) -> Outcome {
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
            return Outcome { action: decision.action, remove: Vec::new(), insert: Vec::new() };
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
        let insert = self.marks(message, client, helo).await.unwrap_or_default();
        Outcome { action: Action::Dunno, remove, insert }
    }

    /// What SPF says of a stranger's message; `None` where it is nobody's business. The policies have asked for it by now,
    /// so nobody waits here but where they did not get so far.
    async fn marks(
        &self,
        message: &Message,
        client: Option<IpAddr>,
        helo: &[u8],
    ) -> Option<Vec<(&'static str, String)>> {
        let client = client.filter(|_| message.login.is_empty())?;
        let (host, passes) = {
            let known = self.state.read();
            let ours = known.trusted.holds(client) || known.own == Some(client);
            (known.place.hostname.to_string(), ours || known.rules.spf.mode == Mode::Off)
        };
        if passes {
            return None;
        }
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let sender = text(&message.sender);
        let sender = sender.strip_prefix('<').and_then(|sender| sender.strip_suffix('>')).unwrap_or(&sender);
        let sender = Sender { client, helo: text(helo), sender: sender.to_owned() };
        let now = u64::from(unix_now());
        let verdict = self.facts.find(&sender, &host, now).await;
        let request = sender.request(&host, now);
        let result = format!("{host};\n\t{}", authentication_result(&request, &verdict));
        Some(vec![(RESULTS, result), (RECEIVED_SPF, received_spf(&request, &verdict))])
    }

    fn decide(&self, message: &Message) -> Decision {
        if let Some(why) = message.excess() {
            return Decision { action: Action::Refuse(format!("5.6.0 {why}")), rule: Rule::HeaderFrom };
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
                let action = Action::Refuse(format!("5.6.0 the message is not taken: {}", unclear.0));
                return Decision { action, rule: Rule::HeaderFrom };
            }
        };
        for (field, written) in all {
            let action = match rights::may(&known, &login, &format!("{}@{}", written.local, written.domain)) {
                May::Yes => continue,
                May::No => Action::Refuse(format!("5.7.1 {login} may not send with <{written}> in {field}")),
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

#[cfg(test)]
mod tests;
