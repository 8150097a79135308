//! What mailctld tells people by mail: that a limit is nearly used up, that a login is frozen.

mod outbox;

pub use outbox::{Outbox, Parcel};

use super::{address::Address, policy::Rule};
use serde::{Deserialize, Serialize};

/// Something that people must hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The login that it is about, who hears of it beside the administrator.
    pub login: Option<Address>,
    /// For the administrator.
    pub to_admin: Line,
    /// For the login.
    pub to_login: Line,
    /// It does not wait for others to go with it.
    pub urgent: bool,
}

/// What is told to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// One line: for the subject, where it is told alone.
    pub what: String,
    /// What it means and what to do, best a command.
    pub remedy: String,
}

impl Line {
    fn new(what: &str, remedy: &str) -> Self {
        // Names of strangers' domains stand in it.
        Self { what: super::alert::flat(what), remedy: remedy.to_owned() }
    }
}

/// Four fifths of a limit are used up. `whose` in words; `login` where it is one's.
pub fn near(whose: &str, login: Option<Address>, limit: &str, rule: Rule) -> Notice {
    let what = format!("{whose}: four fifths of a limit are used up ({limit})");
    let beyond = "What goes beyond it is refused for a while, and the answer tells until when; nothing that was taken is lost.";
    let own = format!("{beyond} If it was not you who sent that much, change your password now.");
    Notice {
        login,
        to_admin: Line::new(&what, &format!("{beyond} Where it is too little: {}.", rule.remedy())),
        to_login: Line::new(&what, &own),
        urgent: false,
    }
}

/// A login sends no more.
pub fn frozen(login: &str) -> Notice {
    let what = format!("{login}: sending is stopped, far more recipients than usual today");
    let thaw = format!("mailctl user unfreeze {login}");
    let still = "What is in the queue already stays and goes out, and mail for it arrives as ever.";
    Notice {
        login: Address::parse(login).ok(),
        to_admin: Line::new(
            &what,
            &format!(
                "{still} Where somebody else has the password: mailctl user passwd {login}. Then let it send again: {thaw}"
            ),
        ),
        to_login: Line::new(
            &what,
            &format!(
                "{still} If it was not you who sent that much, change your password. The administrator of this server lets you send again: {thaw}"
            ),
        ),
        urgent: true,
    }
}
