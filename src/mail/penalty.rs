//! Guessing at passwords: who is made to wait, who is refused, and for how long.
//!
//! Four things are counted apart: the client's address (an IPv6 client is its /64), the network around it (/24, /48),
//! the account, and the account from that network. Each has so many wrong passwords within a window of time; half of
//! them make it wait, all of them shut it out for a while. Who has logged in to an account from a network before is
//! let through there whatever strangers do to the account, until wrong passwords come from that pair itself.
//!
//! Nothing here asks whether an account exists: known and unknown ones cost the same.

mod ban;
mod table;

pub use ban::{Ban, By, Key, Unclear};
pub use table::{Event, Penalties, REMEMBERED};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;

/// Somebody who was let in from a network stays known there for so long, in seconds.
pub const KNOWN_FOR: u64 = 30 * 86_400;
/// The longest that anybody is made to wait before a try, in seconds.
pub const LONGEST_DELAY: u32 = 8;

/// How much is too much. Times are seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Without this nobody waits and nobody is refused but by a person's word.
    pub enabled: bool,
    /// Wrong passwords from one address within the window; 0 = no limit.
    pub failures: u32,
    /// The same from the network around it.
    pub network_failures: u32,
    /// The same at one account, from networks it is not known in.
    pub account_failures: u32,
    /// How long a wrong password counts, 1 and more.
    pub window: u64,
    /// The first ban. Each further one within a day is twice as long.
    pub ban: u64,
    /// No ban of ours is longer.
    pub longest: u64,
    /// Whether the same wrong password counts each time: a phone with an old one says it every minute.
    pub count_repeats: bool,
    /// Networks that are never banned; `false` leaves one out, the first match counts.
    pub spared: Vec<(bool, IpNet)>,
    /// Addresses under which anybody may come, as the engine's proxy passes clients on: never banned either, and
    /// nobody is known there.
    pub gateways: Vec<IpAddr>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            enabled: true,
            failures: 5,
            network_failures: 25,
            account_failures: 50,
            window: 600,
            ban: 600,
            longest: 86_400,
            count_repeats: false,
            spared: Vec::new(),
            gateways: Vec::new(),
        }
    }
}

impl Rules {
    /// Whether bans are not for this address.
    pub fn spares(&self, address: IpAddr) -> bool {
        address.is_loopback()
            || address.is_unspecified()
            || self.gateways.contains(&address)
            || self.spared.iter().find(|(_, net)| net.contains(&address)).is_some_and(|(taken, _)| *taken)
    }

    /// Something in `net` that is spared, for whoever would ban all of it.
    pub fn spared_within(&self, net: IpNet) -> Option<IpNet> {
        let loopback: [IpNet; 2] = [
            Ipv4Net::new_assert([127, 0, 0, 0].into(), 8).into(),
            Ipv6Net::new_assert(std::net::Ipv6Addr::LOCALHOST, 128).into(),
        ];
        let gateways = self.gateways.iter().copied().map(IpNet::from);
        let taken = self.spared.iter().filter(|(taken, _)| *taken).map(|(_, net)| *net);
        let meets = |other: &IpNet| net.contains(other) || other.contains(&net) && self.spares(net.addr());
        loopback.into_iter().chain(gateways).chain(taken).find(meets)
    }
}

/// A try to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The name that was said, in lower case; it need not exist.
    pub account: String,
    /// Where the client is; `None` = within the server itself.
    pub remote: Option<IpAddr>,
    /// Distinguishes passwords without telling them: Dovecot's truncated hash.
    pub secret: Option<String>,
}

/// What became of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Right name, right password.
    Good,
    /// One of the two was wrong.
    Wrong,
    /// Refused before the password was looked at, or it could not be looked at: counts for nobody.
    Other,
}

/// What to do with a try before its password is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Pass,
    /// Go on after so many seconds, 1 to [`LONGEST_DELAY`].
    Delay(u32),
    /// Not now, because of this ban.
    Refuse(Key),
}

/// The client by itself: an IPv6 client has a whole /64.
pub fn own(address: IpAddr) -> IpNet {
    around(address, 32, 64)
}

/// The network around a client, in which it is known and for which it is held liable.
pub fn neighbours(address: IpAddr) -> IpNet {
    around(address, 24, 48)
}

fn around(address: IpAddr, four: u8, six: u8) -> IpNet {
    match address {
        IpAddr::V4(address) => IpNet::V4(Ipv4Net::new_assert(address, four).trunc()),
        IpAddr::V6(address) => IpNet::V6(Ipv6Net::new_assert(address, six).trunc()),
    }
}

/// Seconds to wait after `count` wrong passwords of `limit`: nothing up to half of them, then twice as long each time.
fn delay(count: u32, limit: u32) -> u32 {
    match count.checked_sub(limit.div_ceil(2)) {
        Some(over) if limit > 0 => LONGEST_DELAY.min(1 << over.min(8)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
