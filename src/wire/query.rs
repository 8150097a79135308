//! The query of a URL, `name=value` with ampersands between them (RFC 3986 §3.4, WHATWG URL §5.1).

/// The first value of `name`, its percent signs decoded; `None` where there is none, or it is no UTF-8. A plus
/// sign stays one: what is asked for here are addresses, which hold plus signs and no blanks.
pub fn value(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.into_iter().find(|(found, _)| *found == name).and_then(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => 16 * digit(rest.next()?)? + digit(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_found_and_decoded() {
        let found = |query: &str| value(query, "emailaddress");
        assert_eq!(found("emailaddress=ann%2Bx%40example.org").as_deref(), Some("ann+x@example.org"));
        assert_eq!(found("a=b&emailaddress=ann+x@e.org&emailaddress=c").as_deref(), Some("ann+x@e.org"));
        assert_eq!(found("emailaddress").as_deref(), Some(""));
        for none in ["", "a=b", "xemailaddress=a", "emailaddress=%", "emailaddress=%4", "emailaddress=%ff"] {
            assert_eq!(found(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(text in ".*") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(value(&format!("x=1&q={encoded}"), "q"), Some(text));
        }
    }
}
