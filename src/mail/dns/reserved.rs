//! Addresses that the Internet does not lead to.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ranges of the IANA registries of special addresses (RFC 6890) that no public server has, and the one public
/// address under which a cloud answers its own machines only.
const RANGES: [(&str, &str); 24] = [
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared between a provider's customers"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's own service"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "for protocols"),
    ("192.0.2.0/24", "documentation"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarks"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("100::/64", "discard"),
    ("2001::/32", "Teredo"),
    ("2001:db8::/32", "documentation"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
];

/// What the address is for, where it is not one that the Internet leads to. An IPv6 address that stands for an IPv4
/// address (RFC 4291 §2.5.5.2, RFC 6052 §2.1, RFC 3056 §2) is judged as that one.
pub fn reserved(address: IpAddr) -> Option<&'static str> {
    let address = match address {
        IpAddr::V6(six) => inner(six).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    let holds = |range: &str| range.parse::<IpNet>().is_ok_and(|range| range.contains(&address));
    RANGES.iter().find(|(range, _)| holds(range)).map(|(_, what)| *what)
}

fn inner(six: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = six.octets();
    let four = |at: usize| Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
    match six.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(four(12)),
        [0x2002, ..] => Some(four(2)),
        _ => six.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: T28, the ranges that nothing is fetched from.
    #[test]
    fn what_the_internet_does_not_lead_to() {
        let of = |text: &str| reserved(text.parse().unwrap());
        for (range, _) in RANGES {
            assert!(range.parse::<IpNet>().is_ok(), "{range}");
        }
        for (text, what) in [
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("::ffff:127.0.0.1", "loopback"),
            ("64:ff9b::10.0.0.1", "private"),
            ("2002:a00:1::1", "private"),
            ("169.254.169.254", "link-local"),
            ("fd00:ec2::254", "private"),
            ("100.100.100.200", "shared between a provider's customers"),
            ("168.63.129.16", "a cloud's own service"),
            ("0.0.0.0", "this network"),
        ] {
            assert_eq!(of(text), Some(what), "{text}");
        }
        for text in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
