//! Macro strings as published (RFC 7208 §7.1); `expand` fills them in.

use super::fault::Why;

/// Text with places to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroString {
    pub(super) parts: Vec<Part>,
}

/// A piece of a macro string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// As it stands; `%%`, `%_` and `%-` are filled in already.
    Literal(String),
    /// To be filled in.
    Macro(Macro),
}

/// `%{letter digits r delimiters}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Macro {
    pub letter: Letter,
    /// Written as a capital: the value is URL-escaped (RFC 7208 §7.3).
    pub escape: bool,
    /// How many parts from the right; 0 = all.
    pub keep: u32,
    pub reverse: bool,
    pub delimiters: Delimiters,
}

/// What a macro stands for (RFC 7208 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    /// `s`
    Sender,
    /// `l`
    Local,
    /// `o`
    SenderDomain,
    /// `d`
    Domain,
    /// `i`
    Address,
    /// `p`
    Validated,
    /// `v`
    Version,
    /// `h`
    Helo,
    /// `c`, only in explanations
    ReadableAddress,
    /// `r`, only in explanations
    Receiver,
    /// `t`, only in explanations
    Time,
}

impl Letter {
    fn new(letter: u8) -> Option<Self> {
        Some(match letter.to_ascii_lowercase() {
            b's' => Self::Sender,
            b'l' => Self::Local,
            b'o' => Self::SenderDomain,
            b'd' => Self::Domain,
            b'i' => Self::Address,
            b'p' => Self::Validated,
            b'v' => Self::Version,
            b'h' => Self::Helo,
            b'c' => Self::ReadableAddress,
            b'r' => Self::Receiver,
            b't' => Self::Time,
            _ => return None,
        })
    }
}

/// A set of `.-+,/_=`; none means the dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delimiters(u8);

impl Delimiters {
    const ALL: &[u8] = b".-+,/_=";

    fn bit(octet: u8) -> u8 {
        Self::ALL.iter().position(|&delimiter| delimiter == octet).map_or(0, |at| 1 << at)
    }

    pub(super) fn has(self, octet: char) -> bool {
        let set = if self.0 == 0 { 1 } else { self.0 };
        u8::try_from(octet).is_ok_and(|octet| set & Self::bit(octet) != 0)
    }

    /// The dot and nothing else.
    pub(super) fn is_dot(self) -> bool {
        self.0 <= 1
    }
}

/// Where a macro string stands, and what it may hold there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a record, as a name to look up: visible characters, no `c`, `r`, `t`, and a proper end.
    Domain,
    /// As the value of an unknown modifier: visible characters.
    Value,
    /// An explanation: blanks too.
    Explanation,
}

impl MacroString {
    /// A name to look up (`domain-spec`).
    pub(super) fn domain(text: &str) -> Result<Self, Why> {
        let (parsed, open) = parse(text, Place::Domain)?;
        // Ends in a macro, or in a dot and a top label (RFC 7208 §7.1 `domain-end`).
        let proper = open.is_none_or(|from| {
            let tail = &text[from..];
            let tail = tail.strip_suffix('.').unwrap_or(tail);
            tail.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label))
        });
        match (text.is_empty(), proper) {
            (true, _) => Err(Why::NoDomain),
            (_, true) => Ok(parsed),
            (_, false) if text.parse::<std::net::IpAddr>().is_ok() => Err(Why::AddressAsDomain),
            (_, false) => Err(Why::BadDomain),
        }
    }

    /// The value of an unknown modifier: only looked at for its syntax.
    pub(super) fn check_value(text: &str) -> Result<(), Why> {
        parse(text, Place::Value).map(drop)
    }

    /// The text behind `exp=`.
    pub(super) fn explanation(text: &str) -> Result<Self, Why> {
        parse(text, Place::Explanation).map(|(parsed, _)| parsed)
    }

    /// The text, where nothing is to be filled in.
    pub(super) fn literal(&self) -> Option<&str> {
        match &self.parts[..] {
            [Part::Literal(text)] => Some(text),
            [] => Some(""),
            _ => None,
        }
    }

    /// The letters in it.
    pub(super) fn letters(&self) -> impl Iterator<Item = Letter> {
        self.parts.iter().filter_map(|part| match part {
            Part::Macro(one) => Some(one.letter),
            Part::Literal(_) => None,
        })
    }
}

/// RFC 7208 §7.1 `toplabel`: letters, digits and inner hyphens, not digits alone.
fn is_top_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.bytes().all(|b| b.is_ascii_digit())
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The parts; and where the text after the last macro begins, if there is any.
fn parse(text: &str, place: Place) -> Result<(MacroString, Option<usize>), Why> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    let mut tail = None;
    while !rest.is_empty() {
        let plain = rest.find('%').unwrap_or(rest.len());
        if plain > 0 {
            tail = Some(text.len() - rest.len());
            let run = &rest[..plain];
            let fits = |b: u8| b.is_ascii_graphic() || b == b' ' && place == Place::Explanation;
            if !run.bytes().all(fits) {
                return Err(Why::Octets);
            }
            literal.push_str(run);
            rest = &rest[plain..];
            continue;
        }
        tail = None;
        let used = match rest.as_bytes().get(1) {
            Some(b'%') => {
                literal.push('%');
                2
            }
            Some(b'_') => {
                literal.push(' ');
                2
            }
            Some(b'-') => {
                literal.push_str("%20");
                2
            }
            Some(b'{') => {
                let end = rest.find('}').ok_or(Why::BadMacro)?;
                let one = expand(&rest[2..end]).ok_or(Why::BadMacro)?;
                let late = matches!(one.letter, Letter::ReadableAddress | Letter::Receiver | Letter::Time);
                if late && place == Place::Domain {
                    return Err(Why::LateMacro);
                }
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Macro(one));
                end + 1
            }
            _ => return Err(Why::BadMacro),
        };
        rest = &rest[used..];
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok((MacroString { parts }, tail))
}

/// What stands between the braces.
fn expand(text: &str) -> Option<Macro> {
    let (&letter, rest) = text.as_bytes().split_first()?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at(digits);
    let add = |sum: u32, digit: &u8| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
    let keep = digits.iter().fold(0, add);
    if keep == 0 && !digits.is_empty() {
        return None;
    }
    let (reverse, rest) = match rest.split_first() {
        Some((b'r' | b'R', rest)) => (true, rest),
        _ => (false, rest),
    };
    let mut delimiters = 0;
    for &octet in rest {
        match Delimiters::bit(octet) {
            0 => return None,
            bit => delimiters |= bit,
        }
    }
    let (escape, letter) = (letter.is_ascii_uppercase(), Letter::new(letter)?);
    Some(Macro { letter, escape, keep, reverse, delimiters: Delimiters(delimiters) })
}
