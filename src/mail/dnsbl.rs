//! Blocklists in DNS (RFC 5782): which are asked, what an answer means, and when a list is not believed.
//!
//! A list that refuses the resolver often says so with an address, and whoever takes every address for a listing
//! refuses all mail from then on. So an answer counts only where it can be one, and a list only where it passes its own
//! test ([`fit`]).

mod ask;
mod zone;

pub use ask::{Listing, ask, fit};
pub use zone::{Act, Codes, Zone};

use super::{
    dns::{Answer, Data, Silence},
    policy::{Action, Decision, Rule},
};
use std::{fmt, net::Ipv4Addr};

/// What an answer of a list means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// It is on the list, with these codes.
    Listed(Vec<Ipv4Addr>),
    /// It is not.
    Clean,
    /// The list refuses us, or somebody else answered in its place.
    Refusal(Ipv4Addr),
    /// No answer that counts.
    Silent(Silence),
}

/// Why a list is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It does not list what every list has (RFC 5782 §5).
    Empty,
    /// It lists what none has.
    Everything,
    /// It refuses us, or somebody else answers in its place.
    Refuses(Ipv4Addr),
    /// It gives no answer.
    Silent(Silence),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it does not list its own test entry"),
            Self::Everything => f.write_str("it lists everything"),
            Self::Refuses(code) => {
                write!(f, "it answers {code}, which is no listing: most likely it refuses the resolver")
            }
            Self::Silent(why) => write!(f, "it gives no answer: {why}"),
        }
    }
}

/// Reads an answer. With `codes`, only those are listings; without, those that lists usually have.
pub fn says(answer: &Answer, codes: Option<&Codes>) -> Says {
    let records = match answer.records() {
        Ok(records) => records,
        Err(why) => return Says::Silent(why.clone()),
    };
    let found: Vec<Ipv4Addr> =
        records.iter().filter_map(|data| if let Data::A(code) = data { Some(*code) } else { None }).collect();
    let odd = |code: &&Ipv4Addr| refuses(**code) || codes.is_none() && !usual(**code);
    if let Some(code) = found.iter().find(odd) {
        return Says::Refusal(*code);
    }
    let listed: Vec<Ipv4Addr> =
        found.into_iter().filter(|code| codes.is_none_or(|codes| codes.hold(*code))).collect();
    if listed.is_empty() { Says::Clean } else { Says::Listed(listed) }
}

/// 127.0.0.2 to 127.0.1.254.
fn usual(code: Ipv4Addr) -> bool {
    matches!(code.octets(), [127, 0, 0, 2..=254] | [127, 0, 1, 1..=254])
}

/// What no list says of what it lists: 127.255.255.252 to 255 are Spamhaus' refusals (wrong name, public resolver, too many
/// questions), 127.0.1.255 that of its domain list to an address, 127.0.0.1 that of URIBL; an address outside 127/8 is
/// somebody else's, as of a provider that answers for names that do not exist (RFC 5782 §2.1, §5).
fn refuses(code: Ipv4Addr) -> bool {
    match code.octets() {
        [127, 0, 0, 0 | 1 | 255] | [127, 0, 1, 255] | [127, 255, 255, _] => true,
        [first, ..] => first != 127,
    }
}

/// RFC 5782 §5: what every list has, and what none has.
pub fn test_labels(domains: bool) -> [&'static str; 2] {
    if domains { ["test", "invalid"] } else { ["2.0.0.127", "1.0.0.127"] }
}

/// What becomes of a message whose client or sender is listed there.
pub fn judge(listings: &[Listing]) -> Decision {
    let text = |listing: &Listing, status: &str| format!("{status} Service unavailable; {listing}");
    let action = match decisive(listings) {
        Some(listing) if listing.act == Act::Reject => Action::Reject(text(listing, "5.7.1")),
        Some(listing) => Action::Defer(text(listing, "4.7.1")),
        None => return Decision::NONE,
    };
    Decision { action, rule: Rule::Dnsbl }
}

/// The listing that decides. Zones that only log decide nothing; one that refuses comes before one that only defers.
pub fn decisive(listings: &[Listing]) -> Option<&Listing> {
    let of = |act: Act| listings.iter().find(|listing| listing.act == act);
    of(Act::Reject).or_else(|| of(Act::Defer))
}

#[cfg(test)]
mod tests;
