//! Keys that sign changes to a zone (RFC 8945), as the programs that make them write them.

use crate::mail::dns::Name;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::fmt;

/// How a key signs (RFC 8945 §6). SHA-1 and MD5 are left out: nothing needs them any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `hmac-sha256`, the usual one.
    Sha256,
    /// `hmac-sha384`.
    Sha384,
    /// `hmac-sha512`.
    Sha512,
}

impl Algorithm {
    fn parse(text: &str) -> Result<Self, Fault> {
        match text.trim_end_matches('.').to_ascii_lowercase().as_str() {
            "hmac-sha256" => Ok(Self::Sha256),
            "hmac-sha384" => Ok(Self::Sha384),
            "hmac-sha512" => Ok(Self::Sha512),
            _ => Err(Fault("its algorithm is not hmac-sha256, hmac-sha384 or hmac-sha512")),
        }
    }
}

/// A key that the zone's primary server knows too.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Under which the server knows it.
    pub name: Name,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Never shown.
    secret: Vec<u8>,
}

/// Why a text is no key. Never holds a part of the text, which is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(&'static str);

impl Key {
    /// A key as BIND's `tsig-keygen` writes it (`key "name" { algorithm …; secret "…"; };`), or one line
    /// `algorithm:name:secret` as Knot's `keymgr -t` and `nsupdate -y` have it, also behind a `#`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let line = line.trim_start_matches(['#', ' ']);
        if line.to_ascii_lowercase().starts_with("hmac-") {
            let mut parts = line.splitn(3, ':');
            return match (parts.next(), parts.next(), parts.next()) {
                (Some(algorithm), Some(name), Some(secret)) => Self::of(name, algorithm, secret),
                _ => Err(Fault("it is not algorithm:name:secret")),
            };
        }
        Self::statement(&words(text)?)
    }

    /// The secret itself, for the one place that signs.
    pub fn reveal(&self) -> &[u8] {
        &self.secret
    }

    fn of(name: &str, algorithm: &str, secret: &str) -> Result<Self, Fault> {
        let name = Name::parse(name).map_err(|_| Fault("its name is not a name of DNS"))?;
        let algorithm = Algorithm::parse(algorithm)?;
        let secret = BASE64_STANDARD.decode(secret.trim()).map_err(|_| Fault("its secret is not base64"))?;
        if secret.is_empty() {
            return Err(Fault("its secret is empty"));
        }
        Ok(Self { name, algorithm, secret })
    }

    fn statement(words: &[String]) -> Result<Self, Fault> {
        let shape = Fault("it is not one statement key \"name\" { algorithm …; secret \"…\"; };");
        let [key, name, open, inside @ .., close] = words else { return Err(shape) };
        let close = if close == ";" { inside.last() } else { Some(close) };
        if key != "key" || open != "{" || close.is_none_or(|close| close != "}") {
            return Err(shape);
        }
        let value = |of: &str| {
            let mut found = inside.windows(3).filter(|words| words[0] == of && words[2] == ";");
            found.next().filter(|_| found.next().is_none()).map(|words| words[1].as_str())
        };
        match (value("algorithm"), value("secret")) {
            (Some(algorithm), Some(secret)) => Self::of(name, algorithm, secret),
            (None, _) => Err(Fault("it names no algorithm, or more than one")),
            (_, None) => Err(Fault("it has no secret, or more than one")),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {:?}, (hidden))", self.name, self.algorithm)
    }
}

/// The words and signs of BIND's language, without comments and quotes.
fn words(text: &str) -> Result<Vec<String>, Fault> {
    let mut words = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(sign) = rest.next() {
        let next = rest.peek().copied();
        match (sign, next) {
            ('#', _) | ('/', Some('/')) => while rest.next().is_some_and(|sign| sign != '\n') {},
            ('/', Some('*')) => {
                rest.next();
                let mut last = ' ';
                while let Some(sign) = rest.next().filter(|sign| (last, *sign) != ('*', '/')) {
                    last = sign;
                }
            }
            ('"', _) => loop {
                match rest.next() {
                    Some('"') => break,
                    Some(sign) => words.last_mut().into_iter().for_each(|word| word.push(sign)),
                    None => return Err(Fault("a quote is not closed")),
                }
            },
            ('{' | '}' | ';', _) => words.extend([sign.to_string(), String::new()]),
            (sign, _) if sign.is_whitespace() => words.push(String::new()),
            (sign, _) => words.last_mut().into_iter().for_each(|word| word.push(sign)),
        }
    }
    words.retain(|word| !word.is_empty());
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIND: &str =
        "key \"mail-key\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0IG9jdGV0cw==\";\n};\n";

    /// Proves: keys of tsig-keygen, keymgr and nsupdate are read, and no secret is ever shown.
    #[test]
    fn keys_as_they_are_written() {
        let key = Key::parse(BIND).unwrap();
        assert_eq!(
            (key.name.as_str(), key.algorithm, key.reveal()),
            ("mail-key", Algorithm::Sha256, &b"secret octets"[..])
        );
        for text in [
            "hmac-sha256:mail-key:c2VjcmV0IG9jdGV0cw==",
            "# hmac-sha256:mail-key:c2VjcmV0IG9jdGV0cw==\nkey:\n  - id: mail-key\n    algorithm: hmac-sha256\n",
            "// made by hand\nkey mail-key. { secret c2VjcmV0IG9jdGV0cw==; algorithm HMAC-SHA256; }",
            "/* a * b */ key \"mail-key\" { algorithm \"hmac-sha256\"; # why\n secret \"c2VjcmV0IG9jdGV0cw==\"; };",
        ] {
            assert_eq!(Key::parse(text), Ok(key.clone()), "{text}");
        }
        let shown = format!("{key:?}");
        assert!(shown.contains("hidden") && !shown.contains("c2V") && !shown.contains("115"), "{shown}");
    }

    #[test]
    fn what_is_no_key_says_why() {
        for (text, why) in [
            ("", "not one statement"),
            ("hmac-sha256:name", "algorithm:name:secret"),
            ("hmac-md5:name:c2Vj", "its algorithm"),
            ("hmac-sha256:name:!", "base64"),
            ("hmac-sha256:name:", "empty"),
            ("key n { algorithm hmac-sha256; };", "no secret"),
            ("key n { secret \"c2Vj\"; };", "no algorithm"),
            ("key n { secret \"c2Vj", "quote"),
            (&format!("{BIND}{BIND}"), "more than one"),
        ] {
            let fault = Key::parse(text).unwrap_err().to_string();
            assert!(fault.contains(why) && !fault.contains("c2V"), "{text:?}: {fault}");
        }
    }
}
