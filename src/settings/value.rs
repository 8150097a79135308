//! One parser per kind of value. Each refuses in one clear line that says how to write it.

use super::Ports;
use crate::mail::{
    address::Domain,
    check::{Blocklist, is_private},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

/// IANA names that the image knows: Debian trixie's `tzdata`, without the legacy names.
const ZONES: &str = include_str!("zones.txt");

/// `true`, `false` and their usual spellings.
pub fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// Octets: `123`, `10k`, `50M`, `2G`, `1T`, `5B`.
pub fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is not a size; write it like 50M (units B, k, M, G, T)");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let shift = match &text[digits.len()..] {
        "" | "B" | "b" => 0,
        "k" | "K" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        _ => return Err(bad()),
    };
    let number: u64 = digits.parse().map_err(|_| bad())?;
    // Postfix and Dovecot count in signed 64 bits.
    number
        .checked_mul(1 << shift)
        .filter(|octets| i64::try_from(*octets).is_ok())
        .ok_or_else(|| format!("{text:?} is larger than any disk"))
}

/// Seconds: `90m`, `12h`, `1d`, `2w`; from one hour to a year.
pub fn interval(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is not a time; write it like 12h (units m, h, d, w), at least 1h");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(bad()),
    };
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    let seconds = number.and_then(|number| number.checked_mul(unit));
    seconds.filter(|seconds| (3600..=31_536_000).contains(seconds)).ok_or_else(bad)
}

/// Seconds: `90s`, `10m`, `1h`, `7d`, `4w`; from one second to ten years.
pub fn span(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is not a time; write it like 10m (units s, m, h, d, w)");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(bad()),
    };
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    let seconds = number.and_then(|number| number.checked_mul(unit));
    seconds.filter(|seconds| (1..=315_360_000).contains(seconds)).ok_or_else(bad)
}

/// So many wrong passwords, 0 to 1000; 0 = no limit.
pub fn failures(text: &str) -> Result<u32, String> {
    let number = text.parse::<u32>().ok().filter(|number| *number <= 1000);
    number.ok_or_else(|| format!("{text:?} is not a number from 0 to 1000"))
}

/// A [`span`] of at most so many seconds.
pub fn span_to(text: &str, most: u32) -> Result<u32, String> {
    let seconds = span(text)?;
    let fits = u32::try_from(seconds).ok().filter(|seconds| *seconds <= most);
    fits.ok_or_else(|| format!("{text:?} is too long; at most {most} seconds"))
}

/// A number from `least` to `most`.
pub fn whole(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let fits = number.filter(|number| (least..=most).contains(number));
    fits.ok_or_else(|| format!("{text:?} is not a number from {least} to {most}"))
}

/// `https://host/…`. No message repeats it: it may hold a secret.
pub fn https_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").ok_or("it does not begin with https://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    if host.contains('@') {
        return Err("a login in it is not sent; leave it out".to_owned());
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("it holds a blank".to_owned());
    }
    Ok(text.to_owned())
}

/// Networks, each by its first address: `10.0.0.0/8, fd00::/8`.
pub fn networks(text: &str) -> Result<Vec<ipnet::IpNet>, String> {
    let words = text.split([',', ' ', '\t']).filter(|word| !word.is_empty());
    let network = |word: &str| {
        let read = word.parse::<ipnet::IpNet>().ok().filter(|net| net.addr() == net.network());
        read.ok_or_else(|| format!("{word:?} is not a network; write it like 192.168.7.0/24"))
    };
    words.map(network).collect()
}

/// 0 to 65535.
pub fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text:?} is not a port; use 1 to 65535, or 0 for any free one"))
}

/// Octets of a packet: `auto`, or from 576 (RFC 1122 §3.3.3) to 65535.
pub fn mtu(text: &str) -> Result<Option<u32>, String> {
    if text == "auto" {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|octets| (576..=65_535).contains(octets));
    number.map(Some).ok_or_else(|| format!("{text:?} is neither auto nor a number from 576 to 65535"))
}

/// Processors in thousandths: `2`, `0.5`.
pub fn millicpus(text: &str) -> Result<u32, String> {
    let bad = || format!("{text:?} is not a number of processors; write it like 2 or 0.5");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 4 || part.len() > 3 || !digits(whole) || !digits(part) {
        return Err(bad());
    }
    let thousandths = format!("{whole}{part:0<3}").parse().map_err(|_| bad())?;
    if thousandths < 10 { Err(bad()) } else { Ok(thousandths) }
}

