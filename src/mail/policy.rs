//! What we answer when Postfix asks whether a message may go on.

use std::fmt;

/// Postfix's own words (access(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// No objection; the next restriction decides.
    Dunno,
    /// Refused for good; the text begins with an enhanced status code (RFC 3463).
    Reject(String),
    /// Try again later; the text begins with an enhanced status code.
    Defer(String),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dunno => f.write_str("DUNNO"),
            Self::Reject(text) => write!(f, "REJECT {text}"),
            Self::Defer(text) => write!(f, "451 {text}"),
        }
    }
}

/// Whether somebody may send: a session that logged in before `user del` outlives the account, and must not
/// send another message. `exists` is `None` where the directory cannot be asked now.
pub fn login(name: &str, exists: Option<bool>) -> Action {
    match exists {
        Some(true) => Action::Dunno,
        Some(false) => Action::Reject(format!("5.7.8 there is no login {name} any more")),
        None => Action::Defer("4.3.0 the directory cannot be read now, try again later".to_owned()),
    }
}
