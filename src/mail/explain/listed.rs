//! What the block and allow lists say to a message, as mailctld asks them.

use super::{Asked, Step, Verdict};
use crate::mail::{
    list::{Entry, Kind, Subject},
    policy,
};

impl<D> Asked<'_, D> {
    /// Nobody that is known here.
    pub(super) fn stranger(&self) -> bool {
        self.question.login.is_none() && !self.question.trusted
    }

    /// The entry that decides.
    pub(super) fn listed(&self) -> Option<&Entry> {
        let (question, delimiter) = (self.question, self.place.delimiter);
        let recipient = question.to.to_string();
        if !self.stranger() {
            return self.words.lists.recipient(recipient.as_bytes(), delimiter);
        }
        let sender = question.from.as_ref().map(ToString::to_string).unwrap_or_default();
        self.words.lists.judge(&Subject {
            client: question.client,
            helo: question.helo.as_deref().unwrap_or_default().as_bytes(),
            sender: sender.as_bytes(),
            recipient: recipient.as_bytes(),
            delimiter,
        })
    }

    /// That one which blocks.
    pub(super) fn blocked(&self, step: &dyn Fn(Verdict, &str) -> Step, entry: &Entry) -> Step {
        let told = policy::blocked(entry.key.kind()).action.to_string();
        let told = told.trim_start_matches("REJECT 5.7.1 ").to_owned();
        let reply = format!("554 5.7.1 <{}>: Recipient address rejected: {told}", self.question.to);
        let step = step(Verdict::Refuse, &entry.to_string()).reply(&reply).remedy(entry.remedy());
        match (entry.key.kind(), self.question.client) {
            (Kind::Client | Kind::Helo | Kind::Sender, Some(client)) => {
                step.remedy(format!("mailctl allow add {client}     (takes everything from this client)"))
            }
            _ => step,
        }
    }
}
