//! What a filter answers: what is to be changed, and in the end what becomes of the message.

/// One packet of the filter's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// `c`: go on.
    Continue,
    /// `a`: take it, and ask no more about it.
    Accept,
    /// `r`: refuse it, in the server's words.
    Reject,
    /// `t`: later, in the server's words.
    TempFail,
    /// `d`: take it and throw it away.
    Discard,
    /// `s`: no more of this body.
    Skip,
    /// `p`: wait, it takes longer.
    Progress,
    /// `q`: into the hold queue, with a reason.
    Quarantine(&'a str),
    /// `y`: a reply of the filter's own, code first: `550 5.7.1 text`.
    Code(&'a str),
    /// `h`: a field behind the others.
    Add(&'a str, &'a str),
    /// `i`: a field before the one with this number; 0 = the first of all.
    Insert(u32, &'a str, &'a str),
    /// `m`: another value for the field with this name and number, the first one is 1. An empty value deletes it.
    Change(u32, &'a str, &'a str),
}

impl Reply<'_> {
    /// Appends it to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let begin = out.len();
        out.extend([0; 4]);
        out.push(self.letter());
        match self {
            Self::Quarantine(text) => end(out, text),
            // Servers take it for a format; a lone per cent sign is lost there.
            Self::Code(text) => end(out, &text.replace('%', "%%")),
            Self::Add(name, value) => {
                end(out, name);
                end(out, value);
            }
            Self::Insert(at, name, value) | Self::Change(at, name, value) => {
                out.extend(at.to_be_bytes());
                end(out, name);
                end(out, value);
            }
            _ => {}
        }
        let length = u32::try_from(out.len() - begin - 4).unwrap_or(u32::MAX);
        out[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
    }

    fn letter(&self) -> u8 {
        match self {
            Self::Continue => b'c',
            Self::Accept => b'a',
            Self::Reject => b'r',
            Self::TempFail => b't',
            Self::Discard => b'd',
            Self::Skip => b's',
            Self::Progress => b'p',
            Self::Quarantine(_) => b'q',
            Self::Code(_) => b'y',
            Self::Add(..) => b'h',
            Self::Insert(..) => b'i',
            Self::Change(..) => b'm',
        }
    }
}

/// A text and the zero octet that ends it. Line ends are bare line feeds, as milters have them (only folded fields have
/// any); a zero octet or a carriage return within would end or forge something.
fn end(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().filter(|octet| !matches!(octet, 0 | b'\r')));
    out.push(0);
}
