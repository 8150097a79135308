//! `Route`: the way that mail for an address takes, stop by stop, and where it ends.

use crate::mail::{address::Address, forward::Off};

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
    /// A wildcard matches it: `sales-*@example.org`.
    Wildcard,
    /// A regular expression matches it.
    Expression,
    /// Nobody of this name, but the domain has a catch-all.
    CatchAll,
    /// All of its domain is led to another one.
    Domain,
    /// What it matches is switched off or over: it is refused.
    Off,
    /// What it matches has a target that would be no address with the parts of this one: it is refused.
    Unfit,
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
    /// The source of the alias or forward that was found for it, as it is written: `info@example.org`,
    /// `sales-*@example.org`, `@example.org`. Its rules are kept under this text. `None` = there is none.
    pub source: Option<String>,
    /// What the stars or groups of that source stand for: `$1` and so on.
    pub parts: Vec<String>,
    /// Why that source does not count, where it does not.
    pub off: Option<Off>,
    /// That source has rules that count: where mail goes depends on the message.
    pub ruled: bool,
    /// The rule of it that matched, where a message was asked about.
    pub rule: Option<i64>,
    /// What the sender is told, where that rule refuses the message.
    pub block: Option<String>,
}

impl Stop {
    /// Nothing is known of it but this.
    pub(super) fn new(at: Address, why: Why) -> Self {
        Self {
            at,
            why,
            leads_to: Vec::new(),
            loops: false,
            source: None,
            parts: Vec::new(),
            off: None,
            ruled: false,
            rule: None,
            block: None,
        }
    }

    /// It was found by this source.
    pub(super) fn by(mut self, source: String) -> Self {
        self.source = Some(source);
        self
    }
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
    /// Whether where mail goes depends on the message: a forward on the way has rules.
    pub fn ruled(&self) -> bool {
        self.stops.iter().any(|stop| stop.ruled)
    }

    /// What the sender is told of a message that a rule refuses, so that it goes nowhere.
    pub fn block(&self) -> Option<&str> {
        if self.targets.is_empty() { self.stops.iter().find_map(|stop| stop.block.as_deref()) } else { None }
    }

    pub(super) fn stop(&mut self, at: Address, why: Why) {
        self.stops.push(Stop::new(at, why));
    }

    pub(super) fn arrive(&mut self, stop: Stop, target: Target) {
        self.stops.push(stop);
        self.deliver(target);
    }

    pub(super) fn deliver(&mut self, target: Target) {
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }
}
