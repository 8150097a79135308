//! DKIM keys: `keys/dkim/DOMAIN/SELECTOR.private`, 0640 root:opendkim, and the record beside it in
//! `SELECTOR.txt`. A key is never overwritten: mail signed with it is still on its way.

use super::refused;
use crate::{
    error::{Error, codes},
    mail::{
        address::{Domain, Selector},
        dkim::{Algorithm, Record, Signer, rsa_within},
    },
    render::ids,
    world::{atomic, io_error, paths::Paths},
};
use openssl::{
    error::ErrorStack,
    pkey::{Id, PKey, Private},
    rsa::Rsa,
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use std::{
    fs,
    io::{ErrorKind, Write},
    path::Path,
};

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RSA of so many bits.
    Rsa(u32),
    /// Ed25519.
    Ed25519,
}

/// A key that is on the disk; its private part stays there.
#[derive(Clone, Debug)]
pub struct Key {
    /// Whose mail it signs.
    pub domain: Domain,
    /// Its name.
    pub selector: Selector,
    /// RSA: of the modulus.
    pub bits: u32,
    /// What DNS must say.
    pub record: Record,
}

impl Key {
    /// What the store and the configuration say of it when it signs.
    pub fn signer(self) -> Signer {
        Signer { domain: self.domain, algorithm: self.record.algorithm, selector: self.selector }
    }
}

/// Makes a key; where there is one of that name already, an error.
pub fn generate(paths: &Paths, domain: &Domain, selector: &Selector, kind: Kind) -> Result<Key, Error> {
    let file = paths.dkim_key(domain, selector);
    if file.try_exists().map_err(|e| io_error("open", &file, &e))? {
        return Err(taken(&file));
    }
    let private = match kind {
        Kind::Rsa(bits) => Rsa::generate(bits).and_then(PKey::from_rsa),
        Kind::Ed25519 => PKey::generate_ed25519(),
    }
    .map_err(|e| refused("make a DKIM key", e))?;
    let pem = private.private_key_to_pem_pkcs8().map_err(|e| refused("write a DKIM key", e))?;
    let key = describe(domain, selector, &private, &file)?;

    let folder = file.parent().unwrap_or(Path::new("."));
    if let Some(keys) = paths.dkim().parent() {
        atomic::folder(keys, atomic::shared(0o750, 0))?;
    }
    for folder in [&paths.dkim(), folder] {
        atomic::folder(folder, atomic::shared(0o750, ids::OPENDKIM))?;
    }
    let record = format!("{}\n", key.record.zone(domain, selector));
    atomic::write(&folder.join(format!("{selector}.txt")), record.as_bytes(), atomic::PUBLIC)?;
    place(&file, &pem)?;
    Ok(key)
}

/// Links the finished file to its name, which fails where the name is taken.
fn place(file: &Path, pem: &[u8]) -> Result<(), Error> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let fail = |e: std::io::Error| io_error("write", file, &e);
    let mut draft = tempfile::Builder::new().prefix(atomic::DRAFT).tempfile_in(folder).map_err(fail)?;
    draft.write_all(pem).map_err(fail)?;
    atomic::give(draft.path(), atomic::shared(0o640, ids::OPENDKIM))?;
    draft.as_file().sync_all().map_err(fail)?;
    fs::hard_link(draft.path(), file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(file),
        _ => fail(error),
    })?;
    atomic::sync_folder(folder)
}

/// There is one already.
pub fn taken(file: &Path) -> Error {
    Error::new(codes::EXISTS, format!("there is a DKIM key already: {}", file.display()))
        .hint("choose another name with --selector; both records can be published side by side")
        .hint("mailctl dkim show")
}

/// The key of that name, where there is one.
pub fn find(paths: &Paths, domain: &Domain, selector: &Selector) -> Result<Option<Key>, Error> {
    let file = paths.dkim_key(domain, selector);
    let pem = match fs::read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|e| io_error("read", &file, &e))?,
    };
    let private = private(&pem).map_err(|e| unusable(&file).cause(e))?;
    describe(domain, selector, &private, &file).map(Some)
}

/// RSA by the short way: OpenSSL 3 looks through all its decoders for a PEM file, which takes a millisecond, and a
/// hundred domains have hundreds of keys. Whatever that way does not know, OpenSSL judges, and names the fault; the
/// empty passphrase keeps it from asking the terminal for one.
fn private(pem: &[u8]) -> Result<PKey<Private>, ErrorStack> {
    let rsa = match PrivateKeyDer::from_pem_slice(pem) {
        Ok(PrivateKeyDer::Pkcs1(key)) => Rsa::private_key_from_der(key.secret_pkcs1_der()).ok(),
        Ok(PrivateKeyDer::Pkcs8(key)) => {
            rsa_within(key.secret_pkcs8_der()).and_then(|key| Rsa::private_key_from_der(key).ok())
        }
        _ => None,
    };
    rsa.map_or_else(|| PKey::private_key_from_pem_passphrase(pem, b""), PKey::from_rsa)
}

