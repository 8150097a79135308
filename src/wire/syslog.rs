//! What a program hands to syslog(3), told again as one line.
//!
//! Source: RFC 3164 §4.1 and glibc's `misc/syslog.c`: `<PRI>Mmm dd hh:mm:ss TAG[PID]: text`, a datagram each.

/// Longest line that is told, in octets; what is more is cut off.
pub const LINE: usize = 2048;

/// Longest datagram that is worth reading: what is cut off a line need not be taken in.
pub const DATAGRAM: usize = 2 * LINE;

/// What an unexpected severity is called, as Postfix calls it: by number, 0 to 4 (RFC 3164 §4.1.1). What is less
/// grave is not marked.
const GRAVE: [&str; 5] = ["panic", "alert", "fatal", "error", "warning"];

/// One line without its newline: `TAG[PID]: text`, or `TAG[PID]: warning: text`. The time is left out, for
/// whoever keeps the line knows it; control characters are escaped, for a stranger may have chosen them.
pub fn line(datagram: &[u8]) -> String {
    let text = String::from_utf8_lossy(datagram);
    let text = text.trim_end_matches(['\n', '\0']);
    let (severity, text) = priority(text);
    let text = after_time(text);
    let mut line = String::new();
    if let Some(word) = severity.and_then(|severity| GRAVE.get(severity)) {
        let tag = text.find(": ").filter(|&end| !text[..end].contains(' ')).map_or(0, |end| end + 2);
        escape(&text[..tag], &mut line);
        line.push_str(word);
        line.push_str(": ");
        escape(&text[tag..], &mut line);
    } else {
        escape(text, &mut line);
    }
    line
}

/// Severity (0 is the gravest) and the rest; a datagram without one is taken as it is.
fn priority(text: &str) -> (Option<usize>, &str) {
    let found = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match found.and_then(|(number, rest)| Some((number.parse::<u8>().ok()?, rest))) {
        Some((number, rest)) => (Some(usize::from(number % 8)), rest),
        None => (None, text),
    }
}

/// What follows `Nov 21 12:31:01 `.
fn after_time(text: &str) -> &str {
    let form = b"Aaa dd 00:00:00 ";
    let fits = text.len() > form.len()
        && text.bytes().zip(form).all(|(byte, like)| match like {
            b'A' | b'a' => byte.is_ascii_alphabetic(),
            b'd' => byte.is_ascii_digit() || byte == b' ',
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        });
    if fits { &text[form.len()..] } else { text }
}

fn escape(text: &str, line: &mut String) {
    for character in text.chars() {
        let before = line.len();
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        if line.len() > LINE {
            line.truncate(before);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Proves: RFC 3164 §4.1 as glibc writes it.
    #[test]
    fn a_datagram_is_a_line() {
        for (datagram, told) in [
            ("<22>Nov 21 12:31:01 opendkim[7]: 4bX: added", "opendkim[7]: 4bX: added"),
            ("<20>Nov  1 12:31:01 opendkim[7]: key: odd\n\0", "opendkim[7]: warning: key: odd"),
            ("<19>Nov  1 12:31:01 opendkim[7]: no", "opendkim[7]: error: no"),
            ("<19>no tag here: x", "error: no tag here: x"),
            ("<x>as it is", "<x>as it is"),
            ("<999>as it is", "<999>as it is"),
            ("", ""),
        ] {
            assert_eq!(line(datagram.as_bytes()), told);
        }
    }

    /// Proves: threats 33 (control bytes escaped, size caps).
    #[test]
    fn what_a_stranger_chose_stays_text() {
        assert_eq!(line(b"<22>a\nb\x1b[2J\xff\r\n"), "a\\nb\\u{1b}[2J\u{fffd}\\r");
        assert_eq!(line(&[b'x'; 9000]).len(), LINE);
        assert_eq!(line("ä".repeat(9000).as_bytes()).len(), LINE);
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_short_line(datagram in prop::collection::vec(any::<u8>(), 0..5000)) {
            let line = line(&datagram);
            prop_assert!(line.len() <= LINE + 16, "{}", line.len());
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
