//! Postfix's questions about a message on its way in (policy delegation).

use super::{listener::Progress, snapshot::Snapshot};
use crate::{
    mail::{
        address::Address,
        directory::Directory,
        policy::{Action, login},
    },
    wire::policy::{Decoded, PolicyRequest, decode, encode},
};

/// Answers every whole request in `buffer`.
pub fn answer(snapshot: &Snapshot, buffer: &[u8], out: &mut Vec<u8>) -> Progress {
    let mut used = 0;
    loop {
        match decode(&buffer[used..]) {
            Decoded::Request(request, more) => {
                used += more;
                let action = decide(snapshot, &request);
                if action != Action::Dunno {
                    let (queue_id, login) = (request.get("queue_id"), request.get("sasl_username"));
                    tracing::info!(action = %action, queue_id = ?text(queue_id), login = ?text(login), "policy");
                }
                encode(&action, out);
            }
            Decoded::More => return Progress::Used(used),
            Decoded::Malformed(why) => return Progress::Close(why),
        }
    }
}

fn decide(snapshot: &Snapshot, request: &PolicyRequest<'_>) -> Action {
    let Some(name) = request.get("sasl_username") else { return Action::Dunno };
    let name = String::from_utf8_lossy(name);
    let exists = snapshot.with(|memory| {
        let memory = memory?;
        let Ok(address) = Address::parse(&name) else { return Some(false) };
        let Ok(exists) = memory.mailbox(&address.to_string());
        Some(exists)
    });
    login(&name, exists)
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map(String::from_utf8_lossy).unwrap_or_default().into_owned()
}
