//! Secrets: one that signs, and any number that are still believed.

use super::{LONGEST_HASH, SHORTEST_HASH};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use std::fmt;

/// The most secrets taken: each is tried for each address that comes.
const MOST: usize = 20;

/// Secrets, the one that signs first. Shown, they tell only how many they are.
#[derive(Clone)]
pub struct Secrets(Vec<Hmac<Sha1>>);

/// Why a list of secrets is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There is none in it.
    #[error("holds no secret")]
    Empty,
    /// Twenty are enough.
    #[error("holds more than 20 secrets")]
    TooMany,
}

impl Secrets {
    /// From the text of a file as postsrsd has it: one secret to a line, the one that signs first. Blanks belong to the
    /// secret, empty lines are nothing.
    pub fn parse(text: &[u8]) -> Result<Self, Unusable> {
        Self::of(lines(text))
    }

    /// Of these, the first one signs.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Unusable> {
        // A key may have any length.
        let keyed = |secret: &[u8]| Hmac::new_from_slice(secret).ok();
        let keys: Vec<_> = secrets.into_iter().filter_map(keyed).collect();
        match keys.len() {
            0 => Err(Unusable::Empty),
            number if number > MOST => Err(Unusable::TooMany),
            _ => Ok(Self(keys)),
        }
    }

    /// The beginning of the hash with the secret that signs.
    pub(super) fn sign(&self, parts: &[&str], length: usize) -> String {
        let mut hash = self.0.first().map(|key| hash(key, parts)).unwrap_or_default();
        hash.truncate(length);
        hash
    }

    /// Whether `told` is the beginning of the hash with any of the secrets, case aside.
    pub(super) fn believe(&self, told: &str, parts: &[&str]) -> bool {
        (SHORTEST_HASH..=LONGEST_HASH).contains(&told.len())
            && self.0.iter().any(|key| {
                let hash = hash(key, parts);
                // All of it is compared, whatever differs: how long it takes tells nothing.
                let pairs = hash.bytes().zip(told.bytes());
                pairs.fold(0, |odd, (a, b)| odd | (a.to_ascii_lowercase() ^ b.to_ascii_lowercase())) == 0
            })
    }
}

/// The lines of a file of secrets that are one.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|octet| matches!(octet, b'\n' | b'\r' | 0)).filter(|line| !line.is_empty())
}

/// Over the parts in small letters, one behind the other.
fn hash(key: &Hmac<Sha1>, parts: &[&str]) -> String {
    let mut mac = key.clone();
    parts.iter().for_each(|part| mac.update(part.to_ascii_lowercase().as_bytes()));
    STANDARD_NO_PAD.encode(mac.finalize().into_bytes())
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}
