//! Macros filled in (RFC 7208 §7).

use super::{
    macros::{Letter, Macro, MacroString, Part},
    request::Request,
};
use crate::mail::dns::Name;
use std::{borrow::Cow, fmt::Write, net::IpAddr};

/// Octets of a name (RFC 7208 §7.3).
const NAME: usize = 253;

/// What macros stand for.
pub(super) struct Values<'a> {
    pub request: &'a Request<'a>,
    /// Whose record is being evaluated.
    pub domain: &'a Name,
    /// The client's name (RFC 7208 §7.3 `p`); looked up by the caller where a macro asks for it.
    pub validated: Cow<'a, str>,
}

/// As a name to look up: whole labels are cut off on the left until it has 253 octets (RFC 7208 §7.3). The text
/// need not be a name that can be asked for.
pub(super) fn name(string: &MacroString, values: &Values<'_>) -> String {
    let mut text = String::new();
    for part in &string.parts {
        fill(part, values, &mut text);
        // A record can repeat a long macro thousands of times. Only the end counts; more than two names of it are
        // kept, so that what is cut off here would have been cut off below.
        if text.len() > 8 * NAME {
            let mut cut = text.len() - 3 * NAME;
            while !text.is_char_boundary(cut) {
                cut += 1;
            }
            text.drain(..cut);
        }
    }
    if text.ends_with('.') {
        text.pop();
    }
    let mut short = text.as_str();
    while short.len() > NAME {
        match short.split_once('.') {
            Some((_, rest)) => short = rest,
            None => break,
        }
    }
    short.to_owned()
}

/// As a text of at most `most` octets; the rest is cut off.
pub(super) fn text(string: &MacroString, values: &Values<'_>, most: usize) -> String {
    let mut text = String::new();
    for part in &string.parts {
        fill(part, values, &mut text);
        if text.len() > most {
            let mut cut = most;
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            text.truncate(cut);
            break;
        }
    }
    text
}

fn fill(part: &Part, values: &Values<'_>, out: &mut String) {
    match part {
        Part::Literal(text) => out.push_str(text),
        Part::Macro(one) => {
            let value = value(one.letter, values);
            let value = transform(one, &value);
            if one.escape {
                escape(&value, out);
            } else {
                out.push_str(&value);
            }
        }
    }
}

/// RFC 7208 §7.2.
fn value<'a>(letter: Letter, values: &Values<'a>) -> Cow<'a, str> {
    let request = values.request;
    match letter {
        Letter::Sender => format!("{}@{}", request.local, request.domain).into(),
        Letter::Local => request.local.into(),
        Letter::SenderDomain => request.domain.into(),
        Letter::Domain => values.domain.as_str().into(),
        Letter::Address => dotted(request.client).into(),
        Letter::Validated => values.validated.clone(),
        Letter::Version if request.client.is_ipv4() => "in-addr".into(),
        Letter::Version => "ip6".into(),
        Letter::Helo => request.helo.into(),
        Letter::ReadableAddress => request.client.to_string().into(),
        Letter::Receiver => request.receiver.into(),
        Letter::Time => request.now.to_string().into(),
    }
}

/// RFC 7208 §7.3: of IPv6 every nibble is a part.
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let mut text = String::with_capacity(63);
            for (at, octet) in address.octets().into_iter().enumerate() {
                let dot = if at == 0 { "" } else { "." };
                let _ = write!(text, "{dot}{:x}.{:x}", octet >> 4, octet & 15);
            }
            text
        }
    }
}

/// Split, reversed, cut, and joined with dots (RFC 7208 §7.3).
fn transform<'a>(one: &Macro, value: &'a str) -> Cow<'a, str> {
    if one.keep == 0 && !one.reverse && one.delimiters.is_dot() {
        return value.into();
    }
    let mut parts: Vec<&str> = value.split(|c| one.delimiters.has(c)).collect();
    if one.reverse {
        parts.reverse();
    }
    let keep = usize::try_from(one.keep).unwrap_or(usize::MAX);
    let from = if keep == 0 { 0 } else { parts.len().saturating_sub(keep) };
    parts[from..].join(".").into()
}

/// Everything but RFC 3986's unreserved characters (RFC 7208 §7.3).
fn escape(value: &str, out: &mut String) {
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(octet));
        } else {
            let _ = write!(out, "%{octet:02X}");
        }
    }
}
