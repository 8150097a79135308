//! XFORWARD and XCLIENT (Postfix's XFORWARD_README, XCLIENT_README): what a server before us knows of the client before it.

use super::{Reply, Xtext, text};

/// The names that either command has; what else comes is refused, as Postfix does.
const NAMES: [&str; 11] = [
    "NAME",
    "ADDR",
    "PORT",
    "PROTO",
    "HELO",
    "IDENT",
    "SOURCE",
    "LOGIN",
    "DESTADDR",
    "DESTPORT",
    "REVERSE_NAME",
];

const SYNTAX: Reply =
    Reply::fixed(501, (5, 5, 4), "attributes are written like NAME=mail.example.org ADDR=192.0.2.1");

/// `NAME=value` pairs, values as they came. What they say is one clean line each, of printable Unicode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes<'a>(&'a str);

impl<'a> Attributes<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Reply> {
        let mut any = false;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let (name, value) = word.split_once('=').ok_or(SYNTAX)?;
            let known = NAMES.iter().any(|known| name.eq_ignore_ascii_case(known));
            if !known || said(value).is_none() {
                return Err(SYNTAX);
            }
            any = true;
        }
        if any { Ok(Self(text)) } else { Err(SYNTAX) }
    }

    /// What an attribute says; `None` where it is missing, empty, `[UNAVAILABLE]` or `[TEMPUNAVAIL]`. One that comes twice
    /// counts the last time.
    pub fn get(self, name: &str) -> Option<String> {
        let mut words = self.0.rsplit(' ').filter_map(|word| word.split_once('='));
        let (_, value) = words.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        let unknown = value.is_empty()
            || value.eq_ignore_ascii_case("[UNAVAILABLE]")
            || value.eq_ignore_ascii_case("[TEMPUNAVAIL]");
        if unknown { None } else { said(value) }
    }

    /// Whether an attribute is there at all, known or not: what was said of it before is then void.
    pub fn has(self, name: &str) -> bool {
        let mut words = self.0.split(' ').filter_map(|word| word.split_once('='));
        words.any(|(key, _)| key.eq_ignore_ascii_case(name))
    }
}

fn said(value: &str) -> Option<String> {
    let text = String::from_utf8(Xtext::parse(value)?.decode()).ok()?;
    text.chars()
        .all(|sign| !sign.is_control())
        .then_some(text)
        .filter(|text| text.bytes().all(|octet| octet >= 0x80 || text::printable(octet)))
}
