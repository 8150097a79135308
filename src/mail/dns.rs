//! What is asked of DNS and what it answers, as values. Asking itself is the world's (`world::dns`).
//!
//! Judgements about DNS are plain functions over an [`Inquiry`]: they read what is known, and what is not known
//! yet they leave behind as a question. Whoever drives them asks, adds the answers and calls again, until nothing
//! is missing. So every rule can be tested without a network, and all questions that do not depend on each other
//! go out at once.

mod answer;
mod entry;
mod inquiry;
mod name;
mod place;
mod reserved;

pub use answer::{Answer, Data, Doubt, Outcome, Proof, Silence};
pub use entry::Entry;
pub use inquiry::{Fetched, Inquiry, Known, Missing};
pub use name::Name;
pub use place::place;
pub use reserved::reserved;

use std::{fmt, net::IpAddr};

/// The kinds of records that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// IPv4 address (RFC 1035 §3.4.1).
    A,
    /// IPv6 address (RFC 3596).
    Aaaa,
    /// Who may issue certificates (RFC 8659).
    Caa,
    /// Another name for (RFC 1035 §3.3.1).
    Cname,
    /// Who takes mail (RFC 1035 §3.3.9).
    Mx,
    /// Name servers (RFC 1035 §3.3.11).
    Ns,
    /// Name of an address (RFC 1035 §3.3.12).
    Ptr,
    /// Begin of a zone (RFC 1035 §3.3.13).
    Soa,
    /// Where a service is (RFC 2782).
    Srv,
    /// Keys that a TLS server shows (RFC 6698).
    Tlsa,
    /// Text (RFC 1035 §3.3.14).
    Txt,
}

impl Kind {
    /// As in a zone file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// The resolver of this host, or the one that was named.
    Resolver,
    /// The same, with its answers proven by DNSSEC (RFC 4033 §5).
    Validating,
    /// The name server at this address, without recursion.
    Server(IpAddr),
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// Of this name.
    pub name: Name,
    /// These records.
    pub kind: Kind,
    /// From there.
    pub whom: Whom,
}

impl Question {
    /// To the resolver.
    pub fn new(name: impl Into<Name>, kind: Kind) -> Self {
        Self { name: name.into(), kind, whom: Whom::Resolver }
    }

    /// To somebody else.
    #[must_use]
    pub fn to(mut self, whom: Whom) -> Self {
        self.whom = whom;
        self
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)?;
        match self.whom {
            Whom::Server(address) => write!(f, " at {address}"),
            Whom::Resolver | Whom::Validating => Ok(()),
        }
    }
}
