//! What a certificate must hold for.

use super::Certificate;
use crate::mail::address::Domain;

/// Whose certificate it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The server's: it must hold for HOSTNAME.
    Host(&'a Domain),
    /// A domain's: it must hold for the domain or a name in it, under which clients ask for it.
    Domain(&'a Domain),
}

impl Wanted<'_> {
    /// What is wrong with the names; `None` = nothing.
    pub fn fault(&self, leaf: &Certificate) -> Option<String> {
        let named = if leaf.names.is_empty() { "no name at all".to_owned() } else { leaf.names.join(", ") };
        match self {
            Self::Host(host) if !leaf.holds_for(host.as_str()) => {
                Some(format!("is not for {host} (HOSTNAME), but for {named}"))
            }
            Self::Domain(domain) if leaf.names_in(domain).is_empty() => {
                Some(format!("is for no name in {domain}, but for {named}"))
            }
            Self::Host(_) | Self::Domain(_) => None,
        }
    }
}
