//! Whether the login of a session may send as the sender that it names.

use crate::{
    daemon::state::Known,
    mail::{
        address::{Address, Domain, Localpart},
        policy::Action,
        rights::{right, right_in},
    },
};

/// Postfix has asked the same at MAIL FROM already where it can (`smtpd_sender_login_maps`); this answer holds for both
/// `SENDER_RESTRICTIONS`, and for whoever lost a right while his session was open. `sender` is empty in a read receipt.
pub fn may_send(known: &Known, login: &str, sender: &str) -> Action {
    if sender.is_empty() {
        return Action::Dunno;
    }
    let (Some(directory), Ok(login)) = (known.directory(), Address::parse(login)) else {
        return Action::Dunno;
    };
    let (place, restriction) = (&known.place, known.restriction);
    let found = match Address::parse(sender) {
        Ok(sender) => right(&directory, place, restriction, &login, &sender),
        Err(_) => match sender.rsplit_once('@').map(|(local, domain)| (local, Domain::parse(domain))) {
            Some((local, Ok(domain))) if Localpart::elsewhere(local) => {
                right_in(&directory, place, restriction, &login, &domain)
            }
            _ => Ok(None),
        },
    };
    match found {
        Ok(Some(_)) => Action::Dunno,
        Ok(None) => Action::Reject(format!("5.7.1 {login} may not send as <{sender}>")),
        // The database holds something that is no address: ours to mend, nobody's guilt.
        Err(_) => Action::Defer("4.3.0 the directory cannot be read now, try again later".to_owned()),
    }
}
