//! Certificates: what one says, and whether a certificate and a key make a pair that this server can serve.
//! The time comes in as a value; nothing here asks the disk or the network.

pub mod alert;
pub mod caa;
pub mod ledger;
mod pair;
mod place;
pub mod schedule;
mod source;
mod wanted;

pub use pair::{Fault, Kind, Pair};
pub use place::Place;
pub use source::{Inline, Source};
pub use wanted::Wanted;

use super::address::Domain;

use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    hash::MessageDigest,
    nid::Nid,
    x509::{X509, X509NameRef, X509Ref},
};

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Certificate {
    /// Common name of whom it is for; empty where it has none.
    pub subject: String,
    /// Common name of who vouches for it.
    pub issuer: String,
    /// The names that it holds for, as `subjectAltName` lists them.
    pub names: Vec<String>,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
    /// In hexadecimal, as `openssl x509 -serial` prints it.
    pub serial: String,
    /// SHA-256, in hexadecimal pairs.
    pub fingerprint: String,
    /// Nobody vouches for it but itself.
    pub self_signed: bool,
}

impl Certificate {
    /// Reads the first certificate of a PEM file; `None` where there is none that can be read.
    pub fn read(pem: &[u8]) -> Option<Self> {
        X509::stack_from_pem(pem).ok()?.first().and_then(|certificate| Self::of(certificate))
    }

    /// Reads a certificate as TLS carries it.
    pub fn read_der(der: &[u8]) -> Option<Self> {
        X509::from_der(der).ok().and_then(|certificate| Self::of(&certificate))
    }

    fn of(certificate: &X509Ref) -> Option<Self> {
        let names = certificate.subject_alt_names().into_iter().flatten();
        let names = names.filter_map(|name| match (name.dnsname(), name.ipaddress()) {
            (Some(name), _) => Some(name.to_ascii_lowercase()),
            (_, Some(octets)) => address(octets),
            _ => None,
        });
        let serial = certificate.serial_number().to_bn().and_then(|number| number.to_hex_str()).ok()?;
        let digest = certificate.digest(MessageDigest::sha256()).ok()?;
        let pairs: Vec<String> = digest.iter().map(|octet| format!("{octet:02X}")).collect();
        Some(Self {
            subject: common_name(certificate.subject_name()),
            issuer: common_name(certificate.issuer_name()),
            names: names.collect(),
            not_before: seconds(certificate.not_before())?,
            not_after: seconds(certificate.not_after())?,
            serial: serial.to_string(),
            fingerprint: pairs.join(":"),
            self_signed: self_signed(certificate),
        })
    }

    /// Whether it holds for `host`: by name, or by a wildcard for exactly its first label (RFC 9525 §6.3).
    pub fn holds_for(&self, host: &str) -> bool {
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
            None => name == host,
        })
    }

    /// The names under which clients of a domain ask for it: the domain itself and those in it, also as a wildcard.
    pub fn names_in(&self, domain: &Domain) -> Vec<String> {
        let within = |name: &&String| {
            let rest = name.strip_suffix(domain.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.names.iter().filter(within).cloned().collect()
    }
}

/// Also where its key usage says that it may not sign certificates, which `X509::issued` would mind.
fn self_signed(certificate: &X509Ref) -> bool {
    let same = certificate.subject_name().try_cmp(certificate.issuer_name());
    same.is_ok_and(|order| order.is_eq())
        && certificate.public_key().is_ok_and(|key| certificate.verify(&key).unwrap_or(false))
}

fn address(octets: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| std::net::IpAddr::from(octets).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| std::net::IpAddr::from(octets).to_string())).ok()
}

fn common_name(name: &X509NameRef) -> String {
    let entry =
        [Nid::COMMONNAME, Nid::ORGANIZATIONNAME].into_iter().find_map(|nid| name.entries_by_nid(nid).next());
    entry.and_then(|entry| entry.data().to_string().ok()).map(|text| text.to_string()).unwrap_or_default()
}

fn seconds(time: &Asn1TimeRef) -> Option<i64> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some(i64::from(since.days) * 86_400 + i64::from(since.secs))
}
