//! `Record`: one SPF record, parsed (RFC 7208 §4.6, §12).

use super::{
    fault::{Fault, Why},
    macros::MacroString,
    parse,
};
use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

/// A record without a fault in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    text: String,
    terms: Vec<(Range<usize>, Term)>,
}

/// A directive or a modifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Decides, when it matches.
    Directive(Qualifier, Mechanism),
    /// `redirect=`: the record of that domain stands for this one where nothing matched (RFC 7208 §6.1).
    Redirect(MacroString),
    /// `exp=`: where the explanation of a fail stands (RFC 7208 §6.2).
    Explanation(MacroString),
    /// Any other modifier: ignored (RFC 7208 §6); its name as written.
    Unknown(String),
}

/// What a match means (RFC 7208 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualifier {
    /// `+`, or nothing.
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

/// What is compared with the client (RFC 7208 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Everybody.
    All,
    /// Whom that domain's record lets pass.
    Include(MacroString),
    /// The addresses of a name.
    A(Option<MacroString>, Prefixes),
    /// The addresses of the mail servers of a name.
    Mx(Option<MacroString>, Prefixes),
    /// The client's name lies within a domain; deprecated.
    Ptr(Option<MacroString>),
    /// A network, and its prefix length.
    Ip4(Ipv4Addr, u8),
    /// A network, and its prefix length.
    Ip6(Ipv6Addr, u8),
    /// A name has an address, whichever.
    Exists(MacroString),
}

impl Mechanism {
    /// As it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Include(_) => "include",
            Self::A(..) => "a",
            Self::Mx(..) => "mx",
            Self::Ptr(_) => "ptr",
            Self::Ip4(..) => "ip4",
            Self::Ip6(..) => "ip6",
            Self::Exists(_) => "exists",
        }
    }
}

/// Lengths of the prefixes that count, in bits (RFC 7208 §5.6 `dual-cidr-length`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// 0 to 32.
    pub v4: u8,
    /// 0 to 128.
    pub v6: u8,
}

impl Term {
    /// Whether it is one of those of which ten are allowed (RFC 7208 §4.6.4).
    pub fn asks(&self) -> bool {
        match self {
            Self::Directive(_, mechanism) => {
                !matches!(mechanism, Mechanism::All | Mechanism::Ip4(..) | Mechanism::Ip6(..))
            }
            Self::Redirect(_) => true,
            Self::Explanation(_) | Self::Unknown(_) => false,
        }
    }
}

impl Record {
    /// Whether this is an SPF record at all: `v=spf1` in any case, then a blank or the end (RFC 7208 §4.5).
    pub fn is_one(octets: &[u8]) -> bool {
        let Some((version, rest)) = octets.split_at_checked(6) else { return false };
        version.eq_ignore_ascii_case(b"v=spf1") && rest.first().is_none_or(|&b| b == b' ')
    }

    /// Parses what [`Record::is_one`]. One fault anywhere makes the whole record void (RFC 7208 §4.6); the first
    /// one is told, see [`Record::faults`] for all.
    pub fn parse(octets: &[u8]) -> Result<Self, Fault> {
        let text = String::from_utf8_lossy(octets).into_owned();
        let mut terms = Vec::new();
        let mut seen = Seen::default();
        for (index, range) in words(&text).enumerate() {
            let word = &text[range.clone()];
            let parsed = parse::term(word).and_then(|term| seen.once(term));
            terms.push((range, parsed.map_err(|why| Fault::new(index + 1, word, why))?));
        }
        Ok(Self { text, terms })
    }

    /// Every fault, in order.
    pub fn faults(octets: &[u8]) -> Vec<Fault> {
        let text = String::from_utf8_lossy(octets);
        let mut seen = Seen::default();
        words(&text)
            .enumerate()
            .filter_map(|(index, range)| {
                let word = &text[range];
                let parsed = parse::term(word).and_then(|term| seen.once(term));
                parsed.err().map(|why| Fault::new(index + 1, word, why))
            })
            .collect()
    }

    /// As published.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The terms in order, with their places (from 1) and as they are written.
    pub fn terms(&self) -> impl DoubleEndedIterator<Item = (usize, &str, &Term)> {
        self.terms.iter().enumerate().map(|(at, (range, term))| (at + 1, &self.text[range.clone()], term))
    }

    /// `redirect=`, if there is one that counts: beside `all` it does not (RFC 7208 §6.1).
    pub fn redirect(&self) -> Option<(usize, &str, &MacroString)> {
        let all = |term: &Term| matches!(term, Term::Directive(_, Mechanism::All));
        let found = self.terms().find_map(|(place, word, term)| match term {
            Term::Redirect(target) => Some((place, word, target)),
            _ => None,
        })?;
        (!self.terms.iter().any(|(_, term)| all(term))).then_some(found)
    }

    /// `exp=`, if there is one.
    pub fn explanation(&self) -> Option<&MacroString> {
        self.terms.iter().find_map(|(_, term)| match term {
            Term::Explanation(target) => Some(target),
            _ => None,
        })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The terms behind the version. Only blanks part them (RFC 7208 §4.6.1).
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = "v=spf1".len().min(text.len());
    std::iter::from_fn(move || {
        at += text[at..].bytes().take_while(|&b| b == b' ').count();
        let length = text[at..].find(' ').unwrap_or(text.len() - at);
        let word = at..at + length;
        at = word.end;
        (length > 0).then_some(word)
    })
}

/// The modifiers of which there may be only one each (RFC 7208 §6).
#[derive(Default)]
struct Seen {
    redirect: bool,
    explanation: bool,
}

impl Seen {
    fn once(&mut self, term: Term) -> Result<Term, Why> {
        let before = match term {
            Term::Redirect(_) => std::mem::replace(&mut self.redirect, true),
            Term::Explanation(_) => std::mem::replace(&mut self.explanation, true),
            Term::Directive(..) | Term::Unknown(_) => false,
        };
        if before { Err(Why::Twice) } else { Ok(term) }
    }
}
