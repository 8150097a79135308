//! Quotes around local parts, off and on (RFC 5321 §4.1.2). Hashes are over what is meant, not over how it is written.

use std::borrow::Cow;

/// Without quotes and backslashes; `None` where they are not right.
pub(super) fn meant(local: &str) -> Option<Cow<'_, str>> {
    let Some(inside) = local.strip_prefix('"') else {
        return (!local.contains(['"', '\\'])).then_some(Cow::Borrowed(local));
    };
    let mut meant = String::with_capacity(inside.len());
    let mut signs = inside.chars();
    loop {
        match signs.next()? {
            '"' => return signs.as_str().is_empty().then_some(Cow::Owned(meant)),
            '\\' => meant.push(signs.next()?),
            sign => meant.push(sign),
        }
    }
}

/// With quotes where it needs some. Dots may stand anywhere, as in addresses that are in use.
pub(super) fn written(meant: &str) -> Cow<'_, str> {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&octet);
    if !meant.is_empty() && meant.bytes().all(plain) {
        return Cow::Borrowed(meant);
    }
    let mut written = String::with_capacity(meant.len() + 2);
    written.push('"');
    for sign in meant.chars() {
        if matches!(sign, '"' | '\\') {
            written.push('\\');
        }
        written.push(sign);
    }
    written.push('"');
    Cow::Owned(written)
}
