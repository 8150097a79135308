//! Postfix's questions about a message on its way in (policy delegation).

mod rights;

use super::{
    session::{Answer, Progress},
    state::{Known, State},
};
use crate::{
    mail::{
        address::Address,
        directory::Directory,
        policy::{Action, login},
    },
    wire::policy::{Decoded, PolicyRequest, decode, encode},
};
use std::sync::Arc;

/// The policy service.
pub struct Policy(pub Arc<State>);

impl Answer for Policy {
    fn answer(&self, buffer: &[u8], replies: &mut Vec<u8>) -> Progress {
        let known = self.0.read();
        let mut used = 0;
        loop {
            match decode(&buffer[used..]) {
                Decoded::Request(request, length) => {
                    used += length;
                    let action = decide(&known, &request);
                    if action != Action::Dunno {
                        let (queue_id, login) = (request.get("queue_id"), request.get("sasl_username"));
                        tracing::info!(action = %action, queue_id = ?text(queue_id), login = ?text(login), "policy");
                    }
                    encode(&action, replies);
                }
                Decoded::More => return Progress::Used(used),
                // Says nothing, as the protocol wants it: Postfix acts by its own default.
                Decoded::Malformed(why) => return Progress::Refused(why),
            }
        }
    }
}

fn decide(known: &Known, request: &PolicyRequest<'_>) -> Action {
    let Some(name) = request.get("sasl_username") else { return Action::Dunno };
    let name = String::from_utf8_lossy(name);
    let exists = known.directory().and_then(|directory| match Address::parse(&name) {
        Ok(address) => directory.mailbox(&address.to_string()).ok(),
        Err(_) => Some(false),
    });
    match login(&name, exists) {
        Action::Dunno => rights::may_send(known, &name, &text(request.get("sender"))),
        refused => refused,
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map(String::from_utf8_lossy).unwrap_or_default().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::{config::Config, snapshot::Snapshot};

    fn ask(policy: &Policy, state: &str, login: &str) -> String {
        let mut out = Vec::new();
        let request =
            format!("request=smtpd_access_policy\nprotocol_state={state}\nsasl_username={login}\n\n");
        assert_eq!(policy.answer(request.as_bytes(), &mut out), Progress::Used(request.len()));
        String::from_utf8(out).unwrap()
    }

    /// Proves: a deleted login sends no more, though its session is open; at CONNECT nobody waits for us.
    #[test]
    fn a_deleted_login_sends_no_more() {
        let text = "hostname='mail.example.org'\nadmin='ann@example.org'\ndomains=['example.org']\n\
                    delimiter='+'\ndatabase='/x'\nsocketmap='/x'\npolicy='/x'";
        let policy = Policy(Arc::new(State::new(&toml::from_str::<Config>(text).unwrap())));
        assert_eq!(ask(&policy, "CONNECT", ""), "action=DUNNO\n\n");
        assert!(ask(&policy, "RCPT", "ann@example.org").starts_with("action=451 4.3.0 "));
        let mut snapshot = Snapshot::default();
        snapshot.set_mailbox("ann@example.org", true);
        policy.0.write().snapshot = Some(snapshot);
        assert_eq!(ask(&policy, "RCPT", "Ann@example.org"), "action=DUNNO\n\n");
        assert!(ask(&policy, "RCPT", "bob@example.org").starts_with("action=REJECT 5."));
        assert!(ask(&policy, "RCPT", "bob").starts_with("action=REJECT 5."));
        assert!(matches!(policy.answer(b"nonsense\n", &mut Vec::new()), Progress::Refused(_)));
    }
}
