//! Blocklists in DNS, with lists of the test's own.

use super::*;

/// The test entries of RFC 5782 §5.
const FIT: &str = "2.0.0.127 A 127.0.0.2\n";

fn lists() -> Dns {
    let listed = "7.2.0.192 A 127.0.0.4\n7.2.0.192 TXT \"see https://bl.test/192.0.2.7\"\n8.2.0.192 A 127.0.0.10\n\
                  9.2.0.192 A 127.255.255.254\n";
    Dns::start(&[
        Zone::new("bl.test", &format!("{FIT}{listed}")),
        Zone::new("late.test", FIT),
        // Refuses the resolver, as Spamhaus does with public ones.
        Zone::new("refuses.test", "* A 127.255.255.254\n*.2.0.192 A 127.255.255.254\n"),
        Zone::new("parked.test", "* A 192.0.2.80\n"),
        Zone::new("everything.test", "* A 127.0.0.2\n"),
        Zone::new("empty.test", "@ TXT \"closed in 2013\"\n"),
        Zone::new("dbl.test", "test A 127.0.1.2\nspam.example A 127.0.1.2\n"),
        Zone::new("example", "@ A 192.0.2.99\nspam A 192.0.2.99\n"),
    ])
}

fn place(dns: &Dns, zones: &[&str], more: &str) -> Place {
    // In the file they stand above the tables.
    Place::new(dns, &format!("dnsbl = {zones:?}\n{more}"))
}

impl Place {
    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    fn logged(&self, words: &[&str]) {
        let began = Instant::now();
        while !self.log().lines().any(|line| words.iter().all(|word| line.contains(word))) {
            assert!(began.elapsed() < LONG, "{words:?} in {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Proves: issue 6: a listed client is refused with the list's name and words; codes choose; domains have lists of their
/// own; who is trusted or allowed by an entry is not asked about.
#[test]
fn who_is_listed_is_refused() {
    let dns = lists();
    let place =
        place(&dns, &["bl.test=127.0.0.[2..9]", "domain:dbl.test/defer"], "[policies.spf]\nmode = \"off\"\n");
    assert_eq!(
        place.until("192.0.2.7", "a@b.example", "REJECT"),
        "REJECT 5.7.1 Service unavailable; client [192.0.2.7] blocked using bl.test; see https://bl.test/192.0.2.7"
    );
    place.until(
        "192.0.2.1",
        "a@spam.example",
        "451 4.7.1 Service unavailable; sender domain [spam.example] ",
    );
    assert_eq!(place.ask("192.0.2.8", "a@b.example"), "DUNNO", "another code");
    assert_eq!(place.ask("192.0.2.1", "a@b.example"), "DUNNO");
    assert_eq!(place.ask("10.2.0.192", "a@spam.example"), "DUNNO", "a trusted client");
    // Asked once, for as long as it is true.
    let before = dns.asked_for("7.2.0.192.bl.test", "A");
    for _ in 0..10 {
        assert!(place.ask("192.0.2.7", "a@b.example").starts_with("REJECT"));
    }
    assert_eq!(dns.asked_for("7.2.0.192.bl.test", "A"), before);
    // A refusal to a single question: not a listing, and the list is left alone.
    assert_eq!(place.ask("192.0.2.9", "a@b.example"), "DUNNO");
    place.logged(&["bl.test", "not asked until it passes", "127.255.255.254"]);
    assert_eq!(place.ask("192.0.2.7", "new@c.example"), "DUNNO");
}

/// Proves: issue 6: "never refuse mail because a list refused the resolver"; nor because it is parked, closed or away.
#[test]
fn a_list_that_is_not_well_refuses_nobody() {
    let dns = lists();
    let zones = ["refuses.test", "parked.test", "everything.test", "empty.test", "late.test", "bl.test"];
    for test in ["2.0.0.127", "1.0.0.127"] {
        dns.fault(&format!("{test}.late.test"), Fault::Drop);
    }
    let place = place(&dns, &zones, "[policies.spf]\nmode = \"off\"\n");
    for (zone, why) in [
        ("refuses.test", "127.255.255.254"),
        ("parked.test", "192.0.2.80"),
        ("everything.test", "it lists everything"),
        ("empty.test", "its own test entry"),
        ("late.test", "it gives no answer"),
    ] {
        place.logged(&[zone, why, "is not asked"]);
    }
    place.until("192.0.2.7", "a@b.example", "REJECT");
    let began = Instant::now();
    assert_eq!(place.ask("192.0.2.1", "a@b.example"), "DUNNO");
    assert!(began.elapsed() < Duration::from_millis(800), "nobody waits for it: {:?}", began.elapsed());
    for zone in &zones[..5] {
        assert_eq!(dns.asked_for(&format!("1.2.0.192.{zone}"), "A"), 0, "{zone}");
    }
}

/// Proves: issue 6: within 1.5 s whatever lists do; what did not answer is not listed, what did counts, and a list that
/// falls silent is left alone after a while.
#[test]
fn a_list_that_falls_silent_delays_nobody_for_long() {
    let dns = lists();
    let place = place(&dns, &["bl.test", "late.test"], "[policies.spf]\nmode = \"reject\"\n");
    place.until("192.0.2.7", "a@b.example", "REJECT");
    place.logged(&["late.test", "passes its test"]);
    for client in ["1.2.0.192", "7.2.0.192"] {
        dns.fault(&format!("{client}.late.test"), Fault::Drop);
    }
    let (told, took) = place.timed("192.0.2.7", "a@new.example");
    assert!(told.starts_with("REJECT 5.7.1 Service unavailable; client [192.0.2.7]"), "{told}");
    assert!(took < PROMISED, "{took:?}");
    for number in 1..=3 {
        let (told, took) = place.timed("192.0.2.1", &format!("a@silent{number}.example"));
        assert!(told == "DUNNO" && took < PROMISED, "{told} {took:?}");
    }
    place.logged(&["late.test", "it gives no answer", "is not asked"]);
    let (told, took) = place.timed("192.0.2.1", "a@last.example");
    assert!(told == "DUNNO" && took < Duration::from_millis(800), "{told} {took:?}");
}
