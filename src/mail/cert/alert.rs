//! When somebody must hear that a certificate runs out.

use serde::{Deserialize, Serialize};
use std::fmt;

const DAY: i64 = 86_400;

/// How near the end is. The later one is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alert {
    /// 21 days or less: renewals have failed for a while.
    Weeks,
    /// 7 days or less.
    Week,
    /// A day or less.
    Day,
    /// It is over: mail programs refuse it.
    Expired,
}

/// What somebody heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The end of the certificate that it was about, in seconds since 1970: another certificate, another count.
    pub not_after: i64,
    /// Which alert.
    pub alert: Alert,
}

impl Alert {
    /// What holds for a certificate that ends at `not_after`; `None` while there is time. Both in seconds since 1970.
    pub fn at(not_after: i64, now: i64) -> Option<Self> {
        match not_after - now {
            ..=0 => Some(Self::Expired),
            left if left <= DAY => Some(Self::Day),
            left if left <= 7 * DAY => Some(Self::Week),
            left if left <= 21 * DAY => Some(Self::Weeks),
            _ => None,
        }
    }
}

/// The alert that is due now: each once for a certificate, and of several that were missed only the last.
pub fn due(not_after: i64, now: i64, told: Option<Told>) -> Option<Alert> {
    let heard = told.filter(|told| told.not_after == not_after).map(|told| told.alert);
    Alert::at(not_after, now).filter(|alert| heard.is_none_or(|heard| heard < *alert))
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Weeks => "less than 21 days left",
            Self::Week => "less than 7 days left",
            Self::Day => "less than a day left",
            Self::Expired => "expired",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: i64 = 1_800_000_000;

    /// Proves: issue 5 (alerts at 21, 7 and 1 days), fault 21, fault 22: each once, whatever the clock does.
    #[test]
    fn each_alert_is_due_once_for_a_certificate() {
        let mut told = None;
        let mut heard = Vec::new();
        // Asked every twelve hours over ninety days, then from the beginning: the clock was set back.
        let hours = || (-180..=4).map(|half| END + half * DAY / 2);
        for now in hours().chain(hours()) {
            if let Some(alert) = due(END, now, told) {
                heard.push((alert, (END - now) / DAY));
                told = Some(Told { not_after: END, alert });
            }
        }
        assert_eq!(heard, [(Alert::Weeks, 21), (Alert::Week, 7), (Alert::Day, 1), (Alert::Expired, 0)]);
        // Renewed: silence, and the count begins anew.
        assert_eq!(due(END + 90 * DAY, END, told), None);
        assert_eq!(due(END + 90 * DAY, END + 85 * DAY, told), Some(Alert::Week));
        // Nobody looked for weeks: only the last one.
        assert_eq!(due(END, END - DAY, None), Some(Alert::Day));
        let before = Told { not_after: END, alert: Alert::Week };
        assert_eq!(due(END, END - 20 * DAY, Some(before)), None);
    }
}
