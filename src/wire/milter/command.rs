//! What a mail server sends.

use super::Offer;
use std::net::IpAddr;

/// The longest packet that is taken, in octets after its length. Postfix cuts header fields at 102,400
/// (`header_size_limit`) and sends bodies in pieces of 65,535.
pub const LONGEST: usize = 256 * 1024;

/// What a client's address is (`SMFIA_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `4`
    Inet,
    /// `6`
    Inet6,
    /// `L`: a socket of the same host.
    Unix,
    /// `U`, and whatever else: nothing more is told.
    Unknown,
}

/// Names and values, one after the other, as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Macros<'a>(&'a [u8]);

/// One packet. Texts are as they came, without the zero octet that ends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// `O`: what the server can do and offers to leave out.
    Negotiate(Offer<'a>),
    /// `D`: macros for the step (its letter) that follows.
    Macros(u8, Macros<'a>),
    /// `C`: somebody came.
    Connect {
        /// What his address resolves to, or `unknown`.
        name: &'a [u8],
        /// What his address is.
        family: Family,
        /// His port; 0 where there is none.
        port: u16,
        /// His address, empty where it is not told.
        address: &'a [u8],
    },
    /// `H`: what he calls himself.
    Helo(&'a [u8]),
    /// `M`: the sender, in `<>` as it came; parameters are left out.
    Mail(&'a [u8]),
    /// `R`: a recipient; parameters are left out.
    Recipient(&'a [u8]),
    /// `T`
    Data,
    /// `L`: a header field. One blank behind the colon is gone, lines of it end in a line feed.
    Header {
        /// Before the colon.
        name: &'a [u8],
        /// Behind it.
        value: &'a [u8],
    },
    /// `N`
    EndOfHeaders,
    /// `B`: a piece of the body.
    Body(&'a [u8]),
    /// `E`: the message is whole; what is left of the body.
    EndOfMessage(&'a [u8]),
    /// `A`: this message is given up.
    Abort,
    /// `Q`
    Quit,
    /// `K`: the client has gone, another one may follow on this connection.
    QuitClient,
    /// `U`: an SMTP command that the server does not know.
    Unknown(&'a [u8]),
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A whole packet, and how many bytes it took.
    Command(Command<'a>, usize),
    /// Not yet a whole one; so many bytes are needed at least.
    More(usize),
    /// Never one, whatever follows: close the connection.
    Malformed(&'static str),
}

/// Reads one packet from the front of `buffer`.
pub fn decode(buffer: &[u8]) -> Decoded<'_> {
    let Some((head, rest)) = buffer.split_first_chunk::<4>() else { return Decoded::More(4) };
    let length = u32::from_be_bytes(*head) as usize;
    if length == 0 {
        return Decoded::Malformed("an empty packet");
    }
    if length > LONGEST {
        return Decoded::Malformed("a packet longer than 262144 octets");
    }
    let Some(packet) = rest.get(..length) else { return Decoded::More(4 + length) };
    match packet.split_first().map_or(Err("an empty packet"), |(letter, data)| command(*letter, data)) {
        Ok(command) => Decoded::Command(command, 4 + length),
        Err(why) => Decoded::Malformed(why),
    }
}

fn command(letter: u8, data: &[u8]) -> Result<Command<'_>, &'static str> {
    Ok(match letter {
        b'O' => Command::Negotiate(Offer::read(data).ok_or("an offer that is too short")?),
        b'D' => {
            let (stage, pairs) = data.split_first().ok_or("macros for no step")?;
            Command::Macros(*stage, Macros::read(pairs)?)
        }
        b'C' => connect(data)?,
        b'H' => Command::Helo(only(data)?),
        b'M' => Command::Mail(first(data)?),
        b'R' => Command::Recipient(first(data)?),
        b'T' => nothing(data, Command::Data)?,
        b'L' => {
            let (name, rest) = text(data)?;
            Command::Header { name, value: only(rest)? }
        }
        b'N' => nothing(data, Command::EndOfHeaders)?,
        b'B' => Command::Body(data),
        b'E' => Command::EndOfMessage(data),
        b'A' => nothing(data, Command::Abort)?,
        b'Q' => nothing(data, Command::Quit)?,
        b'K' => nothing(data, Command::QuitClient)?,
        b'U' => Command::Unknown(only(data)?),
        _ => return Err("a packet of no known kind"),
    })
}

fn connect(data: &[u8]) -> Result<Command<'_>, &'static str> {
    let (name, rest) = text(data)?;
    let (family, rest) = rest.split_first().ok_or("a client without an address")?;
    let family = match family {
        b'4' => Family::Inet,
        b'6' => Family::Inet6,
        b'L' => Family::Unix,
        _ => return Ok(Command::Connect { name, family: Family::Unknown, port: 0, address: &[] }),
    };
    let (port, rest) = rest.split_first_chunk::<2>().ok_or("a client without a port")?;
    Ok(Command::Connect { name, family, port: u16::from_be_bytes(*port), address: only(rest)? })
}

/// Up to the next zero octet, and what is behind it.
fn text(data: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let end = memchr::memchr(0, data).ok_or("a text without an end")?;
    Ok((&data[..end], &data[end + 1..]))
}

/// One text and nothing else. What is behind it would be seen by one side only.
fn only(data: &[u8]) -> Result<&[u8], &'static str> {
    match text(data)? {
        (text, []) => Ok(text),
        _ => Err("something behind the last text"),
    }
}

/// The first of some texts.
fn first(data: &[u8]) -> Result<&[u8], &'static str> {
    let (first, mut rest) = text(data)?;
    while !rest.is_empty() {
        rest = text(rest)?.1;
    }
    Ok(first)
}

fn nothing<'a>(data: &[u8], command: Command<'a>) -> Result<Command<'a>, &'static str> {
    if data.is_empty() { Ok(command) } else { Err("data where none belongs") }
}

impl<'a> Macros<'a> {
    fn read(pairs: &'a [u8]) -> Result<Self, &'static str> {
        let mut rest = pairs;
        while !rest.is_empty() {
            rest = text(text(rest)?.1)?.1;
        }
        Ok(Self(pairs))
    }

    /// All of them, in the order in which they came; names as in `i` and `{auth_authen}`.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut texts = self.0.split(|octet| *octet == 0);
        std::iter::from_fn(move || Some((texts.next()?, texts.next()?)))
    }

    /// The value of one; `None` where it is missing or empty.
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.iter().find(|(key, value)| *key == name.as_bytes() && !value.is_empty()).map(|(_, value)| value)
    }
}

impl Command<'_> {
    /// The client's address, where it is one of the Internet. Postfix marks IPv6 as RFC 5321 §4.1.3 does.
    pub fn client(&self) -> Option<IpAddr> {
        let Self::Connect { family: Family::Inet | Family::Inet6, address, .. } = self else { return None };
        let text = str::from_utf8(address).ok()?;
        let text = text.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")).map_or(text, |_| &text[5..]);
        Some(text.parse::<IpAddr>().ok()?.to_canonical())
    }
}
