//! Logging in (RFC 4954) with a password or a token: PLAIN (RFC 4616), LOGIN, XOAUTH2 (Google's and Microsoft's).

use super::Capabilities;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt;

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Name and password at once.
    Plain,
    /// One after the other.
    Login,
    /// Name and an access token.
    Xoauth2,
}

impl Mechanism {
    /// As it is written in AUTH.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::Xoauth2 => "XOAUTH2",
        }
    }

    /// By its name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Plain, Self::Login, Self::Xoauth2]
            .into_iter()
            .find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// The one to use with a password: PLAIN, else LOGIN; `None` where neither is offered.
    pub fn for_password(offered: &Capabilities) -> Option<Self> {
        [Self::Plain, Self::Login].into_iter().find(|mechanism| offered.offers(*mechanism))
    }
}

/// A name or a secret that cannot be sent so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a login for {0} has no NUL and no control character in it, and is not empty")]
pub struct Unfit(&'static str);

/// One attempt to log in, as the lines that it takes. Shown, it tells no secret.
///
/// Write [`Exchange::next`] for as long as the server answers 334; 235 is success, all else failure.
pub struct Exchange {
    mechanism: Mechanism,
    /// The lines yet to be sent, last one first.
    lines: Vec<String>,
}

impl Exchange {
    /// `secret`: the password, or the access token of XOAUTH2.
    pub fn new(mechanism: Mechanism, user: &str, secret: &str) -> Result<Self, Unfit> {
        let control = |text: &str| text.chars().any(|sign| sign.is_ascii_control());
        // Passwords may have about any sign; NUL is what parts them in PLAIN.
        if user.is_empty() || secret.is_empty() || control(user) || secret.contains('\0') {
            return Err(Unfit(mechanism.name()));
        }
        let lines = match mechanism {
            Mechanism::Plain => {
                vec![format!("AUTH PLAIN {}", STANDARD.encode(format!("\0{user}\0{secret}")))]
            }
            Mechanism::Login => {
                vec![STANDARD.encode(secret), STANDARD.encode(user), "AUTH LOGIN".to_owned()]
            }
            Mechanism::Xoauth2 => {
                if control(secret) {
                    return Err(Unfit(mechanism.name()));
                }
                let told = format!("user={user}\x01auth=Bearer {secret}\x01\x01");
                // Whoever refuses says why in a 334, and wants an empty line before it refuses.
                vec![String::new(), format!("AUTH XOAUTH2 {}", STANDARD.encode(told))]
            }
        };
        Ok(Self { mechanism, lines })
    }

    /// Appends the next line to `out`: the first one, and one for each 334. When a server asks for more than there is, the
    /// line says that the attempt is given up (RFC 4954 §4).
    pub fn next(&mut self, out: &mut Vec<u8>) {
        let line = self.lines.pop().unwrap_or_else(|| "*".to_owned());
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({}, {} lines left)", self.mechanism.name(), self.lines.len())
    }
}
