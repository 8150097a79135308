//! When a forward ends, as a person writes it.

use crate::settings::value;
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, format_description::StaticFormatDescription,
    macros::format_description,
};

const DAY: StaticFormatDescription = format_description!("[year]-[month]-[day]");
const MINUTE: StaticFormatDescription = format_description!("[year]-[month]-[day]T[hour]:[minute]");

/// An end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So many seconds from now.
    After(i64),
    /// At this second since 1970.
    At(i64),
    /// It stays.
    Never,
}

/// Parses `30d`, `2026-12-31` (to the end of that day in UTC), `2026-12-31T18:00` (UTC), `never`.
pub fn parse(text: &str) -> Result<When, String> {
    if text == "never" {
        return Ok(When::Never);
    }
    if let Ok(seconds) = value::span(text) {
        return Ok(When::After(i64::try_from(seconds).unwrap_or(i64::MAX)));
    }
    if let Ok(day) = Date::parse(text, DAY)
        && let Some(next) = day.next_day()
    {
        return Ok(When::At(next.midnight().assume_utc().unix_timestamp()));
    }
    PrimitiveDateTime::parse(&text.replace(' ', "T"), MINUTE)
        .map(|time| When::At(time.assume_utc().unix_timestamp()))
        .map_err(|_| format!("{text:?} is no end; write 30d, 2026-12-31, 2026-12-31T18:00 (UTC) or never"))
}

impl When {
    /// The first second at which it counts no more; `None` = it stays. `Err`: it is past.
    pub fn until(self, now: i64) -> Result<Option<i64>, String> {
        let until = match self {
            Self::Never => return Ok(None),
            Self::After(seconds) => now.saturating_add(seconds),
            Self::At(second) => second,
        };
        if until > now {
            Ok(Some(until))
        } else {
            Err(format!("{} is past", crate::commands::names::moment(until)))
        }
    }
}

/// As [`parse`] reads it again, but for its seconds.
pub fn minute(until: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(until).ok();
    time.and_then(|time| time.format(MINUTE).ok()).unwrap_or_else(|| until.to_string())
}

/// As [`read`] reads it again, to the second.
pub fn written(until: i64) -> String {
    OffsetDateTime::from_unix_timestamp(until)
        .ok()
        .and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_else(|| until.to_string())
}

/// Reads what [`written`] wrote, what [`parse`] reads at `now`, or seconds since 1970; "" = it stays. A past one is taken.
pub fn read(text: &str, now: i64) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(time) = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339) {
        return Ok(Some(time.unix_timestamp()));
    }
    if let Ok(second) = text.parse() {
        return Ok(Some(second));
    }
    Ok(match parse(text)? {
        When::Never => None,
        When::At(second) => Some(second),
        When::After(seconds) => Some(now.saturating_add(seconds)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read() {
        let at = |text: &str| parse(text).unwrap().until(1_700_000_000);
        assert_eq!(at("30d"), Ok(Some(1_702_592_000)));
        assert_eq!(at("2024-02-28"), Ok(Some(1_709_164_800)), "the 29th, at midnight");
        assert_eq!(at("2024-02-28T18:30"), Ok(Some(1_709_145_000)));
        assert_eq!(at("2024-02-28 18:30"), at("2024-02-28T18:30"));
        assert_eq!(at("never"), Ok(None));
        assert!(at("2023-01-01").unwrap_err().contains("past"));
        assert!(parse("soon").unwrap_err().contains("30d"));
        assert!(parse("2024-02-30").is_err());
        for until in [0, 1_709_145_001] {
            assert_eq!(read(&written(until), 5), Ok(Some(until)));
        }
        assert_eq!(read("", 5), Ok(None));
        assert_eq!(read("10s", 5), Ok(Some(15)));
    }
}
