//! `Source`: what an alias stands for: one address, or everything in a domain that has no name of its own.

pub mod table;

use super::address::{Address, Domain, Malformed};
use std::fmt;

/// The left side of an alias.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// `info@example.org`.
    Address(Address),
    /// `@example.org`: every address of the domain that is neither a mailbox nor an alias.
    CatchAll(Domain),
}

impl Source {
    /// Parses `localpart@domain` or `@domain`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match text.strip_prefix('@') {
            Some(domain) => Domain::parse(domain).map(Self::CatchAll),
            None => Address::parse(text).map(Self::Address),
        }
    }

    /// After the `@`.
    pub fn domain(&self) -> &Domain {
        match self {
            Self::Address(address) => address.domain(),
            Self::CatchAll(domain) => domain,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::CatchAll(domain) => write!(f, "@{domain}"),
        }
    }
}

impl serde::Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_written_alike() {
        for text in ["info@example.org", "@example.org"] {
            assert_eq!(Source::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Source::parse("@Example.ORG").unwrap().to_string(), "@example.org");
        assert!(Source::parse("@").is_err());
        assert!(Source::parse("info").is_err());
    }
}
