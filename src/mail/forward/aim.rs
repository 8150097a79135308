//! Where a forward leads: an address, one with parts of what was matched, or a domain.

use crate::mail::address::{Address, Domain, Localpart};
use std::fmt;

/// The right side of a forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aim {
    /// `ann@example.org`.
    Address(Address),
    /// `team-$1@example.org`, `${2}x@example.org`: the local part takes up what stars or groups stand for. The domain is
    /// always written out, so no sender chooses to which server mail goes.
    Template {
        /// Before the `@`, as it is written.
        local: String,
        /// After it.
        domain: Domain,
    },
    /// `@example.org`: the same local part there.
    Domain(Domain),
}

impl Aim {
    /// Parses what [`fmt::Display`] writes; `Err`: one clear line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(domain) = text.strip_prefix('@') {
            return Domain::parse(domain).map(Self::Domain).map_err(|error| error.to_string());
        }
        match text.rsplit_once('@') {
            Some((local, domain)) if local.contains('$') => {
                let domain = Domain::parse(domain).map_err(|error| error.to_string())?;
                let aim = Self::Template { local: local.to_ascii_lowercase(), domain };
                // With a letter for each part; how many there are is for the source to say.
                aim.filled(&["x"; 99]).map_err(|why| format!("target {text:?} {why}"))?;
                Ok(aim)
            }
            _ => Address::parse(text).map(Self::Address).map_err(|error| error.to_string()),
        }
    }

    /// After the `@`.
    pub fn domain(&self) -> &Domain {
        match self {
            Self::Address(address) => address.domain(),
            Self::Template { domain, .. } | Self::Domain(domain) => domain,
        }
    }

    /// The highest part that it takes up; 0 = none.
    pub fn highest(&self) -> usize {
        let Self::Template { local, .. } = self else { return 0 };
        pieces(local)
            .into_iter()
            .flatten()
            .map(|piece| if let Piece::Part(at) = piece { at } else { 0 })
            .max()
            .unwrap_or(0)
    }

    /// The address with `parts` in it; `Err` where that is none, or where it is a domain.
    pub fn filled(&self, parts: &[&str]) -> Result<Address, &'static str> {
        match self {
            Self::Address(address) => Ok(address.clone()),
            Self::Domain(_) => Err("is a domain and no address"),
            Self::Template { local, domain } => {
                let mut text = String::new();
                for piece in pieces(local)? {
                    match piece {
                        Piece::Text(plain) => text.push_str(plain),
                        Piece::Part(at) => {
                            text.push_str(parts.get(at - 1).ok_or("takes up a part that there is not")?)
                        }
                    }
                }
                let local = Localpart::parse(&text).map_err(|error| error.why)?;
                Ok(Address::new(local, domain.clone()))
            }
        }
    }
}

enum Piece<'a> {
    Text(&'a str),
    /// From 1.
    Part(usize),
}

fn pieces(local: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut found = Vec::new();
    let mut rest = local;
    while let Some((plain, behind)) = rest.split_once('$') {
        let (number, after) = match behind.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or("has a ${ without its }")?,
            None => behind.split_at(behind.bytes().take_while(u8::is_ascii_digit).count()),
        };
        let digits = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        let at = number.parse().ok().filter(|at| digits && *at > 0);
        found.push(Piece::Text(plain));
        found.push(Piece::Part(at.ok_or("has a $ without the number of a part, as in $1 or ${1}")?));
        rest = after;
    }
    found.push(Piece::Text(rest));
    Ok(found)
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Template { local, domain } => write!(f, "{local}@{domain}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

impl serde::Serialize for Aim {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
