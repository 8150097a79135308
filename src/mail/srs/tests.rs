//! Against addresses that Mail::SRS 0.31 and postsrsd 1.10 have made, and against whoever changes them.

use super::*;
use crate::mail::address::Domain;
use proptest::prelude::*;

/// 2026-03-10T12:00:00Z
const NOW: i64 = 1_773_144_000;
const DAY: i64 = 86_400;

fn srs(secrets: &str) -> Srs {
    Srs::new(Secrets::parse(secrets.as_bytes()).unwrap())
}

fn domain() -> Domain {
    Domain::parse("fwd.example.org").unwrap()
}

fn local(address: &str) -> &str {
    address.rsplit_once('@').unwrap().0
}

/// What others make with the same secret on the same day.
const MADE: [(&str, &str); 3] = [
    ("ann@example.net", "SRS0=5RFB=BK=example.net=ann@fwd.example.org"),
    ("Ann.Lee+x=y@Example.NET", "SRS0=cd2I=BK=Example.NET=Ann.Lee+x=y@fwd.example.org"),
    (
        "SRS0=ABCD=EF=first.example=bob@fwd1.example",
        "SRS1=r8VK=fwd1.example==ABCD=EF=first.example=bob@fwd.example.org",
    ),
];

/// Proves: threats 4, 5 (a migrated secret keeps decoding; SRS1 keeps the first forwarder).
#[test]
fn addresses_are_those_of_postsrsd_and_mail_srs() {
    let (ours, today) = (srs("tops3cr3t\n\nolder\n"), Day::at(NOW));
    for (sender, rewritten) in MADE {
        assert_eq!(ours.encode(sender, &domain(), today).as_deref(), Ok(rewritten));
        assert_eq!(ours.decode(local(rewritten), today).as_deref(), Ok(sender));
    }
    // Somebody else's hash gives way to ours, what is behind it stays.
    let (_, guarded) = MADE[2];
    let again = "SRS1=WXYZ=fwd1.example==ABCD=EF=first.example=bob@fwd2.example";
    assert_eq!(ours.encode(again, &domain(), today).as_deref(), Ok(guarded));
    // Written by others with other signs.
    let plus =
        srs("tops3cr3t").separator('+').separator('x').encode("ann@example.net", &domain(), today).unwrap();
    assert_eq!(plus, "SRS0+5RFB=BK=example.net=ann@fwd.example.org");
    for sign in ["+", "-"] {
        let other = MADE[0].1.replacen('=', sign, 1);
        assert_eq!(ours.decode(local(&other), today).as_deref(), Ok("ann@example.net"));
    }
    // Not to be believed as the domain of an address: a local part like any other.
    let forged = "\"SRS1=WXYZ=no host==AB=CD=x=y\"@example.net";
    let made = ours.encode(forged, &domain(), today).unwrap();
    assert!(made.starts_with("\"SRS0="), "{made}");
    assert_eq!(ours.decode(local(&made), today).as_deref(), Ok(forged));
    let signed = ours.encode("SRS0+AB=CD=first.example=bob@fwd1.example", &domain(), today).unwrap();
    assert_eq!(
        ours.decode(local(&signed), today).as_deref(),
        Ok("SRS0+AB=CD=first.example=bob@fwd1.example")
    );
}

#[test]
fn the_first_secret_signs_and_all_are_believed() {
    let (old, new, today) = (srs("older"), srs("newer\nolder"), Day::at(NOW));
    let before = old.encode("ann@example.net", &domain(), today).unwrap();
    let after = new.encode("ann@example.net", &domain(), today).unwrap();
    assert_eq!(new.decode(local(&before), today).as_deref(), Ok("ann@example.net"));
    assert_eq!(new.decode(local(&after), today).as_deref(), Ok("ann@example.net"));
    assert_eq!(old.decode(local(&after), today), Err(Refusal::Tampered));
    assert_eq!(format!("{new:?}").matches("newer").count(), 0);
    assert_eq!(Secrets::parse(b"\n\r\n").unwrap_err(), Unusable::Empty);
    assert_eq!(Secrets::parse(&b"x\n".repeat(21)).unwrap_err(), Unusable::TooMany);
}

