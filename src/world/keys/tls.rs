//! The certificate that is served: `tls/live.pem`, key and chain in one file, replaced in one step.

use super::refused;
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        cert::{Certificate, Fault, Pair},
    },
    world::{atomic, io_error, paths::Paths},
};
use openssl::{
    stack::Stack,
    x509::{X509, X509StoreContext, store::X509StoreBuilder},
};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// How long a self-signed certificate holds.
const SELF_SIGNED: time::Duration = time::Duration::days(365);

/// The certificate that is served now; `None` before the first one.
pub fn live(paths: &Paths) -> Result<Option<Certificate>, Error> {
    let file = paths.tls_live();
    match fs::read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", &file, &error)),
        Ok(pem) => Certificate::read(&pem).map(Some).ok_or_else(|| unusable(&file, "holds no certificate")),
    }
}

/// SHA-256 of the public key of the certificate that is served, as `TLSA 3 1 1` has it (RFC 6698 §2.1.2); `None`
/// where there is none that can be read.
pub fn spki(paths: &Paths) -> Option<[u8; 32]> {
    let pem = fs::read(paths.tls_live()).ok()?;
    let key = X509::from_pem(&pem).ok()?.public_key().ok()?.public_key_to_der().ok()?;
    Some(openssl::sha::sha256(&key))
}

/// Tells one certificate and key from another; empty where there is none.
pub fn fingerprint(paths: &Paths) -> String {
    use sha2::{Digest, Sha256};
    let Ok(pem) = fs::read(paths.tls_live()) else { return String::new() };
    Sha256::digest(&pem).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the first certificate, for `host` alone, self-signed; one that is there is kept (`false`).
pub fn self_signed(paths: &Paths, host: &Domain, now: time::OffsetDateTime) -> Result<bool, Error> {
    if live(paths)?.is_some() {
        return Ok(false);
    }
    let pem = make(host, now).map_err(|e| Error::new(codes::BUG, "cannot make a certificate").cause(e))?;
    install(paths, pem.as_bytes())?;
    Ok(true)
}

fn make(host: &Domain, now: time::OffsetDateTime) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([host.to_string()])?;
    // An hour of grace for clients whose clock is behind.
    params.not_before = now - time::Duration::HOUR;
    params.not_after = now + SELF_SIGNED;
    // A common name over 64 octets is not allowed (RFC 5280 appendix A.1); the alternative name has no limit.
    let name = if host.as_str().len() <= 64 { host.as_str() } else { "mailctl" };
    params.distinguished_name.push(DnType::CommonName, name);
    // No key usage: OpenSSL 1.1 takes a certificate that may not sign certificates for one that did not sign
    // itself, and clients could not be told to trust it.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

/// Serves `pem` from the next reload on.
pub fn install(paths: &Paths, pem: &[u8]) -> Result<(), Error> {
    atomic::folder(&paths.tls(), atomic::shared(0o750, 0))?;
    atomic::write(&paths.tls_live(), pem, atomic::PRIVATE)
}

/// The two files of a pair.
#[derive(Clone, Debug)]
pub struct Files {
    /// Certificate, best with its chain.
    pub certificate: PathBuf,
    /// Rest of the chain, where it has a file of its own.
    pub chain: Option<PathBuf>,
    /// Private key.
    pub key: PathBuf,
}

impl Files {
    /// Finds the pair in a folder as certbot, nginx-proxy-manager, acme.sh or Kubernetes leave it; of several
    /// generations (`fullchain3.pem`) the newest.
    pub fn within(folder: &Path) -> Result<Self, Error> {
        let at = |name: String| Some(folder.join(name)).filter(|path| path.is_file());
        let generations: Vec<u32> = fs::read_dir(folder)
            .map_err(|e| io_error("read", folder, &e))?
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| name.strip_prefix("fullchain")?.strip_suffix(".pem")?.parse().ok())
            .collect();
        let newest = generations.into_iter().max().map(|number| number.to_string());
        let pairs = [Some(String::new()), newest].into_iter().flatten().flat_map(|number| {
            [
                (format!("fullchain{number}.pem"), None, format!("privkey{number}.pem")),
                (
                    format!("cert{number}.pem"),
                    Some(format!("chain{number}.pem")),
                    format!("privkey{number}.pem"),
                ),
            ]
        });
        let further = [("tls.crt", "tls.key"), ("fullchain.cer", "key.pem"), ("cert.pem", "key.pem")]
            .map(|(certificate, key)| (certificate.to_owned(), None, key.to_owned()));
        for (certificate, chain, key) in pairs.chain(further) {
            if let (Some(certificate), Some(key)) = (at(certificate), at(key)) {
                return Ok(Self { certificate, chain: chain.and_then(at), key });
            }
        }
        Err(Error::new(
            codes::TLS_UNUSABLE,
            format!("{} holds no certificate with its key", folder.display()),
        )
        .cause("looked for fullchain.pem with privkey.pem, cert.pem with privkey.pem, tls.crt with tls.key")
        .hint("mailctl tls import --cert FILE --key FILE"))
    }

    /// Reads and checks the pair for `host`.
    pub fn pair(&self, host: &Domain, now: i64) -> Result<Pair, Error> {
        let read = |path: &Path| fs::read(path).map_err(|e| io_error("read", path, &e));
        let mut certificates = read(&self.certificate)?;
        if let Some(chain) = &self.chain {
            certificates.push(b'\n');
            certificates.extend(read(chain)?);
        }
        let pair = Pair::assemble(&certificates, &read(&self.key)?, host.as_str(), now).map_err(|fault| {
            let path = if matches!(fault, Fault::Key(_)) { &self.key } else { &self.certificate };
            unusable(path, &fault.to_string())
        })?;
        if pair.leaf_only && !known_root(&pair.pem).map_err(|e| refused("read a certificate", e))? {
            return Err(unusable(
                &self.certificate,
                "lacks the chain: the certificates of who vouches for it",
            )
            .cause(format!("it was issued by {:?}, and clients cannot know that one", pair.leaf.issuer))
            .hint("use fullchain.pem, or append the issuer's certificates to the file"));
        }
        Ok(pair)
    }
}

