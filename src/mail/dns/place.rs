//! Where a DNS server is, as people write it.

use crate::mail::address::Malformed;
use std::net::{IpAddr, SocketAddr};

/// `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; port 53 where none is given.
pub fn place(text: &str) -> Result<SocketAddr, Malformed> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    let place = address.or_else(|_| text.parse::<SocketAddr>()).ok().filter(|place| place.port() != 0);
    place.ok_or_else(|| Malformed {
        what: "DNS server",
        text: text.chars().take(80).collect(),
        why: "is not ADDRESS or ADDRESS:PORT, as in 192.0.2.53 or [2001:db8::53]:5353",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_port() {
        let at = |text: &str| place(text).map(|place| place.to_string()).unwrap_or_default();
        for (text, shown) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("192.0.2.53:5353", "192.0.2.53:5353"),
            ("::1", "[::1]:53"),
            ("[::1]", "[::1]:53"),
            ("[::1]:5353", "[::1]:5353"),
            ("2001:db8::5:53", "[2001:db8::5:53]:53"),
        ] {
            assert_eq!(at(text), shown);
        }
        for text in ["", "dns.example.org", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:70000", "192.0.2"] {
            assert_eq!(at(text), "", "{text}");
        }
    }
}
