//! What a message is like, gathered while it comes in: nothing of it is held but its header, and that to a limit.

use super::mime::Parts;
use mail_parser::{HeaderName, HeaderValue, MessageParser};

/// Octets of a header that are looked at; what is behind them is not in the facts.
const HEADER: usize = 256 << 10;
/// Addresses of `From`, and subjects, that are looked at.
const MOST: usize = 100;

/// What conditions ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The envelope's sender; "" = the null sender.
    pub sender: String,
    /// The addresses in `From`.
    pub from: Vec<String>,
    /// The subject, decoded; more than one where the message has more, for nobody knows which one is shown;
    /// "" where it has none.
    pub subjects: Vec<String>,
    /// Octets, with line ends of two.
    pub size: u64,
    /// Something is attached: a part that says so or has a file's name, or is neither text nor shown within the text.
    pub attachments: bool,
    /// Seconds since 1970.
    pub time: i64,
}

/// Takes a message in pieces of any length, lines ending in CRLF or LF, without the dots of SMTP.
#[derive(Debug, Default)]
pub struct Scanner {
    header: Vec<u8>,
    parts: Parts,
    line: Vec<u8>,
    size: u64,
    carriage: bool,
    body: bool,
}

/// Octets of a line that are looked at; longer ones are no header and no boundary.
const LINE: usize = 4096;

impl Scanner {
    /// Begins a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|b| *b == b'\n') {
            self.size = self.size.saturating_add(part.len() as u64);
            let Some(text) = part.strip_suffix(b"\n") else {
                self.keep(part);
                self.carriage = part.last() == Some(&b'\r');
                continue;
            };
            let carriage = if text.is_empty() { self.carriage } else { text.last() == Some(&b'\r') };
            self.size = self.size.saturating_add(u64::from(!carriage));
            self.keep(text);
            self.carriage = false;
            self.end_of_line();
        }
    }

    /// Whether the header is over.
    pub fn has_header(&self) -> bool {
        self.body
    }

    /// The facts, of what has come in so far. `time`: seconds since 1970.
    pub fn facts(mut self, sender: &str, time: i64) -> Facts {
        if !self.line.is_empty() {
            self.end_of_line();
        }
        if !self.body {
            self.parts.begin(&self.header);
        }
        let mut facts = header(&self.header);
        if facts.subjects.is_empty() {
            facts.subjects.push(String::new());
        }
        facts.sender = sender.to_owned();
        facts.size = self.size;
        facts.attachments = self.parts.attached();
        facts.time = time;
        facts
    }

    fn keep(&mut self, text: &[u8]) {
        // The header is needed whole, and has a limit of its own; of the body a line's beginning is enough.
        let room = if self.body { LINE } else { HEADER }.saturating_sub(self.line.len());
        self.line.extend_from_slice(&text[..text.len().min(room)]);
    }

    fn end_of_line(&mut self) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if self.body {
            self.parts.line(line);
        } else if line.is_empty() {
            self.body = true;
            self.parts.begin(&self.header);
        } else if self.header.len() + line.len() < HEADER {
            self.header.extend_from_slice(line);
            self.header.extend_from_slice(b"\r\n");
        }
        self.line.clear();
    }
}

impl Facts {
    /// Of a whole message.
    pub fn of(sender: &str, message: &[u8], time: i64) -> Self {
        let mut scanner = Scanner::new();
        scanner.feed(message);
        scanner.facts(sender, time)
    }
}

/// Who it says it is from, and what it is about.
fn header(header: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let parser = MessageParser::new()
        .header_text(HeaderName::Subject)
        .header_address(HeaderName::From)
        .default_header_ignore();
    let whole = [header, b"\r\n"].concat();
    let Some(message) = parser.parse_headers(&whole) else { return facts };
    for value in message.header_values(HeaderName::Subject).take(MOST) {
        match value {
            HeaderValue::Text(text) => facts.subjects.push(text.to_string()),
            HeaderValue::TextList(texts) => facts.subjects.push(texts.join(" ")),
            _ => facts.subjects.push(String::new()),
        }
    }
    let from = message.header_values(HeaderName::From).filter_map(HeaderValue::as_address);
    let addresses = from.flat_map(|all| all.iter()).filter_map(|one| one.address.as_deref());
    facts.from = addresses.take(MOST).map(str::to_owned).collect();
    facts
}
