//! Where mail for an address goes: one pure walk for `mailctl alias resolve` and for the daemon. Who may send as it:
//! [`super::rights`].
//!
//! Precedence at each stop, first match wins:
//! 1. an alias of exactly this address, `+tag` included;
//! 2. an alias of the address without its tag; the tag goes on to mailboxes here, not outside;
//! 3. a mailbox, with or without the tag;
//! 4. a role address (RFC 2142): the administrator's;
//! 5. the domain's catch-all `@domain`.
//!
//! So a catch-all never takes mail from a mailbox, and an alias may list its own mailbox to keep a copy.

mod route;
#[cfg(test)]
pub(super) mod tests;

pub use route::{Route, Stop, Target, Why};

use super::address::{Address, Domain};

/// Always deliverable (RFC 5321 §4.5.1, RFC 2142), and where automatic mail comes from.
pub const ROLES: &[&str] = &["postmaster", "abuse", "hostmaster", "noreply"];

/// Longest chain of aliases that is followed.
pub const DEPTH: usize = 20;

/// Most final targets of one address (Postfix's own `virtual_alias_expansion_limit`).
pub const TARGETS: usize = 1000;

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
    let mut walk = Walk { directory, place, route: Route::default(), path: Vec::new() };
    walk.visit(address.clone())?;
    Ok(walk.route)
}

/// Where mail at `domain` goes whose local part is none of ours, so that nobody can have it: to the catch-all.
pub fn resolve_rest<D: Directory>(directory: &D, place: &Place, domain: &Domain) -> Result<Route, D::Error> {
    let mut walk = Walk { directory, place, route: Route::default(), path: Vec::new() };
    if directory.serves(domain.as_str())? {
        for target in directory.targets(&format!("@{domain}"))? {
            walk.visit(target)?;
        }
    }
    Ok(walk.route)
}

struct Walk<'a, D> {
    directory: &'a D,
    place: &'a Place,
    route: Route,
    /// The addresses from the first one to where we are.
    path: Vec<Address>,
}

impl<D: Directory> Walk<'_, D> {
    fn visit(&mut self, at: Address) -> Result<(), D::Error> {
        if self.route.stops.iter().any(|stop| stop.at == at) {
            // Somebody led here before; the same mail is delivered once.
            return Ok(());
        }
        if self.path.len() >= DEPTH || self.route.targets.len() >= TARGETS {
            self.route.stop(at, Why::TooFar);
            return Ok(());
        }
        if at.domain() == &self.place.hostname {
            return match self.role(&at) {
                Some(admin) => self.lead(at, Why::Role, vec![admin], None),
                None => {
                    self.route.stop(at, Why::Unknown);
                    Ok(())
                }
            };
        }
        if !self.directory.serves(at.domain().as_str())? {
            self.route.arrive(at.clone(), Why::Outside, Target::Outside(at));
            return Ok(());
        }
        let exact = self.directory.targets(&at.to_string())?;
        if !exact.is_empty() {
            return self.lead(at, Why::Alias, exact, None);
        }
        let untagged = at.untagged(self.place.delimiter);
        if let Some(plain) = &untagged {
            let targets = self.directory.targets(&plain.to_string())?;
            if !targets.is_empty() {
                let tag = at.local().split_tag(self.place.delimiter).map(|(_, tag)| tag.to_owned());
                return self.lead(at, Why::Alias, targets, tag);
            }
        }
        self.own(at, untagged)
    }

    /// Everything after the aliases: a mailbox, a role, the catch-all, or nobody.
    fn own(&mut self, at: Address, untagged: Option<Address>) -> Result<(), D::Error> {
        if self.is_mailbox(&at, untagged.as_ref())? {
            self.route.arrive(at.clone(), Why::Mailbox, Target::Mailbox(at));
            return Ok(());
        }
        if let Some(admin) = self.role(&at) {
            return self.lead(at, Why::Role, vec![admin], None);
        }
        let catch_all = self.directory.targets(&format!("@{}", at.domain()))?;
        if catch_all.is_empty() {
            self.route.stop(at, Why::Unknown);
            return Ok(());
        }
        self.lead(at, Why::CatchAll, catch_all, None)
    }

    fn is_mailbox(&self, at: &Address, untagged: Option<&Address>) -> Result<bool, D::Error> {
        if self.directory.mailbox(&at.to_string())? {
            return Ok(true);
        }
        untagged.map_or(Ok(false), |plain| self.directory.mailbox(&plain.to_string()))
    }

    fn role(&self, at: &Address) -> Option<Address> {
        let local = at.local().split_tag(self.place.delimiter).map_or(at.local().as_str(), |(user, _)| user);
        (ROLES.contains(&local) && *at != self.place.admin).then(|| self.place.admin.clone())
    }

    fn lead(
        &mut self,
        at: Address,
        why: Why,
        targets: Vec<Address>,
        tag: Option<String>,
    ) -> Result<(), D::Error> {
        let index = self.route.stops.len();
        self.route.stop(at.clone(), why);
        self.path.push(at.clone());
        for target in targets {
            let target = self.tagged(target, tag.as_deref())?;
            self.route.stops[index].leads_to.push(target.clone());
            if target == at {
                self.keep_copy(target)?;
            } else if self.path.contains(&target) {
                self.route.stops[index].loops = true;
            } else {
                self.visit(target)?;
            }
        }
        self.path.pop();
        Ok(())
    }

    /// An alias that lists its own mailbox keeps a copy there.
    fn keep_copy(&mut self, at: Address) -> Result<(), D::Error> {
        let untagged = at.untagged(self.place.delimiter);
        if self.is_mailbox(&at, untagged.as_ref())? {
            self.route.deliver(Target::Mailbox(at));
        }
        Ok(())
    }

    /// The target with the tag that the mail came with, where it leads to an untagged address here.
    fn tagged(&self, target: Address, tag: Option<&str>) -> Result<Address, D::Error> {
        let Some(tag) = tag else { return Ok(target) };
        if target.local().split_tag(self.place.delimiter).is_some()
            || !self.directory.serves(target.domain().as_str())?
        {
            return Ok(target);
        }
        let text = format!("{}{}{tag}@{}", target.local(), self.place.delimiter, target.domain());
        // Too long with its tag: the mail matters more than the tag.
        Ok(Address::parse(&text).unwrap_or(target))
    }
}
