//! What a server answers, read.

use super::{Kind, Reply, text::clean};
use crate::mail::status::EnhancedStatus;
use std::{borrow::Cow, fmt};

/// The longest line taken, in octets, its end included. RFC 5321 §4.5.3.1.5 has 512; some servers tell a long story.
const LONGEST_LINE: usize = 2048;

/// The most lines taken.
const LINES: usize = 100;

/// One reply of a server, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    code: u16,
    /// All lines, codes and ends included.
    raw: &'a [u8],
}

/// What the bytes so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodedAnswer<'a> {
    /// A whole reply, and how many octets it took.
    Answer(Answer<'a>, usize),
    /// Not yet a whole one.
    More,
    /// Never one, whatever follows: close the connection; what was asked is as good as not answered.
    Malformed(&'static str),
}

/// Reads one reply from the front of `buffer`. A line may end in LF alone: some servers do that, and nothing of a reply
/// goes on to anybody but as clean text.
pub fn decode_answer(buffer: &[u8]) -> DecodedAnswer<'_> {
    let (mut start, mut code) = (0, None);
    for _ in 0..LINES {
        let rest = &buffer[start..];
        let within = &rest[..rest.len().min(LONGEST_LINE)];
        let Some(end) = memchr::memchr(b'\n', within) else {
            return if within.len() == LONGEST_LINE {
                DecodedAnswer::Malformed("a reply with a line longer than 2048 octets")
            } else {
                DecodedAnswer::More
            };
        };
        let Some((told, last)) = head(trimmed(&within[..end])) else {
            return DecodedAnswer::Malformed("a reply that does not begin with a code of three digits");
        };
        if code.is_some_and(|before| before != told) {
            return DecodedAnswer::Malformed("a reply whose lines have different codes");
        }
        code = Some(told);
        start += end + 1;
        if last {
            return DecodedAnswer::Answer(Answer { code: told, raw: &buffer[..start] }, start);
        }
    }
    DecodedAnswer::Malformed("a reply of more than 100 lines")
}

/// Code of a line, and whether no further one follows.
fn head(line: &[u8]) -> Option<(u16, bool)> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    let code = digits
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| digits.iter().fold(0_u16, |code, digit| code * 10 + u16::from(digit - b'0')))?;
    Kind::of(code)?;
    match rest.first() {
        None | Some(b' ') => Some((code, true)),
        Some(b'-') => Some((code, false)),
        Some(_) => None,
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl<'a> Answer<'a> {
    /// 200 to 599.
    pub fn code(self) -> u16 {
        self.code
    }

    /// What the code means.
    pub fn kind(self) -> Kind {
        Kind::of(self.code).unwrap_or(Kind::Later)
    }

    /// The lines behind their codes, as they came: any octets but LF.
    pub fn lines(self) -> impl Iterator<Item = &'a [u8]> {
        let text = self.raw.strip_suffix(b"\n").unwrap_or(self.raw);
        text.split(|octet| *octet == b'\n').map(|line| trimmed(line).get(4..).unwrap_or_default())
    }

    /// The enhanced status code of the first line that has one.
    pub fn status(self) -> Option<EnhancedStatus> {
        self.lines().find_map(|line| Some(EnhancedStatus::leading(line)?.0))
    }

    /// The text without any code, clean, with a line feed between its lines.
    pub fn text(self) -> Cow<'a, str> {
        let mut lines = self.lines().map(bare);
        let first = lines.next().map(clean).unwrap_or_default();
        lines.fold(first, |text, line| Cow::Owned(format!("{text}\n{}", clean(line))))
    }

    /// The same reply, to be given to somebody else.
    pub fn reply(self) -> Reply {
        let text = self.text().into_owned();
        match self.status() {
            Some(status) => Reply::new(self.code, status, text),
            None => Reply::bare(self.code, text),
        }
    }
}

/// Without the enhanced status code, which each line repeats (RFC 2034 §4).
fn bare(line: &[u8]) -> &[u8] {
    EnhancedStatus::leading(line).map_or(line, |(_, length)| &line[length..])
}

/// As a log has it: one clean line.
impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reply().fmt(f)
    }
}
