//! Greylisting: who is not known is asked to come again. Mail servers do; most of what only sends spam does not.
//!
//! What is known is a triplet: the client's network, or the pool of servers it belongs to; the sender; the recipient.
//! A triplet that came back in time is known for weeks, and a network from which several did is known altogether.

use std::net::IpAddr;

/// Who is greylisted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nobody.
    #[default]
    Off,
    /// Strangers whose SPF does not pass.
    Unproven,
    /// All strangers.
    All,
}

impl Mode {
    /// As in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Unproven => "unproven",
            Self::All => "all",
        }
    }
}

impl std::str::FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Off, Self::Unproven, Self::All];
        let found = all.into_iter().find(|mode| mode.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is not off, unproven or all"))
    }
}

/// How. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Whom.
    pub mode: Mode,
    /// Who comes back earlier has to wait on.
    pub delay: u32,
    /// Who comes back later begins anew.
    pub window: u32,
    /// For how long a triplet is known after its last message.
    pub keep: u32,
    /// After so many known triplets a network is known altogether; 0 = never.
    pub after: u32,
    /// Bits of an IPv4 address that make a network, 8 to 32.
    pub ipv4: u8,
    /// Bits of an IPv6 address that make a network, 16 to 128.
    pub ipv6: u8,
}

impl Default for Rule {
    fn default() -> Self {
        Self { mode: Mode::Off, delay: 300, window: 172_800, keep: 3_024_000, after: 5, ipv4: 24, ipv6: 64 }
    }
}

/// What is known of a triplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it first came, in Unix time.
    pub first: u32,
    /// When it last passed; 0 = not yet.
    pub passed: u32,
}

/// What is known of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Triplets that came back.
    pub passes: u32,
    /// When the last one passed, in Unix time.
    pub last: u32,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is known.
    Known,
    /// It came back in time: from now on it is.
    Learnt,
    /// It may come again in so many seconds.
    Wait(u32),
}

/// What becomes of what was known: nothing else, or this until that second.
pub type Change<T> = Option<(T, u32)>;

/// Who passes is noted once a day, not with every message.
const NOTED: u32 = 86_400;

/// Whether a triplet passes at `now`.
pub fn judge(rule: &Rule, seen: Option<Seen>, now: u32) -> (Verdict, Change<Seen>) {
    let begin =
        (Verdict::Wait(rule.delay), Some((Seen { first: now, passed: 0 }, now.saturating_add(rule.window))));
    let until = now.saturating_add(rule.keep);
    match seen {
        Some(seen) if seen.passed > 0 => {
            let stale = now.abs_diff(seen.passed) >= NOTED;
            (Verdict::Known, stale.then_some((Seen { passed: now, ..seen }, until)))
        }
        // The clock went back: the first time is not to be believed, and must not be waited for.
        Some(seen) if seen.first > now => begin,
        Some(seen) if now - seen.first < rule.delay => (Verdict::Wait(rule.delay - (now - seen.first)), None),
        Some(seen) if now - seen.first < rule.window => {
            (Verdict::Learnt, Some((Seen { passed: now.max(1), ..seen }, until)))
        }
        _ => begin,
    }
}

impl Standing {
    /// Whether the network is known altogether, and what to note.
    pub fn judge(self, rule: &Rule, now: u32) -> (bool, Change<Self>) {
        let known = rule.after > 0 && self.passes >= rule.after;
        let stale = known && now.abs_diff(self.last) >= NOTED;
        (known, stale.then_some((Self { last: now, ..self }, now.saturating_add(rule.keep))))
    }

    /// With one triplet more that came back.
    pub fn learn(self, rule: &Rule, now: u32) -> (Self, u32) {
        (Self { passes: self.passes.saturating_add(1), last: now }, now.saturating_add(rule.keep))
    }
}

