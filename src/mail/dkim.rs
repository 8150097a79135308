//! DKIM public keys as DNS records (RFC 6376 §3.6.1, RFC 8463 for Ed25519).

use super::address::{Domain, Selector};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use std::fmt;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// `rsa-sha256`: what everybody verifies.
    Rsa,
    /// `ed25519-sha256` (RFC 8463): short records and signatures. Not everybody verifies it yet, so it signs
    /// beside the RSA key and never in its place (RFC 8463 §5).
    Ed25519,
}

impl Algorithm {
    /// Both, the one that everybody verifies first.
    pub const ALL: [Self; 2] = [Self::Rsa, Self::Ed25519];

    /// The algorithm with this value of `k=`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    /// The value of `k=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key that signs a domain's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Whose mail.
    pub domain: Domain,
    /// How.
    pub algorithm: Algorithm,
    /// The key's name in DNS.
    pub selector: Selector,
}

/// The TXT record of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `k=`.
    pub algorithm: Algorithm,
    /// RSA: the DER of SubjectPublicKeyInfo; Ed25519: the bare 32 octets (RFC 8463 §4.2).
    pub public: Vec<u8>,
}

/// The record of a key that is withdrawn: mail signed with it is not believed any more (RFC 6376 §3.6.1).
pub const RETIRED: &str = "v=DKIM1; p=";

/// Longest string within a TXT record (RFC 1035 §3.3.14).
const STRING: usize = 255;

impl Record {
    /// Where it is published: `SELECTOR._domainkey.DOMAIN`.
    pub fn name(domain: &Domain, selector: &Selector) -> String {
        format!("{selector}._domainkey.{domain}")
    }

    /// Bits of an RSA key's modulus; `None` of an Ed25519 key, or where the DER is none. Read by hand: a look at a
    /// hundred domains does this some thousand times.
    pub fn bits(&self) -> Option<u32> {
        if self.algorithm != Algorithm::Rsa {
            return None;
        }
        // RFC 5280 §4.1: SubjectPublicKeyInfo { AlgorithmIdentifier, BIT STRING }; RFC 8017 §A.1.1: the latter
        // holds RSAPublicKey { modulus, exponent }.
        let (info, _) = der(&self.public, 0x30)?;
        let (_, rest) = der(info, 0x30)?;
        let (string, _) = der(rest, 0x03)?;
        let (key, _) = der(string.strip_prefix(&[0])?, 0x30)?;
        let (modulus, _) = der(key, 0x02)?;
        let first = modulus.iter().position(|octet| *octet != 0)?;
        let octets = u32::try_from(modulus.len() - first).ok()?;
        Some(octets * 8 - modulus[first].leading_zeros())
    }

    /// The whole text in one piece, as most DNS providers' forms want it.
    pub fn text(&self) -> String {
        format!("v=DKIM1; k={}; p={}", self.algorithm, BASE64.encode(&self.public))
    }

    /// The text in pieces that fit a TXT record.
    pub fn strings(&self) -> Vec<String> {
        let text = self.text();
        let mut rest = text.as_str();
        let mut strings = Vec::new();
        while !rest.is_empty() {
            let (string, tail) = rest.split_at(rest.len().min(STRING));
            strings.push(string.to_owned());
            rest = tail;
        }
        strings
    }

    /// A line for a zone file, as BIND and NSD read it.
    pub fn zone(&self, domain: &Domain, selector: &Selector) -> String {
        let strings: Vec<String> = self.strings().iter().map(|string| format!("\"{string}\"")).collect();
        format!("{}. IN TXT ( {} )", Self::name(domain, selector), strings.join(" "))
    }
}

/// The `RSAPrivateKey` (RFC 8017 §A.1.2) within an unencrypted PKCS #8 key (RFC 5208 §5); `None` where it is of
/// another kind.
pub fn rsa_within(pkcs8: &[u8]) -> Option<&[u8]> {
    /// 1.2.840.113549.1.1.1
    const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let (info, _) = der(pkcs8, 0x30)?;
    let (_version, rest) = der(info, 0x02)?;
    let (algorithm, rest) = der(rest, 0x30)?;
    let (kind, _) = der(algorithm, 0x06)?;
    let (key, _) = der(rest, 0x04)?;
    (kind == RSA_ENCRYPTION).then_some(key)
}

/// The content of a DER value with this tag, and what follows it (X.690 §8.1).
fn der(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match *octets {
        [first, length @ 0..=0x7f, ref rest @ ..] if first == tag => (usize::from(length), rest),
        [first, 0x81, length, ref rest @ ..] if first == tag => (usize::from(length), rest),
        [first, 0x82, high, low, ref rest @ ..] if first == tag => {
            (usize::from(high) << 8 | usize::from(low), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S0-5 (one line, and pieces of at most 255 octets that join to it).
    #[test]
    fn a_long_key_is_split_and_joins_again() {
        let record = Record { algorithm: Algorithm::Rsa, public: vec![0x30; 550] };
        let strings = record.strings();
        assert_eq!(strings.len(), 3);
        assert!(strings.iter().all(|string| string.len() <= 255));
        assert_eq!(strings.concat(), record.text());
        let (domain, selector) = (Domain::parse("example.org").unwrap(), Selector::parse("mail").unwrap());
        let zone = record.zone(&domain, &selector);
        assert!(zone.starts_with("mail._domainkey.example.org. IN TXT ( \"v=DKIM1; k=rsa; p=MDAw"), "{zone}");
        assert!(!zone.contains('\n'));
    }

    #[test]
    fn an_rsa_key_is_found_in_its_wrapping_and_no_other() {
        let rsa = openssl::rsa::Rsa::generate(1024).unwrap();
        let bare = rsa.private_key_to_der().unwrap();
        let wrapped = openssl::pkey::PKey::from_rsa(rsa).unwrap().private_key_to_pkcs8().unwrap();
        assert_eq!(rsa_within(&wrapped), Some(&bare[..]));
        for end in 0..wrapped.len() {
            assert_eq!(rsa_within(&wrapped[..end]), None);
        }
        let other = openssl::pkey::PKey::generate_ed25519().unwrap().private_key_to_pkcs8().unwrap();
        assert_eq!(rsa_within(&other), None);
        assert_eq!(rsa_within(&bare), None);
    }

    #[test]
    fn bits_are_those_that_openssl_counts() {
        for bits in [512, 1024, 1500, 2048, 4096] {
            let public = openssl::rsa::Rsa::generate(bits).unwrap().public_key_to_der().unwrap();
            let mut record = Record { algorithm: Algorithm::Rsa, public };
            assert_eq!(record.bits(), Some(bits));
            record.public.truncate(40);
            assert_eq!(record.bits(), None);
        }
        assert_eq!(Record { algorithm: Algorithm::Ed25519, public: vec![1; 32] }.bits(), None);
    }
}