/// Proves: threat 4, fault 22 (stale and future are refused, a clock a day apart is not).
#[test]
fn an_address_is_good_for_its_time() {
    let ours = srs("tops3cr3t");
    let made = ours.encode("ann@example.net", &domain(), Day::at(NOW)).unwrap();
    let after = |days: i64| {
        ours.decode(local(&made), Day::at(NOW + days * DAY)).map_err(|refusal| refusal.to_string())
    };
    for days in [-1, 0, 1, 21] {
        assert_eq!(after(days).as_deref(), Ok("ann@example.net"), "{days}");
    }
    assert_eq!(after(22).unwrap_err(), "this SRS address was made 22 days ago and is good no longer");
    assert_eq!(after(90).unwrap_err(), "this SRS address was made 90 days ago and is good no longer");
    assert_eq!(after(-2).unwrap_err(), "this SRS address bears a date that is 2 days ahead");
    let short = srs("tops3cr3t").window(3);
    assert_eq!(short.decode(local(&made), Day::at(NOW + 4 * DAY)), Err(Refusal::Stale(4)));
    assert_eq!(Refusal::Stale(4).status().to_string(), "5.1.6");
}

#[test]
fn what_is_no_srs_address_of_ours_is_refused() {
    let (ours, today) = (srs("tops3cr3t"), Day::at(NOW));
    for wrong in [
        "",
        "ann",
        "SRS",
        "SRS0",
        "SRS0=",
        "SRS2=5RFB=BK=example.net=ann",
        "SRS05RFB=BK=example.net=ann",
        "SRS0=5RFB",
        "SRS0=5RFB=BK",
        "SRS0=5RFB=BK=example.net",
        "SRS0=5RFB=BK=example.net=",
        "SRS0=5RFB=BK==ann",
        "SRS0=5RFB=B1=example.net=ann",
        "SRS0=5RFB=BKA=example.net=ann",
        "SRS1=r8VK=fwd1.example",
        "SRS1=r8VK==fwd1.example=x",
        "SRS1=r8VK=fwd1.example=ABCD=EF=first.example=bob",
        "\"SRS0=5RFB",
        "SRS0=\"",
        "SRS0é",
    ] {
        assert_eq!(ours.decode(wrong, today), Err(Refusal::Malformed), "{wrong:?}");
    }
    for wrong in ["SRS0==BK=example.net=ann", "SRS0=5RF=BK=example.net=ann", "SRS0=5RFB5=BK=example.net=ann"]
    {
        assert_eq!(ours.decode(wrong, today), Err(Refusal::Tampered), "{wrong:?}");
    }
    assert_eq!(
        ours.decode(&format!("SRS0=5RFB=BK=example.net={}", "a".repeat(300)), today),
        Err(Refusal::TooLong)
    );
    assert!(
        is_srs("srs0+x") && is_srs("SRS1=") && is_srs("\"SRS0=a b\"") && !is_srs("SRS0") && !is_srs("srs")
    );
}

#[test]
fn what_cannot_be_rewritten_is_said() {
    let (ours, today) = (srs("tops3cr3t"), Day::at(NOW));
    let made = |sender: &str| ours.encode(sender, &domain(), today);
    assert_eq!(made("").as_deref(), Ok(""));
    assert_eq!(made("Ann@FWD.example.org").as_deref(), Ok("Ann@FWD.example.org"));
    for wrong in
        ["ann", "@example.net", "ann@", "ann@a=b", "a\r\n@example.net", "ä@example.net", "a\"b@example.net"]
    {
        assert_eq!(made(wrong), Err(Unfit::Address), "{wrong:?}");
    }
    // A provider's: 87 octets of local part.
    let long = format!("{}@amazonses.com", "0".repeat(60));
    assert_eq!(made(&long).unwrap().len(), 87 + 1 + 15);
    let strict = srs("tops3cr3t").longest_local(64);
    assert_eq!(strict.encode(&long, &domain(), today), Err(Unfit::TooLong(87)));
    let longest = "a".repeat(LONGEST_PATH - 16 - 27);
    assert_eq!(made(&format!("{longest}@amazonses.com")).unwrap().len(), LONGEST_PATH);
    assert_eq!(made(&format!("a{longest}@amazonses.com")), Err(Unfit::TooLong(LONGEST_PATH + 1)));
    // Nested without end it would grow; the first SRS1 is where it stops growing.
    let mut sender = "ann@example.net".to_owned();
    for hop in 0..10 {
        let next = Domain::parse(&format!("hop{hop}.example.org")).unwrap();
        sender = ours.encode(&sender, &next, today).unwrap();
    }
    assert!(sender.len() < 80, "{sender}");
}

