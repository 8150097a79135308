//! SRS, the Sender Rewriting Scheme: a forwarded message gets a sender of our own, so that SPF passes for it, and a bounce
//! to that sender finds its way back to the first one.
//!
//! ```text
//! ann@example.net                          the sender, forwarded by us (fwd.example.org):
//! SRS0=HHHH=TT=example.net=ann@fwd.example.org
//! SRS1=HHHH=fwd.example.org==HHHH=TT=example.net=ann@next.example.com     forwarded again by somebody else
//! ```
//!
//! `TT` is the day (modulo 1024, base32), `HHHH` the beginning of an HMAC-SHA1 in base64 over the other parts in small
//! letters. Addresses are the same as those of postsrsd and Mail::SRS (libsrs2), in both directions, given the same secret;
//! a local part that was folded to small or capital letters on its way is still decoded. An SRS0 address of somebody else
//! becomes SRS1, and an SRS1 address stays one with a hash of ours: however long the way, a bounce goes to the first
//! forwarder, and from there to the sender.
//!
//! The hash is over the parts without what parts them, as the others have it: whoever moves the `=` between domain and name
//! (`example.net=ann` to `example.neta=nn`) is not found out. He can then send a bounce there, and nothing else.
//!
//! What is longer than a path may be (RFC 5321 §4.5.3.1.3) is not made. RFC 5321 §4.5.3.1.1 also limits local parts, to 64
//! octets, and that limit is not kept unless it is asked for ([`Srs::longest_local`]): the senders of large providers
//! have 60 octets as they are, so a forwarder that keeps it refuses their mail altogether, while nearly all receivers take
//! longer ones; postsrsd and Mail::SRS do not keep it either.
//!
//! Senders come and go as they stand in MAIL, quotes included.

mod decode;
mod encode;
mod local;
mod secret;
mod stamp;

pub use decode::Refusal;
pub use encode::Unfit;
pub use secret::{Secrets, Unusable, lines};
pub use stamp::{Day, WINDOW};

/// The shortest hash: 4 characters of base64, of which case may be lost.
pub const SHORTEST_HASH: usize = 4;

/// The longest hash: all of it.
pub const LONGEST_HASH: usize = 27;

/// The most octets of a path between its brackets (RFC 5321 §4.5.3.1.3 counts the brackets).
pub const LONGEST_PATH: usize = 254;

/// What stands behind `SRS0` and `SRS1`; everywhere else it is `=`.
const SEPARATORS: [u8; 3] = *b"=+-";

/// Makes and reads SRS addresses.
#[derive(Clone, Debug)]
pub struct Srs {
    secrets: Secrets,
    separator: char,
    hash: usize,
    window: u16,
    longest_local: usize,
}

impl Srs {
    /// As postsrsd does by default: `=`, 4 characters of hash, 21 days.
    pub fn new(secrets: Secrets) -> Self {
        Self { secrets, separator: '=', hash: SHORTEST_HASH, window: WINDOW, longest_local: LONGEST_PATH }
    }

    /// `=`, `+` or `-` behind `SRS0` and `SRS1` of new addresses; anything else leaves it as it is. All are read.
    #[must_use]
    pub fn separator(self, separator: char) -> Self {
        let known = SEPARATORS.iter().any(|one| char::from(*one) == separator);
        Self { separator: if known { separator } else { self.separator }, ..self }
    }

    /// Characters of hash in new addresses, 4 to 27. Read is every length from 4 on.
    #[must_use]
    pub fn hash_length(self, characters: usize) -> Self {
        Self { hash: characters.clamp(SHORTEST_HASH, LONGEST_HASH), ..self }
    }

    /// Days for which an address is good, at most 1000.
    #[must_use]
    pub fn window(self, days: u16) -> Self {
        Self { window: days.min(1000), ..self }
    }

    /// The most octets of a local part that is made: 64 keeps RFC 5321 §4.5.3.1.1 to the letter.
    #[must_use]
    pub fn longest_local(self, octets: usize) -> Self {
        Self { longest_local: octets, ..self }
    }
}

/// Whether a local part, as it stands in a path, looks like one of SRS: `SRS0=…`, `srs1+…`. Whether it is ours and good,
/// [`Srs::decode`] tells.
pub fn is_srs(local: &str) -> bool {
    tagged(local.strip_prefix('"').unwrap_or(local)).is_some()
}

/// Which of the two it is, and what stands behind the tag, its separator included.
fn tagged(local: &str) -> Option<(Tag, &str)> {
    let (tag, rest) = local.split_at_checked(4)?;
    let tag = match tag {
        tag if tag.eq_ignore_ascii_case("SRS0") => Tag::Srs0,
        tag if tag.eq_ignore_ascii_case("SRS1") => Tag::Srs1,
        _ => return None,
    };
    rest.bytes().next().is_some_and(|first| SEPARATORS.contains(&first)).then_some((tag, rest))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Srs0,
    Srs1,
}

#[cfg(test)]
mod tests;
