//! What a server offers, from its answer to EHLO or LHLO.

use super::{Answer, sasl::Mechanism};

/// What is offered. Nothing is, where the server knows only HELO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// SIZE (RFC 1870): `Some(0)` = offered, no limit named.
    pub size: Option<u64>,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced_status: bool,
    /// CHUNKING (RFC 3030).
    pub chunking: bool,
    /// XFORWARD (Postfix), with whatever attributes.
    pub xforward: bool,
    /// AUTH PLAIN (RFC 4954).
    pub auth_plain: bool,
    /// AUTH LOGIN.
    pub auth_login: bool,
    /// AUTH XOAUTH2.
    pub auth_xoauth2: bool,
}

impl Capabilities {
    /// Reads the answer; its first line is the server's name.
    pub fn read(answer: Answer<'_>) -> Self {
        let mut offered = Self::default();
        for line in answer.lines().skip(1).filter_map(|line| str::from_utf8(line).ok()) {
            // `AUTH=LOGIN` is how it was written before there was an RFC.
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            if let Some(word) = words.next() {
                offered.take(&word.to_ascii_uppercase(), words);
            }
        }
        offered
    }

    fn take<'a>(&mut self, word: &str, mut parameters: impl Iterator<Item = &'a str>) {
        match word {
            "SIZE" => self.size = Some(parameters.next().and_then(|size| size.parse().ok()).unwrap_or(0)),
            "8BITMIME" => self.eight_bit = true,
            "PIPELINING" => self.pipelining = true,
            "STARTTLS" => self.starttls = true,
            "DSN" => self.dsn = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "ENHANCEDSTATUSCODES" => self.enhanced_status = true,
            "CHUNKING" => self.chunking = true,
            "XFORWARD" => self.xforward = true,
            "AUTH" => {
                for mechanism in parameters.filter_map(Mechanism::named) {
                    match mechanism {
                        Mechanism::Plain => self.auth_plain = true,
                        Mechanism::Login => self.auth_login = true,
                        Mechanism::Xoauth2 => self.auth_xoauth2 = true,
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a login of this kind is offered.
    pub fn offers(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::Plain => self.auth_plain,
            Mechanism::Login => self.auth_login,
            Mechanism::Xoauth2 => self.auth_xoauth2,
        }
    }

    /// Whether any login that we know is offered.
    pub fn login(&self) -> bool {
        self.auth_plain || self.auth_login || self.auth_xoauth2
    }

    /// Whether a message of so many octets is too large for it; 0 and none mean no limit.
    pub fn too_large(&self, octets: u64) -> bool {
        self.size.is_some_and(|limit| limit > 0 && octets > limit)
    }
}
