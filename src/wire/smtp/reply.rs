//! What a server answers: a code, an enhanced status code, a text of one or more lines.

use super::text::clean;
use crate::mail::status::EnhancedStatus;
use std::{borrow::Cow, fmt};

/// The longest line written, in octets, CRLF included (RFC 5321 §4.5.3.1.5). What is longer goes on in a further line.
const LONGEST_LINE: usize = 512;

/// The most lines written; the rest of a text is left out.
const LINES: usize = 100;

/// What a code means for the one who asked, by its first digit (RFC 5321 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 2yz: done.
    Done,
    /// 3yz: go on.
    GoOn,
    /// 4yz: not now.
    Later,
    /// 5yz: never.
    Never,
}

impl Kind {
    /// Of a code; `None` below 200 and from 600 on.
    pub const fn of(code: u16) -> Option<Self> {
        match code / 100 {
            2 => Some(Self::Done),
            3 => Some(Self::GoOn),
            4 => Some(Self::Later),
            5 => Some(Self::Never),
            _ => None,
        }
    }
}

/// One reply. Whatever its text holds, it is written as one reply of this code: line feeds in it begin further lines of it,
/// other control characters and octets outside ASCII are written as `\xNN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    status: Option<EnhancedStatus>,
    text: Cow<'static, str>,
}

impl Reply {
    /// A reply with an enhanced status code. Its class follows the code's first digit, which must not say another thing
    /// (RFC 2034 §4). A code outside 200 to 599 becomes 451.
    pub fn new(code: u16, status: EnhancedStatus, text: impl Into<Cow<'static, str>>) -> Self {
        Self::made(code, Some(status), text.into())
    }

    /// The same, of words that stand in the program.
    pub const fn fixed(code: u16, status: (u8, u16, u16), text: &'static str) -> Self {
        Self::made(code, Some(EnhancedStatus::new(status.0, status.1, status.2)), Cow::Borrowed(text))
    }

    /// Without an enhanced status code: 220, 334, 354, and what answers EHLO (RFC 2034 §3).
    pub fn bare(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self::made(code, None, text.into())
    }

    /// What answers EHLO and LHLO: our name and what we offer (RFC 5321 §4.1.1.1), a line each.
    pub fn offer(host: &str, offered: &[&str]) -> Self {
        let mut text = host.to_owned();
        for words in offered {
            text.push('\n');
            text.push_str(words);
        }
        Self::bare(250, text)
    }

    const fn made(code: u16, status: Option<EnhancedStatus>, text: Cow<'static, str>) -> Self {
        let code = if Kind::of(code).is_some() { code } else { 451 };
        let status = match status {
            // 3yz has no class of its own.
            Some(_) if code / 100 == 3 => None,
            Some(told) => Some(EnhancedStatus::new((code / 100) as u8, told.subject, told.detail)),
            None => None,
        };
        Self { code, status, text }
    }

    /// Three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What the code means.
    pub fn kind(&self) -> Kind {
        Kind::of(self.code).unwrap_or(Kind::Later)
    }

    /// The enhanced status code.
    pub fn status(&self) -> Option<EnhancedStatus> {
        self.status
    }

    /// The text as it was given, without any code. To show it, print the reply.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends it to `out`, every line of it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let status = self.status.map(|status| format!("{status} ")).unwrap_or_default();
        let room = LONGEST_LINE - 2 - 4 - status.len();
        // The last line is known only when there is no further one.
        let mut mark = 0;
        for line in self.lines().flat_map(|line| wrapped(line, room)).take(LINES) {
            if mark > 0 {
                out[mark] = b'-';
            }
            out.extend_from_slice(self.code.to_string().as_bytes());
            mark = out.len();
            out.push(b' ');
            out.extend_from_slice(status.as_bytes());
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }

    fn lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let one_end = |line: &'_ str| -> usize { line.strip_suffix('\r').unwrap_or(line).len() };
        self.text.split('\n').map(move |line| clean(&line.as_bytes()[..one_end(line)]))
    }
}

/// A line in pieces of at most `room` octets, cut behind a blank where there is one.
fn wrapped(line: Cow<'_, str>, room: usize) -> impl Iterator<Item = String> {
    let mut rest = Some(line.into_owned());
    std::iter::from_fn(move || {
        let mut piece = rest.take()?;
        if piece.len() > room {
            // ASCII only: any place is one to cut at.
            let blank = piece[..room].rfind(' ').filter(|blank| *blank > room / 2);
            rest = Some(piece.split_off(blank.map_or(room, |blank| blank + 1)));
        }
        piece.truncate(piece.trim_end().len());
        Some(piece)
    })
}

/// As a log has it: one line, `550 5.1.1 no such user / try another`.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        for (number, line) in self.lines().enumerate() {
            write!(f, "{}{line}", if number == 0 { " " } else { " / " })?;
        }
        Ok(())
    }
}
