//! From a sender to an SRS address.

use super::{Day, LONGEST_PATH, SEPARATORS, Srs, Tag, local, tagged};
use crate::mail::address::Domain;

/// Why there is no SRS address for a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It would have so many octets, in the local part or altogether.
    #[error("the sender's address is too long to be rewritten: it would have {0} octets")]
    TooLong(usize),
    /// It is no address as it may stand in MAIL.
    #[error("the sender's address cannot be rewritten: it is not one that mail can be sent to")]
    Address,
}

impl Srs {
    /// The address at `domain` that stands for `sender` (as in MAIL, without brackets) from this day on. `<>`, which is "",
    /// stays itself, and so does what is at `domain` already.
    pub fn encode(&self, sender: &str, domain: &Domain, day: Day) -> Result<String, Unfit> {
        if sender.is_empty() {
            return Ok(String::new());
        }
        let (local, host) = sender.rsplit_once('@').ok_or(Unfit::Address)?;
        let fits = |text: &str| !text.is_empty() && text.bytes().all(|octet| (b' '..=b'~').contains(&octet));
        if !fits(local) || !is_host(host) {
            return Err(Unfit::Address);
        }
        if host.eq_ignore_ascii_case(domain.as_str()) {
            return Ok(sender.to_owned());
        }
        let user = local::meant(local).ok_or(Unfit::Address)?;
        let made = self.tagged(&user, host, day);
        let written = local::written(&made);
        let whole = written.len() + 1 + domain.as_str().len();
        if written.len() > self.longest_local {
            return Err(Unfit::TooLong(written.len()));
        }
        if whole > LONGEST_PATH {
            return Err(Unfit::TooLong(whole));
        }
        Ok(format!("{written}@{domain}"))
    }

    fn tagged(&self, user: &str, host: &str, day: Day) -> String {
        match tagged(user) {
            // Somebody else's: his part stays as it is, behind his name.
            Some((Tag::Srs0, his)) => self.srs1(host, his),
            // The name of the first one stays, the hash becomes ours.
            Some((Tag::Srs1, rest)) if parts(rest).is_some() => {
                let (first, his) = parts(rest).unwrap_or_default();
                self.srs1(first, his)
            }
            _ => {
                let stamp = day.stamp();
                let hash = self.secrets.sign(&[&stamp, host, user], self.hash);
                format!("SRS0{}{hash}={stamp}={host}={user}", self.separator)
            }
        }
    }

    fn srs1(&self, first: &str, his: &str) -> String {
        let hash = self.secrets.sign(&[first, his], self.hash);
        format!("SRS1{}{hash}={first}={his}", self.separator)
    }
}

/// The first forwarder and his part, from what stands behind `SRS1`: `=HHHH=first.example==HHHH=TT=…`.
pub(super) fn parts(rest: &str) -> Option<(&str, &str)> {
    let (_, first, his) = three(rest)?;
    (is_host(first) && his.bytes().next().is_some_and(|sign| SEPARATORS.contains(&sign)))
        .then_some((first, his))
}

/// Hash and what is behind it: the next part, and the rest.
pub(super) fn three(rest: &str) -> Option<(&str, &str, &str)> {
    let (hash, rest) = rest.get(1..)?.split_once('=')?;
    let (part, rest) = rest.split_once('=')?;
    Some((hash, part, rest))
}

/// What may stand behind an `@`: a name or an address in brackets. What comes from strangers is signed by us and read again
/// as the domain of an address.
pub(super) fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|octet| {
            octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b'[' | b']' | b':')
        })
}
