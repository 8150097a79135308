//! Postfix's policy delegation protocol (SMTPD_POLICY_README): `name=value` lines up to an empty line; the
//! answer is one `action=` line and an empty line. Requests can arrive in pieces, and several at once.
//!
//! Nothing is copied and nothing allocated: a request is the bytes that came.

use crate::mail::policy::Action;
use std::{io::Write, net::IpAddr};

/// The longest request taken, in octets. Postfix sends one or two thousand.
pub const LONGEST: usize = 32 * 1024;

/// The most attributes taken. Postfix sends about thirty.
pub const ATTRIBUTES: usize = 200;

/// Where in the dialogue Postfix asks (`protocol_state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// At a recipient; `VRFY` asks the same.
    Recipient,
    /// Before the message.
    Data,
    /// When the message is there, whole.
    EndOfMessage,
    /// Anywhere else.
    #[default]
    Other,
}

/// One request: what the policies ask for, each value as it came, empty where it is missing, which Postfix means alike.
/// An attribute that comes twice counts the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyRequest<'a> {
    text: &'a [u8],
    /// `protocol_state`.
    pub stage: Stage,
    /// `client_address`.
    pub client_address: &'a [u8],
    /// `client_name`: what the address resolves to and what resolves to it, or `unknown`.
    pub client_name: &'a [u8],
    /// `helo_name`.
    pub helo_name: &'a [u8],
    /// `sender`, without `<>`.
    pub sender: &'a [u8],
    /// `recipient`; at DATA and later only where there is just one.
    pub recipient: &'a [u8],
    /// `recipient_count`: how many there are at DATA and later, 0 before.
    pub recipient_count: &'a [u8],
    /// `size`: octets of the message at its end, what the client announced before.
    pub size: &'a [u8],
    /// `sasl_username`.
    pub sasl_username: &'a [u8],
    /// `queue_id`.
    pub queue_id: &'a [u8],
    /// `instance`: the same for all questions about one message.
    pub instance: &'a [u8],
}

impl<'a> PolicyRequest<'a> {
    /// The value of any attribute; `None` where it is missing or empty.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let found = lines(self.text).find_map(|line| {
            let (key, value) = line.split_at_checked(name.len())?;
            let value = value.strip_prefix(b"=")?;
            (key == name.as_bytes()).then_some(value)
        });
        found.filter(|value| !value.is_empty())
    }

    /// The client, where Postfix knows it.
    pub fn client(&self) -> Option<IpAddr> {
        let address: IpAddr = str::from_utf8(self.client_address).ok()?.parse().ok()?;
        Some(address.to_canonical())
    }

    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        let place = match name {
            b"protocol_state" => {
                if self.stage == Stage::Other {
                    self.stage = match value {
                        b"RCPT" | b"VRFY" => Stage::Recipient,
                        b"DATA" => Stage::Data,
                        b"END-OF-MESSAGE" => Stage::EndOfMessage,
                        _ => Stage::Other,
                    };
                }
                return;
            }
            b"client_address" => &mut self.client_address,
            b"client_name" => &mut self.client_name,
            b"helo_name" => &mut self.helo_name,
            b"sender" => &mut self.sender,
            b"recipient" => &mut self.recipient,
            b"recipient_count" => &mut self.recipient_count,
            b"size" => &mut self.size,
            b"sasl_username" => &mut self.sasl_username,
            b"queue_id" => &mut self.queue_id,
            b"instance" => &mut self.instance,
            _ => return,
        };
        if place.is_empty() {
            *place = value;
        }
    }
}

/// A decimal number; 0 where there is none, the largest where it is larger.
pub fn number(text: &[u8]) -> u64 {
    text.iter()
        .take_while(|digit| digit.is_ascii_digit())
        .fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A whole request, and how many bytes it took.
    Request(PolicyRequest<'a>, usize),
    /// Not yet a whole request.
    More,
    /// Never a request, whatever follows: close the connection.
    Malformed(&'static str),
}

/// Reads one request from the front of `buffer`.
pub fn decode(buffer: &[u8]) -> Decoded<'_> {
    let mut request = PolicyRequest::default();
    let (mut start, mut attributes) = (0, 0);
    let within = &buffer[..buffer.len().min(LONGEST)];
    while let Some(length) = memchr::memchr(b'\n', &within[start..]) {
        let line = &within[start..start + length];
        if line.is_empty() {
            if attributes == 0 {
                return Decoded::Malformed("an empty request");
            }
            request.text = &within[..start];
            return Decoded::Request(request, start + 1);
        }
        start += length + 1;
        // Names are short: looking at each octet is quicker than beginning a search for 32 at a time.
        let Some(equals) = line.iter().position(|octet| *octet == b'=') else {
            return Decoded::Malformed("a line without an equals sign");
        };
        if attributes == ATTRIBUTES {
            return Decoded::Malformed("more than 200 attributes");
        }
        attributes += 1;
        request.take(&line[..equals], &line[equals + 1..]);
    }
    if buffer.len() > LONGEST { Decoded::Malformed("longer than 32768 octets") } else { Decoded::More }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// Appends the answer to `out`.
pub fn encode(action: &Action, out: &mut Vec<u8>) {
    if *action == Action::Dunno {
        return out.extend_from_slice(b"action=DUNNO\n\n");
    }
    out.extend_from_slice(b"action=");
    let begin = out.len();
    // A Vec takes everything.
    let _ = write!(out, "{action}");
    // A line end inside a text would begin another attribute.
    out[begin..].iter_mut().filter(|byte| byte.is_ascii_control()).for_each(|byte| *byte = b' ');
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
