//! Accounts: one for each directory, made once. Its key is on the disk before anybody is told of it.

use super::{
    Pace,
    directory::Directory,
    fault::Fault,
    http::Http,
    jws::{self, Binding},
    patience::{again, patiently},
};
use crate::{
    error::{Error, codes},
    mail::{address::Address, cert::ledger::Advice, cert::schedule},
    settings::{Acme, External},
    world::{atomic, io_error, paths::Paths, settings::secret_file},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use instant_acme::{Account, CertificateIdentifier};
use openssl::{
    ec::{EcGroup, EcKey},
    nid::Nid,
    pkey::{PKey, Private},
    x509::X509,
};
use rustls::pki_types::{CertificateDer, Der};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// An authority, and our account there.
pub struct Ca {
    /// Its directory.
    pub directory: Directory,
    /// URL of our account.
    pub id: String,
    pub(super) account: Account,
    pub(super) http: Http,
    pub(super) key: EcKey<Private>,
    pub(super) pace: Pace,
}

/// An account as it lies on the disk.
#[derive(Serialize, Deserialize)]
struct Stored {
    directory: String,
    /// URL of the account; `None` until an answer told it.
    id: Option<String>,
    /// Whom the authority knows as contact.
    contact: Option<String>,
    /// Names by which CAA records know the authority.
    #[serde(default)]
    authorities: Vec<String>,
    /// PKCS#8, PEM.
    key: String,
}

/// What is known of the account at a directory without asking: its URL, and the authority's names in CAA.
pub fn known(paths: &Paths, directory: &str) -> Option<(String, Vec<String>)> {
    let stored: Stored = serde_json::from_slice(&fs::read(file(paths, directory)).ok()?).ok()?;
    Some((stored.id?, stored.authorities))
}

impl Ca {
    /// Fetches the directory, and makes the account where there is none.
    pub async fn open(
        paths: &Paths,
        acme: &Acme,
        directory: &str,
        pace: &Pace,
        now: i64,
    ) -> Result<Self, Fault> {
        let http = Http::new(acme.root_file.as_deref(), pace.request)?;
        let directory = patiently(pace, async || Directory::fetch(&http, directory, now).await).await?;
        let path = file(paths, &directory.url);
        let mut stored = load(&path, &directory.url)?;
        let contact = acme.contact.to_string();
        let key = private(&stored.key, &path)?;
        let id = match &stored.id {
            Some(id) => id.clone(),
            None => {
                let binding = binding(acme.external.as_ref(), &directory)?;
                // The same key never makes a second account (RFC 8555 §7.3.1).
                let made = async || jws::account(&http, &directory, &key, &contact, binding.as_ref()).await;
                let id = patiently(pace, made).await?;
                (stored.id, stored.contact) = (Some(id.clone()), Some(contact.clone()));
                stored.save(&path)?;
                id
            }
        };
        if stored.authorities != directory.authorities {
            stored.authorities.clone_from(&directory.authorities);
            stored.save(&path)?;
        }
        let account = account(&http, &directory, &id, key.clone()).await?;
        if stored.contact.as_deref() != Some(&contact) && told(&account, &acme.contact).await {
            stored.contact = Some(contact);
            stored.save(&path)?;
        }
        Ok(Self { directory, id, account, http, key, pace: *pace })
    }

    /// The authority forgot our account: the next attempt makes it again, with the same key.
    pub(super) fn forget(&self, paths: &Paths) -> Result<(), Error> {
        let path = file(paths, &self.directory.url);
        let mut stored = load(&path, &self.directory.url)?;
        stored.id = None;
        stored.save(&path)
    }

    /// Only the directory: nobody learns of us by that.
    pub async fn look(acme: &Acme, pace: &Pace, now: i64) -> Result<Directory, Fault> {
        let http = Http::new(acme.root_file.as_deref(), pace.request)?;
        patiently(pace, async || Directory::fetch(&http, &acme.directory, now).await).await
    }

    /// When the authority wants the certificate in `pem` to be renewed, and after how many seconds to ask again;
    /// `chance` (0 to 1) draws the moment. `None` where it does not say.
    pub async fn advice(
        &self,
        pem: &[u8],
        serial: &str,
        chance: f64,
    ) -> Result<Option<(Advice, i64)>, Fault> {
        let Some(id) = identifier(pem).filter(|_| self.directory.advises) else { return Ok(None) };
        let (info, again) = match self.account.renewal_info(&id).await {
            Ok(told) => told,
            Err(error) => return Err(error.into()),
        };
        let (start, end) =
            (info.suggested_window.start.unix_timestamp(), info.suggested_window.end.unix_timestamp());
        // RFC 9773 §4.3.2: between an hour and a day is a sane time to ask again.
        let again = i64::try_from(again.as_secs()).unwrap_or(i64::MAX).clamp(3600, 86_400);
        let at = schedule::within(start, end, chance);
        Ok(Some((Advice { serial: serial.to_owned(), start, end, at }, again)))
    }

    /// Nobody should believe the first certificate in `pem` any more (RFC 8555 §7.6).
    pub async fn revoke(&self, pem: &[u8], reason: instant_acme::RevocationReason) -> Result<(), Fault> {
        let der = X509::from_pem(pem).and_then(|certificate| certificate.to_der());
        let der = der.map_err(|e| Error::new(codes::BUG, "cannot read a certificate").cause(e))?;
        let certificate = CertificateDer::from(der);
        let request = instant_acme::RevocationRequest { certificate: &certificate, reason: Some(reason) };
        let done = again(&self.pace, async || self.account.revoke(&request).await).await;
        match done {
            Err(fault) if fault.is("alreadyRevoked") => Ok(()),
            done => done,
        }
    }
}

/// RFC 9773 §4.1, of the first certificate.
pub(super) fn identifier(pem: &[u8]) -> Option<CertificateIdentifier<'static>> {
    let certificate = X509::from_pem(pem).ok()?;
    let authority = certificate.authority_key_id()?.as_slice().to_vec();
    let mut serial = certificate.serial_number().to_bn().ok()?.to_vec();
    // DER: a first bit that is set would make it negative.
    if serial.first().is_none_or(|first| first & 0x80 != 0) {
        serial.insert(0, 0);
    }
    Some(CertificateIdentifier::new(Der::from_slice(&authority), Der::from_slice(&serial)).into_owned())
}

