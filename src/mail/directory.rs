//! Where mail for an address goes: one pure walk for `mailctl alias resolve` and for the daemon. Who may send as it:
//! [`super::rights`].
//!
//! Precedence at each stop, first match wins:
//! 1. an alias of exactly this address, `+tag` included;
//! 2. an alias of the address without its tag; the tag goes on to mailboxes here, not outside;
//! 3. a mailbox, with or without the tag;
//! 4. a role address (RFC 2142): the administrator's, or that of the domain to which all of this one is led;
//! 5. a wildcard, that which names the most characters first; 6. a regular expression;
//! 7. the domain's catch-all `@domain`; 8. the same local part of the domain to which all of this one is led.
//!
//! So what stands for many addresses never takes mail from a mailbox, and an alias may list its own mailbox to keep a copy.
//! What is switched off or over still holds its addresses: they are refused, and nothing below takes them; but where a
//! mailbox or role has the very name of an alias that is off, mail goes there as if the alias were not.

mod route;
#[cfg(test)]
pub(super) mod tests;
mod walk;

pub use route::{Route, Stop, Target, Why};

use super::{
    address::{Address, Domain},
    forward::{Off, Patterns},
    rule::{Facts, Rule},
};
use std::sync::Arc;
use walk::Walk;

/// Always deliverable (RFC 5321 §4.5.1, RFC 2142), and where automatic mail comes from.
pub const ROLES: &[&str] = &["postmaster", "abuse", "hostmaster", "noreply"];

/// Longest chain of aliases that is followed.
pub const DEPTH: usize = 20;

/// Most final targets of one address (Postfix's own `virtual_alias_expansion_limit`).
pub const TARGETS: usize = 1000;

/// Most addresses on the way: patterns can make new ones without end.
const STOPS: usize = 2 * TARGETS;

/// Who exists and what leads where. Keys are canonical: lower case, as [`Address`] prints them.
pub trait Directory {
    /// What can go wrong in looking something up.
    type Error;
    /// Whether mail for `domain` is ours.
    fn serves(&self, domain: &str) -> Result<bool, Self::Error>;
    /// Whether there is a mailbox at `address`.
    fn mailbox(&self, address: &str) -> Result<bool, Self::Error>;
    /// Targets of the alias `source` (`info@example.org` or `@example.org`); empty where there is none.
    fn targets(&self, source: &str) -> Result<Vec<Address>, Self::Error>;
    /// Why the alias or pattern `source` does not count now; `None` = it does.
    fn off(&self, source: &str) -> Result<Option<Off>, Self::Error>;
    /// Wildcards, regular expressions and the like of `domain`; `None` = it has none.
    fn patterns(&self, domain: &str) -> Result<Option<Arc<Patterns>>, Self::Error>;
    /// What happens to some messages on their way through `source`, in order; `None` = it has no rules.
    fn rules(&self, source: &str) -> Result<Option<Arc<[Rule]>>, Self::Error>;
    /// The logins that were given the right to send as `source`, of the same two forms.
    fn granted(&self, source: &str) -> Result<Vec<Address>, Self::Error>;
}

/// What the directory itself does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The server's own name: only its role addresses receive mail.
    pub hostname: Domain,
    /// Who receives mail for the role addresses.
    pub admin: Address,
    /// Between a mailbox's name and a tag.
    pub delimiter: char,
}

/// Where mail for `address` goes. Ends for every directory, loops included.
pub fn resolve<D: Directory>(directory: &D, place: &Place, address: &Address) -> Result<Route, D::Error> {
    let mut walk = Walk::new(directory, place);
    walk.visit(address.clone())?;
    Ok(walk.done())
}

/// Where one message for `address` goes: as [`resolve`], with the rules of every forward on its way. Where nothing is left
/// and a stop has a `block`, that is what the sender is told; a rule that matched is at its stop.
pub fn resolve_for<D: Directory>(
    directory: &D,
    place: &Place,
    address: &Address,
    facts: &Facts,
) -> Result<Route, D::Error> {
    let mut walk = Walk::new(directory, place).of(facts);
    walk.visit(address.clone())?;
    Ok(walk.done())
}

/// Where mail at `domain` goes whose local part is none of ours, so that nobody can have it: to the catch-all, or that of
/// the domain to which all of this one is led.
pub fn resolve_rest<D: Directory>(directory: &D, place: &Place, domain: &Domain) -> Result<Route, D::Error> {
    let mut walk = Walk::new(directory, place);
    let mut domain = domain.clone();
    for _ in 0..DEPTH {
        let source = format!("@{domain}");
        if !directory.serves(domain.as_str())? || directory.off(&source)?.is_some() {
            break;
        }
        let targets = directory.targets(&source)?;
        if !targets.is_empty() {
            targets.into_iter().try_for_each(|target| walk.visit(target))?;
            break;
        }
        match directory.patterns(domain.as_str())?.and_then(|patterns| patterns.whole().cloned()) {
            Some(further) => domain = further,
            None => break,
        }
    }
    Ok(walk.done())
}
