//! The book of orders on the disk, and what is not served yet: keys and certificates under way.

use super::Fault;
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        cert::{Certificate, Kind, Pair, Wanted, ledger::Ledger},
    },
    render::ids,
    world::{atomic, io_error, lock::Lock, paths::Paths},
};
use openssl::{
    ec::{EcGroup, EcKey},
    error::ErrorStack,
    nid::Nid,
    pkey::{Id, PKey, Private},
    rsa::Rsa,
};
use std::{fs, io::ErrorKind, path::PathBuf};

/// Bits of an RSA key.
const RSA_BITS: u32 = 2048;

/// Held while something is asked of the authority: one attempt at a time.
#[derive(Debug)]
pub struct Book {
    paths: Paths,
    /// What it says. [`Book::save`] writes it down.
    pub ledger: Ledger,
    #[expect(dead_code, reason = "held, never read")]
    lock: Lock,
}

impl Book {
    /// Takes it, for an attempt at `now`.
    pub fn open(paths: &Paths, now: i64) -> Result<Self, Error> {
        atomic::folder(&paths.acme(), atomic::shared(0o700, 0))?;
        let lock = Lock::on(paths, &paths.acme_lock())?;
        for folder in [paths.acme_accounts(), paths.acme_pending()] {
            atomic::folder(&folder, atomic::shared(0o700, 0))?;
        }
        // As `plan::folders` wants them: mailctld serves what is in them.
        let challenges = paths.challenges();
        for (folder, mode, gid) in [
            (challenges.clone(), 0o755, 0),
            (challenges.join("http-01"), 0o755, 0),
            (challenges.join("tls-alpn-01"), 0o750, ids::MAILCTL),
        ] {
            atomic::folder(&folder, atomic::shared(mode, gid))?;
        }
        let mut book = Self { paths: paths.clone(), ledger: read(paths)?, lock };
        if book.ledger.wind(now) {
            book.save()?;
        }
        Ok(book)
    }

    /// What it says, for a look.
    pub fn look(paths: &Paths, now: i64) -> Result<Ledger, Error> {
        let mut ledger = read(paths)?;
        ledger.wind(now);
        Ok(ledger)
    }

    /// Writes it down.
    pub fn save(&self) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(&self.ledger)
            .map_err(|e| Error::new(codes::BUG, "cannot write the book of orders").cause(e))?;
        atomic::write(&self.paths.acme_ledger(), &text, atomic::PRIVATE)
    }

    /// The key for the certificate under way: the one that is there, else `reuse` where it is of the kind, else a new
    /// one. On the disk when this returns.
    pub async fn key(&self, kind: Kind, reuse: Option<&[u8]>) -> Result<PKey<Private>, Error> {
        let path = self.pending(kind, "key");
        if let Ok(pem) = fs::read(&path)
            && let Ok(key) = PKey::private_key_from_pem_passphrase(&pem, b"")
        {
            return Ok(key);
        }
        let old = reuse.and_then(|pem| PKey::private_key_from_pem_passphrase(pem, b"").ok());
        let broken = |e: ErrorStack| Error::new(codes::BUG, "cannot make a key").cause(e);
        let key = match old.filter(|key| fits(key, kind)) {
            Some(key) => key,
            // Finding two primes takes up to a second.
            None => tokio::task::spawn_blocking(move || make(kind))
                .await
                .map_err(|e| Error::new(codes::BUG, "making a key was cut off").cause(e))?
                .map_err(broken)?,
        };
        atomic::write(&path, &key.private_key_to_pem_pkcs8().map_err(broken)?, atomic::PRIVATE)?;
        Ok(key)
    }

    /// An order is begun anew: what was kept for the one before goes.
    pub fn clear(&self, kind: Kind) -> Result<(), Error> {
        for extension in ["key", "pem"] {
            let path = self.pending(kind, extension);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(io_error("remove", &path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps what was issued until it is served.
    pub fn issued(&self, kind: Kind, pair: &Pair) -> Result<(), Error> {
        atomic::write(&self.pending(kind, "pem"), &pair.pem, atomic::PRIVATE)
    }

    /// What was issued and is not served yet, where it holds for all `names`, the first of which is the host.
    pub fn pair(&self, kind: Kind, names: &[String], now: i64) -> Option<Pair> {
        let pem = fs::read(self.pending(kind, "pem")).ok()?;
        let host = Domain::parse(names.first()?).ok()?;
        let pair = Pair::assemble(&pem, &pem, &Wanted::Host(&host), now + super::AHEAD).ok()?;
        names.iter().all(|name| pair.leaf.holds_for(name)).then_some(pair)
    }

    /// What was issued and is kept.
    pub fn kept(&self, kind: Kind) -> Option<Certificate> {
        Certificate::read(&fs::read(self.pending(kind, "pem")).ok()?)
    }

    /// What was issued is served.
    pub fn finished(&mut self) -> Result<(), Error> {
        self.ledger.succeeded();
        self.save()?;
        [Kind::Ecdsa, Kind::Rsa].into_iter().try_for_each(|kind| self.clear(kind))
    }

    /// An attempt went wrong at `now`; `chance` from 0 to 1 is the jitter. When to try again, where the calendar had to
    /// change: our own limit has its date already.
    pub fn failed(&mut self, fault: &Fault, now: i64, chance: f64) -> Result<Option<i64>, Error> {
        if matches!(fault, Fault::Full { .. }) {
            return Ok(None);
        }
        let next = self.ledger.failed(&fault.to_string(), fault.is_refusal(), fault.again(), now, chance);
        self.save()?;
        Ok(Some(next))
    }

    fn pending(&self, kind: Kind, extension: &str) -> PathBuf {
        self.paths.acme_pending().join(format!("{}.{extension}", kind.name()))
    }
}

fn read(paths: &Paths) -> Result<Ledger, Error> {
    let path = paths.acme_ledger();
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| {
            Error::new(codes::ACME_STATE, format!("the book of orders {} cannot be read", path.display()))
                .cause(error)
                .hint(format!(
                    "mv {0} {0}.broken     (orders of this week are then not counted)",
                    path.display()
                ))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Ledger::default()),
        Err(error) => Err(io_error("read", &path, &error)),
    }
}

/// Whether a key is one that we would make ourselves.
fn fits(key: &PKey<Private>, kind: Kind) -> bool {
    match kind {
        Kind::Ecdsa => {
            key.id() == Id::EC
                && key.ec_key().is_ok_and(|key| key.group().curve_name() == Some(Nid::X9_62_PRIME256V1))
        }
        Kind::Rsa => key.id() == Id::RSA && (RSA_BITS..=4096).contains(&key.bits()),
    }
}

fn make(kind: Kind) -> Result<PKey<Private>, ErrorStack> {
    match kind {
        Kind::Ecdsa => {
            PKey::from_ec_key(EcKey::generate(&*EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?)?)
        }
        Kind::Rsa => PKey::from_rsa(Rsa::generate(RSA_BITS)?),
    }
}
