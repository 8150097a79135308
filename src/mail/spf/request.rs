//! `Request`: who sends, from where, in whose name.

use crate::mail::dns::Name;
use std::net::IpAddr;

/// Which name of the sender is looked at (RFC 7208 §2.3, §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The name in the greeting.
    Helo,
    /// The envelope's sender.
    MailFrom,
}

impl Identity {
    /// As in `Received-SPF` (RFC 7208 §9.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Helo => "helo",
            Self::MailFrom => "mailfrom",
        }
    }
}

/// The arguments of `check_host()` (RFC 7208 §4.1) and what explanations may name.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The client; an IPv4 address mapped into IPv6 counts as IPv4 (RFC 7208 §5).
    pub client: IpAddr,
    /// Which name of the sender `local` and `domain` are.
    pub identity: Identity,
    /// Before the `@`; `postmaster` where there is nothing (RFC 7208 §4.3).
    pub local: &'a str,
    /// Behind the `@`.
    pub domain: &'a str,
    /// The name in the greeting, as the client said it.
    pub helo: &'a str,
    /// Our own name, for `%{r}`.
    pub receiver: &'a str,
    /// Seconds since 1970, for `%{t}`.
    pub now: u64,
    /// How many terms may ask in vain; 2 is recommended (RFC 7208 §4.6.4).
    pub voids: usize,
}

impl<'a> Request<'a> {
    /// Of an envelope's sender, without `<>`. The null sender stands for `postmaster@helo` (RFC 7208 §2.4).
    pub fn mail_from(client: IpAddr, sender: &'a str, helo: &'a str) -> Self {
        let (local, domain) = match sender.rsplit_once('@') {
            Some(parts) => parts,
            None if sender.is_empty() => ("", helo),
            None => ("", sender),
        };
        let local = if local.is_empty() { "postmaster" } else { local };
        Self {
            client: client.to_canonical(),
            identity: Identity::MailFrom,
            local,
            domain,
            helo,
            receiver: "unknown",
            now: 0,
            voids: 2,
        }
    }

    /// Of the greeting (RFC 7208 §2.3).
    pub fn helo(client: IpAddr, helo: &'a str) -> Self {
        Self { identity: Identity::Helo, ..Self::mail_from(client, "", helo) }
    }

    /// The domain, if it can have a record: at least two labels of letters, digits, hyphens, underscores
    /// (RFC 7208 §4.3).
    pub(super) fn name(&self) -> Option<Name> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let name = Name::parse(self.domain).ok().filter(|name| name.as_str().bytes().all(fits))?;
        (name.labels().count() > 1).then_some(name)
    }
}
