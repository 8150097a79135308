//! Dot-stuffing (RFC 5321 §4.5.2), off and on.

use memchr::memmem;

/// Takes the dots off: shows a message as its sender wrote it, to whoever reads or hashes it. Is fed what
/// [`DataScanner`](super::DataScanner) let through, and relies on it.
#[derive(Clone, Debug)]
pub struct Unstuff {
    before: Before,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    LineEnd,
    Text,
    /// A dot that was taken off.
    Dot,
    End,
}

impl Default for Unstuff {
    fn default() -> Self {
        Self::new()
    }
}

impl Unstuff {
    /// At the beginning of a message.
    pub const fn new() -> Self {
        Self { before: Before::LineEnd }
    }

    /// Gives the message's octets in `piece` to `sink`, in runs as long as can be, none of them copied. The end mark is
    /// not the message's.
    pub fn feed(&mut self, piece: &[u8], mut sink: impl FnMut(&[u8])) {
        let mut rest = piece;
        loop {
            let Some(&first) = rest.first() else { return };
            match (self.before, first) {
                (Before::End, _) => return,
                (Before::LineEnd, b'.') => {
                    self.before = Before::Dot;
                    rest = &rest[1..];
                }
                (Before::Dot, b'\r') => self.before = Before::End,
                _ => {
                    // Up to the next dot that begins a line.
                    let dot = memmem::find(rest, b"\n.").map_or(rest.len(), |at| at + 1);
                    let (run, behind) = rest.split_at(dot);
                    sink(run);
                    self.before = if run.ends_with(b"\n") { Before::LineEnd } else { Before::Text };
                    rest = behind;
                }
            }
        }
    }
}

/// Puts the dots on, for text that we write ourselves. Whatever its line ends were, they are CRLF then: never does a lone
/// CR or LF go out.
#[derive(Clone, Debug)]
pub struct Stuff {
    line_end: bool,
    cr: bool,
}

impl Default for Stuff {
    fn default() -> Self {
        Self::new()
    }
}

impl Stuff {
    /// At the beginning of a message, or of a line.
    pub const fn new() -> Self {
        Self { line_end: true, cr: false }
    }

    /// Appends `text` to `out`.
    pub fn feed(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for octet in text {
            let after_cr = std::mem::take(&mut self.cr);
            match octet {
                // CR has ended the line already.
                b'\n' if after_cr => {}
                b'\r' | b'\n' => {
                    out.extend_from_slice(b"\r\n");
                    (self.line_end, self.cr) = (true, *octet == b'\r');
                }
                octet => {
                    if std::mem::take(&mut self.line_end) && *octet == b'.' {
                        out.push(b'.');
                    }
                    out.push(*octet);
                }
            }
        }
    }

    /// Ends the last line, where it does not end, and the message.
    pub fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.line_end { b".\r\n" } else { b"\r\n.\r\n" });
    }
}
