//! Certificates as others leave them: which files belong together, and whether they can be served.

use super::unusable;
use crate::{
    error::{Error, codes},
    mail::cert::{Fault, Pair, Source, Wanted},
    world::{io_error, keys::refused},
};
use openssl::{
    stack::Stack,
    x509::{X509, X509StoreContext, store::X509StoreBuilder},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

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
    /// Reads and checks the pair of a source.
    pub fn pair_of(source: &Source, wanted: &Wanted<'_>, now: i64) -> Result<Pair, Error> {
        let files = match source {
            Source::Folder(folder) => Self::within(Path::new(folder))?,
            Source::Files { certificate, key } => {
                Self { certificate: certificate.into(), chain: None, key: key.into() }
            }
            Source::Settings(inline) => {
                let named =
                    Self { certificate: "TLS_CERT_PEM".into(), chain: None, key: "TLS_KEY_PEM".into() };
                return named.judged(inline.certificate.as_bytes(), inline.key.as_bytes(), wanted, now);
            }
        };
        files.pair(wanted, now)
    }

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
        let named = named(folder)?;
        for (certificate, chain, key) in pairs.chain(further).chain(named) {
            if let (Some(certificate), Some(key)) = (at(certificate), at(key)) {
                return Ok(Self { certificate, chain: chain.and_then(at), key });
            }
        }
        Err(Error::new(
            codes::TLS_UNUSABLE,
            format!("{} holds no certificate with its key", folder.display()),
        )
        .cause("looked for fullchain.pem with privkey.pem, cert.pem with privkey.pem, tls.crt with tls.key, NAME.crt with NAME.key")
        .hint("mailctl cert import --cert FILE --key FILE"))
    }

    /// Reads and checks the pair.
    pub fn pair(&self, wanted: &Wanted<'_>, now: i64) -> Result<Pair, Error> {
        let read = |path: &Path| fs::read(path).map_err(|e| io_error("read", path, &e));
        let mut certificates = read(&self.certificate)?;
        if let Some(chain) = &self.chain {
            certificates.push(b'\n');
            certificates.extend(read(chain)?);
        }
        self.judged(&certificates, &read(&self.key)?, wanted, now)
    }

    /// What is in the files, checked; a fault is told with the file's name.
    fn judged(&self, certificates: &[u8], key: &[u8], wanted: &Wanted<'_>, now: i64) -> Result<Pair, Error> {
        let pair = Pair::assemble(certificates, key, wanted, now).map_err(|fault| {
            let path = if matches!(fault, Fault::Key(_)) { &self.key } else { &self.certificate };
            unusable(path, &fault.to_string())
        })?;
        if pair.leaf_only && !trusted(&pair)? {
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

/// Pairs that bear the name which they are for: those of acme.sh (`fullchain.cer`, `NAME.key`), and of lego and Caddy
/// (`NAME.crt`, `NAME.key`). Only where there is one key: of several nobody knows which is meant.
fn named(folder: &Path) -> Result<Vec<(String, Option<String>, String)>, Error> {
    let entries = fs::read_dir(folder).map_err(|e| io_error("read", folder, &e))?.flatten();
    let keys: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok()?.strip_suffix(".key").map(str::to_owned))
        .collect();
    let [name] = keys.as_slice() else { return Ok(Vec::new()) };
    let certificates = ["fullchain.cer".to_owned(), format!("{name}.crt")];
    Ok(certificates.map(|certificate| (certificate, None, format!("{name}.key"))).into())
}

/// Whether a root that this system knows vouches for the leaf, over the chain that goes with it.
pub fn trusted(pair: &Pair) -> Result<bool, Error> {
    verified(&pair.pem).map_err(|e| refused("read a certificate", e))
}

fn verified(pem: &[u8]) -> Result<bool, openssl::error::ErrorStack> {
    let mut roots = X509StoreBuilder::new()?;
    roots.set_default_paths()?;
    let mut certificates = X509::stack_from_pem(pem)?.into_iter();
    let Some(leaf) = certificates.next() else { return Ok(false) };
    let mut chain = Stack::new()?;
    for issuer in certificates {
        chain.push(issuer)?;
    }
    X509StoreContext::new()?.init(&roots.build(), &leaf, &chain, |context| context.verify_cert())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (&["fullchain.cer", "ca.cer", "a.org.cer", "a.org.key"], "fullchain.cer", "a.org.key"),
            (&["a.org.crt", "a.org.issuer.crt", "a.org.json", "a.org.key"], "a.org.crt", "a.org.key"),
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
