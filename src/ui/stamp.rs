//! The time in front of a line of a log, in the form that mail containers write.

use time::OffsetDateTime;

/// `[MAILCTL] 2026-01-24 12:34:56Z `.
pub fn now() -> String {
    of(OffsetDateTime::now_utc())
}

fn of(time: OffsetDateTime) -> String {
    let (date, (hour, minute, second)) = (time.date(), time.to_hms());
    format!("[MAILCTL] {date} {hour:02}:{minute:02}:{second:02}Z ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S1-19 (time stamp).
    #[test]
    fn the_time_is_to_the_second_and_in_utc() {
        let time = OffsetDateTime::from_unix_timestamp(1_769_258_096).unwrap();
        assert_eq!(of(time), "[MAILCTL] 2026-01-24 12:34:56Z ");
    }
}
