//! A forward is an alias with more: what it stands for may be many addresses ([`Pattern`]), its targets may take up parts of
//! them ([`Aim`]), and it may be switched off or end by itself ([`Terms`]). How they are walked: [`super::directory`].
//!
//! | written | stands for |
//! |---|---|
//! | `info@example.org` | this address, with or without a tag |
//! | `sales-*@example.org` | every address that begins so; `*` is any run of characters, none as well |
//! | `/^ticket-(\d+)$/@example.org` | every address whose local part matches the regular expression as a whole |
//! | `@example.org` | what else there is in the domain: its catch-all |
//! | `@old.example`, with the target `@example.org` | the same local parts in another domain |

mod aim;
pub mod csv;
mod expression;
mod patterns;
mod terms;
mod wildcard;

pub use aim::Aim;
pub use expression::Expression;
pub use patterns::{EXPRESSIONS, Hit, Kind, Patterns, WILDCARDS};
pub use terms::{NOTE, Off, Terms};
pub use wildcard::Wildcard;

use super::{
    address::{Domain, Localpart},
    alias,
};
use std::fmt;

/// The left side of a forward that stands for many addresses.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// `sales-*@example.org`.
    Wildcard(Wildcard),
    /// `/^ticket-(\d+)$/@example.org`.
    Expression(Expression),
    /// `@old.example`: each address leads to the same local part of another domain.
    Domain(Domain),
}

/// The left side of any forward. Its text is its key: no two of them that mean different things are written alike, but for
/// a domain's catch-all and a domain that is led elsewhere, of which a domain has one or the other.
#[derive(Clone, Debug)]
pub enum Source {
    /// One address, or a catch-all: what `mailctl alias` knows.
    Alias(alias::Source),
    /// Many addresses.
    Pattern(Pattern),
}

impl Source {
    /// Parses what [`fmt::Display`] writes; `@example.org` is a catch-all. `Err`: one clear line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Expression::parse(text).map(|found| Self::Pattern(Pattern::Expression(found)));
        }
        match text.rsplit_once('@') {
            Some((local, _)) if local.contains('*') => {
                Wildcard::parse(text).map(|found| Self::Pattern(Pattern::Wildcard(found)))
            }
            _ => alias::Source::parse(text).map(Self::Alias).map_err(|error| error.to_string()),
        }
    }

    /// The same, but for `@old.example` with a target `@example.org`: then it is the whole domain that is led there.
    pub fn towards(text: &str, aims: &[Aim]) -> Result<Self, String> {
        match (Self::parse(text)?, aims) {
            (Self::Alias(alias::Source::CatchAll(domain)), [Aim::Domain(_)]) => {
                Ok(Self::Pattern(Pattern::Domain(domain)))
            }
            (source, _) => Ok(source),
        }
    }

    /// After the `@`.
    pub fn domain(&self) -> &Domain {
        match self {
            Self::Alias(source) => source.domain(),
            Self::Pattern(pattern) => pattern.domain(),
        }
    }

    /// How many parts its targets may take up: `$1` to `$n`.
    pub fn parts(&self) -> usize {
        match self {
            Self::Pattern(Pattern::Wildcard(wildcard)) => wildcard.stars(),
            Self::Pattern(Pattern::Expression(expression)) => expression.groups(),
            Self::Pattern(Pattern::Domain(_)) | Self::Alias(_) => 0,
        }
    }

    /// Local parts that it stands for, to try it with; none where it is one address.
    pub fn samples(&self) -> Vec<Localpart> {
        let texts: Vec<String> = match self {
            Self::Alias(alias::Source::Address(_)) => Vec::new(),
            Self::Pattern(Pattern::Wildcard(wildcard)) => wildcard.samples(),
            Self::Pattern(Pattern::Expression(expression)) => expression.samples(),
            Self::Pattern(Pattern::Domain(_)) | Self::Alias(alias::Source::CatchAll(_)) => {
                SAMPLES.map(str::to_owned).to_vec()
            }
        };
        let mut found: Vec<Localpart> = texts.iter().filter_map(|text| Localpart::parse(text).ok()).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Whether it stands for this local part of its domain, without regard to what comes before it.
    pub fn holds(&self, local: &Localpart) -> bool {
        match self {
            Self::Alias(alias::Source::Address(address)) => address.local() == local,
            Self::Alias(alias::Source::CatchAll(_)) | Self::Pattern(Pattern::Domain(_)) => true,
            Self::Pattern(Pattern::Wildcard(wildcard)) => wildcard.parts(local.as_str()).is_some(),
            Self::Pattern(Pattern::Expression(expression)) => expression.parts(local.as_str()).is_some(),
        }
    }
}

/// Names that nobody has, of several kinds.
const SAMPLES: [&str; 5] = ["nobody-of-this-name", "x", "1", "a.b", "x1y"];

impl Pattern {
    /// After the `@`.
    pub fn domain(&self) -> &Domain {
        match self {
            Self::Wildcard(wildcard) => wildcard.domain(),
            Self::Expression(expression) => expression.domain(),
            Self::Domain(domain) => domain,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wildcard(wildcard) => wildcard.fmt(f),
            Self::Expression(expression) => expression.fmt(f),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(source) => source.fmt(f),
            Self::Pattern(pattern) => pattern.fmt(f),
        }
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.to_string() == other.to_string()
    }
}

#[cfg(test)]
mod tests;
