//! Messages under way of which recipients were let in by an entry of an allow list.
//!
//! Where a message has several recipients, Postfix names none of them at its end. So that one for postmaster@ and abuse@
//! is not refused there for a limit that neither of them was asked about, their number is remembered under the `instance`
//! that all questions about a message have; where it is that of all recipients, the message is let in.
//!
//! Nothing is noted of other recipients, and where nothing is noted nothing is looked up.

use crate::wire::policy::PolicyRequest;
use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Seconds between a recipient and the end of its message; a message that takes longer is judged as any other.
const KEPT: u32 = 600;
/// Messages at a time; those beyond it are judged as any other.
const MOST: usize = 4096;
/// The longest name of a message, in octets. Postfix' own have about twenty, and an address.
const LONGEST: usize = 128;

/// Recipients that were let in, by message.
#[derive(Default)]
pub(super) struct Admitted {
    messages: Mutex<HashMap<Vec<u8>, Message>>,
    /// How many they are, for those who need not wait for the others.
    number: AtomicUsize,
}

struct Message {
    recipients: u32,
    until: u32,
}

impl Admitted {
    /// One more recipient of this message was let in at the second `now`.
    pub(super) fn note(&self, request: &PolicyRequest<'_>, now: u32) {
        let Some(name) = name(request) else { return };
        // VRFY asks the same, and adds no recipient.
        if request.get("protocol_state") != Some(b"RCPT") {
            return;
        }
        let mut messages = self.lock();
        if messages.len() >= MOST && !messages.contains_key(&name) {
            messages.retain(|_, message| message.until > now);
            if messages.len() >= MOST {
                return;
            }
        }
        let message = messages.entry(name).or_insert(Message { recipients: 0, until: 0 });
        if message.until <= now {
            message.recipients = 0;
        }
        message.recipients = message.recipients.saturating_add(1);
        message.until = now.saturating_add(KEPT);
        self.number.store(messages.len(), Relaxed);
    }

    /// Whether all recipients of this message, which is whole, were let in. It stays known: Postfix asks again where an
    /// answer was lost.
    pub(super) fn all(&self, request: &PolicyRequest<'_>, now: u32) -> bool {
        if self.number.load(Relaxed) == 0 {
            return false;
        }
        let count = str::from_utf8(request.recipient_count).ok().and_then(|count| count.parse::<u32>().ok());
        // A single one is named.
        let (Some(count @ 2..), Some(name)) = (count, name(request)) else { return false };
        let messages = self.lock();
        messages.get(&name).is_some_and(|message| message.until > now && message.recipients == count)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Postfix' name for the message, and the client: several hosts may ask.
fn name(request: &PolicyRequest<'_>) -> Option<Vec<u8>> {
    let (instance, client) = (request.instance, request.client_address);
    let fits = !instance.is_empty() && instance.len() + client.len() < LONGEST;
    fits.then(|| [instance, b" ", client].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::policy::{Decoded, decode};

    fn request(text: &str) -> Vec<u8> {
        format!("request=smtpd_access_policy\nclient_address=192.0.2.1\n{}\n\n", text.replace(' ', "\n"))
            .into()
    }

    fn with<T>(text: &str, say: impl FnOnce(&PolicyRequest<'_>) -> T) -> T {
        let text = request(text);
        let Decoded::Request(request, _) = decode(&text) else { panic!("no request") };
        say(&request)
    }

    fn rcpt(admitted: &Admitted, instance: &str, now: u32) {
        with(&format!("protocol_state=RCPT instance={instance}"), |request| admitted.note(request, now));
    }

    fn end(admitted: &Admitted, instance: &str, count: u32, now: u32) -> bool {
        let text = format!("protocol_state=END-OF-MESSAGE instance={instance} recipient_count={count}");
        with(&text, |request| admitted.all(request, now))
    }

    /// Proves: issue 6: a message is let in where each of its recipients was, and no other; for minutes, not for ever.
    #[test]
    fn a_message_is_let_in_where_each_recipient_was() {
        let admitted = Admitted::default();
        assert!(!end(&admitted, "a.1", 2, 10));
        rcpt(&admitted, "a.1", 10);
        rcpt(&admitted, "a.1", 20);
        assert!(end(&admitted, "a.1", 2, 30) && end(&admitted, "a.1", 2, 31), "asked again");
        assert!(!end(&admitted, "a.1", 3, 30), "one was not");
        assert!(!end(&admitted, "b.1", 2, 30), "another message");
        assert!(!end(&admitted, "a.1", 2, 20 + KEPT), "long ago");
        rcpt(&admitted, "a.1", 20 + KEPT);
        assert!(!end(&admitted, "a.1", 3, 21 + KEPT), "an old number is not added to");
        with("protocol_state=VRFY instance=c.1", |request| admitted.note(request, 10));
        rcpt(&admitted, "c.1", 10);
        assert!(!end(&admitted, "c.1", 2, 11), "VRFY adds no recipient");
        with("protocol_state=RCPT", |request| admitted.note(request, 10));
        assert_eq!(admitted.number.load(Relaxed), 2);
    }

    /// Proves: what is remembered is bounded, whatever comes.
    #[test]
    fn the_messages_are_bounded() {
        let admitted = Admitted::default();
        for number in 0..MOST + 10 {
            rcpt(&admitted, &format!("m.{number}"), 10);
        }
        assert_eq!(admitted.lock().len(), MOST);
        rcpt(&admitted, &"x".repeat(LONGEST), 10);
        rcpt(&admitted, "new.1", 10 + KEPT);
        assert_eq!(admitted.number.load(Relaxed), 1, "those that are over make room");
    }
}
