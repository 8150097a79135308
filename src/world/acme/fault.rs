//! What can go wrong with an authority, as far as it decides what comes next.

use crate::error::Error;
use std::fmt;

/// Why there is no certificate yet.
#[derive(Clone, Debug)]
pub enum Fault {
    /// No answer that counts, so nobody knows what it did: nothing came, 5xx, a body cut short, words that are not ACME's. What is under way
    /// stays so, and the same is asked again later.
    Silent {
        /// In one line.
        why: String,
        /// Seconds that it told to wait (`Retry-After`).
        again: Option<u64>,
    },
    /// It has done nothing, for now: 429, it takes none of our nonces, or was silent when only asked for one. Asked again
    /// later.
    Busy {
        /// In one line.
        why: String,
        /// Seconds that it told to wait (`Retry-After`).
        again: Option<u64>,
    },
    /// The authority understood, and refused: asking the same again will not do.
    Refused {
        /// `urn:ietf:params:acme:error:…` without its front; empty where it gave none.
        kind: String,
        /// Its own words.
        why: String,
        /// Seconds that it told to wait.
        again: Option<u64>,
    },
    /// Our own limit: too many orders for this name in a week.
    Full {
        /// The name.
        name: String,
        /// When it may be ordered again, in seconds since 1970.
        until: i64,
    },
    /// Something here: the disk, a key, DNS that cannot be changed.
    Ours(Error),
}

impl Fault {
    /// Silence, for this reason.
    pub fn silent(why: impl fmt::Display) -> Self {
        Self::Silent { why: why.to_string(), again: None }
    }

    /// A refusal of that kind.
    pub fn refused(kind: &str, why: impl fmt::Display) -> Self {
        Self::Refused { kind: kind.to_owned(), why: why.to_string(), again: None }
    }

    /// The same, where what was asked does nothing at the authority.
    pub fn harmless(self) -> Self {
        match self {
            Self::Silent { why, again } => Self::Busy { why, again },
            other => other,
        }
    }

    /// Whether the authority refused in these words.
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == wanted)
    }

    /// Whether asking the same again would bring the same.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Seconds that the authority told to wait.
    pub fn again(&self) -> Option<u64> {
        match self {
            Self::Silent { again, .. } | Self::Busy { again, .. } | Self::Refused { again, .. } => *again,
            Self::Full { .. } | Self::Ours(_) => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { why, .. } | Self::Busy { why, .. } => f.write_str(why),
            Self::Refused { kind, why, .. } if kind.is_empty() => f.write_str(why),
            Self::Refused { kind, why, .. } => write!(f, "{why} ({kind})"),
            Self::Full { name, .. } => write!(f, "{name} was ordered too often in a week"),
            Self::Ours(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// The front of every kind (RFC 8555 §6.7).
const URN: &str = "urn:ietf:params:acme:error:";

impl From<instant_acme::Error> for Fault {
    fn from(error: instant_acme::Error) -> Self {
        use instant_acme::Error as Of;
        match error {
            Of::Api(problem) => {
                let kind = problem.r#type.as_deref().unwrap_or_default();
                Self::of_problem(kind, &problem.to_string())
            }
            Of::Other(other) => match other.downcast::<Self>() {
                Ok(fault) => *fault,
                Err(other) => Self::silent(other),
            },
            Of::Json(error) => Self::silent(format!("the answer is not ACME's: {error}")),
            error => Self::silent(error),
        }
    }
}

impl Fault {
    /// A problem document (RFC 7807). What the server says of itself is no refusal.
    pub fn of_problem(kind: &str, why: &str) -> Self {
        let kind = kind.strip_prefix(URN).unwrap_or(kind);
        let why =
            printable(why.trim_start_matches("API error: ").trim_end_matches(&format!(" ({URN}{kind})")));
        match kind {
            "serverInternal" => Self::silent(format!("{why} ({kind})")),
            "rateLimited" | "badNonce" => Self::Busy { why: format!("{why} ({kind})"), again: None },
            _ => Self::refused(kind, why),
        }
    }
}

/// Words of a stranger, for a line of a log: no control characters, and not without end.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(600).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: threat 33 (words of a stranger cannot break a line), and who is asked the same again.
    #[test]
    fn what_the_server_says_of_itself_is_no_refusal() {
        for (kind, refusal) in [
            ("urn:ietf:params:acme:error:rateLimited", false),
            ("urn:ietf:params:acme:error:serverInternal", false),
            ("urn:ietf:params:acme:error:badNonce", false),
            ("urn:ietf:params:acme:error:caa", true),
            ("about:blank", true),
            ("", true),
        ] {
            let fault = Fault::of_problem(kind, "no\r\nwarning: forged\u{1b}[31m");
            assert_eq!(fault.is_refusal(), refusal, "{kind}");
            assert!(!fault.to_string().chars().any(char::is_control), "{fault}");
        }
        assert!(Fault::of_problem("urn:ietf:params:acme:error:caa", "x").is("caa"));
        assert!(Fault::of_problem("", &"x".repeat(5000)).to_string().len() < 700);
    }
}
