//! The day in an address: two characters of base32, which come round every 1024 days.

/// For how many days an address is good, as with postsrsd and Mail::SRS. Queues keep a bounce for five.
pub const WINDOW: u16 = 21;

/// Days that a clock of ours may be behind another of ours. Others allow none.
const AHEAD: u16 = 1;

/// How far ahead a day is taken for one to come and not for one long past.
const TO_COME: u16 = 100;

const AROUND: u16 = 1024;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A day, UTC, modulo 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(u16);

/// How an address's day lies to today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Within the window.
    Good,
    /// So many days ago.
    Old(u16),
    /// So many days ahead.
    ToCome(u16),
}

impl Day {
    /// Of a time in seconds since 1970.
    pub fn at(unix: i64) -> Self {
        // Always below 1024.
        Self(u16::try_from(unix.div_euclid(86_400).rem_euclid(i64::from(AROUND))).unwrap_or_default())
    }

    pub(super) fn stamp(self) -> String {
        [self.0 >> 5, self.0 & 31].iter().map(|digit| char::from(ALPHABET[usize::from(*digit)])).collect()
    }

    /// Two characters, in any case.
    pub(super) fn read(stamp: &str) -> Option<Self> {
        let digit = |sign: u8| ALPHABET.iter().position(|known| known.eq_ignore_ascii_case(&sign));
        let &[high, low] = stamp.as_bytes() else { return None };
        u16::try_from(digit(high)? * 32 + digit(low)?).ok().map(Self)
    }

    pub(super) fn age(self, today: Self, window: u16) -> Age {
        let ago = (today.0 + AROUND - self.0) % AROUND;
        match ago {
            ago if ago <= window => Age::Good,
            ago if ago >= AROUND - AHEAD => Age::Good,
            ago if ago >= AROUND - TO_COME => Age::ToCome(AROUND - ago),
            ago => Age::Old(ago),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_come_round() {
        let day = |days: i64| Day::at(days * 86_400);
        assert_eq!(day(0).stamp(), "AA");
        assert_eq!(day(1023).stamp(), "77");
        assert_eq!((day(1024), day(-1)), (day(0), day(1023)));
        assert_eq!((Day::at(86_399), Day::at(86_400)), (day(0), day(1)));
        for days in 0..1024 {
            assert_eq!(Day::read(&day(days).stamp().to_lowercase()), Some(day(days)));
        }
        for none in ["", "A", "AAA", "A1", "0A", "ä"] {
            assert_eq!(Day::read(none), None);
        }
        for today in [0, 10, 1020, 5000] {
            let age = |ahead: i64| day(today + ahead).age(day(today), 21);
            assert_eq!((age(0), age(-21), age(1)), (Age::Good, Age::Good, Age::Good));
            assert_eq!((age(-22), age(2), age(100)), (Age::Old(22), Age::ToCome(2), Age::ToCome(100)));
            assert_eq!(age(101), Age::Old(923));
        }
    }
}
