//! The certificates that 443 shows: read as `mailctl cert` laid them down, and read again when they are others.
//!
//! `host.pem` is for everybody, `host-rsa.pem` for those who know no ECDSA, `sni/*.pem` for those who ask for a name
//! that is in it. What cannot be read leaves what was served before.

use crate::mail::cert::Certificate;
use rustls::{
    ServerConfig,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::{CertifiedKey, SingleCertAndKey},
};
use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{sync::Notify, time::timeout};

/// How often it is looked whether they are others.
const LOOK: Duration = Duration::from_secs(1);

/// The protocol in which a name is proven (RFC 8737 §6.2).
pub const ACME: &[u8] = b"acme-tls/1";

/// What is shown now.
pub struct Live {
    folder: PathBuf,
    now: RwLock<Option<Shown>>,
}

#[derive(Clone)]
struct Shown {
    config: Arc<ServerConfig>,
    ends: Vec<(String, i64)>,
}

impl Live {
    /// Shows what is in `folder`, as soon as it can be read.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, now: RwLock::new(None) }
    }

    /// How to speak TLS; `None` before there is a certificate.
    pub fn config(&self) -> Option<Arc<ServerConfig>> {
        self.read().map(|shown| shown.config)
    }

    /// When each name's certificate ends, in seconds since 1970.
    pub fn ends(&self) -> Vec<(String, i64)> {
        self.read().map(|shown| shown.ends).unwrap_or_default()
    }

    fn read(&self) -> Option<Shown> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps it current for ever; `again` = look now.
    pub async fn follow(self: Arc<Self>, again: Arc<Notify>) {
        let (mut seen, mut told) = (Vec::new(), String::new());
        loop {
            let found = stamp(&self.folder);
            if found != seen || self.config().is_none() {
                match show(&self.folder) {
                    Ok(shown) => {
                        tracing::info!(names = shown.ends.len(), "certificates read");
                        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Some(shown);
                        told.clear();
                    }
                    Err(why) if why != told => {
                        tracing::error!(%why, "certificates not read; what was shown before is, if anything");
                        told = why;
                    }
                    Err(_) => {}
                }
                seen = found;
            }
            if timeout(LOOK, again.notified()).await.is_ok() {
                seen.clear();
            }
        }
    }
}

/// Tells one state of the folder from another: where the link leads, and which files lie there.
fn stamp(folder: &Path) -> Vec<(PathBuf, u64, i64, i64)> {
    let link = fs::read_link(folder).unwrap_or_default();
    let files = [folder.join("host.pem"), folder.join("host-rsa.pem"), folder.join("sni")];
    let state = |path: PathBuf| {
        let data = fs::metadata(&path).ok()?;
        Some((path, data.ino(), data.mtime(), data.mtime_nsec()))
    };
    std::iter::once((link, 0, 0, 0)).chain(files.into_iter().filter_map(state)).collect()
}

fn show(folder: &Path) -> Result<Shown, String> {
    let mut ends = Vec::new();
    let host = vec![read(&folder.join("host.pem"), &mut ends)?];
    let own = ends.iter().map(|(name, _)| name.clone()).collect();
    let mut keys = Keys { host, own, names: HashMap::new() };
    let second = folder.join("host-rsa.pem");
    if second.exists() {
        keys.host.push(read(&second, &mut ends)?);
    }
    let mut others: Vec<PathBuf> =
        fs::read_dir(folder.join("sni")).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    others.sort();
    for path in others.iter().filter(|path| path.extension().is_some_and(|end| end == "pem")) {
        let before = ends.len();
        match read(path, &mut ends) {
            Ok(key) => {
                let names = ends[before..].iter().map(|(name, _)| (name.clone(), key.clone()));
                keys.names.extend(names);
            }
            // One domain's certificate is not the others' affair.
            Err(why) => tracing::error!(%why, "a certificate is left out"),
        }
    }
    let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(keys));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Shown { config: Arc::new(config), ends })
}

fn read(path: &Path, ends: &mut Vec<(String, i64)>) -> Result<Arc<CertifiedKey>, String> {
    let fail = |why: String| format!("{}: {why}", path.display());
    let pem = fs::read(path).map_err(|e| fail(e.to_string()))?;
    let key = certified(&pem).map_err(fail)?;
    let leaf = Certificate::read(&pem).ok_or_else(|| fail("no certificate".to_owned()))?;
    ends.extend(leaf.names.into_iter().map(|name| (name, leaf.not_after)));
    Ok(Arc::new(key))
}

/// Key and chain of a PEM file.
fn certified(pem: &[u8]) -> Result<CertifiedKey, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|e| e.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|e| e.to_string())?;
    let key = any_supported_type(&key).map_err(|e| e.to_string())?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err("key and certificate do not belong together".to_owned())
        }
        _ => Ok(certified),
    }
}

/// How to prove a name to a validator, with the certificate that `mailctl cert` made for it. rustls would check
/// this certificate before it shows it, and refuse it for its critical extension; given ready it is shown.
pub fn proof(pem: &[u8]) -> Option<Arc<ServerConfig>> {
    let key = certified(pem).ok()?;
    let resolver = Arc::new(SingleCertAndKey::from(key));
    let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver);
    config.alpn_protocols = vec![ACME.to_vec()];
    Some(Arc::new(config))
}

/// Which certificate is whose.
#[derive(Debug)]
struct Keys {
    host: Vec<Arc<CertifiedKey>>,
    /// The names that the host's certificate holds for: a domain's wildcard does not take them over.
    own: HashSet<String>,
    names: HashMap<String, Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let wanted = hello.server_name().map(str::to_ascii_lowercase);
        let own = wanted.filter(|name| !self.own.contains(name)).and_then(|name| {
            let above = || format!("*.{}", name.split_once('.').map_or("", |(_, above)| above));
            self.names.get(&name).or_else(|| self.names.get(&above()))
        });
        let fits = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        own.into_iter().chain(&self.host).find(fits).cloned()
    }
}
