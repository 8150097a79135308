use super::*;
use proptest::prelude::*;

/// 2026-11-21 14:03:20 UTC.
const NOW: u32 = 1_795_269_800;

fn limits(text: &str) -> Limits {
    text.parse().unwrap()
}

fn sent(limits: &Limits, times: u32, at: u32) -> Counts {
    (0..times).fold(Counts::default(), |counts, _| counts.add(limits, &Load::message(1, 1), at).0)
}

#[test]
fn texts_are_read_and_written() {
    for text in ["messages 30/m 200/h 1000/d, recipients 200/h, bytes 2G/d", "bytes 10k/m", "off"] {
        assert_eq!(limits(text).to_string(), text);
    }
    for bad in [
        "",
        "messages",
        "messages 3",
        "messages 3/w",
        "letters 3/m",
        "messages 0/m",
        "bytes 3/m",
        "bytes 9999G/d",
        "messages -1/m",
        "messages 1/m,",
        "messages 99999999999/m",
        "bytes ä/m",
    ] {
        assert!(bad.parse::<Limits>().is_err(), "{bad:?} was taken");
    }
}

/// Proves: issue 6: limits at the boundary second.
#[test]
fn a_window_ends_to_the_second() {
    let limits = limits("messages 3/m");
    let one = Load::message(1, 1);
    let counts = sent(&limits, 3, NOW);
    let Verdict::Over(limit, again) = counts.judge(&limits, &one, NOW + 59) else { panic!() };
    assert_eq!((limit.to_string(), again), ("3 messages a minute".to_owned(), NOW + 60));
    assert_eq!(counts.judge(&limits, &one, NOW + 60), Verdict::Within);
    // The new window is counted from its own first message.
    let (counts, _) = counts.add(&limits, &one, NOW + 75);
    assert_eq!(counts.judge(&limits, &one, NOW + 134), Verdict::Within);
    let counts = (0..2).fold(counts, |counts, _| counts.add(&limits, &one, NOW + 134).0);
    assert!(matches!(counts.judge(&limits, &one, NOW + 134), Verdict::Over(_, again) if again == NOW + 135));
    assert_eq!(counts.judge(&limits, &one, NOW + 135), Verdict::Within);
}

#[test]
fn what_is_used_up_is_told_until_its_window_ends() {
    let limits = limits("messages 3/m 20/h, bytes 1M/d");
    let told = sent(&limits, 2, NOW).standing(&limits, NOW + 59);
    let numbers: Vec<_> = told.iter().map(|(limit, used, until)| (limit.most, *used, *until)).collect();
    assert_eq!(numbers, [(3, 2, NOW + 60), (20, 2, NOW + 3600), (1024, 2, NOW + 86_400)]);
    let (_, used, until) = sent(&limits, 2, NOW).standing(&limits, NOW + 60)[0];
    assert_eq!((used, until), (0, 0));
}

#[test]
fn the_longest_of_several_windows_tells_the_time() {
    let limits = limits("messages 3/m 3/h, recipients 3/d");
    let counts = sent(&limits, 3, NOW);
    let Verdict::Over(limit, again) = counts.judge(&limits, &Load::message(1, 1), NOW + 5) else { panic!() };
    assert_eq!((limit.measure, again), (Measure::Recipients, NOW + 86_400));
    // A minute later the hour and the day still hold.
    assert!(matches!(counts.judge(&limits, &Load::message(1, 1), NOW + 60), Verdict::Over(..)));
}

#[test]
fn a_message_that_can_never_pass_is_told_so() {
    let limits = limits("recipients 100/h, bytes 1M/d");
    let counts = Counts::default();
    assert_eq!(counts.judge(&limits, &Load::message(100, 1 << 20), NOW), Verdict::Within);
    let Verdict::Beyond(limit) = counts.judge(&limits, &Load::message(101, 1), NOW) else { panic!() };
    assert_eq!(limit.to_string(), "100 recipients an hour");
    let Verdict::Beyond(limit) = counts.judge(&limits, &Load::message(1, (1 << 20) + 1), NOW) else {
        panic!()
    };
    assert_eq!(limit.to_string(), "1M of mail a day");
}

#[test]
fn a_warning_is_given_once_a_window() {
    let limits = limits("messages 10/m");
    let one = Load::message(1, 1);
    let mut counts = Counts::default();
    let mut warnings = Vec::new();
    for number in 1..=10 {
        let (next, warning) = counts.add(&limits, &one, NOW);
        counts = next;
        warnings.extend(warning.into_iter().map(|_| number));
    }
    assert_eq!(warnings, [8]);
    let (_, warning) = sent(&limits, 7, NOW + 60).add(&limits, &one, NOW + 61);
    assert_eq!(warning.len(), 1);
}

/// Proves: fault 22: a clock that goes back or far ahead makes nobody wait for ever.
#[test]
fn a_clock_that_jumps_begins_anew() {
    let limits = limits("messages 1/d");
    let counts = sent(&limits, 1, NOW);
    let one = Load::message(1, 1);
    assert!(matches!(counts.judge(&limits, &one, NOW), Verdict::Over(..)));
    assert_eq!(counts.judge(&limits, &one, NOW - 1), Verdict::Within);
    assert_eq!(counts.judge(&limits, &one, NOW + 90 * 86_400), Verdict::Within);
}

#[test]
fn the_time_told_is_never_too_early() {
    assert_eq!(clock(NOW + 100, NOW), "14:05 UTC");
    assert_eq!(clock(NOW + 101, NOW), "14:06 UTC");
    assert_eq!(clock(NOW + 86_400 + 100, NOW), "2026-11-22 14:05 UTC");
}

proptest! {
    /// In no window that is told do more pass than the limit, whatever comes when.
    #[test]
    fn no_more_pass_than_the_limit(steps in prop::collection::vec((0_u32..40, 1_u32..4, 0_u64..3000), 1..200)) {
        let limits = limits("messages 5/m 20/h, recipients 9/m, bytes 4k/m");
        let (mut counts, mut now) = (Counts::default(), NOW);
        let (mut begun, mut passed) = (0_u32, (0, 0));
        for (seconds, recipients, octets) in steps {
            now += seconds;
            let load = Load::message(recipients, octets);
            if counts.judge(&limits, &load, now) == Verdict::Within {
                if begun == 0 || now - begun >= 60 {
                    (begun, passed) = (now, (0, 0));
                }
                counts = counts.add(&limits, &load, now).0;
                passed = (passed.0 + 1, passed.1 + recipients);
                prop_assert!(passed.0 <= 5 && passed.1 <= 9, "{passed:?}");
            }
            let mut octets = Vec::new();
            counts.to_octets(&mut octets);
            prop_assert_eq!(octets.len(), Counts::OCTETS);
            prop_assert_eq!(Counts::from_octets(&octets), Some(counts));
        }
    }

    #[test]
    fn any_text_is_survived(text in ".{0,60}|(messages|bytes) [0-9]{0,11}[kMG]?/[mhd]") {
        if let Ok(limits) = text.parse::<Limits>() {
            prop_assert_eq!(limits.to_string().parse(), Ok(limits));
        }
    }
}