/// Whether a root that this system trusts vouches for the leaf directly.
fn known_root(pem: &[u8]) -> Result<bool, openssl::error::ErrorStack> {
    let mut roots = X509StoreBuilder::new()?;
    roots.set_default_paths()?;
    let stack = X509::stack_from_pem(pem)?;
    let Some(leaf) = stack.first() else { return Ok(false) };
    X509StoreContext::new()?
        .init(&roots.build(), leaf, Stack::new()?.as_ref(), |context| context.verify_cert())
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(codes::TLS_UNUSABLE, format!("{} cannot be served", path.display())).cause(format!("it {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn host() -> Domain {
        Domain::parse("mail.example.org").unwrap()
    }

    /// Proves: S1-9 (365 days, the host's name, private; kept afterwards).
    #[test]
    fn the_first_certificate_is_made_once() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path().to_owned());
        let now = time::OffsetDateTime::now_utc();
        assert!(self_signed(&paths, &host(), now).unwrap());
        let file = paths.tls_live();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        let certificate = live(&paths).unwrap().unwrap();
        assert_eq!(certificate.names, ["mail.example.org"]);
        assert_eq!(certificate.subject, "mail.example.org");
        assert_eq!((certificate.not_after - now.unix_timestamp()) / 86_400, 365);
        assert!(certificate.self_signed);
        let before = fs::read(&file).unwrap();
        assert!(!self_signed(&paths, &host(), now).unwrap());
        assert_eq!(fs::read(&file).unwrap(), before);

        let served = Files { certificate: file.clone(), chain: None, key: file };
        assert_eq!(served.pair(&host(), now.unix_timestamp()).unwrap().leaf, certificate);
    }

    /// Proves: S0-12 (the layouts of certbot and nginx-proxy-manager).
    #[test]
    fn pairs_are_found_in_the_usual_layouts() {
        for (names, certificate, key) in [
            (&["fullchain.pem", "privkey.pem", "cert.pem", "chain.pem"][..], "fullchain.pem", "privkey.pem"),
            (
                &["fullchain9.pem", "privkey9.pem", "fullchain10.pem", "privkey10.pem"],
                "fullchain10.pem",
                "privkey10.pem",
            ),
            (&["cert.pem", "chain.pem", "privkey.pem"], "cert.pem", "privkey.pem"),
            (&["tls.crt", "tls.key"], "tls.crt", "tls.key"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for name in names {
                fs::write(folder.path().join(name), "").unwrap();
            }
            let files = Files::within(folder.path()).unwrap();
            assert!(files.certificate.ends_with(certificate) && files.key.ends_with(key), "{files:?}");
            assert_eq!(files.chain.is_some(), certificate == "cert.pem");
        }
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(Files::within(empty.path()).unwrap_err().code(), codes::TLS_UNUSABLE);
    }
}
