//! What proves a name to the authority: files that mailctld serves, and records in DNS. Put there for one order, and
//! gone after it.

use super::{dns01::Zones, fault::Fault};
use crate::{
    error::{Error, codes},
    mail::address::Domain,
    render::ids,
    settings::Challenge,
    world::{atomic, io_error, paths::Paths},
};
use rcgen::{CertificateParams, CustomExtension, DnType, KeyPair};
use std::{fs, io::ErrorKind, path::PathBuf};

/// One name to prove, and with what.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The name.
    pub name: Domain,
    /// What the authority will look for.
    pub token: String,
    /// The token, with the fingerprint of our account's key (RFC 8555 §8.1).
    pub authorization: String,
}

impl Proof {
    /// The authority chooses the token, and it becomes the name of a file: only what RFC 8555 §8.3 allows.
    pub fn new(name: &str, token: &str, authorization: String) -> Result<Self, Fault> {
        let name = Domain::parse(name).map_err(|_| {
            Fault::refused("", format!("it asks to prove {name:?}, which is no name of ours"))
        })?;
        if token_is_safe(token) {
            Ok(Self { name, token: token.to_owned(), authorization })
        } else {
            Err(Fault::refused("", format!("its token for {name} is not one that RFC 8555 allows")))
        }
    }

    /// SHA-256 of the authorization.
    fn digest(&self) -> [u8; 32] {
        openssl::sha::sha256(self.authorization.as_bytes())
    }

    /// The value of a record for DNS-01 (RFC 8555 §8.4).
    pub fn text(&self) -> String {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        BASE64_URL_SAFE_NO_PAD.encode(self.digest())
    }
}

/// Letters, digits, `-` and `_`, and not without end.
fn token_is_safe(token: &str) -> bool {
    (1..=128).contains(&token.len())
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Puts all proofs where the authority will look, and returns when they are there.
pub async fn put(paths: &Paths, kind: Challenge, proofs: &[Proof], zones: &Zones<'_>) -> Result<(), Fault> {
    match kind {
        Challenge::Http01 => Ok(proofs.iter().try_for_each(|proof| {
            atomic::write(&http_file(paths, &proof.token), proof.authorization.as_bytes(), atomic::PUBLIC)
        })?),
        Challenge::TlsAlpn01 => Ok(proofs.iter().try_for_each(|proof| {
            let pem = certificate(&proof.name, &proof.digest())?;
            let access = atomic::shared(0o640, ids::MAILCTL);
            atomic::write(&alpn_file(paths, &proof.name), pem.as_bytes(), access)
        })?),
        Challenge::Dns01 => zones.add(proofs.iter().map(|proof| (proof.name.clone(), proof.text()))).await,
    }
}

/// Removes what was put, also what an attempt left behind that was killed: nobody else writes there, and one attempt
/// runs at a time. Records in DNS are not looked for: see [`Zones::remove`].
pub fn sweep(paths: &Paths) -> Result<(), Error> {
    for kind in ["http-01", "tls-alpn-01"] {
        let folder = paths.challenges().join(kind);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(|e| io_error("read", &folder, &e))?,
        };
        for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(io_error("remove", &entry.path(), &error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The file of a token.
pub fn http_file(paths: &Paths, token: &str) -> PathBuf {
    paths.challenges().join("http-01").join(token)
}

/// The file of a name's challenge certificate.
pub fn alpn_file(paths: &Paths, name: &Domain) -> PathBuf {
    paths.challenges().join("tls-alpn-01").join(format!("{name}.pem"))
}

/// RFC 8737 §3: self-signed, for the one name, with the digest in an extension that is critical.
pub fn certificate(name: &Domain, digest: &[u8; 32]) -> Result<String, Error> {
    let make = || {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_string()])?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "mailctl challenge");
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = params.self_signed(&key)?;
        Ok::<_, rcgen::Error>(format!("{}{}", key.serialize_pem(), certificate.pem()))
    };
    make().map_err(|e| Error::new(codes::BUG, "cannot make a challenge certificate").cause(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: threats 10 and 26 (a token from outside is never a path).
    #[test]
    fn a_token_is_a_name_and_never_a_path() {
        for bad in ["", "..", "../live.pem", "a/b", "a\0", "a.b", "é", &"a".repeat(129)] {
            assert!(Proof::new("mail.example.org", bad, String::new()).is_err(), "{bad:?}");
        }
        assert!(
            Proof::new("mail.example.org", "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0", String::new())
                .is_ok()
        );
        assert!(Proof::new("../etc", "a", String::new()).is_err());
    }

    /// Proves: RFC 8737 §3: OpenSSL sees the critical extension with the digest in it.
    #[test]
    fn the_challenge_certificate_holds_the_digest() {
        let name = Domain::parse("mail.example.org").unwrap();
        let pem = certificate(&name, &[0xab; 32]).unwrap();
        let certificate = openssl::x509::X509::from_pem(pem.as_bytes()).unwrap();
        let text = String::from_utf8(certificate.to_text().unwrap()).unwrap();
        assert!(text.contains("1.3.6.1.5.5.7.1.31: critical"), "{text}");
        let octets = certificate.to_der().unwrap();
        assert!(octets.windows(34).any(|octets| octets[..2] == [4, 32] && octets[2..] == [0xab; 32]));
    }
}
