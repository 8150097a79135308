//! What MAIL and RCPT say: a path, and parameters of extensions (RFC 1870 SIZE, RFC 6152 BODY, RFC 3461 DSN).

use super::{Path, Reply, Xtext};

/// `MAIL FROM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFrom<'a> {
    /// The sender; may be `<>`.
    pub path: Path<'a>,
    /// `SIZE=`: octets of the message, as the client believes.
    pub size: Option<u64>,
    /// `BODY=`.
    pub body: Option<Body>,
    /// `RET=`.
    pub ret: Option<Return>,
    /// `ENVID=`: what the sender calls this message, to find it in a delivery report.
    pub envid: Option<Xtext<'a>>,
}

/// `RCPT TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcptTo<'a> {
    /// The recipient; never `<>`.
    pub path: Path<'a>,
    /// `NOTIFY=`.
    pub notify: Option<Notify>,
    /// `ORCPT=`: whom the sender wrote to first.
    pub orcpt: Option<OriginalRecipient<'a>>,
}

/// What octets the message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// ASCII.
    SevenBit,
    /// Any but NUL and lone line ends.
    EightBitMime,
}

/// How much of the message a delivery report shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// All.
    Full,
    /// Its headers.
    Headers,
}

/// When the sender wants a delivery report; none of these is `NEVER`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// When it was delivered.
    pub success: bool,
    /// When it cannot be delivered.
    pub failure: bool,
    /// When it takes long.
    pub delay: bool,
}

impl Notify {
    /// No report whatever happens.
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };

    fn parse(text: &str) -> Option<Self> {
        let mut notify = Self::NEVER;
        if text.eq_ignore_ascii_case("NEVER") {
            return Some(notify);
        }
        for word in text.split(',') {
            let wanted = if word.eq_ignore_ascii_case("SUCCESS") {
                &mut notify.success
            } else if word.eq_ignore_ascii_case("FAILURE") {
                &mut notify.failure
            } else if word.eq_ignore_ascii_case("DELAY") {
                &mut notify.delay
            } else {
                return None;
            };
            *wanted = true;
        }
        Some(notify)
    }
}

/// `rfc822;ann@example.org`, the address as xtext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRecipient<'a> {
    kind: &'a str,
    address: Xtext<'a>,
}

impl<'a> OriginalRecipient<'a> {
    /// An Internet address, of whatever octets.
    pub fn rfc822(address: &str) -> Self {
        Self { kind: "rfc822", address: Xtext::encode(address.as_bytes()) }
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (kind, address) = text.split_once(';')?;
        let fits =
            !kind.is_empty() && kind.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        fits.then(|| Xtext::parse(address)).flatten().map(|address| Self { kind, address })
    }

    /// What kind of address it is: `rfc822`.
    pub fn kind(&self) -> &'a str {
        self.kind
    }

    /// The address.
    pub fn address(&self) -> &Xtext<'a> {
        &self.address
    }
}

const SYNTAX_MAIL: Reply = Reply::fixed(501, (5, 5, 4), "write it like MAIL FROM:<ann@example.org>");
const SYNTAX_RCPT: Reply = Reply::fixed(501, (5, 5, 4), "write it like RCPT TO:<ann@example.org>");
const VALUE: Reply =
    Reply::fixed(501, (5, 5, 4), "a parameter's value is none, or the parameter is there twice");
const UNKNOWN: Reply = Reply::fixed(555, (5, 5, 4), "a parameter that is not offered");
const UTF8: Reply = Reply::fixed(555, (5, 6, 7), "SMTPUTF8 is not offered");
const BINARY: Reply = Reply::fixed(555, (5, 6, 3), "BINARYMIME is not offered");
const NOBODY: Reply = Reply::fixed(553, (5, 1, 3), "<> is nobody to send to");

