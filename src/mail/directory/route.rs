//! `Route`: the way that mail for an address takes, stop by stop, and where it ends.

use crate::mail::address::Address;

/// Where mail ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// In a mailbox here; the address keeps its tag.
    Mailbox(Address),
    /// At another server.
    Outside(Address),
}

impl Target {
    /// The address, wherever it is.
    pub fn address(&self) -> &Address {
        match self {
            Self::Mailbox(address) | Self::Outside(address) => address,
        }
    }
}

/// What is known of an address on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is an alias of this address.
    Alias,
    /// There is a mailbox of this address.
    Mailbox,
    /// A role address without mailbox or alias of its own: the administrator's.
    Role,
    /// Nobody of this name, but the domain has a catch-all.
    CatchAll,
    /// Of a domain that is not served here.
    Outside,
    /// Nobody of this name.
    Unknown,
    /// The chain of aliases, or the number of targets, is over the limit.
    TooFar,
}

/// One address on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The address.
    pub at: Address,
    /// What is known of it.
    pub why: Why,
    /// Where it leads.
    pub leads_to: Vec<Address>,
    /// It leads back to an address that led to it; that branch is not followed.
    pub loops: bool,
}

/// The way, in the order in which it is walked; the first stop is the address that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Every address on the way.
    pub stops: Vec<Stop>,
    /// Where the mail ends, each once; empty = the address is refused.
    pub targets: Vec<Target>,
}

impl Route {
    pub(super) fn stop(&mut self, at: Address, why: Why) {
        self.stops.push(Stop { at, why, leads_to: Vec::new(), loops: false });
    }

    pub(super) fn arrive(&mut self, at: Address, why: Why, target: Target) {
        self.stop(at, why);
        self.deliver(target);
    }

    pub(super) fn deliver(&mut self, target: Target) {
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }
}
