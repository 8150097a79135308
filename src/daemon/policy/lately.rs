//! Names of clients and domains that came near a limit lately.
//!
//! Counts lie under hashes and name nobody. So that an operator can see who is near, these few names are kept beside them:
//! in memory only, the last of them, and only from the moment at which a warning with the same name went into the log.

use super::recall::Whose;
use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Names at most; the oldest goes first.
const MOST: usize = 500;
/// The longest domain that is kept, in octets (RFC 1035 §2.3.4).
const LONGEST: usize = 255;

/// The names, the latest last.
#[derive(Default)]
pub struct Lately(Mutex<VecDeque<Name>>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A client.
    Client(IpAddr),
    /// A domain of senders.
    Sender(Vec<u8>),
    /// A domain of recipients.
    Recipient(Vec<u8>),
}

impl Name {
    /// Whose counts they are.
    pub fn whose(&self) -> Whose<'_> {
        match self {
            Self::Client(client) => Whose::Client(*client),
            Self::Sender(domain) => Whose::Sender(domain),
            Self::Recipient(domain) => Whose::Recipient(domain),
        }
    }
}

impl Lately {
    /// It has come near a limit now. Logins are not noted: the directory has their names.
    pub fn note(&self, whose: Whose<'_>) {
        let name = match whose {
            Whose::Login(_) => return,
            Whose::Client(client) => Name::Client(client),
            Whose::Sender(domain) | Whose::Recipient(domain) if domain.len() > LONGEST => return,
            Whose::Sender(domain) => Name::Sender(domain.to_vec()),
            Whose::Recipient(domain) => Name::Recipient(domain.to_vec()),
        };
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.retain(|other| *other != name);
        if names.len() >= MOST {
            names.pop_front();
        }
        names.push_back(name);
    }

    /// All of them.
    pub fn names(&self) -> Vec<Name> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: what strangers are called takes a bounded place, each name once, the latest of them.
    #[test]
    fn the_last_names_are_kept_once_each() {
        let lately = Lately::default();
        lately.note(Whose::Login("ann@example.org"));
        lately.note(Whose::Sender(&[b'x'; 256]));
        assert!(lately.names().is_empty());
        for number in 0..MOST + 10 {
            lately.note(Whose::Sender(format!("shop{number}.example").as_bytes()));
            lately.note(Whose::Client([192, 0, 2, 1].into()));
        }
        let names = lately.names();
        assert_eq!(names.len(), MOST);
        assert_eq!(names.iter().filter(|name| matches!(name, Name::Client(_))).count(), 1);
        assert!(names.contains(&Name::Sender(format!("shop{}.example", MOST + 9).into_bytes())));
        assert!(!names.contains(&Name::Sender(b"shop0.example".to_vec())));
    }
}