/// All keys of a domain, sorted by selector.
pub fn list(paths: &Paths, domain: &Domain) -> Result<Vec<Key>, Error> {
    let folder = paths.dkim().join(domain.as_str());
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| io_error("read", &folder, &e))?,
    };
    let mut selectors: Vec<Selector> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| Selector::parse(name.strip_suffix(".private")?).ok())
        .collect();
    selectors.sort();
    selectors.iter().filter_map(|selector| find(paths, domain, selector).transpose()).collect()
}

fn describe(
    domain: &Domain,
    selector: &Selector,
    private: &PKey<Private>,
    file: &Path,
) -> Result<Key, Error> {
    let (algorithm, public) = match private.id() {
        Id::RSA => (Algorithm::Rsa, private.public_key_to_der()),
        Id::ED25519 => (Algorithm::Ed25519, private.raw_public_key()),
        _ => return Err(unusable(file).cause("it is neither RSA nor Ed25519")),
    };
    let public = public.map_err(|e| unusable(file).cause(e))?;
    Ok(Key {
        domain: domain.clone(),
        selector: selector.clone(),
        bits: private.bits(),
        record: Record { algorithm, public },
    })
}

fn unusable(file: &Path) -> Error {
    Error::new(codes::DKIM_UNUSABLE, format!("{} is not a usable DKIM key", file.display()))
        .hint("put the right file in its place, or make a new key: mailctl dkim generate --selector NEW")
}

/// The key that was chosen to sign; it must be there and of its algorithm.
pub fn chosen(paths: &Paths, signer: &Signer) -> Result<Key, Error> {
    let file = paths.dkim_key(&signer.domain, &signer.selector);
    match find(paths, &signer.domain, &signer.selector)? {
        Some(key) if key.record.algorithm == signer.algorithm => Ok(key),
        Some(key) => {
            let is = key.record.algorithm;
            Err(unusable(&file)
                .cause(format!("it should sign with {}, and is of kind {is}", signer.algorithm)))
        }
        None => Err(unusable(&file).cause("it should sign, and is not there")),
    }
}

/// The keys that sign for `domain`, at most one of each algorithm, RSA first. `stored`: what was chosen, for
/// whatever domains. Where no RSA key was ever chosen (keys of an older server, copied in), it is the one of
/// the preferred name, or else the last by name. An Ed25519 key signs only where it was chosen: one that only
/// lies there may not be published.
pub fn signing(
    paths: &Paths,
    domain: &Domain,
    stored: &[Signer],
    preferred: Option<&Selector>,
) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::new();
    for algorithm in Algorithm::ALL {
        let of_it = |signer: &&Signer| signer.domain == *domain && signer.algorithm == algorithm;
        match stored.iter().find(of_it) {
            Some(signer) => keys.push(chosen(paths, signer)?),
            None if algorithm == Algorithm::Rsa => {
                keys.extend(found(&list(paths, domain)?, preferred).cloned());
            }
            None => {}
        }
    }
    Ok(keys)
}

/// The same, where `all` keys of the domain were read already: to read one takes as long as a question to DNS.
pub fn signing_among(
    all: &[Key],
    paths: &Paths,
    domain: &Domain,
    stored: &[Signer],
    preferred: Option<&Selector>,
) -> Result<Vec<Selector>, Error> {
    let mut selectors = Vec::new();
    for algorithm in Algorithm::ALL {
        let of_it = |signer: &&Signer| signer.domain == *domain && signer.algorithm == algorithm;
        match stored.iter().find(of_it) {
            Some(signer) => {
                let there = |key: &Key| key.selector == signer.selector && key.record.algorithm == algorithm;
                if !all.iter().any(there) {
                    // Says what is wrong with it.
                    chosen(paths, signer)?;
                }
                selectors.push(signer.selector.clone());
            }
            None if algorithm == Algorithm::Rsa => {
                selectors.extend(found(all, preferred).map(|key| key.selector.clone()));
            }
            None => {}
        }
    }
    Ok(selectors)
}

