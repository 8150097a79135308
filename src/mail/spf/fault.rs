//! `Fault`: where a record breaks the grammar, and how.

use std::fmt;

/// A term that breaks the grammar; the whole record is void then (RFC 7208 §4.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which term, the first after the version is 1.
    pub position: usize,
    /// As published, octets outside printable ASCII replaced, at most 80 characters.
    pub term: String,
    /// What is wrong.
    pub why: Why,
}

impl Fault {
    pub(super) fn new(position: usize, term: &str, why: Why) -> Self {
        let show = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '\u{fffd}' };
        Self { position, term: term.chars().take(80).map(show).collect(), why }
    }
}

/// A sentence without its final dot.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "term {} \"{}\" {}", self.position, self.term, self.why)
    }
}

/// What is wrong with a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Holds a control character, a tab, or something outside ASCII (RFC 7208 §3.1).
    Octets,
    /// There is no such mechanism (RFC 7208 §4.6.1); the word that was perhaps meant.
    UnknownMechanism(Option<&'static str>),
    /// A qualifier alone: a blank too many.
    Bare,
    /// A mechanism that takes nothing after its name has something (`all:…`, `all.`).
    TakesNothing,
    /// The domain is missing (RFC 7208 §5.2, §5.7, §6.1, §6.2).
    NoDomain,
    /// It is no domain name with a dot and a proper last part (RFC 7208 §7.1).
    BadDomain,
    /// An IP address stands where a domain name should (RFC 7208 §7.1 `toplabel`).
    AddressAsDomain,
    /// The address is missing (RFC 7208 §5.6).
    NoNetwork,
    /// It is no IPv4 address of four decimal numbers without leading zeros (RFC 7208 §5.6).
    BadIp4,
    /// It is no IPv6 address (RFC 7208 §5.6).
    BadIp6,
    /// An IPv6 address after `ip4:`.
    Ip6AfterIp4,
    /// An IPv4 address after `ip6:`.
    Ip4AfterIp6,
    /// The number behind the slash is no prefix length (RFC 7208 §5.6: 0 to 32, 0 to 128, no leading zero).
    BadPrefix,
    /// A `%` that begins no macro (RFC 7208 §7.1).
    BadMacro,
    /// `c`, `r` or `t` outside an explanation (RFC 7208 §7.2).
    LateMacro,
    /// A modifier's name has to begin with a letter (RFC 7208 §4.6.1).
    BadName,
    /// `redirect=` or `exp=` for the second time (RFC 7208 §6).
    Twice,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Octets => "has characters that are not printable ASCII",
            Self::UnknownMechanism(None) => "is no known mechanism",
            Self::UnknownMechanism(Some(meant)) => {
                return write!(f, "is no known mechanism; did you mean {meant}?");
            }
            Self::Bare => "is a qualifier without a mechanism; take out the blank behind it",
            Self::TakesNothing => "has something behind a name that takes nothing",
            Self::NoDomain => "lacks its domain name",
            Self::BadDomain => "does not name a domain with a dot and a proper last part",
            Self::AddressAsDomain => "has an IP address where a domain name should be; use ip4: or ip6:",
            Self::NoNetwork => "lacks its address",
            Self::BadIp4 => "has no IPv4 address of four decimal numbers",
            Self::BadIp6 => "has no IPv6 address",
            Self::Ip6AfterIp4 => "has an IPv6 address; use ip6:",
            Self::Ip4AfterIp6 => "has an IPv4 address; use ip4:",
            Self::BadPrefix => "has no proper prefix length behind the slash",
            Self::BadMacro => "has a % that begins no macro",
            Self::LateMacro => "uses a macro that only explanations may use",
            Self::BadName => "is a modifier whose name does not begin with a letter",
            Self::Twice => "stands in the record for the second time",
        })
    }
}
