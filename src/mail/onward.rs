//! Onward: mail for an address here that leads to addresses at other servers.
//!
//! Postfix hands it to mailctld under a name of its own ([`marked`]), so that one address can have a mailbox here and lead
//! elsewhere as well. mailctld puts lines on top of it ([`Trace`]) and touches nothing else: what DKIM signed stays as it
//! was signed.

use super::address::{Address, Domain};
use std::fmt::Write;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Behind the domain of an address whose mail leads elsewhere: a name that no server on the Internet can have (RFC 6761
/// §6.4). Postfix's transport map leads it to mailctld.
pub const MARK: &str = ".forward.invalid";

/// The most servers that a message may have passed (RFC 5321 §6.3 wants 100 at least; Postfix's own limit is 50).
pub const HOPS: usize = 50;

/// Under which name Postfix hands over mail for `address`.
pub fn marked(address: &Address) -> String {
    format!("{address}{MARK}")
}

/// The domain without its mark; `None` where it bears none.
pub fn unmarked(domain: &str) -> Option<&str> {
    let at = domain.len().checked_sub(MARK.len())?;
    let (domain, mark) = domain.split_at_checked(at)?;
    (!domain.is_empty() && mark.eq_ignore_ascii_case(MARK)).then_some(domain)
}

/// What is put on top of a message.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// Our name.
    pub host: &'a Domain,
    /// What the client called itself.
    pub client: &'a str,
    /// `LMTP` or `ESMTP` (RFC 3848).
    pub with: &'a str,
    /// What we call this transaction in the log.
    pub id: &'a str,
    /// The address here that leads elsewhere.
    pub recipient: &'a Address,
    /// In Unix time.
    pub now: i64,
    /// Whether it is told that it was forwarded, and for whom (`X-Forwarded-By`, `X-Original-To`).
    pub tell: bool,
}

impl Trace<'_> {
    /// The lines, CRLF at the end of each. No line of a message begins with a dot here, so nothing has to be stuffed.
    pub fn lines(&self) -> String {
        let date = OffsetDateTime::from_unix_timestamp(self.now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let date = date.format(&Rfc2822).unwrap_or_default();
        let (host, to) = (self.host, self.recipient);
        let mut lines = format!("Delivered-To: {to}\r\n");
        if self.tell {
            // A String takes everything.
            let _ = write!(lines, "X-Forwarded-By: {host}\r\nX-Original-To: {to}\r\n");
        }
        let _ = write!(
            lines,
            "Received: from {}\r\n\tby {host} (mailctl) with {} id {}\r\n\tfor <{to}>; {date}\r\n",
            self.client, self.with, self.id
        );
        lines
    }
}

/// What the header of a message tells of its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Addresses that it was delivered to, in lower case (`Delivered-To`).
    pub delivered: Vec<String>,
    /// How many servers it has passed (`Received`).
    pub hops: usize,
}

impl Way {
    /// Reads a header, or the beginning of one; it may be dot-stuffed, for no field that is looked at begins with a dot.
    pub fn of(head: &[u8]) -> Self {
        let mut way = Self::default();
        for line in head.split(|octet| *octet == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            if field(line, b"Received").is_some() {
                way.hops += 1;
            } else if let Some(value) = field(line, b"Delivered-To") {
                way.delivered.push(String::from_utf8_lossy(value.trim_ascii()).to_ascii_lowercase());
            }
        }
        way
    }

    /// Whether it was here before, for the same address, or is on its way for too long.
    pub fn loops(&self, recipient: &Address) -> bool {
        self.hops >= HOPS || self.delivered.iter().any(|before| *before == recipient.to_string())
    }
}

/// Where the header ends in `text`: behind its empty line. `None` = not yet.
pub fn head_end(text: &[u8], from: usize) -> Option<usize> {
    if text.starts_with(b"\r\n") {
        return Some(2);
    }
    let from = from.saturating_sub(3).min(text.len());
    memchr::memmem::find(&text[from..], b"\r\n\r\n").map(|at| from + at + 4)
}

/// The value of a line that begins a field of this name.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    if !start.eq_ignore_ascii_case(name) {
        return None;
    }
    // RFC 5322 §4.5.8: blanks before the colon were allowed once.
    rest.trim_ascii_start().strip_prefix(b":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn a_mark_comes_off_as_it_was_put_on() {
        let marked = marked(&address("team@example.org"));
        assert_eq!(marked, "team@example.org.forward.invalid");
        assert_eq!(unmarked("example.org.forward.invalid"), Some("example.org"));
        assert_eq!(unmarked("Example.org.FORWARD.invalid"), Some("Example.org"));
        for none in ["example.org", ".forward.invalid", "", "forward.invalid"] {
            assert_eq!(unmarked(none), None, "{none}");
        }
    }

    /// Proves: threat 8 (a loop ends at its second round), S0-35.
    #[test]
    fn a_message_that_was_here_is_known_again() {
        let host = Domain::parse("mail.example.org").unwrap();
        let to = address("team@example.org");
        let trace = Trace {
            host: &host,
            client: "mx.example.net",
            with: "LMTP",
            id: "x1",
            recipient: &to,
            now: 0,
            tell: true,
        };
        let lines = trace.lines();
        assert!(lines.lines().all(|line| !line.starts_with('.') && line.len() < 998));
        assert!(lines.contains("X-Original-To: team@example.org\r\n"));
        let text = format!("{lines}Subject: x\r\n\r\nDelivered-To: ann@example.org\r\n");
        let way = Way::of(text.as_bytes());
        assert_eq!(way.hops, 1);
        assert!(way.loops(&to));
        assert!(!way.loops(&address("ann@example.org")), "the body is nobody's header");
        assert!(Way::of(b"delivered-to : TEAM@example.org\n\n").loops(&to));
        assert!(Way::of("Received: x\r\n".repeat(HOPS).as_bytes()).loops(&to));
    }

    #[test]
    fn the_end_of_a_header_is_found_in_pieces() {
        let text = b"A: b\r\n\r\nbody";
        assert_eq!(head_end(text, 0), Some(8));
        assert_eq!(head_end(&text[..7], 0), None);
        assert_eq!(head_end(text, 7), Some(8));
        assert_eq!(head_end(b"\r\nbody", 0), Some(2));
    }
}
