//! One term of a record (RFC 7208 §12).

use super::{
    fault::Why,
    macros::MacroString,
    record::{Mechanism, Prefixes, Qualifier, Term},
};

/// Parses one term, without blanks.
pub(super) fn term(word: &str) -> Result<Term, Why> {
    if !word.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Why::Octets);
    }
    // A modifier has its `=` before any other mark (RFC 7208 §4.6.1).
    let name = word.bytes().take_while(|&b| is_name(b)).count();
    if word.as_bytes().get(name) == Some(&b'=') {
        return modifier(&word[..name], &word[name + 1..]);
    }
    let (qualifier, rest) = match word.as_bytes()[0] {
        b'+' => (Qualifier::Pass, &word[1..]),
        b'-' => (Qualifier::Fail, &word[1..]),
        b'~' => (Qualifier::SoftFail, &word[1..]),
        b'?' => (Qualifier::Neutral, &word[1..]),
        _ => (Qualifier::Pass, word),
    };
    if rest.is_empty() {
        return Err(Why::Bare);
    }
    Ok(Term::Directive(qualifier, mechanism(rest)?))
}

fn is_name(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.')
}

fn modifier(name: &str, value: &str) -> Result<Term, Why> {
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(Why::BadName);
    }
    // A known name with a bad value is a fault, never an unknown modifier (RFC 7208 §6).
    if name.eq_ignore_ascii_case("redirect") {
        return MacroString::domain(value).map(Term::Redirect);
    }
    if name.eq_ignore_ascii_case("exp") {
        return MacroString::domain(value).map(Term::Explanation);
    }
    MacroString::check_value(value)?;
    Ok(Term::Unknown(name.to_owned()))
}

fn mechanism(word: &str) -> Result<Mechanism, Why> {
    let name = word.bytes().take_while(|&b| is_name(b)).count();
    let (name, rest) = word.split_at(name);
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if is("all") {
        return if rest.is_empty() { Ok(Mechanism::All) } else { Err(Why::TakesNothing) };
    }
    if is("include") {
        return Ok(Mechanism::Include(MacroString::domain(argument(rest)?)?));
    }
    if is("exists") {
        return Ok(Mechanism::Exists(MacroString::domain(argument(rest)?)?));
    }
    if is("a") {
        return addresses(rest).map(|(target, prefixes)| Mechanism::A(target, prefixes));
    }
    if is("mx") {
        return addresses(rest).map(|(target, prefixes)| Mechanism::Mx(target, prefixes));
    }
    if is("ptr") {
        return if rest.is_empty() {
            Ok(Mechanism::Ptr(None))
        } else {
            Ok(Mechanism::Ptr(Some(MacroString::domain(argument(rest)?)?)))
        };
    }
    if is("ip4") {
        return ip4(rest);
    }
    if is("ip6") {
        return ip6(rest);
    }
    Err(match name.to_ascii_lowercase().as_str() {
        "all." => Why::TakesNothing,
        other => Why::UnknownMechanism(meant(other, rest)),
    })
}

/// What stands behind the colon.
fn argument(rest: &str) -> Result<&str, Why> {
    rest.strip_prefix(':').ok_or(if rest.is_empty() { Why::NoDomain } else { Why::BadDomain })
}

/// `[":" domain-spec] [dual-cidr-length]` (RFC 7208 §5.3, §5.4). A domain may hold slashes too, so the lengths
/// are read from the end.
fn addresses(rest: &str) -> Result<(Option<MacroString>, Prefixes), Why> {
    let mut prefixes = Prefixes { v4: 32, v6: 128 };
    let mut head = rest;
    if let Some((before, digits)) = prefix_at_end(head) {
        if let Some(before) = before.strip_suffix('/') {
            prefixes.v6 = length(digits, 128)?;
            head = before;
            if let Some((before, digits)) = prefix_at_end(head) {
                prefixes.v4 = length(digits, 32)?;
                head = before;
            }
        } else {
            prefixes.v4 = length(digits, 32)?;
            head = before;
        }
    }
    if head.is_empty() {
        return Ok((None, prefixes));
    }
    match head.strip_prefix(':') {
        Some(target) => Ok((Some(MacroString::domain(target)?), prefixes)),
        None if head.starts_with('/') => Err(Why::BadPrefix),
        None => Err(Why::BadDomain),
    }
}

/// What stands before the last slash, and the digits behind it.
fn prefix_at_end(text: &str) -> Option<(&str, &str)> {
    let (before, digits) = text.rsplit_once('/')?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some((before, digits))
}

/// 0 to `most`, no leading zero.
fn length(digits: &str, most: u8) -> Result<u8, Why> {
    let proper = digits == "0" || !digits.starts_with('0');
    let number = digits.parse::<u8>().ok().filter(|&number| proper && number <= most);
    number.filter(|_| digits.bytes().all(|b| b.is_ascii_digit())).ok_or(Why::BadPrefix)
}

fn ip4(rest: &str) -> Result<Mechanism, Why> {
    let (network, bits) = network(rest, 32)?;
    // Rust takes what the grammar's `qnum` takes: four decimal numbers without leading zeros.
    let address = network.parse();
    let six = network.parse::<std::net::Ipv6Addr>().is_ok();
    Ok(Mechanism::Ip4(address.map_err(|_| if six { Why::Ip6AfterIp4 } else { Why::BadIp4 })?, bits?))
}

fn ip6(rest: &str) -> Result<Mechanism, Why> {
    let (network, bits) = network(rest, 128)?;
    let address = network.parse();
    let four = network.parse::<std::net::Ipv4Addr>().is_ok();
    Ok(Mechanism::Ip6(address.map_err(|_| if four { Why::Ip4AfterIp6 } else { Why::BadIp6 })?, bits?))
}

/// `":" network ["/" length]`: the network, and what is to be said of the length once the network is right.
fn network(rest: &str, most: u8) -> Result<(&str, Result<u8, Why>), Why> {
    let text = rest.strip_prefix(':').filter(|text| !text.is_empty()).ok_or(Why::NoNetwork)?;
    Ok(match text.split_once('/') {
        Some((network, digits)) => (network, length(digits, most)),
        None => (text, Ok(most)),
    })
}

/// What people write, and what they mean.
fn meant(name: &str, rest: &str) -> Option<&'static str> {
    Some(match name {
        "ip" | "ipv4" | "ip-4" | "ipv" | "ip4v" | "v4" if rest.matches(':').nth(1).is_none() => "ip4:",
        "ip" | "ipv6" | "ip-6" | "v6" => "ip6:",
        "prt" | "rdns" => "ptr",
        "includes" | "incude" | "inlcude" | "inclue" | "inc" => "include:",
        "redirect" => "redirect=",
        "exp" => "exp=",
        "exist" => "exists:",
        "mxs" => "mx",
        "aall" | "al" | "alll" => "all",
        _ => return None,
    })
}
