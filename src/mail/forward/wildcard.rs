//! `sales-*@example.org`.

use crate::mail::address::{Domain, Localpart};
use std::fmt;

/// Most stars in one: each can be a part of a target.
const STARS: usize = 9;

/// A local part in which `*` stands for any run of characters, none as well. In lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard {
    local: String,
    domain: Domain,
}

impl Wildcard {
    /// Parses it. At least one character is none of the stars: all of a domain is written `@example.org`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| Err(format!("wildcard {text:?} {why}"));
        let Some((local, domain)) = text.rsplit_once('@') else {
            return bad("has no domain part; write it like sales-*@example.org");
        };
        let domain = Domain::parse(domain).map_err(|error| error.to_string())?;
        let local = local.to_ascii_lowercase();
        let stars = local.matches('*').count();
        if stars == local.len() {
            return bad(&format!("is everything; write it as @{domain}"));
        }
        if local.contains("**") || stars > STARS {
            return bad("has two stars in a row, or more than nine");
        }
        // Each star can be a letter.
        if let Err(error) = Localpart::parse(&local.replace('*', "x")) {
            return bad(error.why);
        }
        Ok(Self { local, domain })
    }

    /// After the `@`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// How many stars it has.
    pub fn stars(&self) -> usize {
        self.local.matches('*').count()
    }

    /// How many characters it names: of two that match, the one with more is the nearer.
    pub fn literals(&self) -> usize {
        self.local.len() - self.stars()
    }

    /// What the stars stand for in `local`, each but the last the shortest that can be; `None` = it does not match.
    pub fn parts<'t>(&self, local: &'t str) -> Option<Vec<&'t str>> {
        let mut pieces = self.local.split('*');
        let mut rest = local.strip_prefix(pieces.next()?)?;
        let mut parts = Vec::new();
        let mut pieces = pieces.peekable();
        while let Some(piece) = pieces.next() {
            let at = if pieces.peek().is_none() {
                rest.ends_with(piece).then(|| rest.len() - piece.len())?
            } else {
                rest.find(piece)?
            };
            parts.push(&rest[..at]);
            rest = &rest[at + piece.len()..];
        }
        Some(parts)
    }

    pub(super) fn samples(&self) -> Vec<String> {
        ["x", "1", "a-b", "x1y", ""].iter().map(|text| self.local.replace('*', text)).collect()
    }
}

impl fmt::Display for Wildcard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}