/// A network as octets: the family, then the address with the bits that count.
pub fn network(rule: &Rule, client: IpAddr) -> [u8; 17] {
    let mut octets = [0; 17];
    match client.to_canonical() {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(rule.ipv4.clamp(1, 32))).unwrap_or(u32::MAX);
            octets[0] = 4;
            octets[1..5].copy_from_slice(&(address.to_bits() & mask).to_be_bytes());
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(rule.ipv6.clamp(1, 128))).unwrap_or(u128::MAX);
            octets[0] = 6;
            octets[1..].copy_from_slice(&(address.to_bits() & mask).to_be_bytes());
        }
    }
    octets
}

/// The pool of servers that a client belongs to: the registrable domain of its name. `name` is what the address resolves
/// to and what resolves to it; no pool is made of a name that is made of the address, for that is a customer's line
/// at a provider, with all its neighbours.
pub fn pool(client: IpAddr, name: &str) -> Option<&str> {
    if name.is_empty() || name == "unknown" || numbered(client, name) {
        return None;
    }
    let pool = psl::domain_str(name)?;
    // A server that is all of its domain is no pool.
    (pool.len() < name.len()).then_some(pool)
}

/// Whether a name has two of the address's numbers in it, or the end of an IPv6 address.
fn numbered(client: IpAddr, name: &str) -> bool {
    match client.to_canonical() {
        IpAddr::V4(address) => {
            let (octets, name) = (address.octets(), name.as_bytes());
            let numbers = name.split(|letter| !letter.is_ascii_digit()).filter_map(small);
            numbers.filter(|number| octets.contains(number)).count() >= 2
                || name.windows(8).any(|part| part == hexadecimal(octets))
        }
        IpAddr::V6(address) => {
            let [.., last, lowest] = address.segments();
            name.contains(&format!("{last:x}-{lowest:x}"))
                || name.contains(&format!("{last:04x}{lowest:04x}"))
        }
    }
}

/// A decimal number of one octet.
fn small(digits: &[u8]) -> Option<u8> {
    let value =
        digits.iter().try_fold(0_u8, |value, digit| value.checked_mul(10)?.checked_add(digit - b'0'))?;
    (!digits.is_empty()).then_some(value)
}

/// Eight digits, in lower case.
fn hexadecimal(octets: [u8; 4]) -> [u8; 8] {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    let mut digits = [0; 8];
    for (pair, octet) in digits.chunks_exact_mut(2).zip(octets) {
        pair.copy_from_slice(&[digit(octet >> 4), digit(octet & 15)]);
    }
    digits
}

/// The longest sender that [`likeness`] tells from others.
pub const SENDER: usize = 256;