async fn account(
    http: &Http,
    directory: &Directory,
    id: &str,
    key: EcKey<Private>,
) -> Result<Account, Fault> {
    let refused =
        |error: &dyn std::fmt::Display| Error::new(codes::BUG, "an account cannot be used").cause(error);
    let der = PKey::from_ec_key(key).and_then(|key| key.private_key_to_pkcs8()).map_err(|e| refused(&e))?;
    // In the form that instant-acme keeps them, with the directory that was just fetched.
    let credentials = serde_json::json!({
        "id": id, "key_pkcs8": BASE64_URL_SAFE_NO_PAD.encode(der), "urls": directory.document,
    });
    let credentials = serde_json::from_value(credentials)
        .map_err(|error| Fault::silent(format!("{} is no ACME directory: {error}", directory.url)))?;
    Ok(Account::builder_with_http(Box::new(http.clone())).from_credentials(credentials).await?)
}

/// Not worth an attempt: the authority keeps the old contact until the next one.
async fn told(account: &Account, contact: &Address) -> bool {
    let contact = format!("mailto:{contact}");
    account.update_contacts(&[&contact]).await.is_ok()
}

fn file(paths: &Paths, directory: &str) -> PathBuf {
    let host = directory.trim_start_matches("https://").split(['/', ':']).next().unwrap_or_default();
    let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
    let tag: String =
        openssl::sha::sha256(directory.as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect();
    paths.acme_accounts().join(format!("{host}-{tag}.json"))
}

fn load(path: &Path, directory: &str) -> Result<Stored, Error> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| {
            Error::new(codes::ACME_STATE, format!("the account in {} cannot be read", path.display()))
                .cause(error)
                .hint("put a backup of it in its place")
                .hint(format!("mv {0} {0}.broken     (then another account is made)", path.display()))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = make().map_err(|e| Error::new(codes::BUG, "cannot make a key").cause(e))?;
            let stored = Stored {
                directory: directory.to_owned(),
                id: None,
                contact: None,
                authorities: Vec::new(),
                key,
            };
            stored.save(path)?;
            Ok(stored)
        }
        Err(error) => Err(io_error("read", path, &error)),
    }
}

impl Stored {
    fn save(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::new(codes::BUG, "cannot write an account down").cause(e))?;
        atomic::write(path, &text, atomic::PRIVATE)
    }
}

fn make() -> Result<String, openssl::error::ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let pem = PKey::from_ec_key(EcKey::generate(&group)?)?.private_key_to_pem_pkcs8()?;
    Ok(String::from_utf8_lossy(&pem).into_owned())
}

fn private(pem: &str, path: &Path) -> Result<EcKey<Private>, Error> {
    PKey::private_key_from_pem(pem.as_bytes()).and_then(|key| key.ec_key()).map_err(|error| {
        Error::new(codes::ACME_STATE, format!("the account in {} has no usable key", path.display()))
            .cause(error)
    })
}

/// The authority's own account, as far as one is set. One that is wanted and not set is told now, in our words.
fn binding(external: Option<&External>, directory: &Directory) -> Result<Option<Binding>, Fault> {
    let Some(External { id, key_file }) = external else {
        return match directory.wants_binding {
            false => Ok(None),
            true => Err(Error::new(
                codes::ACME_REFUSED,
                format!("{} only takes accounts that are bound to one of its own", directory.url),
            )
            .hint("set acme.eab_key_id and acme.eab_key_file in mailctl.toml to what its account page shows")
            .into()),
        };
    };
    let bad = |why: String| {
        Error::new(codes::ACME_KEY, format!("the key in {key_file} cannot be used (acme.eab_key_file)"))
            .cause(why)
    };
    let text = secret_file(Path::new(key_file)).map_err(bad)?;
    let text = text.trim().trim_end_matches('=');
    // Some show it in the one alphabet, some in the other.
    let key = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| BASE64_STANDARD.decode(format!("{text}{}", &"==="[..(4 - text.len() % 4) % 4])))
        .map_err(|_| bad("it is not base64".to_owned()))?;
    if key.is_empty() {
        return Err(bad("it is empty".to_owned()).into());
    }
    Ok(Some(Binding { id: id.clone(), key }))
}
