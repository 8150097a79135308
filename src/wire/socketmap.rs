//! Sendmail's socketmap protocol, as Postfix speaks it (socketmap_table(5)): netstrings both ways.
//!
//! A request is `MAP SP KEY`; a reply is `OK SP VALUE`, `NOTFOUND SP`, `TEMP SP REASON` or `PERM SP REASON`.
//! Requests can arrive in pieces, and several at once.

/// The longest request taken, in octets. No key that Postfix makes comes near it, for its input lines end at
/// 2 KiB; and a connection may not cost more memory.
pub const LONGEST: usize = 32_000;

/// The longest reply that Postfix takes.
const LONGEST_REPLY: usize = 100_000;

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A whole request, and how many bytes it took.
    Request {
        /// Name of the table.
        map: &'a [u8],
        /// What to look up; any bytes.
        key: &'a [u8],
        /// Bytes to drop from the buffer.
        used: usize,
    },
    /// Not yet a whole request.
    More,
    /// Never a request, whatever follows: close the connection.
    Malformed(&'static str),
}

/// Reads one request from the front of `buffer`.
pub fn decode(buffer: &[u8]) -> Decoded<'_> {
    let digits = buffer.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 6 {
        return Decoded::Malformed("the length is too long");
    }
    let length = buffer[..digits].iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    if length > LONGEST {
        return Decoded::Malformed("the request is longer than 32000 octets");
    }
    match buffer.get(digits) {
        None => return Decoded::More,
        Some(b':') if digits > 0 && (digits == 1 || buffer[0] != b'0') => {}
        Some(_) => return Decoded::Malformed("this is no netstring"),
    }
    let start = digits + 1;
    let end = start + length;
    match buffer.get(end) {
        None => return Decoded::More,
        Some(b',') => {}
        Some(_) => return Decoded::Malformed("the netstring does not end with a comma"),
    }
    let request = &buffer[start..end];
    match request.iter().position(|byte| *byte == b' ') {
        Some(space) => Decoded::Request { map: &request[..space], key: &request[space + 1..], used: end + 1 },
        None => Decoded::Malformed("the request names no key"),
    }
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Found.
    Ok(&'a str),
    /// Not there; the next table may be asked.
    NotFound,
    /// Could not be looked up now; Postfix answers its client with 451.
    Temp(&'a str),
    /// Can never be looked up.
    Perm(&'a str),
}

/// Appends a reply to `out`.
pub fn encode(reply: Reply<'_>, out: &mut Vec<u8>) {
    let (word, text) = match reply {
        // Postfix would hang up without a word in the log that names the address.
        Reply::Ok(value) if value.len() > LONGEST_REPLY - 3 => ("TEMP ", "there are too many targets"),
        Reply::Ok(value) => ("OK ", value),
        Reply::NotFound => ("NOTFOUND ", ""),
        Reply::Temp(reason) => ("TEMP ", reason),
        Reply::Perm(reason) => ("PERM ", reason),
    };
    let mut digits = [0u8; 20];
    let mut rest = word.len() + text.len();
    let mut start = digits.len();
    loop {
        start -= 1;
        // The remainder of a division by ten is one digit.
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
    out.push(b':');
    out.extend_from_slice(word.as_bytes());
    out.extend_from_slice(text.as_bytes());
    out.push(b',');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(buffer: &[u8]) -> (&[u8], &[u8], usize) {
        match decode(buffer) {
            Decoded::Request { map, key, used } => (map, key, used),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn requests_arrive_whole_in_pieces_and_together() {
        let two = b"12:domains a.bc,11:aliases x@y,";
        assert_eq!(request(two), (&b"domains"[..], &b"a.bc"[..], 16));
        assert_eq!(request(&two[16..]).1, b"x@y");
        for cut in 0..16 {
            assert_eq!(decode(&two[..cut]), Decoded::More, "cut at {cut}");
        }
    }

    #[test]
    fn what_can_never_become_a_request_is_refused_at_once() {
        for bad in [&b"x"[..], b":", b"1234567:", b"32001:", b"01:a,", b"3:a bX", b"3:abc,", b"-1:a,"] {
            assert!(matches!(decode(bad), Decoded::Malformed(_)), "{:?}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn replies_are_netstrings() {
        let mut out = Vec::new();
        encode(Reply::Ok("ann@example.org"), &mut out);
        encode(Reply::NotFound, &mut out);
        encode(Reply::Temp("later"), &mut out);
        assert_eq!(out, b"18:OK ann@example.org,9:NOTFOUND ,10:TEMP later,");
        out.clear();
        encode(Reply::Ok(&"x".repeat(LONGEST_REPLY)), &mut out);
        assert_eq!(out, b"31:TEMP there are too many targets,");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Decoded::Request { used, .. } = decode(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }

        #[test]
        fn what_is_sent_is_read(map in "[a-z]{1,20}", key in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut wire = format!("{}:{map} ", map.len() + 1 + key.len()).into_bytes();
            wire.extend(&key);
            wire.push(b',');
            prop_assert_eq!(request(&wire), (map.as_bytes(), &key[..], wire.len()));
        }
    }
}
