//! Text from elsewhere, made fit for one line of a reply, a log or a screen.

use std::borrow::Cow;

/// Printable ASCII stays; every other octet becomes `\xNN`, a tab a blank. Nothing is lost and nothing is obeyed.
pub fn clean(text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(text)
        && text.bytes().all(printable)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for octet in text {
        match octet {
            b'\t' => out.push(' '),
            octet if printable(*octet) => out.push(char::from(*octet)),
            octet => {
                let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value & 15)]);
                out.extend(['\\', 'x', digit(octet >> 4), digit(*octet)]);
            }
        }
    }
    Cow::Owned(out)
}

/// Printable ASCII, the blank included.
pub fn printable(octet: u8) -> bool {
    (b' '..=b'~').contains(&octet)
}