/// What two senders of one origin have in common, in lower case: lists and shops write a number into the sender of each
/// message, or what stands behind a plus sign.
pub fn likeness<'a>(sender: &[u8], room: &'a mut [u8; SENDER]) -> &'a [u8] {
    let at = memchr::memrchr(b'@', sender).unwrap_or(sender.len());
    let (local, domain) = sender.split_at(at);
    let local = &local[..memchr::memchr(b'+', local).unwrap_or(local.len())];
    let mut length = 0;
    let mut digits = false;
    let letters =
        local.iter().map(|letter| (*letter, true)).chain(domain.iter().map(|letter| (*letter, false)));
    for (letter, fold) in letters {
        let digit = fold && letter.is_ascii_digit();
        if !(digit && digits) {
            let Some(place) = room.get_mut(length) else { break };
            *place = if digit { b'#' } else { letter.to_ascii_lowercase() };
            length += 1;
        }
        digits = digit;
    }
    &room[..length]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u32 = 1_795_269_800;
    const RULE: Rule =
        Rule { mode: Mode::All, delay: 300, window: 3600, keep: 86_400 * 35, after: 2, ipv4: 24, ipv6: 64 };

    /// Proves: issue 6: greylisting with a retry window, to the second.
    #[test]
    fn who_comes_back_in_time_is_known() {
        let (verdict, change) = judge(&RULE, None, NOW);
        let (seen, until) = change.unwrap();
        assert_eq!((verdict, until), (Verdict::Wait(300), NOW + 3600));
        assert_eq!(judge(&RULE, Some(seen), NOW + 299), (Verdict::Wait(1), None));
        let (verdict, change) = judge(&RULE, Some(seen), NOW + 300);
        assert_eq!(verdict, Verdict::Learnt);
        let (known, until) = change.unwrap();
        assert_eq!(until, NOW + 300 + RULE.keep);
        assert_eq!(
            judge(&RULE, Some(known), NOW + 400),
            (Verdict::Known, None),
            "not written with every message"
        );
        assert!(judge(&RULE, Some(known), NOW + 300 + 86_400).1.is_some());
        assert_eq!(judge(&RULE, Some(seen), NOW + 3600).0, Verdict::Wait(300), "too late");
    }

    /// Proves: fault 22 (the clock jumps): nobody waits longer than the delay.
    #[test]
    fn a_clock_that_goes_back_begins_anew() {
        let seen = Seen { first: NOW, passed: 0 };
        let (verdict, change) = judge(&RULE, Some(seen), NOW - 86_400);
        assert_eq!((verdict, change.unwrap().0.first), (Verdict::Wait(300), NOW - 86_400));
        let known = Seen { first: NOW, passed: NOW };
        assert_eq!(judge(&RULE, Some(known), NOW - 86_400 * 90).0, Verdict::Known);
    }

    #[test]
    fn a_network_is_known_after_some() {
        let (one, until) = Standing::default().learn(&RULE, NOW);
        assert_eq!((one.judge(&RULE, NOW).0, until), (false, NOW + RULE.keep));
        let (two, _) = one.learn(&RULE, NOW);
        assert_eq!(two.judge(&RULE, NOW), (true, None));
        assert!(two.judge(&RULE, NOW + 86_400).1.is_some());
        assert!(!two.judge(&Rule { after: 0, ..RULE }, NOW).0);
    }

    #[test]
    fn networks_are_cut_where_they_should() {
        let of = |text: &str| network(&RULE, text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.254"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        let exact = Rule { ipv4: 32, ipv6: 128, ..RULE };
        assert_ne!(network(&exact, [192, 0, 2, 1].into()), network(&exact, [192, 0, 2, 2].into()));
    }

    #[test]
    fn pools_are_made_of_names_and_not_of_lines() {
        let of = |address: &str, name| pool(address.parse().unwrap(), name);
        assert_eq!(of("192.0.2.7", "mail-7.outbound.example.com"), Some("example.com"));
        assert_eq!(of("192.0.2.7", "a.smtp.example.co.uk"), Some("example.co.uk"));
        for line in [
            "unknown",
            "",
            "dsl-192-0-2-7.example.net",
            "c0000207.dyn.example.net",
            "7.2.0.192.example.net",
            "example.com",
        ] {
            assert_eq!(of("192.0.2.7", line), None, "{line}");
        }
        assert_eq!(of("2001:db8::12:34", "x12-34.dyn.example.net"), None);
    }

    #[test]
    fn senders_of_one_origin_are_alike() {
        let like =
            |sender: &str| String::from_utf8(likeness(sender.as_bytes(), &mut [0; SENDER]).to_vec()).unwrap();
        assert_eq!(like("Bounce-12345-x@Shop7.example"), "bounce-#-x@shop7.example");
        assert_eq!(like("ann+tag@example.org"), "ann@example.org");
        assert_eq!(like(""), "");
    }

    proptest! {
        #[test]
        fn any_sender_and_any_second_is_survived(
            sender in prop::collection::vec(any::<u8>(), 0..600),
            (first, passed, now) in any::<(u32, u32, u32)>(),
            name in ".{0,40}|[0-9a-f.-]{0,40}",
        ) {
            prop_assert!(likeness(&sender, &mut [0; SENDER]).len() <= SENDER);
            let (verdict, _) = judge(&RULE, Some(Seen { first, passed }), now);
            prop_assert!(!matches!(verdict, Verdict::Wait(301..)), "{verdict:?}");
            pool([192, 0, 2, 7].into(), &name);
        }
    }
}
