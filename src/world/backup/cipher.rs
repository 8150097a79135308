//! Encryption with age (<https://age-encryption.org/v1>): to public keys, or with a passphrase.

use super::damaged;
use crate::{
    error::{Error, codes},
    world::settings::secret_file,
};
use age::{
    Decryptor, Encryptor, Identity, Recipient, scrypt,
    secrecy::SecretString,
    stream::{StreamReader, StreamWriter},
    x25519,
};
use std::{
    io::{self, BufRead, Read, Write},
    path::Path,
};

/// How every age file begins.
pub const MAGIC: &[u8] = b"age-encryption.org/";
/// Logarithm of scrypt's work, as the `age` program has it: 256 MiB and about a second.
const WORK: u8 = 18;
/// The most that is done to read a file, which may come from anywhere: 1 GiB.
const MOST_WORK: u8 = 20;
/// Octets; what is shorter is guessed.
const SHORTEST: usize = 12;

/// Who can read a backup.
pub enum Locks {
    /// Whoever has the private key of one of these.
    Recipients(Vec<x25519::Recipient>),
    /// Whoever knows it.
    Passphrase(SecretString),
}

/// What opens a backup.
pub enum Key {
    /// Private keys, as `age-keygen` writes them.
    Identities(Vec<x25519::Identity>),
    /// A passphrase.
    Passphrase(SecretString),
}

/// Reads public keys.
pub fn recipients(texts: &[String]) -> Result<Locks, Error> {
    let parse = |text: &String| {
        text.parse().map_err(|why| {
            Error::new(codes::USAGE, format!("{text:?} is no public key of age"))
                .cause(why)
                .hint("age-keygen -o key.txt     (prints one: age1…; keep key.txt elsewhere)")
        })
    };
    texts.iter().map(parse).collect::<Result<_, _>>().map(Locks::Recipients)
}

impl Locks {
    /// A passphrase from a file, to encrypt with.
    pub fn from_passphrase_file(file: &Path) -> Result<Self, Error> {
        let (passphrase, octets) = passphrase(file)?;
        if octets < SHORTEST {
            return Err(Error::new(
                codes::PASSWORD_WEAK,
                format!("the passphrase in {} is too short", file.display()),
            )
            .cause(format!(
                "it has less than {SHORTEST} octets, and whoever gets the backup can try at leisure"
            ))
            .hint("put a longer one into the file"));
        }
        Ok(Self::Passphrase(passphrase))
    }

    /// Begins to encrypt. The writer must be finished, or what was written cannot be read.
    pub fn wrap<W: Write>(&self, out: W) -> io::Result<StreamWriter<W>> {
        let encryptor = match self {
            Self::Recipients(all) => Encryptor::with_recipients(all.iter().map(|one| one as &dyn Recipient)),
            Self::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient))
            }
        };
        encryptor.map_err(|e| io::Error::other(e.to_string()))?.wrap_output(out)
    }
}

impl Key {
    /// A passphrase from a file, to read with.
    pub fn from_passphrase_file(file: &Path) -> Result<Self, Error> {
        passphrase(file).map(|(passphrase, _)| Self::Passphrase(passphrase))
    }

    /// Private keys from a file: a line each, and comments.
    pub fn from_identity_file(file: &Path) -> Result<Self, Error> {
        let text = secret(file)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        // Never the line itself: it may be a key but for one character.
        let read = |line: &str| {
            line.parse().map_err(|why| {
                Error::new(
                    codes::USAGE,
                    format!("{} holds something that is no private key of age", file.display()),
                )
                .cause(why)
                .hint("a line of it looks like AGE-SECRET-KEY-1…, as age-keygen writes it")
            })
        };
        let identities: Vec<x25519::Identity> = lines.map(read).collect::<Result<_, _>>()?;
        if identities.is_empty() {
            return Err(Error::new(codes::USAGE, format!("{} holds no private key", file.display())));
        }
        Ok(Self::Identities(identities))
    }

    /// Begins to decrypt `file`.
    pub fn open<R: BufRead + Read>(&self, input: R, file: &Path) -> Result<StreamReader<R>, Error> {
        let decryptor = Decryptor::new_buffered(input).map_err(|e| damaged(file, e))?;
        let opened = match self {
            Self::Identities(all) => decryptor.decrypt(all.iter().map(|one| one as &dyn Identity)),
            Self::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(MOST_WORK);
                decryptor.decrypt(std::iter::once(&identity as &dyn Identity))
            }
        };
        opened.map_err(|error| {
            Error::new(codes::BACKUP_LOCKED, format!("{} cannot be decrypted with this key", file.display()))
                .cause(error)
                .hint("give the right one with --identity FILE or --passphrase-file FILE")
        })
    }
}

fn passphrase(file: &Path) -> Result<(SecretString, usize), Error> {
    let text = secret(file)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Error::new(codes::USAGE, format!("{} is empty", file.display())));
    }
    Ok((SecretString::from(line.to_owned()), line.len()))
}

fn secret(file: &Path) -> Result<String, Error> {
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    secret_file(&whole).map_err(|why| {
        Error::new(codes::SETTINGS_EXPOSED, format!("{} cannot be used as a secret", file.display()))
            .cause(why)
    })
}
