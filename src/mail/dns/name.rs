//! `Name`: any name that can be asked for, also those that no host may have.

use crate::mail::address::{Domain, Malformed};
use std::{fmt, net::IpAddr};

/// A DNS name in lower case, without the final dot (RFC 1035 §2.3.1, RFC 2181 §11: any octets but, here, dots and
/// control characters). The root is the empty name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Name(String);

impl Name {
    /// The root.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// Labels of 1 to 63 printable octets, 253 in all; one final dot is taken off.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        Self::labelled(text, |octet| octet.is_ascii_graphic())
    }

    /// The same, blanks let through: what a macro may make (RFC 7208 §7.1 `%_`).
    pub fn parse_expanded(text: &str) -> Result<Self, Malformed> {
        Self::labelled(text, |octet| octet.is_ascii_graphic() || octet == b' ')
    }

    fn labelled(text: &str, fits: impl Fn(u8) -> bool) -> Result<Self, Malformed> {
        let bad = |why| Err(Malformed { what: "DNS name", text: text.chars().take(80).collect(), why });
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            return if text.is_empty() { bad("is empty") } else { Ok(Self::root()) };
        }
        if name.len() > 253 {
            return bad("is longer than 253 characters");
        }
        if !name.bytes().all(fits) {
            return bad("has blanks or characters outside ASCII");
        }
        match name.split('.').map(str::len).find(|length| !(1..=63).contains(length)) {
            Some(0) => bad("has an empty part between dots"),
            Some(_) => bad("has a part longer than 63 characters"),
            None => Ok(Self(name)),
        }
    }

    /// Where the name of an address stands (RFC 1035 §3.5, RFC 3596 §2.5).
    pub fn reverse(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                Self(format!("{d}.{c}.{b}.{a}.in-addr.arpa"))
            }
            IpAddr::V6(v6) => {
                let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
                let labels: Vec<String> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
                Self(format!("{}.ip6.arpa", labels.join(".")))
            }
        }
    }

    /// The canonical text, without the final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// From the first to the last.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.').filter(|label| !label.is_empty())
    }

    /// `label.self`; the label may have dots.
    pub fn child(&self, label: &str) -> Result<Self, Malformed> {
        if self.is_root() { Self::parse(label) } else { Self::parse(&format!("{label}.{self}")) }
    }

    /// Without its first label; the root has no parent.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.split_once('.').map(|(_, rest)| rest.to_owned()).unwrap_or_default()))
    }

    /// Whether it is `zone` or below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        zone.is_root() || self == zone || self.0.strip_suffix(&zone.0).is_some_and(|head| head.ends_with('.'))
    }
}

impl From<&Domain> for Name {
    fn from(domain: &Domain) -> Self {
        Self(domain.as_str().to_owned())
    }
}

impl From<Domain> for Name {
    fn from(domain: Domain) -> Self {
        Self::from(&domain)
    }
}

impl From<&Name> for Name {
    fn from(name: &Name) -> Self {
        name.clone()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_root() { "." } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_know_their_place() {
        let name = |text: &str| Name::parse(text).unwrap();
        assert_eq!(name("_DMARC.Example.org.").as_str(), "_dmarc.example.org");
        assert_eq!(name(".").to_string(), ".");
        assert_eq!(name("a.b").parent(), Some(name("b")));
        assert_eq!(name("b").parent(), Some(Name::root()));
        assert_eq!(Name::root().parent(), None);
        assert!(name("a.example.org").is_within(&name("example.org")));
        assert!(!name("aexample.org").is_within(&name("example.org")));
        assert!(name("org").is_within(&Name::root()));
        assert_eq!(name("org").child("_25._tcp").unwrap(), name("_25._tcp.org"));
        for bad in ["", "a..b", "a b", &"x".repeat(64), &"x.".repeat(200), "ä.org"] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
    }

    /// Proves: RFC 1035 §3.5 and RFC 3596 §2.5.
    #[test]
    fn an_address_has_a_reverse_name() {
        let of = |text: &str| Name::reverse(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.25"), "25.2.0.192.in-addr.arpa");
        let six = of("2001:db8::567:89ab");
        assert_eq!(six, "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    }
}
