//! Addresses of a name, and which of them are ours.

use crate::mail::{
    dns::{Answer, Data, Inquiry, Kind, Name, Question, Silence, reserved},
    server::Server,
};
use std::net::IpAddr;

/// A and AAAA of a name.
#[derive(Clone, Debug)]
pub struct Reach<'a> {
    /// The name that was asked for.
    pub name: Name,
    /// All of them, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// The names that it leads on to (`CNAME`).
    pub aliases: &'a [Name],
    /// The first of the two questions that got no answer that counts.
    pub silent: Option<(Question, &'a Silence)>,
}

/// Asks for both kinds.
pub fn reach<'a>(inquiry: &Inquiry<'a>, name: &Name) -> Option<Reach<'a>> {
    let kinds = [Kind::A, Kind::Aaaa].map(|kind| (kind, inquiry.ask(Question::new(name, kind))));
    let mut found = Reach { name: name.clone(), addresses: Vec::new(), aliases: &[], silent: None };
    for (kind, answer) in kinds {
        let answer: &'a Answer = answer?;
        if found.aliases.is_empty() {
            found.aliases = &answer.aliases;
        }
        match answer.records() {
            Ok(records) => found.addresses.extend(records.iter().filter_map(address)),
            Err(why) if found.silent.is_none() => found.silent = Some((Question::new(name, kind), why)),
            Err(_) => {}
        }
    }
    Some(found)
}

/// [`reach`] for several names; all are asked before one is waited for.
pub fn reach_all<'a>(inquiry: &Inquiry<'a>, names: impl IntoIterator<Item = Name>) -> Option<Vec<Reach<'a>>> {
    let all: Vec<Option<Reach<'a>>> = names.into_iter().map(|name| reach(inquiry, &name)).collect();
    all.into_iter().collect()
}

fn address(data: &Data) -> Option<IpAddr> {
    match data {
        Data::A(v4) => Some(IpAddr::V4(*v4)),
        Data::Aaaa(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}

/// The addresses of this server: those that are known, or else what its name says. Empty = not known.
pub fn ours(inquiry: &Inquiry<'_>, server: &Server) -> Option<Vec<IpAddr>> {
    if !server.addresses.is_empty() {
        return Some(server.addresses.clone());
    }
    let mut found = reach(inquiry, &Name::from(&server.host))?.addresses;
    found.retain(|address| !is_private(*address));
    Some(found)
}

/// Addresses that nobody on the Internet reaches; those for documentation excepted, with which this is tried out.
pub fn is_private(address: IpAddr) -> bool {
    reserved(address).is_some_and(|what| what != "documentation")
}

/// `192.0.2.1, 2001:db8::1`.
pub fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: RFC 1918, RFC 6598, RFC 3927, RFC 4193.
    #[test]
    fn private_addresses_are_known() {
        for private in
            ["10.1.1.1", "172.31.0.1", "192.168.1.1", "127.0.0.1", "100.64.0.1", "169.254.1.1", "fd00::1"]
        {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["192.0.2.1", "100.128.0.1", "172.32.0.1", "2001:db8::1", "2a00::1"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
