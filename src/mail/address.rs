//! `Address`, `Localpart`, `Domain`, `Selector`: names from people, parsed once, canonical from then on.
//!
//! A name that reaches a file name, a table or a program went through here, so the grammar is deliberately
//! narrower than RFC 5321 §4.1.2: no quoted local parts, no address literals, no 8-bit. All are folded to
//! lower case: two mailboxes that differ only in case would be a trap.

use std::{fmt, str::FromStr};

/// Why a name was refused; one clear line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} {why}")]
pub struct Malformed {
    /// Which kind of name: "address", "domain", …
    pub what: &'static str,
    /// What was given (at most 80 characters of it).
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

fn malformed(what: &'static str, text: &str, why: &'static str) -> Malformed {
    Malformed { what, text: text.chars().take(80).collect(), why }
}

/// A domain name in lower case, as A-labels, without a final dot (RFC 1035 §2.3.1, RFC 5890).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// Parses a fully qualified name: at least two labels, letters, digits and hyphens, at most 253 octets.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let bad = |why| Err(malformed("domain", text, why));
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            return bad("is empty");
        }
        if name.len() > 253 {
            return bad("is longer than 253 characters");
        }
        if !name.is_ascii() {
            return bad("has letters outside ASCII; write it in its xn-- form");
        }
        if !name.contains('.') {
            return bad("needs at least two parts, as in example.org");
        }
        for label in name.split('.') {
            if label.is_empty() {
                return bad("has an empty part between dots");
            }
            if label.len() > 63 {
                return bad("has a part longer than 63 characters");
            }
            if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return bad("may hold only letters, digits, hyphens and dots");
            }
            if label.starts_with('-') || label.ends_with('-') {
                return bad("has a part that begins or ends with a hyphen");
            }
        }
        if name.rsplit('.').next().is_some_and(|tld| tld.bytes().all(|b| b.is_ascii_digit())) {
            return bad("looks like an IP address");
        }
        Ok(Self(name))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The part before the `@`, in lower case (RFC 5321 §4.1.2 `Dot-string`, narrowed).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Localpart(String);

impl Localpart {
    /// 1 to 64 characters: letters, digits and `!#$&'*+-=?^_{}~.` minus what shells, maps and file names
    /// give a meaning to; dots neither first, last nor doubled.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let bad = |why| Err(malformed("local part", text, why));
        if text.is_empty() {
            return bad("is empty");
        }
        if text.len() > 64 {
            return bad("is longer than 64 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#&'*+-=?^_~.".contains(&b)) {
            return bad("may hold only letters, digits and ! # & ' * + - = ? ^ _ ~ .");
        }
        if text.starts_with('.') || text.ends_with('.') || text.contains("..") {
            return bad("may not begin or end with a dot or have two in a row");
        }
        if text.starts_with('-') {
            // Would be read as an option by any program it is handed to.
            return bad("may not begin with a hyphen");
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether other servers may write this before the `@`, in quotes or as the text within them (RFC 5321
    /// §4.1.2, §4.5.3.1.1). Nobody here has such a name where [`Localpart::parse`] refuses it.
    pub fn elsewhere(text: &str) -> bool {
        (1..=64).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b))
    }

    /// Splits `user+tag` at the first delimiter; `None` where there is no tag, or no user that could be.
    pub fn split_tag(&self, delimiter: char) -> Option<(&str, &str)> {
        // A final dot is the one fault that cutting can make.
        self.0.split_once(delimiter).filter(|(user, _)| !user.is_empty() && !user.ends_with('.'))
    }
}

/// `localpart@domain`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    local: Localpart,
    domain: Domain,
}

impl Address {
    /// Parses `localpart@domain`; a bare name is refused with an example.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(malformed("address", text, "has no domain part; write it like user@example.org"));
        };
        Ok(Self { local: Localpart::parse(local)?, domain: Domain::parse(domain)? })
    }

    /// Puts the two together.
    pub fn new(local: Localpart, domain: Domain) -> Self {
        Self { local, domain }
    }

    /// Before the `@`.
    pub fn local(&self) -> &Localpart {
        &self.local
    }

    /// After the `@`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The same address without `+tag`, or `None` where it has none.
    pub fn untagged(&self, delimiter: char) -> Option<Self> {
        let (user, _) = self.local.split_tag(delimiter)?;
        Some(Self { local: Localpart(user.to_owned()), domain: self.domain.clone() })
    }
}

/// A DKIM selector: one or more DNS labels (RFC 6376 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(String);

impl Selector {
    /// Letters, digits and hyphens in dot-separated labels of at most 63 characters.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let name = text.to_ascii_lowercase();
        let fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() <= 200 && name.split('.').all(fits) {
            Ok(Self(name))
        } else {
            Err(malformed("selector", text, "must be letters, digits and hyphens, like mail or 2026a"))
        }
    }

    /// One that tells its month: `m202611`.
    pub fn dated(year: i32, month: u8) -> Self {
        Self(format!("m{year:04}{month:02}"))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Localpart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

macro_rules! parsed_from_text {
    ($($name:ident),*) => {$(
        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                Self::parse(text)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
parsed_from_text!(Domain, Localpart, Address, Selector);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folds_case_and_final_dot() {
        assert_eq!(Address::parse("Ann.Lee@Example.ORG.").unwrap().to_string(), "ann.lee@example.org");
    }

    /// Proves: threats 9 and 10 (nothing that a shell, a map, a template or a path gives a meaning to).
    #[test]
    fn refuses_what_another_program_would_interpret() {
        for bad in [
            "",
            "@",
            "a@",
            "@example.org",
            "a@b",
            "a b@example.org",
            "a\n@example.org",
            "a\0@example.org",
            "|cmd@example.org",
            "../x@example.org",
            "a/b@example.org",
            "$x@example.org",
            "{{x@example.org",
            "%s@example.org",
            "`id`@example.org",
            "\"a b\"@example.org",
            ".a@example.org",
            "a..b@example.org",
            "-o@example.org",
            "a@-x.org",
            "a@exa_mple.org",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "ä@example.org",
            "a;b@example.org",
            "a\\b@example.org",
            "a(b@example.org",
            ":include:x@example.org",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_bare_name_is_refused_with_an_example() {
        assert!(Address::parse("ann").unwrap_err().to_string().contains("user@example.org"));
    }

    #[test]
    fn tags_split_at_the_first_delimiter() {
        let address = Address::parse("ann+a+b@example.org").unwrap();
        assert_eq!(address.untagged('+').unwrap().to_string(), "ann@example.org");
        for no_user in ["+x@example.org", "a.+x@example.org"] {
            assert!(Address::parse(no_user).unwrap().untagged('+').is_none());
        }
    }
    proptest! {
        #[test]
        fn what_is_taken_is_taken_again_and_the_same(text in "[ -~]{0,70}|[A-Za-z0-9.+_-]{1,30}@[A-Za-z0-9.-]{1,40}|.{0,40}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(&address.to_string()), Ok(address));
            }
            if let Ok(selector) = Selector::parse(&text) {
                prop_assert_eq!(Selector::parse(selector.as_str()), Ok(selector));
            }
        }
    }
}