fn found<'a>(all: &'a [Key], preferred: Option<&Selector>) -> Option<&'a Key> {
    let rsa = || all.iter().filter(|key| key.record.algorithm == Algorithm::Rsa);
    rsa().find(|key| Some(&key.selector) == preferred).or_else(|| rsa().next_back())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn home() -> (tempfile::TempDir, Paths, Domain) {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path().to_owned());
        (home, paths, Domain::parse("example.org").unwrap())
    }

    fn selector(text: &str) -> Selector {
        Selector::parse(text).unwrap()
    }

    /// Proves: S0-5, S4-9, threat 16.
    #[test]
    fn a_key_has_its_record_beside_it_and_is_never_overwritten() {
        let (_home, paths, domain) = home();
        let key = generate(&paths, &domain, &selector("mail"), Kind::Rsa(2048)).unwrap();
        let file = paths.dkim_key(&domain, &key.selector);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o640);
        let text = fs::read_to_string(file.with_extension("txt")).unwrap();
        assert_eq!(text.trim(), key.record.zone(&domain, &key.selector));
        let before = fs::read(&file).unwrap();
        let again = generate(&paths, &domain, &selector("mail"), Kind::Ed25519).unwrap_err();
        assert_eq!(again.code(), codes::EXISTS);
        assert_eq!(fs::read(&file).unwrap(), before);
        assert_eq!(find(&paths, &domain, &key.selector).unwrap().unwrap().record, key.record);
        assert!(
            !fs::read_dir(file.parent().unwrap())
                .unwrap()
                .any(|entry| { entry.unwrap().file_name().to_str().unwrap().starts_with('.') })
        );
    }

    /// Proves: RFC 8463 §4.2 (the record), §5 (beside RSA, never in its place).
    #[test]
    fn ed25519_is_published_as_32_octets_and_signs_where_it_was_chosen() {
        let (_home, paths, domain) = home();
        let key = generate(&paths, &domain, &selector("ed"), Kind::Ed25519).unwrap();
        assert_eq!(key.record.public.len(), 32);
        assert!(key.record.text().starts_with("v=DKIM1; k=ed25519; p="));
        assert!(signing(&paths, &domain, &[], None).unwrap().is_empty());
        generate(&paths, &domain, &selector("mail"), Kind::Rsa(1024)).unwrap();
        generate(&paths, &domain, &selector("zz"), Kind::Rsa(1024)).unwrap();
        let signer =
            |algorithm, name: &str| Signer { domain: domain.clone(), algorithm, selector: selector(name) };
        let signs = |chosen: &[Signer], preferred: Option<&str>| {
            let preferred = preferred.map(selector);
            let among = list(&paths, &domain)
                .and_then(|all| signing_among(&all, &paths, &domain, chosen, preferred.as_ref()));
            let keys = signing(&paths, &domain, chosen, preferred.as_ref());
            let names = |keys: &[Key]| keys.iter().map(|key| key.selector.clone()).collect::<Vec<_>>();
            assert_eq!(
                among.map_err(|error| error.code()),
                keys.as_deref().map(names).map_err(|error| error.code())
            );
            keys.map(|keys| keys.iter().map(|key| key.selector.to_string()).collect::<Vec<_>>().join(" "))
        };
        let (rsa, ed25519) = (Algorithm::Rsa, Algorithm::Ed25519);
        assert_eq!(signs(&[], None).unwrap(), "zz");
        assert_eq!(signs(&[], Some("mail")).unwrap(), "mail");
        assert_eq!(signs(&[signer(rsa, "mail")], Some("zz")).unwrap(), "mail");
        assert_eq!(signs(&[signer(ed25519, "ed"), signer(rsa, "mail")], None).unwrap(), "mail ed");
        for wrong in [signer(rsa, "gone"), signer(rsa, "ed"), signer(ed25519, "mail")] {
            assert_eq!(signs(&[wrong], None).unwrap_err().code(), codes::DKIM_UNUSABLE);
        }
    }

    /// Proves: S0-5 (keys of an older server: `opendkim-genkey` writes PKCS #1).
    #[test]
    fn a_key_is_read_as_openssl_reads_it() {
        let rsa = Rsa::generate(2048).unwrap();
        let pkcs1 = rsa.private_key_to_pem().unwrap();
        let pkey = PKey::from_rsa(rsa).unwrap();
        let pkcs8 = pkey.private_key_to_pem_pkcs8().unwrap();
        let noted = [b"made in 2019\n", pkcs8.as_slice()].concat();
        for pem in [&pkcs1, &pkcs8, &noted] {
            let read = private(pem).unwrap();
            assert!(read.public_eq(&pkey) && read.bits() == 2048);
            assert_eq!(read.public_key_to_der().unwrap(), pkey.public_key_to_der().unwrap());
        }
        let sealed = openssl::symm::Cipher::aes_256_cbc();
        let sealed = pkey.private_key_to_pem_pkcs8_passphrase(sealed, b"secret").unwrap();
        assert!(private(&sealed).is_err());
    }

    #[test]
    fn a_broken_key_is_named() {
        let (_home, paths, domain) = home();
        let file = paths.dkim_key(&domain, &selector("mail"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "no key").unwrap();
        let error = find(&paths, &domain, &selector("mail")).unwrap_err();
        assert!(error.what().contains("mail.private"), "{error}");
    }
}
