//! Where a message ends (RFC 5321 §4.1.1.4), found without touching it.

use super::Reply;

/// How many octets are looked at in one go. As long as no line in them begins with a dot, which is nearly always, nothing
/// but their line ends is checked, 16 at a time.
const BLOCK: usize = 1024;

/// Shorter ones are not worth it.
const WORTH: usize = 64;

/// What a piece of the DATA phase amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// All of it belongs to the message, and the message goes on.
    Goes,
    /// So many octets belong to the message and its end, `. CRLF` included; what is behind them are commands.
    Ends(usize),
}

/// Why a message is no message: another server could see its end elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// CR without LF.
    BareCr,
    /// LF without CR.
    BareLf,
}

impl Fault {
    /// What the client is told. The connection must be closed then: nobody knows what else of it are commands.
    pub fn reply(self) -> Reply {
        match self {
            Self::BareCr => {
                Reply::fixed(554, (5, 6, 0), "the message has a CR without LF; lines end in both")
            }
            Self::BareLf => {
                Reply::fixed(554, (5, 6, 0), "the message has a LF without CR; lines end in both")
            }
        }
    }
}

/// What stands directly before the next octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nothing, or CRLF: a line begins.
    LineEnd,
    /// Something within a line.
    Text,
    /// CR.
    Cr,
    /// The dot that a line begins with.
    Dot,
    /// That dot and CR.
    DotCr,
    /// The end.
    End,
}

/// Is shown a message in pieces of any size and finds its end. Made anew for each message.
///
/// What it lets through is untouched: still dot-stuffed, and with the end mark, so it can be sent on as it is. Whoever
/// decides at the end whether it shall be sent on holds the last piece back, the one that [`Scanned::Ends`] is said of:
/// without it the next server has no whole end mark. NUL and octets above 127 are the message's own affair.
///
/// ```
/// # use mailctl::wire::smtp::{DataScanner, Scanned};
/// let mut scanner = DataScanner::new();
/// assert_eq!(scanner.feed(b"Subject: x\r\n\r\n..hidden\r\n"), Ok(Scanned::Goes));
/// assert_eq!(scanner.feed(b".\r\nQUIT\r\n"), Ok(Scanned::Ends(3)));
/// assert_eq!(scanner.size(), 23);
/// ```
#[derive(Clone, Debug)]
pub struct DataScanner {
    before: Before,
    /// Octets seen, dots and end mark included.
    seen: u64,
    /// Dots seen that stuffing has put there, the end mark's included.
    stuffed: u64,
}

impl Default for DataScanner {
    fn default() -> Self {
        Self::new()
    }
}

impl DataScanner {
    /// At the beginning of a message.
    pub const fn new() -> Self {
        Self { before: Before::LineEnd, seen: 0, stuffed: 0 }
    }

    /// Octets of the message so far as its sender wrote it: without stuffed dots and without the end mark. Mid-message it
    /// can be short of a dot that turns out to be no end.
    pub fn size(&self) -> u64 {
        let mark = if self.before == Before::End { 2 } else { 0 };
        self.seen - self.stuffed - mark
    }

    /// Whether the end was seen.
    pub fn ended(&self) -> bool {
        self.before == Before::End
    }

    /// Looks at the next piece. After an error or an end nothing more may be fed (it would be `Ends(0)`).
    pub fn feed(&mut self, piece: &[u8]) -> Result<Scanned, Fault> {
        let (mut at, mut slow) = (0, 0);
        while at < piece.len() {
            at = match self.before {
                Before::Text => self.run(piece, at, &mut slow)?,
                Before::LineEnd => match piece[at] {
                    b'.' => {
                        self.stuffed += 1;
                        self.to(Before::Dot, at)
                    }
                    _ => self.run(piece, at, &mut slow)?,
                },
                Before::Cr => match piece[at] {
                    b'\n' => self.to(Before::LineEnd, at),
                    _ => return Err(Fault::BareCr),
                },
                Before::Dot => match piece[at] {
                    b'\r' => self.to(Before::DotCr, at),
                    _ => self.run(piece, at, &mut slow)?,
                },
                Before::DotCr => match piece[at] {
                    b'\n' => self.to(Before::End, at),
                    _ => return Err(Fault::BareCr),
                },
                Before::End => break,
            };
        }
        self.seen += at as u64;
        Ok(if self.ended() { Scanned::Ends(at) } else { Scanned::Goes })
    }

    fn to(&mut self, before: Before, at: usize) -> usize {
        self.before = before;
        at + 1
    }

    /// Goes on from within a line, or from the first octet of one that is no dot: a block at once where nothing is to be
    /// decided in it, else to the next CR. `slow`: up to where it is known that there is something to decide.
    fn run(&mut self, piece: &[u8], at: usize, slow: &mut usize) -> Result<usize, Fault> {
        let block = &piece[at..piece.len().min(at + BLOCK)];
        if at >= *slow && block.len() >= WORTH {
            // A block that begins with LF has no CR before it.
            if block[0] != b'\n' && plain(block) {
                self.before = match block[block.len() - 1] {
                    b'\r' => Before::Cr,
                    b'\n' => Before::LineEnd,
                    _ => Before::Text,
                };
                return Ok(at + block.len());
            }
            *slow = at + block.len();
        }
        match memchr::memchr2(b'\r', b'\n', block) {
            Some(found) if block[found] == b'\n' => Err(Fault::BareLf),
            Some(found) => Ok(self.to(Before::Cr, at + found)),
            None => {
                self.before = Before::Text;
                Ok(at + block.len())
            }
        }
    }
}

/// Whether CR and LF come in pairs only and no line begins with a dot. No branches: the compiler makes vectors of it.
fn plain(block: &[u8]) -> bool {
    let odd = block.iter().zip(&block[1..]).fold(0_u8, |odd, (first, second)| {
        let unpaired = u8::from(*first == b'\r') ^ u8::from(*second == b'\n');
        let dotted = u8::from(*first == b'\n') & u8::from(*second == b'.');
        odd | unpaired | dotted
    });
    odd == 0
}
