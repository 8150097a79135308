//! Postfix's questions about a message on its way in (policy delegation).
//!
//! Which rules are asked, and in which order, is here; what they say is in `mail`, what they remember in [`recall`].
//!
//! | asked at | by logins | by trusted clients | by everybody else |
//! |---|---|---|---|
//! | RCPT | login, right to send, frozen, `rates.login`, lists for the recipient, `rates.recipient_domain` | lists for the recipient, `rates.recipient_domain` | lists, SPF, blocklists in DNS, `rates.client`, `rates.sender_domain`, greylisting |
//! | END-OF-MESSAGE | the same, and counted; habit | | the same, and counted |
//!
//! At RCPT nothing is counted but recipients of other domains, which are not told later: a message that is given up
//! costs nobody anything. At its end it is judged once more and counted in one step, so many at once cannot
//! pass a limit together.
//!
//! What DNS has to be asked for is asked before anything is counted: a decision that misses a fact is not made, the
//! session waits while [`facts`] finds it, and then it is made from the beginning.

mod admitted;
mod asking;
mod dnsbl;
mod facts;
mod lately;
mod measure;
mod recall;
pub mod rights;
mod standing;
mod tally;

pub use self::{
    lately::Lately,
    recall::Recall,
    standing::{near, standing},
    tally::Tally,
};
pub use dnsbl::{Dnsbl, Listings};
pub use facts::{Facts, Sender};

use super::{
    letters::Letters,
    memory::unix_now,
    session::{Answer, Progress},
    state::{Known, State},
};
use crate::{
    mail::{
        list::Entry,
        policy::{Action, Decision, Rule},
        spf::Evaluation,
    },
    wire::policy::{Decoded, PolicyRequest, decode, encode},
};
use admitted::Admitted;
use asking::Asking;
use futures_util::FutureExt;
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// The policy service; each door has one, and all know the same.
#[derive(Clone)]
pub struct Policy(Arc<Desk>);

/// Everything that lasts longer than a question.
struct Desk {
    state: Arc<State>,
    recall: Arc<Recall>,
    facts: Arc<Facts>,
    dnsbl: Arc<Dnsbl>,
    tally: Arc<Tally>,
    letters: Arc<Letters>,
    lately: Arc<Lately>,
    admitted: Admitted,
}

impl Policy {
    /// Answers from these.
    pub fn new(
        state: Arc<State>,
        recall: Arc<Recall>,
        facts: Arc<Facts>,
        dnsbl: Arc<Dnsbl>,
        letters: Arc<Letters>,
    ) -> Self {
        let (tally, lately, admitted) = (Arc::default(), Arc::default(), Admitted::default());
        Self(Arc::new(Desk { state, recall, facts, dnsbl, tally, letters, lately, admitted }))
    }

    /// Who came near a limit lately.
    pub fn lately(&self) -> Arc<Lately> {
        self.0.lately.clone()
    }

    /// For the metrics.
    pub fn tally(&self) -> Arc<Tally> {
        self.0.tally.clone()
    }
}

impl Answer for Policy {
    fn answer(&self, buffer: &[u8], replies: &mut Vec<u8>) -> Progress {
        let began = Instant::now();
        let desk = &self.0;
        let known = desk.state.read();
        let asking = desk.asking(&known);
        let (mut used, mut answers) = (0, 0);
        let progress = loop {
            match decode(&buffer[used..]) {
                Decoded::Request(request, length) => {
                    let text = &buffer[used..used + length];
                    used += length;
                    match asking.decide(&request, None) {
                        Ok(decision) => {
                            answers += 1;
                            asking.give(&decision, &request, replies);
                        }
                        Err(missing) => {
                            break Progress::Later(used, later(desk.clone(), text.to_vec(), missing).boxed());
                        }
                    }
                }
                Decoded::More => break Progress::Used(used),
                // Says nothing, as the protocol wants it: Postfix acts by its own default.
                Decoded::Malformed(why) => break Progress::Refused(why),
            }
        };
        desk.tally.took(answers, began.elapsed());
        progress
    }
}

