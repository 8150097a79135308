//! The parts of a message (RFC 2046), line by line: whether something is attached.
//!
//! In memory are the boundaries around the line at hand and the header of one part. What has more levels or parts than any
//! honest message is looked at no further.

use mail_parser::{ContentType, HeaderName, HeaderValue, MessageParser};

/// Parts in parts.
const LEVELS: usize = 32;
/// Parts that are looked at.
const PARTS: usize = 10_000;
/// Octets of a part's header.
const HEADER: usize = 32 << 10;
/// Octets of a boundary; RFC 2046 §5.1.1 allows 70.
const BOUNDARY: usize = 256;

/// Signatures are parts that people do not take for attachments (RFC 8551 §3.5.3, RFC 3156 §5).
const SIGNATURES: [&str; 3] =
    ["application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"];

/// Where we are in a message.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The innermost last.
    boundaries: Vec<Vec<u8>>,
    /// The header of the part that begins here.
    header: Option<Vec<u8>>,
    seen: usize,
    attached: bool,
}

/// What a header says of what is below it.
enum Kind {
    Several(Vec<u8>),
    Attachment,
    Text,
}

impl Parts {
    /// Takes the header of the message itself.
    pub(super) fn begin(&mut self, header: &[u8]) {
        self.enter(header);
    }

    /// Whether one was found.
    pub(super) fn attached(&self) -> bool {
        self.attached
    }

    /// Takes a line of the body, without its end.
    pub(super) fn line(&mut self, line: &[u8]) {
        if self.attached || self.boundaries.is_empty() && self.header.is_none() {
            return;
        }
        if let Some((level, last)) = self.boundary(line) {
            // A part that has a header and no body.
            if let Some(header) = self.header.take() {
                self.enter(&header);
            }
            self.boundaries.truncate(if last { level } else { level + 1 });
            self.seen += usize::from(!last);
            if !last && self.seen <= PARTS {
                self.header = Some(Vec::new());
            }
            return;
        }
        let Some(header) = &mut self.header else { return };
        if line.is_empty() {
            if let Some(header) = self.header.take() {
                self.enter(&header);
            }
        } else if header.len() + line.len() < HEADER {
            header.extend_from_slice(line);
            header.extend_from_slice(b"\r\n");
        }
    }

    /// The level of the boundary that `line` is, and whether it is the last of its level.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let rest = line.strip_prefix(b"--")?;
        let fits = |(level, boundary): (usize, &Vec<u8>)| {
            let rest = rest.strip_prefix(boundary.as_slice())?;
            let (rest, last) = rest.strip_prefix(b"--").map_or((rest, false), |rest| (rest, true));
            rest.trim_ascii().is_empty().then_some((level, last))
        };
        self.boundaries.iter().enumerate().rev().find_map(fits)
    }

    fn enter(&mut self, header: &[u8]) {
        match kind(header) {
            Kind::Several(boundary) if self.boundaries.len() < LEVELS => self.boundaries.push(boundary),
            Kind::Attachment => self.attached = true,
            Kind::Several(_) | Kind::Text => {}
        }
    }
}

fn kind(header: &[u8]) -> Kind {
    let parser = MessageParser::new()
        .header_content_type(HeaderName::ContentType)
        .header_content_type(HeaderName::ContentDisposition)
        .default_header_ignore();
    let whole = [header, b"\r\n"].concat();
    let Some(message) = parser.parse_headers(&whole) else { return Kind::Text };
    let of = |name| message.header_values(name).find_map(HeaderValue::as_content_type);
    let (kind, disposition) = (of(HeaderName::ContentType), of(HeaderName::ContentDisposition));
    let main = kind.map_or_else(|| "text".to_owned(), |kind| kind.c_type.to_lowercase());
    let sub = kind.and_then(|kind| kind.c_subtype.as_deref()).unwrap_or("plain").to_lowercase();
    if main == "multipart" {
        let boundary =
            kind.and_then(|kind| kind.attribute("boundary")).map(str::as_bytes).unwrap_or_default();
        let fits = (1..=BOUNDARY).contains(&boundary.len());
        return if fits { Kind::Several(boundary.to_vec()) } else { Kind::Text };
    }
    if SIGNATURES.contains(&format!("{main}/{sub}").as_str()) {
        return Kind::Text;
    }
    let is = |word: &str| disposition.is_some_and(|of| of.c_type.eq_ignore_ascii_case(word));
    let named = named(disposition, "filename") || named(kind, "name");
    let shown = matches!(main.as_str(), "text" | "image") || main == "message" && sub != "rfc822";
    if is("attachment") || !shown || named && !is("inline") { Kind::Attachment } else { Kind::Text }
}

fn named(field: Option<&ContentType<'_>>, attribute: &str) -> bool {
    field.and_then(|field| field.attribute(attribute)).is_some_and(|name| !name.trim().is_empty())
}