/// At least 64 processes: Postfix alone runs a dozen.
pub fn pids(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|n| (64..=4_000_000).contains(n))
        .ok_or_else(|| format!("{text:?} is not a number from 64 up"))
}

/// A time zone that the image knows.
pub fn zone(text: &str) -> Result<String, String> {
    if ZONES.lines().any(|zone| zone == text) {
        return Ok(text.to_owned());
    }
    let hint = super::near::nearest(text, ZONES.lines())
        .map_or_else(String::new, |zone| format!("; did you mean {zone}?"));
    Err(format!("{text:?} is not a known time zone{hint}"))
}

/// Comma- or blank-separated domain names, each once.
pub fn domains(text: &str) -> Result<Vec<Domain>, String> {
    let mut seen = BTreeSet::new();
    let mut list = Vec::new();
    for word in text.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        let domain = Domain::parse(word).map_err(|e| e.to_string())?;
        if seen.insert(domain.clone()) {
            list.push(domain);
        }
    }
    Ok(list)
}

/// Postfix's `relayhost`: `[host]:port`, `host:port`, `host`; the host a name or, in brackets, an IP address.
pub fn relay_host(text: &str) -> Result<String, String> {
    let bad = |why: &str| Err(format!("{text:?} {why}; write it like [smtp.example.net]:587"));
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None => return bad("has something else than a port after the bracket"),
        },
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if port.is_some_and(|port| !matches!(port.parse::<u16>(), Ok(1..))) {
        return bad("has no usable port");
    }
    let address = host.strip_prefix("IPv6:").unwrap_or(host).parse::<std::net::IpAddr>().is_ok();
    match (address, Domain::parse(host)) {
        (true, _) if text.starts_with('[') => Ok(text.to_owned()),
        (true, _) => bad("is an address without brackets"),
        (false, Ok(_)) => Ok(text.to_owned()),
        (false, Err(_)) => bad("is not a host"),
    }
}

/// Postfix's levels that need no further setting. `require` (documented for another image, but no level of
/// Postfix) is taken as `encrypt`.
pub fn relay_tls(text: &str) -> Result<String, String> {
    match text.to_ascii_lowercase().as_str() {
        level @ ("none" | "may" | "encrypt" | "dane" | "dane-only" | "verify" | "secure") => {
            Ok(level.to_owned())
        }
        "require" | "required" => Ok("encrypt".to_owned()),
        _ => Err(format!("{text:?} is not one of none, may, encrypt, dane, dane-only, verify, secure")),
    }
}

/// One line without control characters: it ends up in files where a line end begins something new.
pub fn line(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        Err("has a control character or a line end inside".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Seconds, from a minute to a week: outside of that one waits for days, or asks all the time.
pub fn ttl(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|seconds| (60..=604_800).contains(seconds))
        .ok_or_else(|| format!("{text:?} is not a number of seconds from 60 to 604800"))
}

/// Seconds for which an MTA-STS policy is kept: from a day (a shorter time can be waited for) to what RFC 8461 §3.2
/// allows.
pub fn policy_age(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|seconds| (86_400..=31_557_600).contains(seconds))
        .ok_or_else(|| format!("{text:?} is not a number of seconds from 86400 to 31557600"))
}

/// An address and port of this host that the Internet does not reach.
pub fn own_place(text: &str) -> Result<SocketAddr, String> {
    let bad = |why: &str| Err(format!("{text:?} {why}; write it like 127.0.0.1:9154"));
    match text.parse::<SocketAddr>() {
        Err(_) => bad("is not an address with a port"),
        Ok(place) if place.ip().is_unspecified() => {
            bad("is every address of the host, those for all included")
        }
        Ok(place) if !is_private(place.ip()) => {
            bad("can be reached from the Internet, and there is no login")
        }
        Ok(place) => Ok(place),
    }
}

/// A path that means the same wherever a command is typed.
pub fn absolute_path(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err(format!("{text:?} does not begin with /")) }
}

/// Text in PEM form (RFC 7468), where a line end may be written as `\n`; or the same in base64 once more. It is not shown
/// in a refusal: it may be a key.
pub fn pem(text: &str) -> Result<String, String> {
    const BEGIN: &str = "-----BEGIN ";
    let bad = || "is neither PEM (with \\n for each line end) nor PEM in base64".to_owned();
    if text.contains(BEGIN) {
        return Ok(text.replace("\\n", "\n"));
    }
    let dense: String = text.split_whitespace().collect();
    let octets = BASE64_STANDARD.decode(dense).map_err(|_| bad())?;
    String::from_utf8(octets).ok().filter(|text| text.contains(BEGIN)).ok_or_else(bad)
}