#[test]
fn quotes_are_about_the_whole() {
    let (ours, today) = (srs("tops3cr3t"), Day::at(NOW));
    for sender in
        ["\"a b\"@example.net", "\"a\\\"@\\\\b\"@example.net", "ann@[IPv6:2001:db8::1]", "\"\"@example.net"]
    {
        let made = ours.encode(sender, &domain(), today);
        if sender.starts_with("\"\"") {
            // Nothing in front of the @ cannot be told from a part that is missing.
            assert_eq!(ours.decode(local(&made.unwrap()), today), Err(Refusal::Malformed));
            continue;
        }
        let made = made.unwrap();
        assert!(made.starts_with("\"SRS0=") && made.ends_with("\"@fwd.example.org"), "{made}");
        assert_eq!(ours.decode(local(&made), today).as_deref(), Ok(sender));
    }
}

fn sender() -> impl Strategy<Value = String> {
    let atoms = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,30}";
    let quoted = "\"[ a-z@=<>.]{0,8}[@ <>]\"";
    (prop_oneof![3 => atoms, 1 => quoted], "[a-zA-Z0-9-]{1,12}(\\.[a-z0-9]{1,8}){1,2}")
        .prop_map(|(local, host)| format!("{local}@{host}"))
}

/// Case lost in one of the ways in which servers lose it.
fn folded(text: &str, how: u8) -> String {
    match how {
        0 => text.to_owned(),
        1 => text.to_ascii_lowercase(),
        2 => text.to_ascii_uppercase(),
        _ => text
            .chars()
            .enumerate()
            .map(|(at, sign)| if at % 3 == 0 { sign.to_ascii_uppercase() } else { sign.to_ascii_lowercase() })
            .collect(),
    }
}

proptest! {
    #[test]
    fn every_sender_comes_back(sender in sender(), days in 0..2000_i64, later in -1..=21_i64, length in 4..=27_usize, hops in 0..3_u8, how in 0..4_u8) {
        let (today, then) = (Day::at(days * DAY), Day::at((days + later) * DAY));
        let ours = srs("tops3cr3t").hash_length(length);
        let made = ours.encode(&sender, &domain(), today).unwrap();
        let back = ours.decode(&folded(local(&made), how), then).unwrap();
        prop_assert!(back.eq_ignore_ascii_case(&sender));
        prop_assert!(how > 0 || back == sender);
        prop_assert!(is_srs(local(&made)));
        // Through others, the way back leads over the first one.
        let other = srs("another's");
        let mut way = made.clone();
        for hop in 0..hops {
            way = other.encode(&way, &Domain::parse(&format!("hop{hop}.example.com")).unwrap(), today).unwrap();
        }
        if hops > 0 {
            prop_assert_eq!(other.decode(&folded(local(&way), how), then).unwrap().to_lowercase(), made.to_lowercase());
        }
    }

    /// Any sign changed, taken out or put in, but for case and for the sign behind the tag.
    #[test]
    fn whoever_changes_an_address_is_refused(sender in sender(), at in any::<prop::sample::Index>(), sign in "[ -~]", how in 0..3_u8, twice in any::<bool>()) {
        let (ours, today) = (srs("tops3cr3t"), Day::at(NOW));
        let mut made = ours.encode(&sender, &domain(), today).unwrap();
        if twice {
            made = ours.encode(&made, &Domain::parse("hop.example.com").unwrap(), today).unwrap();
        }
        let local = local(&made);
        let at = at.index(local.len());
        let changed = match how {
            0 => format!("{}{sign}{}", &local[..at], &local[at + 1..]),
            1 => format!("{}{}", &local[..at], &local[at + 1..]),
            _ => format!("{}{sign}{}", &local[..at], &local[at..]),
        };
        let tag = at <= 5 && changed.trim_start_matches('"').get(5..) == local.trim_start_matches('"').get(5..);
        // Quotes and backslashes are a way of writing.
        let meant = local::meant(&changed).map(|text| text.to_ascii_lowercase());
        let same = meant == local::meant(local).map(|text| text.to_ascii_lowercase());
        if !same && !tag {
            prop_assert!(ours.decode(&changed, today).is_err(), "{} taken for {}", changed, local);
        }
    }

    #[test]
    fn anything_is_survived(text in "(\"?[Ss][Rr][Ss][01][=+-])?[ -~é]{0,60}|.{0,60}", day in any::<i64>()) {
        let ours = srs("tops3cr3t");
        if let Ok(made) = ours.encode(&text, &domain(), Day::at(day)) {
            prop_assert!(made.bytes().all(|octet| (b' '..=b'~').contains(&octet)) && made.len() <= LONGEST_PATH.max(text.len()));
        }
        if let Ok(back) = ours.decode(&text, Day::at(day)) {
            prop_assert!(back.contains('@'));
        }
    }
}
