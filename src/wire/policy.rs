//! Postfix's policy delegation protocol (SMTPD_POLICY_README): `name=value` lines up to an empty line; the
//! answer is one `action=` line and an empty line. Requests can arrive in pieces, and several at once.

use crate::mail::policy::Action;

/// The longest request taken, in octets. Postfix sends one or two thousand.
pub const LONGEST: usize = 32 * 1024;

/// The most attributes taken. Postfix sends about thirty.
pub const ATTRIBUTES: usize = 200;

/// One request; attributes in the order of arrival, unknown ones kept.
#[derive(Debug, PartialEq, Eq)]
pub struct PolicyRequest<'a> {
    attributes: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> PolicyRequest<'a> {
    /// The value of `name`; `None` where it is missing or empty, which Postfix means alike.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.attributes.iter().find(|(key, _)| *key == name.as_bytes());
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A whole request, and how many bytes it took.
    Request(PolicyRequest<'a>, usize),
    /// Not yet a whole request.
    More,
    /// Never a request, whatever follows: close the connection.
    Malformed(&'static str),
}

/// Reads one request from the front of `buffer`.
pub fn decode(buffer: &[u8]) -> Decoded<'_> {
    let mut attributes = Vec::new();
    let mut start = 0;
    while let Some(length) = buffer[start..].iter().position(|byte| *byte == b'\n') {
        let line = &buffer[start..start + length];
        start += length + 1;
        if line.is_empty() {
            if attributes.is_empty() {
                return Decoded::Malformed("an empty request");
            }
            return Decoded::Request(PolicyRequest { attributes }, start);
        }
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else {
            return Decoded::Malformed("a line without an equals sign");
        };
        if attributes.len() == ATTRIBUTES {
            return Decoded::Malformed("more than 200 attributes");
        }
        attributes.push((&line[..equals], &line[equals + 1..]));
    }
    if buffer.len() > LONGEST {
        return Decoded::Malformed("longer than 32768 octets");
    }
    Decoded::More
}

/// Appends the answer to `out`.
pub fn encode(action: &Action, out: &mut Vec<u8>) {
    out.extend_from_slice(b"action=");
    // A line end inside a text would begin another attribute.
    out.extend(action.to_string().bytes().map(|byte| if byte.is_ascii_control() { b' ' } else { byte }));
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REQUEST: &[u8] =
        b"request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=ann@example.org\nsender=\nx=\xff\n\n";

    #[test]
    fn attributes_come_in_any_order_and_pieces() {
        let Decoded::Request(request, used) = decode(REQUEST) else { panic!() };
        assert_eq!(used, REQUEST.len());
        assert_eq!(request.get("sasl_username"), Some(&b"ann@example.org"[..]));
        assert_eq!(request.get("sender"), None);
        assert_eq!(request.get("x"), Some(&b"\xff"[..]));
        for cut in 0..REQUEST.len() {
            assert_eq!(decode(&REQUEST[..cut]), Decoded::More, "cut at {cut}");
        }
        let twice = [REQUEST, REQUEST].concat();
        assert!(matches!(decode(&twice), Decoded::Request(_, used) if used == REQUEST.len()));
    }

    #[test]
    fn too_much_and_nonsense_are_refused() {
        assert!(matches!(decode(b"\n"), Decoded::Malformed(_)));
        assert!(matches!(decode(b"nonsense\n\n"), Decoded::Malformed(_)));
        assert!(matches!(decode("a=b\n".repeat(201).as_bytes()), Decoded::Malformed(_)));
        assert!(matches!(decode("a".repeat(LONGEST + 1).as_bytes()), Decoded::Malformed(_)));
    }

    #[test]
    fn an_answer_is_one_line() {
        let mut out = Vec::new();
        encode(&Action::Reject("5.7.8 gone\nother=1".into()), &mut out);
        assert_eq!(out, b"action=REJECT 5.7.8 gone other=1\n\n");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            if let Decoded::Request(_, used) = decode(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }

        #[test]
        fn what_is_sent_is_read(
            pairs in prop::collection::vec(("[a-z_]{1,20}", "[^\\x00\n]{1,20}"), 1..12),
            after in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut wire = String::new();
            for (name, value) in &pairs {
                wire.push_str(&format!("{name}={value}\n"));
            }
            wire.push('\n');
            let length = wire.len();
            let bytes = [wire.as_bytes(), &after].concat();
            let Decoded::Request(request, used) = decode(&bytes) else { panic!("{bytes:?}") };
            prop_assert_eq!(used, length);
            for (name, _) in &pairs {
                let first = pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_bytes());
                prop_assert_eq!(request.get(name), first);
            }
        }

        #[test]
        fn an_answer_is_one_line_whatever_it_says(text in any::<String>()) {
            let mut out = Vec::new();
            encode(&Action::Reject(text), &mut out);
            prop_assert!(out.ends_with(b"\n\n"));
            prop_assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
        }
    }
}
