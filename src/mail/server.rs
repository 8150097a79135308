//! What this server is, as far as DNS has to say it: what records are made of and checked against.

use super::{
    address::{Domain, Selector},
    dkim,
    mta_sts::Policy,
};
use std::net::IpAddr;

/// The host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name: greeting, certificate, target of MX.
    pub host: Domain,
    /// The addresses under which others reach it and from which it sends; empty = not known.
    pub addresses: Vec<IpAddr>,
    /// Where mail programs connect, by service name of RFC 6186, RFC 8314 and RFC 5804, with the port; 0 = not
    /// served.
    pub services: Services,
    /// SHA-256 of the public keys (SubjectPublicKeyInfo) of the certificates that are served under its name, for
    /// `TLSA 3 1 1` (RFC 7671 §5.1): two where RSA is served beside ECDSA, none before there is one.
    pub spki: Vec<[u8; 32]>,
    /// The MTA-STS policy that mailctld serves for each domain; `None` where there is no web server for it, and
    /// then nothing for mail programs either.
    pub policy: Option<Policy>,
    /// All outgoing mail leaves through this host and not from the addresses above.
    pub relay: Option<String>,
}

impl Server {
    /// In the place of the one that nobody named: it serves nothing and has no address. Its name decides nothing.
    pub fn nowhere(host: Domain) -> Self {
        let services = Services::default();
        Self { host, addresses: Vec::new(), services, spki: Vec::new(), policy: None, relay: None }
    }
}

/// Ports under which clients find services; 0 = not served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// `_submissions._tcp` (RFC 8314 §5.1).
    pub submissions: u16,
    /// `_submission._tcp` (RFC 6186 §3.1).
    pub submission: u16,
    /// `_imaps._tcp` (RFC 6186 §3.2).
    pub imaps: u16,
    /// `_imap._tcp`, STARTTLS.
    pub imap: u16,
    /// `_pop3s._tcp` (RFC 6186 §3.3).
    pub pop3s: u16,
    /// `_pop3._tcp`, STARTTLS.
    pub pop3: u16,
    /// `_sieve._tcp` (RFC 5804 §1.3).
    pub managesieve: u16,
}

/// A domain that it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its name.
    pub domain: Domain,
    /// Its DKIM keys.
    pub keys: Vec<Key>,
}

/// A DKIM key of a domain, without its private part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in DNS.
    pub selector: Selector,
    /// What its record says while it is not retired.
    pub record: dkim::Record,
    /// Where it stands.
    pub stage: Stage,
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Made, to be published; signs nothing yet.
    Pending,
    /// Signs.
    Active,
    /// Signs no more; mail that it signed may still be on its way, so its record must stay.
    Leaving,
    /// Its record says that the key is withdrawn: an empty `p=` (RFC 6376 §3.6.1).
    Retired,
    /// On the disk only; nobody asked for it to be published.
    Idle,
}
