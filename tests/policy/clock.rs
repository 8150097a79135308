//! Time that passes, stands still and jumps: the daemon under libfaketime, its clock in a file.

use crate::place::Place;
use std::{fs, path::Path};

/// Reads the file each time; timers go on by the real clock.
fn under_a_clock(place: &mut Place) {
    let folder = fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let library = folder.map(|path| path.join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    let library = library.expect("libfaketime: .ci/provision test");
    let set = |name: &str, value: &Path| (name.to_owned(), value.display().to_string());
    place.environment = vec![
        set("LD_PRELOAD", &library),
        set("FAKETIME_TIMESTAMP_FILE", &place.path("clock")),
        set("FAKETIME_NO_CACHE", Path::new("1")),
        set("FAKETIME_DONT_FAKE_MONOTONIC", Path::new("1")),
        set("TZ", Path::new("UTC")),
    ];
}

/// The clock stands there from now on.
fn now(place: &Place, at: &str) {
    let draft = place.path("clock.new");
    fs::write(&draft, format!("{at}\n")).unwrap();
    fs::rename(draft, place.path("clock")).unwrap();
}

const RCPT: &str =
    "protocol_state=RCPT client_address=192.0.2.7 sender=a@b.example recipient=ann@example.test";
const GREYLIST: &str = "[policies.greylist]\nmode = \"all\"\ndelay = 300\nwindow = 3600\nkeep = 86400\nafter = 0\n\
                        ipv4 = 24\nipv6 = 64\n";

/// Proves: issue 6 (limits at the boundary second), over the wire: the last second of a window and the first after it.
#[test]
fn a_limit_ends_to_the_second() {
    let mut place = Place::new("[policies.rates]\nclient = \"messages 2/m\"\n");
    under_a_clock(&mut place);
    now(&place, "2026-11-22 10:00:30");
    place.start();
    let mut session = place.connect();
    let mut end =
        || session.ask("protocol_state=END-OF-MESSAGE client_address=192.0.2.7 recipient_count=1").unwrap();
    assert_eq!(end(), "DUNNO");
    now(&place, "2026-11-22 10:00:59");
    assert_eq!(end(), "DUNNO");
    now(&place, "2026-11-22 10:01:29");
    let told = end();
    assert!(told.starts_with("451 4.7.1 ") && told.ends_with("try again after 10:02 UTC"), "{told}");
    now(&place, "2026-11-22 10:01:30");
    assert_eq!(end(), "DUNNO");
}

/// Proves: fault 22 (the clock jumps a day back, three months ahead, and is right again): limits recover by themselves, and
/// who is over one is never told to wait longer than its window.
#[test]
fn limits_recover_when_the_clock_jumps() {
    let mut place = Place::new("[policies.rates]\nclient = \"messages 2/h 3/d\"\n");
    under_a_clock(&mut place);
    now(&place, "2026-11-22 10:00:00");
    place.start();
    let mut session = place.connect();
    let mut end =
        || session.ask("protocol_state=END-OF-MESSAGE client_address=192.0.2.7 recipient_count=1").unwrap();
    let mut full = |when: &str| {
        assert_eq!([end(), end()], ["DUNNO", "DUNNO"], "{when}");
        end()
    };
    assert!(full("at first").ends_with("try again after 11:00 UTC"));
    // A day back, what was counted lies in the future and is not believed.
    now(&place, "2026-11-21 10:00:00");
    assert!(full("a day back").ends_with("try again after 11:00 UTC"));
    // Right again: that is a day ago now.
    now(&place, "2026-11-22 10:00:30");
    assert!(full("right again").ends_with("try again after 11:01 UTC"));
    now(&place, "2027-02-20 10:00:00");
    assert!(full("three months ahead").ends_with("try again after 11:00 UTC"));
    now(&place, "2026-11-22 10:01:00");
    assert!(full("and back").ends_with("try again after 11:01 UTC"));
    // From there on by the clock.
    now(&place, "2026-11-22 11:01:00");
    assert_eq!(end(), "DUNNO");
    let day = end();
    assert!(
        day.contains("3 messages a day") && day.ends_with("try again after 2026-11-23 10:01 UTC"),
        "{day}"
    );
}

/// Proves: issue 6 (greylisting across a restart and a clock jump), fault 22: nobody waits for ever, and who is known stays so.
#[test]
fn greylisting_goes_on_across_a_restart_and_clocks_that_jump() {
    let mut place = Place::new(GREYLIST);
    under_a_clock(&mut place);
    now(&place, "2026-11-22 10:00:00");
    place.start();
    assert!(place.ask(RCPT).ends_with("try again in 300 seconds"));
    now(&place, "2026-11-22 10:04:59");
    assert!(place.ask(RCPT).ends_with("try again in 1 seconds"));
    // Killed, and back: what was half a second old is known.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    place.crash();
    place.start();
    assert!(place.ask(RCPT).ends_with("try again in 1 seconds"));
    now(&place, "2026-11-22 10:05:00");
    assert_eq!(place.ask(RCPT), "DUNNO");
    // A day back: who is known is known.
    now(&place, "2026-11-21 10:05:00");
    assert_eq!(place.ask(RCPT), "DUNNO");
    // Who comes for the first time then, and again when the clock is right, waits no longer than anybody.
    let other = RCPT.replace("a@b", "new@b");
    assert!(place.ask(&other).ends_with("try again in 300 seconds"));
    now(&place, "2026-11-22 10:06:00");
    assert!(place.ask(&other).starts_with("451 4.7.1 greylisted"));
    now(&place, "2026-11-22 10:11:00");
    assert_eq!(place.ask(&other), "DUNNO");
    // Three months ahead everybody is new; back again nobody waits for that time to come, but once more like anybody.
    now(&place, "2027-02-20 10:00:00");
    assert!(place.ask(RCPT).starts_with("451 4.7.1 greylisted"));
    now(&place, "2026-11-22 10:12:00");
    assert!(place.ask(RCPT).ends_with("try again in 300 seconds"));
    now(&place, "2026-11-22 10:17:00");
    assert_eq!(place.ask(RCPT), "DUNNO");
}
