//! `Weakness`: what breaks a record, or could be better in it.

use super::{Trouble, Why};
use crate::mail::dns::Name;
use std::fmt;

/// Something about one record or one of its terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// Whose record it is.
    pub domain: Name,
    /// The term as published; empty where it is about the whole record.
    pub term: String,
    /// What it is.
    pub flaw: Flaw,
}

/// A sentence without its final dot.
impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.flaw, self.term.as_str()) {
            (Flaw::Broken(trouble), "") => trouble.fmt(f),
            (Flaw::Broken(trouble), term) => write!(f, "\"{term}\" of {}: {trouble}", self.domain),
            (flaw, "") => write!(f, "the record of {} {flaw}", self.domain),
            (flaw, term) => write!(f, "\"{term}\" in the record of {} {flaw}", self.domain),
        }
    }
}

/// What is weak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It cannot be evaluated, or not now: permerror, temperror or none.
    Broken(Trouble),
    /// A term breaks the grammar (RFC 7208 §4.6): permerror.
    Syntax(Why),
    /// Two strings were joined without a blank, and a term across the seam is broken (RFC 7208 §3.3).
    Glued,
    /// In the worst case more than ten terms ask (RFC 7208 §4.6.4); how many.
    Lookups(usize),
    /// In the worst case more than two terms ask in vain (RFC 7208 §4.6.4); how many.
    Voids(usize),
    /// Asks for what does not exist (RFC 7208 §4.6.4).
    Void,
    /// `+all`: everybody may send.
    AllPass,
    /// `?all`: nobody is told apart.
    AllNeutral,
    /// No `all` and no `redirect=` at the end: neutral by default (RFC 7208 §4.7).
    NoAll,
    /// Stands behind `all` and is ignored (RFC 7208 §5.1).
    AfterAll,
    /// `redirect=` beside `all` is ignored (RFC 7208 §6.1).
    RedirectBesideAll,
    /// `ptr` is slow, unreliable and deprecated (RFC 7208 §5.5).
    Ptr,
    /// The same domain is included twice.
    IncludedTwice,
    /// A network so wide that nearly everybody is in it; its prefix length.
    WideNetwork(u8),
    /// A modifier that nobody knows: ignored (RFC 7208 §6).
    UnknownModifier,
    /// A mechanism with `=` instead of `:`, so an unknown modifier: ignored (RFC 7208 §6).
    ModifierForMechanism,
    /// A second `v=spf1` within one record: an unknown modifier.
    VersionInside,
    /// The domain's TXT answer may not fit into a UDP packet of 512 octets (RFC 7208 §3.4); its octets.
    LongAnswer(usize),
    /// A TXT record that looks like SPF and is none; what is wrong.
    Nearly(Nearly),
}

/// Why a text that looks like SPF is none (RFC 7208 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearly {
    /// It begins with a quote, as an interface that adds quotes makes of one that has them.
    Quoted,
    /// It begins with blanks.
    Blanks,
    /// It begins with something that cannot be seen: a byte order mark, or other octets outside ASCII.
    Unseen,
    /// Something other than a blank follows `v=spf1`.
    NoBlank,
    /// `v=` is missing or misspelt.
    NoVersion,
}

impl Flaw {
    /// Whether others get no proper verdict because of it. Of what DNS did not answer nobody knows: see
    /// [`Flaw::unknown`].
    pub fn breaks(&self) -> bool {
        let broken = matches!(
            self,
            Self::Broken(_) | Self::Syntax(_) | Self::Glued | Self::Lookups(_) | Self::Voids(_)
        );
        broken && !self.unknown()
    }

    /// Whether it only says that DNS did not answer.
    pub fn unknown(&self) -> bool {
        matches!(self, Self::Broken(Trouble::Silent(..)))
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken(trouble) => return trouble.fmt(f),
            Self::Syntax(why) => return why.fmt(f),
            Self::Glued => "comes in strings that are joined without a blank; end each with one",
            Self::Lookups(count) => {
                return write!(f, "asks DNS {count} times in the worst case, 10 are allowed");
            }
            Self::Voids(count) => {
                return write!(f, "asks {count} times for what does not exist, 2 are allowed");
            }
            Self::Void => "asks for what does not exist",
            Self::AllPass => "lets everybody send",
            Self::AllNeutral => "says nothing of anybody who is not named",
            Self::NoAll => "ends without all, so it says nothing of anybody who is not named",
            Self::AfterAll => "stands behind all and is ignored",
            Self::RedirectBesideAll => "stands beside all and is ignored",
            Self::Ptr => "uses ptr, which is slow, unreliable and deprecated",
            Self::IncludedTwice => "is included twice",
            Self::WideNetwork(bits) => {
                return write!(f, "names a network of /{bits}, which is nearly everybody");
            }
            Self::UnknownModifier => "is a modifier that nobody knows, and is ignored",
            Self::ModifierForMechanism => "has = where a mechanism has a colon, and is ignored",
            Self::VersionInside => "stands within the record: two records were pasted together",
            Self::LongAnswer(octets) => {
                return write!(f, "makes an answer of {octets} octets, more than 512 may not fit into UDP");
            }
            Self::Nearly(nearly) => return nearly.fmt(f),
        })
    }
}

impl fmt::Display for Nearly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quoted => "begins with a quote, so it is no SPF record; publish it without quotes",
            Self::Blanks => "begins with a blank, so it is no SPF record",
            Self::Unseen => "begins with an invisible character, so it is no SPF record; type it anew",
            Self::NoBlank => "has no blank behind v=spf1, so it is no SPF record",
            Self::NoVersion => "does not begin with v=spf1, so it is no SPF record",
        })
    }
}

impl Nearly {
    /// Of a text that is no SPF record.
    pub(super) fn of(octets: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(octets).to_ascii_lowercase();
        let seen = text.trim_start_matches(|c: char| !c.is_ascii_graphic());
        let bare = seen.trim_start_matches(['"', '\'', '\\', ' ']);
        let is = |text: &str| text.starts_with("v=spf1");
        if is(&text) {
            return Some(Self::NoBlank);
        }
        if is(seen) {
            let blank = text.starts_with([' ', '\t']);
            return Some(if blank { Self::Blanks } else { Self::Unseen });
        }
        if is(bare) {
            return Some(Self::Quoted);
        }
        let versions =
            ["spf1 ", "v=spf ", "v:spf1", "v= spf1", "v =spf1", "v-spf1", "v=sfp1", "spf=v1", "v=spfv1"];
        versions.iter().any(|version| bare.starts_with(version)).then_some(Self::NoVersion)
    }
}