/// A decision that cannot be made yet: it takes facts that have to be asked for.
#[derive(Clone, Copy, Debug)]
struct Missing {
    /// The SPF verdict.
    spf: bool,
    /// What blocklists say.
    listings: bool,
}

/// A verdict that is not known.
struct Unknown;

/// What was found, of what was missing.
#[derive(Default)]
struct Found {
    spf: Option<Arc<Evaluation>>,
    listings: Option<Listings>,
}

/// Until then facts are asked for; what they take at most beyond it is still in time for Postfix.
const AGAIN: Duration = Duration::from_millis(200);

/// Answers one request that was understood before, when its facts are there.
async fn later(desk: Arc<Desk>, text: Vec<u8>, mut missing: Missing) -> Vec<u8> {
    let began = Instant::now();
    let mut replies = Vec::new();
    let Decoded::Request(request, _) = decode(&text) else { return replies };
    let Some(client) = request.client() else { return replies };
    let receiver = desk.state.read().place.hostname.to_string();
    let sender = sender(&request, client);
    let mut found = Found::default();
    // Once more where a fact that was known has ended while the others were asked for, if that took no time.
    while began.elapsed() < AGAIN {
        desk.gather(&sender, &receiver, missing, &mut found).await;
        let known = desk.state.read();
        let asking = desk.asking(&known);
        match asking.decide(&request, Some(&found)) {
            Ok(decision) => {
                asking.give(&decision, &request, &mut replies);
                break;
            }
            Err(again) => missing = again,
        }
    }
    if replies.is_empty() {
        encode(&Action::Defer("4.3.0 DNS cannot be asked now, try again later".to_owned()), &mut replies);
    }
    desk.tally.took(1, began.elapsed());
    replies
}

fn sender(request: &PolicyRequest<'_>, client: IpAddr) -> Sender {
    let text = |octets| String::from_utf8_lossy(octets).into_owned();
    Sender { client, helo: text(request.helo_name), sender: text(request.sender) }
}

impl Desk {
    /// Finds what is missing, all at once: nobody waits for one after the other.
    async fn gather(&self, sender: &Sender, receiver: &str, missing: Missing, found: &mut Found) {
        let spf = async {
            match missing.spf {
                true => Some(self.facts.find(sender, receiver, unix_now().into()).await),
                false => None,
            }
        };
        let listings = async {
            match missing.listings {
                true => Some(self.dnsbl.find(sender.client, &sender.helo, &sender.sender).await),
                false => None,
            }
        };
        let (spf, listings) = tokio::join!(spf, listings);
        found.spf = spf.or(found.spf.take());
        found.listings = listings.or(found.listings.take());
    }

    fn asking<'a>(&'a self, known: &'a Known) -> Asking<'a> {
        Asking {
            known,
            recall: &self.recall,
            facts: &self.facts,
            dnsbl: &self.dnsbl,
            tally: &self.tally,
            letters: &self.letters,
            lately: &self.lately,
            admitted: &self.admitted,
            now: unix_now(),
        }
    }
}

/// One line for each answer that is not "go on", and for each message.
fn tell(decision: &Decision, request: &PolicyRequest<'_>, entry: Option<&Entry>) {
    let text = String::from_utf8_lossy;
    let entry =
        entry.filter(|_| matches!(decision.rule, Rule::Block | Rule::Allow)).map(tracing::field::display);
    tracing::info!(
        rule = decision.rule.name(),
        action = %decision.action,
        queue_id = ?text(request.queue_id),
        login = ?text(request.sasl_username),
        client = ?text(request.client_address),
        sender = ?text(request.sender),
        recipient = ?text(request.recipient),
        helo = entry.as_ref().map(|_| tracing::field::debug(text(request.helo_name))),
        entry,
        "policy"
    );
}

#[cfg(test)]
mod tests;
