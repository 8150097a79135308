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

    fn take(&mut self, field: Field, value: &'a [u8]) {
        let place = match field {
            Field::Stage => {
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
            Field::ClientAddress => &mut self.client_address,
            Field::ClientName => &mut self.client_name,
            Field::HeloName => &mut self.helo_name,
            Field::Sender => &mut self.sender,
            Field::Recipient => &mut self.recipient,
            Field::RecipientCount => &mut self.recipient_count,
            Field::Size => &mut self.size,
            Field::SaslUsername => &mut self.sasl_username,
            Field::QueueId => &mut self.queue_id,
            Field::Instance => &mut self.instance,
            Field::Unused => return,
        };
        if place.is_empty() {
            *place = value;
        }
    }
}

/// What becomes of an attribute.
#[derive(Clone, Copy)]
enum Field {
    Stage,
    ClientAddress,
    ClientName,
    HeloName,
    Sender,
    Recipient,
    RecipientCount,
    Size,
    SaslUsername,
    QueueId,
    Instance,
    Unused,
}

/// The attributes in the order in which Postfix sends them: whoever expects the right one need not look for it. Any other
/// order is read as well, only not as quickly.
const ORDER: [(&[u8], Field); 31] = [
    (b"request=", Field::Unused),
    (b"protocol_state=", Field::Stage),
    (b"protocol_name=", Field::Unused),
    (b"client_address=", Field::ClientAddress),
    (b"client_name=", Field::ClientName),
    (b"client_port=", Field::Unused),
    (b"reverse_client_name=", Field::Unused),
    (b"server_address=", Field::Unused),
    (b"server_port=", Field::Unused),
    (b"helo_name=", Field::HeloName),
    (b"sender=", Field::Sender),
    (b"recipient=", Field::Recipient),
    (b"recipient_count=", Field::RecipientCount),
    (b"queue_id=", Field::QueueId),
    (b"instance=", Field::Instance),
    (b"size=", Field::Size),
    (b"etrn_domain=", Field::Unused),
    (b"stress=", Field::Unused),
    (b"sasl_method=", Field::Unused),
    (b"sasl_username=", Field::SaslUsername),
    (b"sasl_sender=", Field::Unused),
    (b"ccert_subject=", Field::Unused),
    (b"ccert_issuer=", Field::Unused),
    (b"ccert_fingerprint=", Field::Unused),
    (b"ccert_pubkey_fingerprint=", Field::Unused),
    (b"encryption_protocol=", Field::Unused),
    (b"encryption_cipher=", Field::Unused),
    (b"encryption_keysize=", Field::Unused),
    (b"policy_context=", Field::Unused),
    (b"compatibility_level=", Field::Unused),
    (b"mail_version=", Field::Unused),
];

/// Reads `name=value`; `next` is what is expected. `None`: there is no equals sign.
fn attribute<'a>(line: &'a [u8], next: &mut usize) -> Option<(Field, &'a [u8])> {
    if let Some((name, field)) = ORDER.get(*next)
        && let Some(value) = line.strip_prefix(*name)
    {
        *next += 1;
        return Some((*field, value));
    }
    let equals = memchr::memchr(b'=', line)?;
    let (name, value) = line.split_at(equals + 1);
    let Some(at) = ORDER.iter().position(|(known, _)| *known == name) else {
        return Some((Field::Unused, value));
    };
    *next = at + 1;
    Some((ORDER[at].1, value))
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
    let (mut start, mut attributes, mut next) = (0, 0, 0);
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
        let Some((field, value)) = attribute(line, &mut next) else {
            return Decoded::Malformed("a line without an equals sign");
        };
        if attributes == ATTRIBUTES {
            return Decoded::Malformed("more than 200 attributes");
        }
        attributes += 1;
        request.take(field, value);
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
