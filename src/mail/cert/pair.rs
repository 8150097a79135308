//! A certificate with its chain, and the key that belongs to it, joined into the one file that is served.

use super::Certificate;
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

/// Key and chain that belong together.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The first certificate.
    pub leaf: Certificate,
    /// What is served: the key, then the certificates from the leaf upwards.
    pub pem: Vec<u8>,
    /// The chain stops at the leaf though somebody else vouches for it: right only where that somebody is a
    /// root that clients know.
    pub leaf_only: bool,
}

impl Pair {
    /// Checks everything that can be known without asking anybody.
    pub fn assemble(certificates: &[u8], key: &[u8], host: &str, now: i64) -> Result<Self, Fault> {
        let private = read_key(key)?;
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
        judge(&leaf, host, now)?;
        let unreadable = |_| Fault::Certificate("cannot be written again".into());
        let mut pem = private.private_key_to_pem_pkcs8().map_err(unreadable)?;
        for certificate in &chain {
            pem.extend(certificate.to_pem().map_err(unreadable)?);
        }
        let leaf_only = chain.len() == 1 && !leaf.self_signed;
        Ok(Self { leaf, pem, leaf_only })
    }
}

fn read_key(pem: &[u8]) -> Result<PKey<Private>, Fault> {
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
    Ok(key)
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

fn judge(leaf: &Certificate, host: &str, now: i64) -> Result<(), Fault> {
    let day = |seconds: i64| {
        time::OffsetDateTime::from_unix_timestamp(seconds)
            .map(|time| time.date().to_string())
            .unwrap_or_default()
    };
    if leaf.not_after <= now {
        return Err(Fault::Certificate(format!("expired on {}", day(leaf.not_after))));
    }
    if leaf.not_before > now {
        return Err(Fault::Certificate(format!("is not valid before {}", day(leaf.not_before))));
    }
    if !leaf.holds_for(host) {
        return Err(Fault::Certificate(format!(
            "is not for {host} (HOSTNAME), but for {}",
            if leaf.names.is_empty() { "no name at all".to_owned() } else { leaf.names.join(", ") }
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
