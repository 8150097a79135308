//! The PROXY protocol, versions 1 and 2 (HAProxy's `proxy-protocol.txt`): what a proxy says at the beginning of a
//! connection about the client behind it. Whoever may connect could say anything: only proxies that are named are
//! believed, and that is decided before this is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest line of version 1, in octets, its line end included (§2.1).
const LONGEST_LINE: usize = 107;

/// The longest header of version 2 that is taken, in octets. The addresses are at most 216; what may follow them (TLVs,
/// §2.2) is skipped.
pub const LONGEST: usize = 4096;

/// How version 2 begins (§2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// How version 1 begins.
const WORD: &[u8] = b"PROXY ";

/// What the bytes so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A whole header, and how many octets it took.
    Header(Client, usize),
    /// Not yet a whole one.
    More,
    /// Never one, whatever follows: close the connection.
    Malformed(&'static str),
}

/// On whose behalf the proxy connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// This address and port.
    Behind(SocketAddr),
    /// The proxy itself (`LOCAL`: its health check), or a client that it cannot name (`UNKNOWN`).
    Unnamed,
}

/// Reads a header from the front of `buffer`.
pub fn decode(buffer: &[u8]) -> Decoded {
    let begins = |with: &[u8]| {
        let length = buffer.len().min(with.len());
        buffer[..length] == with[..length]
    };
    if begins(SIGNATURE) {
        binary(buffer)
    } else if begins(WORD) {
        line(buffer)
    } else {
        Decoded::Malformed("no PROXY header")
    }
}

/// `PROXY TCP4 192.0.2.7 198.51.100.1 50222 25\r\n`
fn line(buffer: &[u8]) -> Decoded {
    let within = &buffer[..buffer.len().min(LONGEST_LINE)];
    let Some(end) = memchr::memchr(b'\n', within) else {
        return if within.len() == LONGEST_LINE {
            Decoded::Malformed("a PROXY line longer than 107 octets")
        } else {
            Decoded::More
        };
    };
    let text = within[..end].strip_suffix(b"\r").and_then(|text| str::from_utf8(text).ok());
    match text.and_then(told) {
        Some(client) => Decoded::Header(client, end + 1),
        None => Decoded::Malformed("a PROXY line that is none"),
    }
}

fn told(line: &str) -> Option<Client> {
    let mut words = line.split(' ').skip(1);
    let family = words.next()?;
    if family == "UNKNOWN" {
        // What follows it is to be ignored.
        return Some(Client::Unnamed);
    }
    let (from, to) = (words.next()?, words.next()?);
    let [from, to]: [IpAddr; 2] = match family {
        "TCP4" => [from.parse::<Ipv4Addr>().ok()?.into(), to.parse::<Ipv4Addr>().ok()?.into()],
        "TCP6" => [from.parse::<Ipv6Addr>().ok()?.into(), to.parse::<Ipv6Addr>().ok()?.into()],
        _ => return None,
    };
    let port = number(words.next()?)?;
    number(words.next()?)?;
    let _ = to;
    words.next().is_none().then_some(Client::Behind(SocketAddr::new(from, port)))
}

/// Digits only: Rust's own parser takes a sign as well.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Signature, version and command, family, length, addresses, TLVs.
fn binary(buffer: &[u8]) -> Decoded {
    let Some(&[command, family, high, low]) = buffer.get(12..16) else { return Decoded::More };
    let length = 16 + usize::from(u16::from_be_bytes([high, low]));
    if command >> 4 != 2 {
        return Decoded::Malformed("a PROXY header of another version than 2");
    }
    if length > LONGEST {
        return Decoded::Malformed("a PROXY header longer than 4096 octets");
    }
    let Some(addresses) = buffer.get(16..length) else { return Decoded::More };
    let client = match (command & 0xf, family) {
        (0, _) => Client::Unnamed,
        // TCP over IPv4: both addresses, then both ports.
        (1, 0x11) => match addresses.get(..12).map(|all| (octets::<4>(&all[..4]), port(&all[8..10]))) {
            Some((from, port)) => Client::Behind((Ipv4Addr::from(from), port).into()),
            None => return Decoded::Malformed("a PROXY header shorter than its addresses"),
        },
        (1, 0x21) => match addresses.get(..36).map(|all| (octets::<16>(&all[..16]), port(&all[32..34]))) {
            Some((from, port)) => Client::Behind((Ipv6Addr::from(from), port).into()),
            None => return Decoded::Malformed("a PROXY header shorter than its addresses"),
        },
        // Datagrams and unix sockets have no address of a client for us (§2.2: accept, and use nothing).
        (1, _) => Client::Unnamed,
        _ => return Decoded::Malformed("a PROXY command that is neither LOCAL nor PROXY"),
    };
    Decoded::Header(client, length)
}

fn octets<const N: usize>(from: &[u8]) -> [u8; N] {
    std::array::from_fn(|index| from[index])
}

fn port(from: &[u8]) -> u16 {
    u16::from_be_bytes(octets(from))
}

#[cfg(test)]
mod tests;
