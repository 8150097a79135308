//! `<local@domain>`: a sender or a recipient as it stands in MAIL and RCPT (RFC 5321 §4.1.2).

use std::{borrow::Cow, fmt};

/// The longest path taken, in octets between its brackets. RFC 5321 §4.5.3.1.3 wants 256 at least; senders made by SRS or
/// for mailing lists are longer now and then, and a server before us has taken them already.
const LONGEST: usize = 1000;

/// A path, kept as it was written but for a source route, which is dropped (RFC 5321 appendix C, F.2). It holds printable
/// ASCII only, no `<`, no `>`, and can be written into a command as it is.
///
/// The local part may be anything that RFC 5321 allows and, beyond it, have dots anywhere: addresses like `a..b@` are in
/// use. No letters outside ASCII: SMTPUTF8 is not offered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Path<'a> {
    text: &'a str,
    /// Where the `@` before the domain stands; the length where there is none.
    at: usize,
}

impl<'a> Path<'a> {
    /// `<>`: nobody; what a bounce has for its sender.
    pub const NULL: Self = Self { text: "", at: 0 };

    /// Reads what stands between `<` and `>`; `Err` says what is wrong with it. "" is [`Path::NULL`]; `postmaster` needs no
    /// domain (RFC 5321 §4.1.1.3).
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Ok(Self::NULL);
        }
        if text.len() > LONGEST {
            return Err("is longer than 1000 octets");
        }
        let text = without_route(text)?;
        let at = local_part(text)?;
        match text[at..].strip_prefix('@') {
            Some(name) => domain(name)?,
            None if at == text.len() && text.eq_ignore_ascii_case("postmaster") => {}
            None if at == text.len() => return Err("has no domain"),
            None => return Err("has a sign that needs quotes"),
        }
        Ok(Self { text, at })
    }

    /// Whether it is `<>`.
    pub fn is_null(self) -> bool {
        self.text.is_empty()
    }

    /// `local@domain` as written, without brackets; "" for `<>`.
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// Before the `@`, as written: quotes included.
    pub fn local(self) -> &'a str {
        &self.text[..self.at]
    }

    /// Before the `@`, as it is meant: `"a b"` is `a b`.
    pub fn local_meant(self) -> Cow<'a, str> {
        let local = self.local();
        let Some(inside) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return Cow::Borrowed(local);
        };
        if !inside.contains('\\') {
            return Cow::Borrowed(inside);
        }
        let mut meant = String::with_capacity(inside.len());
        let mut signs = inside.chars();
        while let Some(sign) = signs.next() {
            meant.push(if sign == '\\' { signs.next().unwrap_or(sign) } else { sign });
        }
        Cow::Owned(meant)
    }

    /// Behind the `@`: a name as written, or an address literal with its brackets; "" where there is none.
    pub fn domain(self) -> &'a str {
        self.text.get(self.at + 1..).unwrap_or("")
    }

    /// Whether the domain is an address in brackets (RFC 5321 §4.1.3).
    pub fn is_literal(self) -> bool {
        self.domain().starts_with('[')
    }
}

/// With its brackets.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.text)
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `@a.example,@b.example:` in front of an address is a way that nobody takes any more.
fn without_route(text: &str) -> Result<&str, &'static str> {
    if !text.starts_with('@') {
        return Ok(text);
    }
    let (route, address) = text.split_once(':').ok_or("begins with an @")?;
    for hop in route.split(',') {
        domain(hop.strip_prefix('@').ok_or("has a source route that is none")?)?;
    }
    Ok(address)
}

/// How long the local part is.
fn local_part(text: &str) -> Result<usize, &'static str> {
    let length = match text.strip_prefix('"') {
        Some(rest) => 2 + quoted(rest)?,
        None => text.bytes().take_while(|octet| atext(*octet) || *octet == b'.').count(),
    };
    match length {
        0 => Err("has nothing before the @"),
        length => Ok(length),
    }
}

/// Octets up to the closing quote (RFC 5321 §4.1.2 `Quoted-string`).
fn quoted(rest: &str) -> Result<usize, &'static str> {
    let mut octets = rest.bytes().enumerate();
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'"' => return Ok(at),
            b'\\' if octets.next().is_some_and(|(_, octet)| super::text::printable(octet)) => {}
            b'\\' => break,
            octet if super::text::printable(octet) => {}
            _ => return Err("has a control character"),
        }
    }
    Err("has a quote that does not end")
}

fn atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

/// A name, with underscores, which are in use; or a literal.
fn domain(text: &str) -> Result<(), &'static str> {
    if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let fits = |octet: u8| (b'!'..=b'~').contains(&octet) && !b"[]\\<>@\"".contains(&octet);
        return if !inside.is_empty() && inside.len() <= 255 && inside.bytes().all(fits) {
            Ok(())
        } else {
            Err("has an address in brackets that is none")
        };
    }
    if text.is_empty() || text.len() > 255 {
        return Err("has no domain of 1 to 255 octets");
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    if text.split('.').all(label) { Ok(()) } else { Err("has a domain that is none") }
}
