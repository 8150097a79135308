//! A ban: on whom, since when, for how long.

use crate::mail::address::Address;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// Whom a ban is on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A network; a single IPv4 address is a /32, a single IPv6 client a /64.
    Network(IpNet),
    /// A login, wherever it comes from.
    Account(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // An IPv6 address alone would be read as its /64.
            Self::Network(IpNet::V4(net)) if net.prefix_len() == 32 => write!(f, "{}", net.addr()),
            Self::Network(net) => write!(f, "{net}"),
            Self::Account(account) => f.write_str(account),
        }
    }
}

/// What cannot be banned, because it is neither address, nor network, nor account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear(String);

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = Unclear;

    /// As a person writes it: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`, `ann@example.org`. A single IPv6 address
    /// is the /64 that its client has.
    fn from_str(text: &str) -> Result<Self, Unclear> {
        let plain = text.trim().replace(['[', ']'], "");
        if let Ok(address) = plain.parse::<IpAddr>() {
            return Ok(Self::Network(super::own(address.to_canonical())));
        }
        if let Ok(net) = plain.parse::<IpNet>() {
            return match net.trunc() == net {
                true => Ok(Self::Network(net)),
                false => Err(Unclear(format!("{text:?} has host bits set; did you mean {}?", net.trunc()))),
            };
        }
        if let Ok(address) = Address::parse(text.trim()) {
            return Ok(Self::Account(address.to_string()));
        }
        // People also guess at names that can be no login here: `admin`.
        let name = text.trim().to_lowercase();
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/:".contains(c);
        match name.chars().any(|c| c.is_ascii_alphabetic()) && !name.contains(odd) && name.len() <= 320 {
            true => Ok(Self::Account(name)),
            false => Err(Unclear(format!(
                "{text:?} is neither an address like 192.0.2.7, nor a network like 192.0.2.0/24, nor a login like \
                 ann@example.org"
            ))),
        }
    }
}

/// Who decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The rules.
    Rule,
    /// A person, with `mailctl ban add`.
    Operator,
}

/// One ban. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Its first second.
    pub since: u64,
    /// The first second after it.
    pub until: u64,
    /// Who decided it.
    pub by: By,
    /// How many there were shortly before it: each doubles the next one.
    pub level: u8,
}

impl Ban {
    /// Whether it counts. Where the clock was set back to before it began, a ban of the rules counts no more: nobody
    /// stays out for as long as the clock was wrong.
    pub fn holds(&self, now: u64) -> bool {
        now < self.until && (self.by == By::Operator || now >= self.since)
    }
}
