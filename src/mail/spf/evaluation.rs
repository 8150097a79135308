//! What comes of an evaluation: the verdict, the way to it, and why there is none.

use super::fault::Fault;
use crate::mail::dns::{Name, Question, Silence};
use std::fmt;

/// RFC 7208 §2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// There is no record, or no domain to have one.
    None,
    /// The domain says nothing of this client.
    Neutral,
    /// The client may send for the domain.
    Pass,
    /// It may not.
    Fail,
    /// It probably may not.
    SoftFail,
    /// DNS did not answer; try again later.
    TempError,
    /// The records are broken; somebody has to mend them.
    PermError,
}

impl Verdict {
    /// As in `Received-SPF` and `Authentication-Results` (RFC 7208 §9.1, RFC 8601 §2.7.2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A term of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose record it is.
    pub domain: Name,
    /// The first term after the version is 1.
    pub position: usize,
    /// As published.
    pub term: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" of {}", self.term, self.domain)
    }
}

/// What `check_host()` says, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The result.
    pub verdict: Verdict,
    /// The terms that led to it, from the sender's own record inwards: includes and redirects, and last the one
    /// that matched or could not be evaluated. A record that ends without a match adds nothing, so an empty path
    /// with `Neutral` means that no term of the domain's own record matched (RFC 7208 §4.7).
    pub path: Vec<Place>,
    /// Why it is `None`, `TempError` or `PermError`.
    pub trouble: Option<Trouble>,
    /// Of a `Fail`: what the domain says about it, at most 400 printable ASCII characters (RFC 7208 §6.2). It is
    /// a stranger's text: say so where it is shown.
    pub explanation: Option<String>,
    /// Terms that ask DNS, evaluated so far; ten are allowed (RFC 7208 §4.6.4).
    pub lookups: usize,
    /// Those that asked in vain (RFC 7208 §4.6.4).
    pub voids: usize,
}

impl Evaluation {
    /// The term that decided, or that could not be evaluated.
    pub fn decided(&self) -> Option<&Place> {
        self.path.last()
    }
}

/// One sentence without its final dot, as in `pass: "mx" of example.org`.
impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.verdict)?;
        match (&self.trouble, &self.path[..]) {
            (Some(trouble), _) => trouble.fmt(f)?,
            (None, []) => f.write_str("no term matches")?,
            (None, [.., last]) => {
                let through = last.term.get(..9).is_some_and(|head| head.eq_ignore_ascii_case("redirect="));
                write!(f, "{last}{}", if through { ", and there no term matches" } else { "" })?;
            }
        }
        let outer = self.path.split_last().map_or(&[][..], |(_, outer)| outer);
        outer.iter().rev().try_for_each(|place| write!(f, ", by {place}"))
    }
}

/// Why there is no proper verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The sender's domain is no domain name with two parts (RFC 7208 §4.3).
    BadDomain(String),
    /// The sender's domain does not exist (RFC 7208 §4.3).
    NoDomain(Name),
    /// The sender's domain has no SPF record (RFC 7208 §4.5).
    NoRecord(Name),
    /// DNS did not answer (RFC 7208 §4.4, §5).
    Silent(Question, Silence),
    /// There is more than one SPF record (RFC 7208 §4.5).
    ManyRecords(Name, usize),
    /// A term breaks the grammar (RFC 7208 §4.6).
    Syntax(Name, Fault),
    /// More than ten terms ask DNS (RFC 7208 §4.6.4).
    LookupLimit,
    /// More terms asked in vain than allowed; how many are (RFC 7208 §4.6.4).
    VoidLimit(usize),
    /// A name has more than ten mail servers; how many (RFC 7208 §4.6.4).
    MxLimit(Name, usize),
    /// An included domain or a redirect's has no SPF record, or does not exist (RFC 7208 §5.2, §6.1).
    TargetWithoutRecord(Name),
    /// What an include or a redirect names is no domain name after its macros are filled in.
    BadTarget(String),
    /// A record leads back to itself: the lookups would never end (RFC 7208 §4.6.4).
    Loop(Name),
}

impl Trouble {
    /// What it makes of the evaluation.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::BadDomain(_) | Self::NoDomain(_) | Self::NoRecord(_) => Verdict::None,
            Self::Silent(..) => Verdict::TempError,
            _ => Verdict::PermError,
        }
    }
}

/// A sentence without its final dot.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadDomain(text) => write!(f, "{text:?} is no domain name that could have an SPF record"),
            Self::NoDomain(name) => write!(f, "{name} does not exist"),
            Self::NoRecord(name) => write!(f, "{name} has no SPF record"),
            Self::Silent(question, why) => write!(f, "{question}: {why}"),
            Self::ManyRecords(name, count) => write!(f, "{name} has {count} SPF records, one is allowed"),
            Self::Syntax(name, fault) => write!(f, "in the record of {name}, {fault}"),
            Self::LookupLimit => f.write_str("more than 10 terms ask DNS"),
            Self::VoidLimit(limit) => write!(f, "more than {limit} terms ask DNS for what does not exist"),
            Self::MxLimit(name, count) => write!(f, "{name} has {count} mail servers, 10 are allowed"),
            Self::TargetWithoutRecord(name) => {
                write!(f, "{name} has no SPF record to include or redirect to")
            }
            Self::BadTarget(text) => write!(f, "{text:?} is no domain name to include or redirect to"),
            Self::Loop(name) => write!(f, "the record of {name} leads back to itself"),
        }
    }
}