/// What follows `MAIL `.
pub(super) fn mail(text: &str) -> Result<MailFrom<'_>, Reply> {
    let (path, parameters) = path(text, "FROM:", SYNTAX_MAIL)?;
    let path = Path::parse(path).map_err(|why| malformed(7, "sender", path, why))?;
    if !path.is_null() && path.domain().is_empty() {
        return Err(malformed(7, "sender", path.as_str(), "has no domain"));
    }
    let mut from = MailFrom { path, size: None, body: None, ret: None, envid: None };
    let mut auth = None;
    for word in words(parameters) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("SIZE") {
            once(&mut from.size, size(value))?;
        } else if is("BODY") {
            if value.eq_ignore_ascii_case("BINARYMIME") {
                return Err(BINARY);
            }
            once(
                &mut from.body,
                one_of(value, &[("7BIT", Body::SevenBit), ("8BITMIME", Body::EightBitMime)]),
            )?;
        } else if is("RET") {
            once(&mut from.ret, one_of(value, &[("FULL", Return::Full), ("HDRS", Return::Headers)]))?;
        } else if is("ENVID") {
            once(&mut from.envid, Xtext::parse(value).filter(|_| !value.is_empty()))?;
        } else if is("AUTH") {
            // A server that passes on what its client said passes this on too; nobody is believed by it (RFC 4954 §5).
            once(&mut auth, Xtext::parse(value).filter(|_| !value.is_empty()))?;
        } else if is("SMTPUTF8") {
            return Err(UTF8);
        } else {
            return Err(UNKNOWN);
        }
    }
    Ok(from)
}

/// What follows `RCPT `.
pub(super) fn rcpt(text: &str) -> Result<RcptTo<'_>, Reply> {
    let (path, parameters) = path(text, "TO:", SYNTAX_RCPT)?;
    let path = Path::parse(path).map_err(|why| malformed(3, "recipient", path, why))?;
    if path.is_null() {
        return Err(NOBODY);
    }
    let mut to = RcptTo { path, notify: None, orcpt: None };
    for word in words(parameters) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if name.eq_ignore_ascii_case("NOTIFY") {
            once(&mut to.notify, Notify::parse(value))?;
        } else if name.eq_ignore_ascii_case("ORCPT") {
            once(&mut to.orcpt, OriginalRecipient::parse(value))?;
        } else {
            return Err(UNKNOWN);
        }
    }
    Ok(to)
}

/// The path without its brackets, and what is behind it. Blanks behind the colon are against RFC 5321 §3.3, and common.
fn path<'a>(text: &'a str, word: &str, syntax: Reply) -> Result<(&'a str, &'a str), Reply> {
    let text = text.trim_start_matches(' ');
    let (head, rest) = text.split_at_checked(word.len()).unwrap_or_default();
    let opened = rest.trim_start_matches(' ').strip_prefix('<');
    let Some(rest) = opened.filter(|_| head.eq_ignore_ascii_case(word)) else { return Err(syntax) };
    let Some(end) = closing(rest) else { return Err(syntax) };
    let (path, behind) = (&rest[..end], &rest[end + 1..]);
    if behind.is_empty() || behind.starts_with(' ') { Ok((path, behind)) } else { Err(syntax) }
}

/// Where the bracket closes: one in quotes does not.
fn closing(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|octet| {
        let here = octet == b'>' && !quoted;
        if escaped {
            escaped = false;
        } else if quoted && octet == b'\\' {
            escaped = true;
        } else if octet == b'"' {
            quoted = !quoted;
        }
        here
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

fn once<T>(place: &mut Option<T>, value: Option<T>) -> Result<(), Reply> {
    if value.is_none() || place.is_some() {
        return Err(VALUE);
    }
    *place = value;
    Ok(())
}

fn one_of<T: Copy>(text: &str, known: &[(&str, T)]) -> Option<T> {
    known.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

/// Up to 20 digits (RFC 1870 §5); what is larger than any message is as large as can be.
fn size(text: &str) -> Option<u64> {
    let fits = (1..=20).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    fits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn malformed(detail: u16, what: &str, path: &str, why: &str) -> Reply {
    let status = crate::mail::status::EnhancedStatus::new(5, 1, detail);
    let shown = path.get(..80).unwrap_or(path);
    Reply::new(501, status, format!("the {what} <{shown}> {why}"))
}
