//! Whether the login of a session may send as the sender that it names.

use crate::{
    daemon::state::Known,
    mail::{
        address::{Address, Domain, Localpart},
        policy::Action,
        rights::{right, right_in},
    },
};

/// Whether a login may send as somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// It may.
    Yes,
    /// It may not.
    No,
    /// The directory cannot be asked now, or holds something that is no address: ours to mend, nobody's guilt.
    Unknown,
}

/// Postfix has asked the same at MAIL FROM already where it can (`smtpd_sender_login_maps`); this answer holds for both
/// `SENDER_RESTRICTIONS`, and for whoever lost a right while his session was open. `sender` is empty in a read receipt.
pub fn may_send(known: &Known, login: &str, sender: &str) -> Action {
    if sender.is_empty() {
        return Action::Dunno;
    }
    match may(known, login, sender) {
        May::Yes => Action::Dunno,
        May::No => Action::Reject(format!("5.7.1 {login} may not send as <{sender}>")),
        May::Unknown => later(),
    }
}

/// What a client is told while nobody knows.
pub fn later() -> Action {
    Action::Defer("4.3.0 the directory cannot be read now, try again later".to_owned())
}

/// The same for any address: a sender, or one in a header.
pub fn may(known: &Known, login: &str, address: &str) -> May {
    let Some(directory) = known.directory() else { return May::Unknown };
    let Ok(login) = Address::parse(login) else { return May::No };
    let (place, restriction) = (&known.place, known.restriction);
    let found = match Address::parse(address) {
        Ok(address) => right(&directory, place, restriction, &login, &address),
        Err(_) => match address.rsplit_once('@').map(|(local, domain)| (local, Domain::parse(domain))) {
            Some((local, Ok(domain))) if Localpart::elsewhere(local) => {
                right_in(&directory, place, restriction, &login, &domain)
            }
            _ => Ok(None),
        },
    };
    match found {
        Ok(Some(_)) => May::Yes,
        Ok(None) => May::No,
        Err(_) => May::Unknown,
    }
}
