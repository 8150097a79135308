//! Whom an entry is on, as a person writes it.

use crate::mail::address::{Domain, Localpart};
use ipnet::IpNet;
use serde::Serialize;
use std::{fmt, net::IpAddr, str::FromStr};

/// What of a message an entry looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The client's address.
    Client,
    /// What the client calls itself (HELO, EHLO).
    Helo,
    /// The envelope's sender (MAIL FROM).
    Sender,
    /// The envelope's recipient (RCPT TO).
    Recipient,
}

impl Kind {
    /// Those that are names, in the order in which they are numbered.
    pub const NAMES: [Self; 3] = [Self::Helo, Self::Sender, Self::Recipient];

    /// As in front of the colon.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Helo => "helo",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
        }
    }
}

/// What a name must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pattern {
    /// This one: `ann@example.org`, a domain `example.org`, a host.
    Whole(String),
    /// `.example.org`: this domain and all below it. Kept without the dot.
    Below(String),
    /// `postmaster@`: this local part in every domain. Kept without the `@`.
    Local(String),
}

/// Whom an entry is on. All names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Clients of a network; one address is a /32 or a /128.
    Network(IpNet),
    /// Everything else.
    Name(Kind, Pattern),
}

impl Key {
    /// What of a message it looks at.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Network(_) => Kind::Client,
            Self::Name(kind, _) => *kind,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(net) if net.prefix_len() == net.max_prefix_len() => write!(f, "{}", net.addr()),
            Self::Network(net) => write!(f, "{net}"),
            Self::Name(kind, Pattern::Whole(name)) => write!(f, "{}:{name}", kind.name()),
            Self::Name(kind, Pattern::Below(name)) => write!(f, "{}:.{name}", kind.name()),
            Self::Name(kind, Pattern::Local(name)) => write!(f, "{}:{name}@", kind.name()),
        }
    }
}

impl FromStr for Key {
    /// One clear line: what is wrong, and how it is written.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = match text.split_once(':') {
            Some(("client", rest)) => (Kind::Client, rest),
            Some(("helo", rest)) => (Kind::Helo, rest),
            Some(("sender", rest)) => (Kind::Sender, rest),
            Some(("recipient", rest)) => (Kind::Recipient, rest),
            _ => (Kind::Client, text),
        };
        match kind {
            Kind::Client => network(rest).map(Self::Network),
            Kind::Helo => host(rest).map(|name| Self::Name(kind, name)),
            Kind::Sender | Kind::Recipient => mail(kind, rest).map(|name| Self::Name(kind, name)),
        }
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let plain = text.replace(['[', ']'], "");
    let net = match (plain.parse::<IpNet>(), plain.parse::<IpAddr>()) {
        (Ok(net), _) => net,
        (_, Ok(address)) => IpNet::from(address.to_canonical()),
        _ => return Err(unclear(text)),
    };
    if net.addr() != net.network() {
        return Err(format!("{text:?} has host bits set; did you mean {}?", net.trunc()));
    }
    match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.network().to_ipv4_mapped().is_some() => {
            Err(format!("{text:?} is an IPv4 network in the form of IPv6; write it as 192.0.2.0/24"))
        }
        net => Ok(net),
    }
}

fn unclear(text: &str) -> String {
    if text.contains('@') {
        format!("{text:?} does not say whose address it is; write sender:{text} or recipient:{text}")
    } else if text.contains(char::is_whitespace) {
        format!("{text:?} is more than one word; a comment begins with # or ;")
    } else if text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.contains('.')
        && !text.contains([':', '/'])
    {
        format!("{text:?} does not say what it names; write sender:{text}, recipient:{text} or helo:{text}")
    } else {
        format!(
            "{text:?} is no entry; there are 192.0.2.7, 192.0.2.0/24, 2001:db8::/32, helo:NAME, sender:ADDRESS and \
             recipient:ADDRESS (or a domain, or .domain with all below it)"
        )
    }
}

/// What a client can call itself, a wrong name included: that is what many are blocked for.
fn host(text: &str) -> Result<Pattern, String> {
    let name = text.to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let named = |name: &str| name.len() <= 253 && name.split('.').all(label);
    let literal = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .is_some_and(|inner| inner.strip_prefix("ipv6:").unwrap_or(inner).parse::<IpAddr>().is_ok());
    match name.strip_prefix('.') {
        Some(below) if named(below) => Ok(Pattern::Below(below.to_owned())),
        None if literal || named(&name) => Ok(Pattern::Whole(name)),
        _ => Err(format!("{text:?} is no name of a host; write helo:mail.example.org or helo:.example.org")),
    }
}

fn mail(kind: Kind, text: &str) -> Result<Pattern, String> {
    let kind = kind.name();
    if text.is_empty() || text == "<>" {
        return Err(format!(
            "the empty {kind} cannot be listed: bounces and receipts come from it (RFC 5321 §4.5.5)"
        ));
    }
    let domain = |domain: &str| Domain::parse(domain).map_err(|error| error.to_string());
    if let Some(below) = text.strip_prefix('.') {
        // One part is enough here: all of a top-level domain.
        domain(&format!("x.{below}"))?;
        return Ok(Pattern::Below(below.trim_end_matches('.').to_ascii_lowercase()));
    }
    match text.rsplit_once('@') {
        None | Some(("", _)) => {
            let name = text.strip_prefix('@').unwrap_or(text);
            domain(name).map(|domain| Pattern::Whole(domain.as_str().to_owned()))
        }
        Some((local, rest)) => {
            if !Localpart::elsewhere(local) || local.contains([' ', '"', '@']) {
                return Err(format!("{local:?} cannot stand before the @ of an address"));
            }
            let local = local.to_ascii_lowercase();
            match rest {
                "" => Ok(Pattern::Local(local)),
                rest => Ok(Pattern::Whole(format!("{local}@{}", domain(rest)?.as_str()))),
            }
        }
    }
}