/// One of a few words.
pub fn one_of(text: &str, words: &[&str]) -> Result<String, String> {
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not one of {}", words.join(", ")))
}

/// Comma- or blank-separated IP addresses, each once.
pub fn addresses(text: &str) -> Result<Vec<IpAddr>, String> {
    let mut list: Vec<IpAddr> = Vec::new();
    for word in text.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        let address = word.parse().map_err(|_| format!("{word:?} is not an IP address"))?;
        if !list.contains(&address) {
            list.push(address);
        }
    }
    Ok(list)
}

/// Blocklists with commas or blanks between them.
pub fn blocklists(text: &str) -> Result<Vec<Blocklist>, String> {
    text.split([',', ' ', '\t']).filter(|word| !word.is_empty()).map(Blocklist::parse).collect()
}

/// Two published ports may not be the same; 0 is never the same.
pub fn clash(ports: &Ports) -> Option<(&'static str, &'static str, u16)> {
    let named = [
        ("ports.smtp", ports.smtp),
        ("ports.submissions", ports.submissions),
        ("ports.submission", ports.submission),
        ("ports.imap", ports.imap),
        ("ports.imaps", ports.imaps),
        ("ports.pop3", ports.pop3),
        ("ports.pop3s", ports.pop3s),
        ("ports.managesieve", ports.managesieve),
        ("ports.http", ports.http),
        ("ports.https", ports.https),
    ];
    named.iter().enumerate().find_map(|(at, (name, port))| {
        let (other, _) = named[..at].iter().find(|(_, earlier)| earlier == port && *port != 0)?;
        Some((*other, *name, *port))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_unit_and_nothing_else() {
        assert_eq!(size("123"), Ok(123));
        assert_eq!(size("5B"), Ok(5));
        assert_eq!(size("10k"), Ok(10 << 10));
        assert_eq!(size("50M"), Ok(50 << 20));
        assert_eq!(size("1T"), Ok(1 << 40));
        for bad in ["", "M", "-60M", "26GIGOTS", "1.5G", "9999999999T", "5 M", "٣"] {
            assert!(size(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn spans_and_numbers_have_a_range() {
        assert_eq!(
            (span_to("30s", 60), span_to("1m", 60), span_to("2d", 200_000)),
            (Ok(30), Ok(60), Ok(172_800))
        );
        for bad in ["", "5", "0s", "61s", "2m", "-1s", "1.5s", "99999999999w", "٣s"] {
            assert!(span_to(bad, 60).is_err(), "{bad:?} was taken");
        }
        assert_eq!(whole("24", 8, 32), Ok(24));
        for bad in ["", "7", "33", "-1", "+9", "9999999999999"] {
            assert!(whole(bad, 8, 32).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn times_have_a_unit_and_a_range() {
        for (text, seconds) in [("60m", 3600), ("12h", 43_200), ("1d", 86_400), ("2w", 1_209_600)] {
            assert_eq!(interval(text), Ok(seconds));
        }
        for bad in ["", "1", "d", "59m", "-1d", "1.5d", "1y", "366d", "99999999999999999999d", "1 d", "٣d"] {
            assert!(interval(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn relay_hosts_are_what_postfix_understands() {
        for good in [
            "[smtp.example.net]:587",
            "smtp.example.net:25",
            "example.net",
            "[192.0.2.1]:2525",
            "[2001:db8::1]",
        ] {
            assert!(relay_host(good).is_ok(), "{good} was refused");
        }
        for bad in
            ["192.0.2.1:25", "[smtp.example.net]587", "smtp.example.net:0", "smtp example", "x:y:z", "[]:25"]
        {
            assert!(relay_host(bad).is_err(), "{bad} was taken");
        }
    }

    /// Proves: S3-29 (an unknown zone is refused).
    #[test]
    fn zones_are_known_ones() {
        assert!(zone("Europe/Berlin").is_ok() && zone("UTC").is_ok());
        assert!(zone("Europe/Brelin").unwrap_err().contains("Europe/Berlin"));
        assert!(zone("../../etc/passwd").is_err());
    }

    #[test]
    fn processors_come_in_thousandths() {
        assert_eq!(millicpus("2"), Ok(2000));
        assert_eq!(millicpus("0.25"), Ok(250));
        assert!(millicpus("0").is_err() && millicpus("-1").is_err() && millicpus("1.2345").is_err());
    }
}
