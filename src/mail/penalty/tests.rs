use super::*;
use proptest::prelude::*;

const START: u64 = 1_800_000_000;

fn attempt(account: &str, remote: &str, secret: &str) -> Attempt {
    let secret = (!secret.is_empty()).then(|| secret.to_owned());
    Attempt { account: account.to_owned(), remote: remote.parse().ok(), secret }
}

fn guess(penalties: &mut Penalties, now: u64, account: &str, remote: &str, secret: &str) -> Vec<Event> {
    penalties.report(now, &attempt(account, remote, secret), Outcome::Wrong)
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

/// Many wrong passwords, each another one.
fn guesses(penalties: &mut Penalties, now: u64, account: &str, remote: &str, count: u32) {
    for number in 0..count {
        guess(penalties, now, account, remote, &format!("{remote}-{number}"));
    }
}

/// Proves: S4-28 (5 in 10 min, then 10 min), at the second.
#[test]
fn five_within_ten_minutes_shut_out_for_ten_minutes() {
    let mut penalties = Penalties::new(Rules::default());
    let stranger = attempt("ann@example.org", "192.0.2.7", "x");
    let verdicts: Vec<Verdict> = (0..5)
        .map(|number| {
            guess(&mut penalties, START + number, "ann@example.org", "192.0.2.7", &number.to_string());
            penalties.check(START + number, &stranger)
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            Verdict::Pass,
            Verdict::Pass,
            Verdict::Delay(1),
            Verdict::Delay(2),
            Verdict::Refuse(key("192.0.2.7"))
        ]
    );
    assert_eq!(penalties.check(START + 603, &stranger), Verdict::Refuse(key("192.0.2.7")));
    assert_eq!(penalties.check(START + 604, &stranger), Verdict::Pass);

    // Four, and a fifth when the first has just ceased to count.
    let mut penalties = Penalties::new(Rules::default());
    for (second, number) in [(0, 1), (1, 2), (2, 3), (3, 4), (600, 5)] {
        guess(&mut penalties, START + second, "ann@example.org", "192.0.2.7", &number.to_string());
    }
    assert!(penalties.bans(START + 600).is_empty());
    guess(&mut penalties, START + 600, "ann@example.org", "192.0.2.7", "6");
    assert_eq!(penalties.bans(START + 600).len(), 1);
}

/// Proves: each ban is twice as long as the one before, up to the longest, and a quiet day makes it the first again.
#[test]
fn bans_grow_and_are_forgotten() {
    let mut penalties = Penalties::new(Rules { longest: 2000, network_failures: 0, ..Rules::default() });
    let mut now = START;
    let mut lengths = Vec::new();
    for _ in 0..4 {
        guesses(&mut penalties, now, "ann@example.org", "192.0.2.7", 5);
        let ban = penalties.bans(now)[0].1;
        lengths.push(ban.until - ban.since);
        now = ban.until;
        assert!(penalties.bans(now).is_empty());
    }
    assert_eq!(lengths, [600, 1200, 2000, 2000]);
    assert!(penalties.sweep(now + 86_399).is_empty());
    assert_eq!(penalties.sweep(now + 86_400), [Event::Lifted(key("192.0.2.7"))]);
    guesses(&mut penalties, now + 86_400, "ann@example.org", "192.0.2.7", 5);
    let ban = penalties.bans(now + 86_400)[0].1;
    assert_eq!(ban.until - ban.since, 600);
}

/// Proves: a phone with an old password shuts nobody out; others who try that password are counted each.
#[test]
fn the_same_wrong_password_counts_once_for_a_client() {
    let mut penalties = Penalties::new(Rules::default());
    for second in 0..500 {
        guess(&mut penalties, START + second, "ann@example.org", "192.0.2.7", "old");
    }
    assert_eq!(penalties.check(START + 500, &attempt("ann@example.org", "192.0.2.7", "new")), Verdict::Pass);
    // One password, many accounts.
    for account in ["b", "c", "d", "e"] {
        guess(&mut penalties, START + 500, account, "192.0.2.7", "old");
    }
    assert_eq!(penalties.bans(START + 500)[0].0, key("192.0.2.7"));

    let mut penalties = Penalties::new(Rules { account_failures: 3, ..Rules::default() });
    for remote in ["192.0.2.7", "198.51.100.7", "203.0.113.7"] {
        guess(&mut penalties, START, "ann@example.org", remote, "summer");
    }
    assert_eq!(penalties.bans(START)[0].0, key("ann@example.org"));

    let mut penalties = Penalties::new(Rules { count_repeats: true, ..Rules::default() });
    for _ in 0..5 {
        guess(&mut penalties, START, "ann@example.org", "192.0.2.7", "old");
    }
    assert_eq!(penalties.bans(START).len(), 1);
    // Without a fingerprint nobody can tell.
    let mut penalties = Penalties::new(Rules::default());
    for _ in 0..5 {
        guess(&mut penalties, START, "ann@example.org", "192.0.2.7", "");
    }
    assert_eq!(penalties.bans(START).len(), 1);
}

/// Proves: threats 29 (limits per address, /64, subnet, account).
#[test]
fn an_address_a_network_and_an_account_have_limits_of_their_own() {
    let mut penalties =
        Penalties::new(Rules { network_failures: 0, account_failures: 0, ..Rules::default() });
    for host in 1..=5 {
        guess(&mut penalties, START, "a", &format!("2001:db8:0:1::{host}"), &host.to_string());
    }
    assert_eq!(penalties.bans(START)[0].0.to_string(), "2001:db8:0:1::/64");
    let neighbour = attempt("a", "2001:db8:0:2::1", "x");
    assert_eq!(penalties.check(START, &neighbour), Verdict::Pass);

    let mut penalties = Penalties::new(Rules { account_failures: 0, ..Rules::default() });
    for host in 1..=25 {
        guess(&mut penalties, START, &format!("user{host}"), &format!("192.0.2.{host}"), "x");
    }
    assert_eq!(penalties.bans(START)[0].0.to_string(), "192.0.2.0/24");
    assert_eq!(
        penalties.check(START, &attempt("z", "192.0.2.200", "x")),
        Verdict::Refuse(key("192.0.2.0/24"))
    );
    assert_eq!(penalties.check(START, &attempt("z", "192.0.3.200", "x")), Verdict::Pass);

    let mut penalties = Penalties::new(Rules::default());
    for net in 0..50 {
        guess(&mut penalties, START, "ann@example.org", &format!("10.0.{net}.1"), "x");
    }
    assert_eq!(
        penalties.check(START, &attempt("ann@example.org", "203.0.113.1", "x")),
        Verdict::Refuse(key("ann@example.org"))
    );
    assert_eq!(penalties.check(START, &attempt("bob@example.org", "203.0.113.1", "x")), Verdict::Pass);
}

/// Proves: whoever guesses at an account does not lock its owner out.
#[test]
fn an_owner_is_let_in_from_where_he_is_known() {
    let mut penalties = Penalties::new(Rules::default());
    let owner = attempt("ann@example.org", "198.51.100.9", "right");
    assert_eq!(penalties.report(START, &owner, Outcome::Good).len(), 1);
    assert!(penalties.report(START + 3599, &owner, Outcome::Good).is_empty());
    let now = START + 4000;
    for net in 0..50 {
        guess(&mut penalties, now, "ann@example.org", &format!("10.0.{net}.1"), "x");
    }
    assert_eq!(penalties.check(now, &owner), Verdict::Pass);
    // Somebody else in the same house has guessed.
    guesses(&mut penalties, now, "bob@example.org", "198.51.100.9", 5);
    assert_eq!(penalties.check(now, &owner), Verdict::Pass);
    assert!(matches!(
        penalties.check(now, &attempt("bob@example.org", "198.51.100.9", "x")),
        Verdict::Refuse(_)
    ));
    // Then the guessing comes from that very network, at that very account.
    guesses(&mut penalties, now, "ann@example.org", "198.51.100.33", 10);
    assert!(matches!(penalties.check(now, &owner), Verdict::Refuse(_)));
    // After a month he is a stranger.
    let month = START + KNOWN_FOR;
    for net in 0..50 {
        guess(&mut penalties, month, "ann@example.org", &format!("10.0.{net}.1"), "x");
    }
    assert_eq!(penalties.check(month, &owner), Verdict::Refuse(key("ann@example.org")));
}

/// Proves: users-want 2 (the gateway is never banned), nor loopback, nor trusted networks.
#[test]
fn nobody_is_shut_out_who_may_be_anybody() {
    let spared = vec![(false, "10.1.2.3/32".parse().unwrap()), (true, "10.1.0.0/16".parse().unwrap())];
    let gateways = vec!["172.18.0.1".parse().unwrap()];
    let mut penalties = Penalties::new(Rules { spared, gateways, ..Rules::default() });
    for remote in ["172.18.0.1", "127.0.0.1", "::1", "10.1.9.9", ""] {
        for number in 0..30 {
            guess(&mut penalties, START, &format!("{remote}{number}"), remote, &number.to_string());
        }
        assert_eq!(
            penalties.check(START, &attempt("ann@example.org", remote, "x")),
            Verdict::Pass,
            "{remote}"
        );
    }
    assert!(penalties.bans(START).is_empty());
    guesses(&mut penalties, START, "ann@example.org", "10.1.2.3", 5);
    assert_eq!(penalties.bans(START).len(), 1);

    // At one account they wait, though they are let in nowhere as known: the gateway may be anybody.
    let through = attempt("ann@example.org", "172.18.0.1", "right");
    assert!(penalties.report(START, &through, Outcome::Good).is_empty());
    guesses(&mut penalties, START, "ann@example.org", "172.18.0.1", 25);
    assert_eq!(penalties.check(START, &through), Verdict::Delay(8));
    guesses(&mut penalties, START + 1, "ann@example.org", "172.18.0.1", 60);
    assert_eq!(penalties.check(START + 1, &through), Verdict::Delay(8));
}

/// Proves: fault 22 (clock −1 d, +90 d, and back).
#[test]
fn a_clock_that_jumps_shuts_nobody_out_for_longer() {
    const DAY: u64 = 86_400;
    let mut penalties = Penalties::new(Rules::default());
    let stranger = attempt("ann@example.org", "192.0.2.7", "x");
    guesses(&mut penalties, START, "ann@example.org", "192.0.2.7", 5);
    assert_eq!(penalties.check(START - DAY, &stranger), Verdict::Pass);
    guesses(&mut penalties, START - DAY, "ann@example.org", "192.0.2.7", 4);
    assert_eq!(penalties.check(START - DAY, &stranger), Verdict::Delay(2));
    assert_eq!(penalties.check(START + 90 * DAY, &stranger), Verdict::Pass);
    penalties.sweep(START + 90 * DAY);
    assert_eq!(penalties.sizes(), [0, 0, 0]);
    guesses(&mut penalties, START, "ann@example.org", "192.0.2.7", 5);
    assert!(matches!(penalties.check(START, &stranger), Verdict::Refuse(_)));
}

/// Proves: what a person bans stays so, and what he lifts is as if it had not been.
#[test]
fn a_persons_word_counts_first() {
    let mut penalties = Penalties::new(Rules::default());
    let owner = attempt("ann@example.org", "198.51.100.9", "right");
    penalties.report(START, &owner, Outcome::Good);
    penalties.ban(START, &key("198.51.0.0/16"), 60);
    assert_eq!(penalties.check(START + 59, &owner), Verdict::Refuse(key("198.51.0.0/16")));
    assert_eq!(penalties.check(START + 60, &owner), Verdict::Pass);
    penalties.ban(START, &key("ann@example.org"), 60);
    assert_eq!(
        penalties.check(START, &attempt("ann@example.org", "", "")),
        Verdict::Refuse(key("ann@example.org"))
    );

    guesses(&mut penalties, START, "bob@example.org", "192.0.2.7", 5);
    penalties.ban(START, &key("192.0.2.0/25"), 60);
    let lifted = penalties.lift(START, &key("192.0.2.7"));
    assert_eq!(lifted, [Event::Lifted(key("192.0.2.0/25")), Event::Lifted(key("192.0.2.7"))]);
    assert_eq!(penalties.check(START, &attempt("bob@example.org", "192.0.2.7", "x")), Verdict::Pass);
    guesses(&mut penalties, START, "bob@example.org", "192.0.2.7", 4);
    assert!(penalties.bans_on(START, &key("192.0.2.7")).is_empty(), "what led to a ban was not forgotten");
    assert!(penalties.lift(START, &key("203.0.113.1")).is_empty());
}

/// Proves: what is kept over a restart says the same as before.
#[test]
fn what_was_kept_is_known_again() {
    let mut penalties = Penalties::new(Rules::default());
    let owner = attempt("ann@example.org", "198.51.100.9", "right");
    let mut events = penalties.report(START, &owner, Outcome::Good);
    for number in 0..5 {
        events.extend(guess(&mut penalties, START, "ann@example.org", "192.0.2.7", &number.to_string()));
    }
    let mut again = Penalties::new(Rules::default());
    events.into_iter().for_each(|event| again.recall(event));
    assert_eq!(again.bans(START), penalties.bans(START));
    assert!(matches!(again.check(START, &attempt("x", "192.0.2.7", "")), Verdict::Refuse(_)));
    assert_eq!(again.sizes(), [0, 1, 1]);
}

#[test]
fn keys_are_read_as_people_write_them() {
    for (text, taken) in [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("[2001:db8::5]", "2001:db8::/64"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("2001:db8::5/128", "2001:db8::5/128"),
        ("Ann@Example.org", "ann@example.org"),
        ("Admin", "admin"),
    ] {
        assert_eq!(key(text).to_string(), taken);
        assert_eq!(key(taken), key(text));
    }
    assert!("192.0.2.7/24".parse::<Key>().unwrap_err().to_string().contains("192.0.2.0/24"));
    for nothing in ["192.0.2", "", "a b", "2001:db8:", "192.0.2.0/33", "a\u{1b}[31m"] {
        assert!(nothing.parse::<Key>().is_err(), "{nothing:?}");
    }
    let rules = Rules { gateways: vec!["172.18.0.1".parse().unwrap()], ..Rules::default() };
    let within = |net: &str| rules.spared_within(net.parse().unwrap()).map(|net| net.to_string());
    assert_eq!(within("172.0.0.0/8").as_deref(), Some("172.18.0.1/32"));
    assert_eq!(within("127.0.0.5/32").as_deref(), Some("127.0.0.0/8"));
    assert_eq!(within("192.0.2.0/24"), None);
}

/// Proves: threats 20 (a flood takes no more memory than it may), and bans of a person outlive one.
#[test]
fn a_flood_of_addresses_fills_no_table() {
    let mut penalties = Penalties::new(Rules::default());
    penalties.ban(START, &key("203.0.113.5"), 60);
    for number in 0..110_000_u32 {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number * 7);
        let attempt = Attempt { account: number.to_string(), remote: Some(address.into()), secret: None };
        penalties.report(START, &attempt, Outcome::Wrong);
        penalties.report(START, &attempt, Outcome::Good);
    }
    assert!(penalties.sizes().iter().all(|size| *size <= 100_000), "{:?}", penalties.sizes());
    assert_eq!(penalties.check(START, &attempt("a", "203.0.113.5", "")), Verdict::Refuse(key("203.0.113.5")));
}

proptest! {
    #[test]
    fn a_key_prints_as_what_is_read(text in "[a-zA-Z0-9İ.:/@\\[\\] -]{0,40}") {
        if let Ok(key) = text.parse::<Key>() {
            prop_assert_eq!(key.to_string().parse::<Key>(), Ok(key));
        }
    }

    /// Whatever happens and however the clock jumps: no panic, the delay is within its bounds, and neither loopback
    /// nor the gateway is ever refused by the rules.
    #[test]
    fn anything_can_happen(steps in prop::collection::vec((any::<u32>(), 0..6_u8, 0..4_u8, any::<bool>()), 1..200)) {
        let gateways = vec!["172.18.0.1".parse().unwrap()];
        let mut penalties = Penalties::new(Rules { gateways, failures: 2, network_failures: 3, account_failures: 3, ..Rules::default() });
        let remotes = ["127.0.0.1", "172.18.0.1", "192.0.2.7", "192.0.2.8", "2001:db8::1", ""];
        for (at, remote, secret, good) in steps {
            let now = u64::from(at);
            let attempt = attempt("ann@example.org", remotes[usize::from(remote)], &secret.to_string());
            match penalties.check(now, &attempt) {
                Verdict::Delay(seconds) => prop_assert!((1..=LONGEST_DELAY).contains(&seconds)),
                Verdict::Refuse(_) => prop_assert!((2..5).contains(&remote)),
                Verdict::Pass => {}
            }
            penalties.report(now, &attempt, if good { Outcome::Good } else { Outcome::Wrong });
            if secret == 3 {
                penalties.sweep(now);
            }
        }
    }
}
