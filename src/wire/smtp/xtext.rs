//! `xtext` (RFC 3461 §4): how values of parameters are written, `+` and two hexadecimal digits for what may not stand there.

use std::{borrow::Cow, fmt};

/// A value in its written form, which holds nothing but printable ASCII, no blank and no `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xtext<'a>(Cow<'a, str>);

impl<'a> Xtext<'a> {
    /// Takes what is xtext already. Small hexadecimal digits are taken too: there are servers that write them.
    pub fn parse(written: &'a str) -> Option<Self> {
        let mut octets = written.bytes();
        while let Some(octet) = octets.next() {
            let fits = match octet {
                b'+' => {
                    octets.next().is_some_and(|digit| digit.is_ascii_hexdigit())
                        && octets.next().is_some_and(|digit| digit.is_ascii_hexdigit())
                }
                octet => plain(octet),
            };
            if !fits {
                return None;
            }
        }
        Some(Self(Cow::Borrowed(written)))
    }

    /// Writes any octets as xtext.
    pub fn encode(value: &[u8]) -> Xtext<'static> {
        let mut out = String::with_capacity(value.len());
        for octet in value {
            if plain(*octet) {
                out.push(char::from(*octet));
            } else {
                out.push_str(&format!("+{octet:02X}"));
            }
        }
        Xtext(Cow::Owned(out))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it says: any octets.
    pub fn decode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len());
        let mut octets = self.0.bytes();
        let digit = |octet: Option<u8>| {
            octet.and_then(|octet| char::from(octet).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
        };
        while let Some(octet) = octets.next() {
            out.push(match octet {
                b'+' => {
                    digit(octets.next()).unwrap_or_default() << 4 | digit(octets.next()).unwrap_or_default()
                }
                octet => octet,
            });
        }
        out
    }

    /// The same, in memory of its own.
    pub fn into_owned(self) -> Xtext<'static> {
        Xtext(Cow::Owned(self.0.into_owned()))
    }
}

fn plain(octet: u8) -> bool {
    (b'!'..=b'~').contains(&octet) && octet != b'+' && octet != b'='
}

impl fmt::Display for Xtext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
