use super::*;
use proptest::prelude::*;

const CA: &str = "https://ca.example/dir";
const NOW: i64 = 1_800_000_000;

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

/// Proves: threat 26 (five orders for a name in a week, counted per name and directory).
#[test]
fn the_sixth_order_of_a_week_waits() {
    let mut ledger = Ledger::default();
    let (a, both) = (names(&["a.example"]), names(&["a.example", "b.example"]));
    for day in 0..5 {
        let now = NOW + day * 86_400;
        assert_eq!(ledger.allows(CA, &both, now), Ok(()));
        ledger.place(CA, Kind::Ecdsa, if day == 0 { &both } else { &a }, now);
    }
    let now = NOW + 5 * 86_400;
    assert_eq!(ledger.allows(CA, &both, now), Err(("a.example", NOW + WEEK)));
    assert_eq!(ledger.allows(CA, &names(&["b.example"]), now), Ok(()));
    assert_eq!(ledger.allows("https://staging.example/dir", &both, now), Ok(()));
    assert_eq!(ledger.orders(CA, "a.example", now), 5);
    assert_eq!(ledger.under_way.len(), 1, "a new order of the same kind takes the place of the old one");
    assert_eq!(ledger.allows(CA, &both, NOW + WEEK), Ok(()));
    ledger.wind(NOW + WEEK);
    assert_eq!(ledger.orders(CA, "a.example", NOW + WEEK), 4);
    // A clock that is ahead for a moment makes nobody forget.
    ledger.wind(NOW + 90 * 86_400);
    assert_eq!(ledger.orders(CA, "a.example", now), 5);
    for hour in 0..3 * i64::try_from(REMEMBERED).unwrap() {
        ledger.place(CA, Kind::Ecdsa, &a, NOW + hour);
    }
    ledger.wind(NOW + 90 * 86_400);
    assert_eq!(ledger.placed.len(), REMEMBERED, "the book does not grow for ever");
}

/// Proves: fault 22 (a clock that was years ahead does not block for years).
#[test]
fn a_clock_that_was_wrong_blocks_for_a_week_at_most() {
    let mut ledger = Ledger::default();
    let year = 366 * 86_400;
    for _ in 0..5 {
        ledger.place(CA, Kind::Ecdsa, &names(&["a.example"]), NOW + 3 * year);
    }
    ledger.failed("x", true, Some(10 * 86_400), NOW + 3 * year, 1.0);
    assert!(ledger.wind(NOW));
    assert_eq!(ledger.allows(CA, &names(&["a.example"]), NOW), Err(("a.example", NOW + WEEK)));
    assert_eq!(ledger.may_try(NOW + WEEK, false), Ok(()));
    assert!(!ledger.wind(NOW), "winding twice changes nothing");
}

/// Proves: Retry-After is honoured, also by a person; our own pause holds only the timer; staging first after a
/// refusal, until it is proven.
#[test]
fn who_may_try_when() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.may_try(NOW, false), Ok(()));
    let next = ledger.failed("no answer", false, None, NOW, 0.0);
    assert_eq!(next, NOW + 60);
    assert_eq!((ledger.may_try(NOW + 59, false), ledger.may_try(NOW, true)), (Err(next), Ok(())));
    assert!(!ledger.failure.as_ref().unwrap().staging);
    let next = ledger.failed("too many", false, Some(7200), NOW + 60, 0.5);
    assert_eq!(next, NOW + 7260);
    assert_eq!(ledger.may_try(NOW + 7000, true), Err(next));
    ledger.failed("refused", true, None, NOW + 7300, 0.0);
    ledger.failed("no answer", false, None, NOW + 9000, 0.0);
    assert!(ledger.failure.as_ref().unwrap().staging, "silence does not make a refusal good");
    ledger.proven();
    assert!(!ledger.failure.as_ref().unwrap().staging);
    ledger.succeeded();
    assert_eq!(ledger.may_try(NOW, false), Ok(()));
}

/// Proves: what an older or newer program wrote is read as far as it goes.
#[test]
fn a_book_with_other_pages_is_read() {
    let ledger: Ledger = serde_json::from_str(r#"{"placed":[],"later":1}"#).unwrap();
    assert_eq!(ledger, Ledger::default());
}

proptest! {
    /// Whatever happens and whenever, no week ever holds more than five orders of a name, and waiting as long as told
    /// is enough.
    #[test]
    fn no_week_has_six(steps in prop::collection::vec((0_i64..200_000, prop::bool::ANY), 1..60)) {
        let mut ledger = Ledger::default();
        let (mut now, mut placed, a) = (NOW, Vec::new(), names(&["a.example"]));
        for (wait, restart) in steps {
            now += wait;
            if restart {
                let text = serde_json::to_string(&ledger).unwrap();
                ledger = serde_json::from_str(&text).unwrap();
                ledger.wind(now);
            }
            match ledger.allows(CA, &a, now) {
                Ok(()) => {
                    ledger.place(CA, Kind::Rsa, &a, now);
                    placed.push(now);
                }
                Err((_, until)) => {
                    prop_assert!(until > now && until <= now + WEEK);
                    prop_assert_eq!(ledger.allows(CA, &a, until), Ok(()));
                }
            }
        }
        for (index, first) in placed.iter().enumerate() {
            let week = placed[index..].iter().filter(|at| **at < first + WEEK).count();
            prop_assert!(week <= ORDERS, "{week} orders in the week from {first}");
        }
    }
}

/// Proves: an order that the authority did not take does not count, and one that is stuck is given up in the end.
#[test]
fn orders_that_lead_nowhere() {
    let mut ledger = Ledger::default();
    let a = names(&["a.example"]);
    ledger.place(CA, Kind::Ecdsa, &a, NOW);
    ledger.place(CA, Kind::Rsa, &a, NOW + 1);
    ledger.not_placed(CA, Kind::Rsa);
    assert_eq!((ledger.orders(CA, "a.example", NOW + 2), ledger.under_way.len()), (1, 1));
    assert_eq!(ledger.placed[0].at, NOW);
    for count in 1..8 {
        ledger.failed("no answer", false, None, NOW + count, 0.0);
        assert!(ledger.order(CA, Kind::Ecdsa).is_some());
    }
    ledger.failed("no answer", false, None, NOW + 9, 0.0);
    assert!(ledger.under_way.is_empty());
    assert_eq!(ledger.orders(CA, "a.example", NOW + 10), 1, "it was placed all the same");
}
