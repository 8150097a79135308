//! From an SRS address back to the sender.

use super::{
    Day, LONGEST_PATH, Srs, Tag,
    encode::{is_host, parts, three},
    local,
    stamp::Age,
    tagged,
};
use crate::mail::status::EnhancedStatus;

/// Why an SRS address leads nowhere. Printed, it is the sentence for a 550.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its hash was not made with a secret of ours.
    #[error("this SRS address was not made here, or was changed on its way")]
    Tampered,
    /// So many days old.
    #[error("this SRS address was made {0} days ago and is good no longer")]
    Stale(u16),
    /// So many days ahead.
    #[error("this SRS address bears a date that is {0} days ahead")]
    Future(u16),
    /// It lacks a part, or has one that cannot be.
    #[error("this SRS address is incomplete")]
    Malformed,
    /// Longer than any that is made here.
    #[error("this SRS address is too long to have been made here")]
    TooLong,
}

impl Refusal {
    /// No such mailbox; for what has been one, it is gone.
    pub fn status(self) -> EnhancedStatus {
        EnhancedStatus::new(5, 1, if matches!(self, Self::Stale(_)) { 6 } else { 1 })
    }
}

impl Srs {
    /// The address that a local part (as in RCPT, quotes included) stands for: the sender, or for SRS1 the first
    /// forwarder's SRS0 address. Case that was lost on the way is not found again.
    pub fn decode(&self, local: &str, today: Day) -> Result<String, Refusal> {
        if local.len() > LONGEST_PATH {
            return Err(Refusal::TooLong);
        }
        let user = local::meant(local).ok_or(Refusal::Malformed)?;
        let (tag, rest) = tagged(&user).ok_or(Refusal::Malformed)?;
        let (user, host) = match tag {
            Tag::Srs0 => self.srs0(rest, today)?,
            Tag::Srs1 => {
                let (hash, ..) = three(rest).ok_or(Refusal::Malformed)?;
                let (first, his) = parts(rest).ok_or(Refusal::Malformed)?;
                if !self.secrets.believe(hash, &[first, his]) {
                    return Err(Refusal::Tampered);
                }
                (format!("SRS0{his}"), first)
            }
        };
        Ok(format!("{}@{host}", local::written(&user)))
    }

    /// The hash first: a date is nobody's business who did not get the address from us.
    fn srs0<'a>(&self, rest: &'a str, today: Day) -> Result<(String, &'a str), Refusal> {
        let (hash, stamp, rest) = three(rest).ok_or(Refusal::Malformed)?;
        let (host, user) = rest.split_once('=').ok_or(Refusal::Malformed)?;
        let day = Day::read(stamp).ok_or(Refusal::Malformed)?;
        if !is_host(host) || user.is_empty() {
            return Err(Refusal::Malformed);
        }
        if !self.secrets.believe(hash, &[stamp, host, user]) {
            return Err(Refusal::Tampered);
        }
        match day.age(today, self.window) {
            Age::Good => Ok((user.to_owned(), host)),
            Age::Old(days) => Err(Refusal::Stale(days)),
            Age::ToCome(days) => Err(Refusal::Future(days)),
        }
    }
}
