//! A certificate with its chain, and the key that belongs to it, joined into the one file that is served.

use super::{Certificate, Wanted};
use openssl::{
    pkey::{Id, PKey, Private},
    x509::{X509, X509VerifyResult},
};

/// Shortest RSA key that mail programs still take.
const RSA_BITS: u32 = 2048;

/// Why a pair is not served. `Key` and `Certificate` tell which of the two files is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The certificate's file.
    #[error("{0}")]
    Certificate(String),
    /// The key's file.
    #[error("{0}")]
    Key(String),
}

/// What kind of key it is: clients can do one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// On an elliptic curve.
    Ecdsa,
    /// RSA.
    Rsa,
}

impl Kind {
    /// As in file names and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::Rsa => "rsa",
        }
    }
}

/// Key and chain that belong together.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Kind of its key.
    pub kind: Kind,
    /// The first certificate.
    pub leaf: Certificate,
    /// SHA-256 of its public key (SubjectPublicKeyInfo), as `TLSA 3 1 1` has it (RFC 6698 §2.1.2).
    pub spki: [u8; 32],
    /// What is served: the key, then the certificates from the leaf upwards.
    pub pem: Vec<u8>,
    /// The chain stops at the leaf though somebody else vouches for it: right only where that somebody is a
    /// root that clients know.
    pub leaf_only: bool,
}

impl Pair {
    /// Checks everything that can be known without asking anybody.
    pub fn assemble(certificates: &[u8], key: &[u8], wanted: &Wanted<'_>, now: i64) -> Result<Self, Fault> {
        let (private, kind) = read_key(key)?;
        let stack = X509::stack_from_pem(certificates).unwrap_or_default();
        if stack.is_empty() {
            return Err(Fault::Certificate("holds no certificate in PEM form".into()));
        }
        let mine =
            |certificate: &X509| certificate.public_key().is_ok_and(|public| public.public_eq(&private));
        let Some(position) = stack.iter().position(mine) else {
            return Err(Fault::Key("does not belong to the certificate: their public keys differ".into()));
        };
        let chain = upwards(stack, position);
        let leaf = chain.first().and_then(|leaf| Certificate::of(leaf));
        let Some(leaf) = leaf else {
            return Err(Fault::Certificate("holds a certificate that cannot be read".into()));
        };
        judge(&leaf, wanted, now)?;
        if let Some(issuer) = chain.get(1).and_then(|issuer| Certificate::of(issuer))
            && issuer.not_after <= now
        {
            let (name, day) = (&issuer.subject, day(issuer.not_after));
            return Err(Fault::Certificate(format!("has a chain over {name:?}, which expired on {day}")));
        }
        let unreadable = |_| Fault::Certificate("cannot be written again".into());
        let mut pem = private.private_key_to_pem_pkcs8().map_err(unreadable)?;
        for certificate in &chain {
            pem.extend(certificate.to_pem().map_err(unreadable)?);
        }
        let leaf_only = chain.len() == 1 && !leaf.self_signed;
        let spki = openssl::sha::sha256(&private.public_key_to_der().map_err(unreadable)?);
        Ok(Self { kind, leaf, spki, pem, leaf_only })
    }
}

fn read_key(pem: &[u8]) -> Result<(PKey<Private>, Kind), Fault> {
    let text = String::from_utf8_lossy(pem);
    if text.contains("ENCRYPTED") {
        return Err(Fault::Key(
            "is encrypted, and nobody is there to type its password at a start; write a plain copy with: \
             openssl pkey -in ENCRYPTED -out PLAIN"
                .into(),
        ));
    }
    // With an empty password OpenSSL never asks the terminal for one.
    let key = PKey::private_key_from_pem_passphrase(pem, b"")
        .map_err(|_| Fault::Key("holds no private key in PEM form".into()))?;
    if key.id() == Id::RSA && key.bits() < RSA_BITS {
        return Err(Fault::Key(format!(
            "is an RSA key of {} bits; mail programs want {RSA_BITS}",
            key.bits()
        )));
    }
    match key.id() {
        Id::RSA => Ok((key, Kind::Rsa)),
        Id::EC => Ok((key, Kind::Ecdsa)),
        _ => Err(Fault::Key("is neither an RSA nor an ECDSA key; mail programs want one of those".into())),
    }
}

/// From the certificate at `start` to whoever vouches for it, as far as the file goes, in the order in which
/// TLS sends them (RFC 8446 §4.4.2); what else the file holds is left out.
fn upwards(mut stack: Vec<X509>, start: usize) -> Vec<X509> {
    let mut chain = vec![stack.swap_remove(start)];
    while let Some(last) = chain.last()
        && !super::self_signed(last)
        && let Some(next) = stack.iter().position(|issuer| issuer.issued(last) == X509VerifyResult::OK)
    {
        chain.push(stack.swap_remove(next));
    }
    chain
}

fn day(seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(seconds).map(|time| time.date().to_string()).unwrap_or_default()
}

fn judge(leaf: &Certificate, wanted: &Wanted<'_>, now: i64) -> Result<(), Fault> {
    if leaf.not_after <= now {
        return Err(Fault::Certificate(format!("expired on {}", day(leaf.not_after))));
    }
    if leaf.not_before > now {
        return Err(Fault::Certificate(format!("is not valid before {}", day(leaf.not_before))));
    }
    wanted.fault(leaf).map_or(Ok(()), |fault| Err(Fault::Certificate(fault)))
}

#[cfg(test)]
mod tests;
