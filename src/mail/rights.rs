//! Who may send as an address: one answer for Postfix and for `mailctl user may-send`.
//!
//! A login may send as
//! 1. its own address, with or without a `+tag`;
//! 2. every address whose mail ends in its mailbox: aliases, role addresses, wildcards and regular expressions, the
//!    catch-all of a domain, all of a domain that is led to its own; none that is switched off or over;
//! 3. what it was granted (`mailctl user allow`): an address, or everything of a domain, here or elsewhere;
//! 4. with `SENDER_RESTRICTIONS=domain`, every address of the domains that are served here.
//!
//! The null sender is nobody's and everybody's: read receipts come from it (RFC 8098 §3).

use super::{
    address::{Address, Domain},
    alias::Source,
    directory::{Directory, Place, Target, resolve},
};
use std::{fmt, str::FromStr};

/// How far a login may go: `SENDER_RESTRICTIONS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restriction {
    /// Addresses of its own.
    #[default]
    Email,
    /// Any address of a served domain.
    Domain,
}

impl FromStr for Restriction {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "email" => Ok(Self::Email),
            "domain" => Ok(Self::Domain),
            other => Err(format!("must be email or domain, not {other:?}")),
        }
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Email => "email",
            Self::Domain => "domain",
        })
    }
}

/// Why a login may send as an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// It is the login's own address.
    Own,
    /// Mail for it ends in the login's mailbox.
    Leads,
    /// It was granted this.
    Granted(Source),
    /// Its domain is served here, and `SENDER_RESTRICTIONS=domain`.
    Served,
}

/// Whether `login` may send as `sender`, and why; `None` = it may not.
pub fn right<D: Directory>(
    directory: &D,
    place: &Place,
    restriction: Restriction,
    login: &Address,
    sender: &Address,
) -> Result<Option<Right>, D::Error> {
    let login = &untagged(directory, place, login)?;
    if own(directory, place, sender)?.contains(login) {
        return Ok(Some(Right::Own));
    }
    if leading(directory, place, sender)?.contains(login) {
        return Ok(Some(Right::Leads));
    }
    for source in sources(place, sender) {
        if directory.granted(&source.to_string())?.contains(login) {
            return Ok(Some(Right::Granted(source)));
        }
    }
    Ok(served(directory, restriction, sender.domain())?.then_some(Right::Served))
}

/// The same for a sender whose local part nobody here can have, such as `"john doe"`: only its domain counts.
pub fn right_in<D: Directory>(
    directory: &D,
    place: &Place,
    restriction: Restriction,
    login: &Address,
    domain: &Domain,
) -> Result<Option<Right>, D::Error> {
    let login = &untagged(directory, place, login)?;
    let whole = Source::CatchAll(domain.clone());
    if directory.granted(&whole.to_string())?.contains(login) {
        return Ok(Some(Right::Granted(whole)));
    }
    Ok(served(directory, restriction, domain)?.then_some(Right::Served))
}

/// All logins that may send as `address`, but for those of [`Right::Served`]. Sorted.
pub fn owners<D: Directory>(
    directory: &D,
    place: &Place,
    address: &Address,
) -> Result<Vec<Address>, D::Error> {
    let mut owners = own(directory, place, address)?;
    owners.append(&mut leading(directory, place, address)?);
    for source in sources(place, address) {
        owners.append(&mut directory.granted(&source.to_string())?);
    }
    owners.sort();
    owners.dedup();
    Ok(owners)
}

/// What a grant can name of an address, the nearest first.
fn sources(place: &Place, address: &Address) -> impl Iterator<Item = Source> {
    let plain = address.untagged(place.delimiter).map(Source::Address);
    [Source::Address(address.clone())]
        .into_iter()
        .chain(plain)
        .chain([Source::CatchAll(address.domain().clone())])
}

/// The mailboxes with this very name.
fn own<D: Directory>(directory: &D, place: &Place, address: &Address) -> Result<Vec<Address>, D::Error> {
    let mut own = Vec::new();
    for name in [Some(address.clone()), address.untagged(place.delimiter)].into_iter().flatten() {
        if directory.mailbox(&name.to_string())? && directory.serves(name.domain().as_str())? {
            own.push(name);
        }
    }
    Ok(own)
}

/// The mailboxes that its mail goes to.
fn leading<D: Directory>(directory: &D, place: &Place, address: &Address) -> Result<Vec<Address>, D::Error> {
    let mut found = Vec::new();
    for target in resolve(directory, place, address)?.targets {
        if let Target::Mailbox(mailbox) = target {
            found.push(untagged(directory, place, &mailbox)?);
        }
    }
    Ok(found)
}

/// The mailbox behind a name that may carry a tag.
fn untagged<D: Directory>(directory: &D, place: &Place, address: &Address) -> Result<Address, D::Error> {
    Ok(match address.untagged(place.delimiter) {
        Some(plain) if !directory.mailbox(&address.to_string())? => plain,
        _ => address.clone(),
    })
}

fn served<D: Directory>(directory: &D, restriction: Restriction, domain: &Domain) -> Result<bool, D::Error> {
    Ok(restriction == Restriction::Domain && directory.serves(domain.as_str())?)
}

#[cfg(test)]
mod tests;
