//! The certificates that are served: a set of files in `tls/sets/NNNN`, and the symlink `tls/live` to it.

mod install;
mod self_signed;
mod source;
mod watched;

pub use install::{Change, install, take_over, tidy};
pub use self_signed::{renew_self_signed, self_signed};
pub use source::{Files, trusted};
pub use watched::{Watched, watch, watched};

use crate::{
    error::{Error, codes},
    mail::cert::{Certificate, Place},
    world::{io_error, paths::Paths},
};
use openssl::{pkey::PKey, x509::X509};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Added to a file's name: nobody is to be served with it any more. It lies there until no configuration names it.
const LEAVING: &str = ".leaving";

/// One certificate that is served.
#[derive(Clone, Debug)]
pub struct Served {
    /// Where.
    pub place: Place,
    /// Its key and chain.
    pub file: PathBuf,
    /// What it says.
    pub certificate: Certificate,
}

/// The server's certificate; `None` before the first one.
pub fn live(paths: &Paths) -> Result<Option<Certificate>, Error> {
    read(&paths.certificate(&Place::Host))
}

/// Every certificate of the set that is live, the server's first. One that cannot be read, or whose key is another's,
/// is an error that names the file.
pub fn served(paths: &Paths) -> Result<Vec<Served>, Error> {
    let mut all = Vec::new();
    for place in places(paths) {
        let file = paths.certificate(&place);
        if let Some(certificate) = read(&file)? {
            belongs(&file)?;
            all.push(Served { place, file, certificate });
        }
    }
    Ok(all)
}

/// SHA-256 of the public keys that clients of the server's own name can meet, as `TLSA 3 1 1` has them (RFC 6698
/// §2.1.2): one, or two where RSA is served beside ECDSA. None where there is no certificate that can be read.
pub fn spki(paths: &Paths) -> Vec<[u8; 32]> {
    let mut digests = Vec::new();
    for place in places(paths).into_iter().filter(|place| place.domain().is_none()) {
        let pem = fs::read(paths.certificate(&place)).ok();
        let key = pem.and_then(|pem| X509::from_pem(&pem).ok()?.public_key().ok()?.public_key_to_der().ok());
        digests.extend(key.map(|key| openssl::sha::sha256(&key)));
    }
    digests
}

/// Tells one set of certificates and keys from another; empty where there is none.
pub fn fingerprint(paths: &Paths) -> String {
    use sha2::{Digest, Sha256};
    let places = places(paths);
    if places.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    for place in places {
        let pem = fs::read(paths.certificate(&place)).unwrap_or_default();
        hash.update(format!("{}\0{}\0", place.file(), pem.len()).as_bytes());
        hash.update(&pem);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The places of the live set that somebody is served in, the server's own first.
pub fn places(paths: &Paths) -> Vec<Place> {
    let mut places = within(&paths.tls_live());
    places.retain(|place| !leaves(paths, place));
    places
}

/// Every file of the live set, also those that leave.
pub fn files(paths: &Paths) -> Vec<PathBuf> {
    within(&paths.tls_live()).iter().map(|place| paths.certificate(place)).collect()
}

/// Whether a place of the live set only waits for its file to be named by nobody.
fn leaves(paths: &Paths, place: &Place) -> bool {
    paths.tls_live().join(place.file() + LEAVING).exists()
}

/// The places that a set has a file for, in order.
fn within(set: &Path) -> Vec<Place> {
    let names = |folder: &Path, prefix: &str| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some(format!("{prefix}{}", entry.file_name().to_str()?))).collect()
    };
    let mut files = names(set, "");
    files.extend(names(&set.join("sni"), "sni/"));
    let mut places: Vec<Place> = files.iter().filter_map(|file| Place::of(file)).collect();
    places.sort();
    places
}

fn read(file: &Path) -> Result<Option<Certificate>, Error> {
    match fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", file, &error)),
        Ok(pem) => Certificate::read(&pem).map(Some).ok_or_else(|| unusable(file, "holds no certificate")),
    }
}

/// A file whose key is another's would be taken by no program.
fn belongs(file: &Path) -> Result<(), Error> {
    let pem = fs::read(file).map_err(|e| io_error("read", file, &e))?;
    let key = PKey::private_key_from_pem_passphrase(&pem, b"");
    let public = X509::from_pem(&pem).and_then(|certificate| certificate.public_key());
    match (key, public) {
        (Ok(key), Ok(public)) if public.public_eq(&key) => Ok(()),
        (Ok(_), _) => Err(unusable(file, "holds a key and a certificate that do not belong together")),
        (Err(_), _) => Err(unusable(file, "holds no private key")),
    }
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(codes::TLS_UNUSABLE, format!("{} cannot be served", path.display())).cause(format!("it {why}"))
}
