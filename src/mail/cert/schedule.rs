//! When a certificate is due, and how long to wait after a failure. Time and chance come in as values.

use super::{
    Certificate,
    ledger::{Advice, Ledger},
};

/// Seconds.
pub const WEEK: i64 = 7 * 86_400;

/// First pause after a failure, and the one that is not exceeded, in seconds, before jitter.
const PAUSES: (i64, i64) = (60, 6 * 3600);

/// Seconds until the next attempt after `count` failures in a row: from a minute, doubled each time, to six hours;
/// up to half of it more by `chance` (0 to 1), so that a thousand servers do not come back in the same second.
pub fn backoff(count: u32, chance: f64) -> i64 {
    let pause = PAUSES.0.saturating_mul(1 << count.saturating_sub(1).min(20)).min(PAUSES.1);
    // A pause has at most five digits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small numbers")]
    let jitter = (pause as f64 * 0.5 * chance.clamp(0.0, 1.0)) as i64;
    pause + jitter
}

/// A moment in the window of `start` to `end`, evenly drawn by `chance` (RFC 9773 §4.2).
pub fn within(start: i64, end: i64, chance: f64) -> i64 {
    let length = end.saturating_sub(start).max(0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "seconds are enough")]
    let into = (length as f64 * chance.clamp(0.0, 1.0)) as i64;
    start.saturating_add(into.min(length))
}

/// When two thirds of its life are over; a short-lived one (under ten days) at half, as RFC 9773 §4 has no advice for
/// it and a third of it would be too short to find somebody.
pub fn two_thirds(certificate: &Certificate) -> i64 {
    let life = certificate.not_after.saturating_sub(certificate.not_before);
    let part = if life < 10 * 86_400 { life / 2 } else { life / 3 * 2 };
    certificate.not_before.saturating_add(part)
}

/// Whether to order now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Yes, and why, in a few words.
    Now(String),
    /// Not before then.
    At(i64),
}

/// What is served, and what should be.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What is served first.
    pub certificate: Option<&'a Certificate>,
    /// What is served beside it for those who only know RSA; `None` also where nobody wants one.
    pub rsa: Option<&'a Certificate>,
    /// The settings want one.
    pub rsa_wanted: bool,
    /// The names that it should hold for.
    pub names: &'a [String],
}

/// Judges it at `now`.
pub fn due(standing: &Standing<'_>, ledger: &Ledger, now: i64) -> Due {
    let Some(certificate) = standing.certificate else { return Due::Now("there is none yet".to_owned()) };
    if certificate.self_signed {
        return Due::Now("nobody vouches for the one that is served".to_owned());
    }
    if ledger.revoked.as_ref().is_some_and(|revoked| revoked.serial == certificate.serial) {
        return Due::Now("the one that is served was revoked".to_owned());
    }
    let missing: Vec<&str> =
        standing.names.iter().map(String::as_str).filter(|name| !certificate.holds_for(name)).collect();
    if !missing.is_empty() {
        return Due::Now(format!("the one that is served does not hold for {}", missing.join(", ")));
    }
    if standing.rsa_wanted && standing.rsa.is_none() {
        return Due::Now("there is none with an RSA key beside it yet".to_owned());
    }
    let advice = ledger.advice.as_ref().filter(|advice| advice.serial == certificate.serial);
    let first = advised(certificate, advice).min(standing.rsa.map_or(i64::MAX, two_thirds));
    if first > now {
        return Due::At(first);
    }
    Due::Now(match advice {
        Some(advice) if advice.at <= now => "the authority advises to renew it now".to_owned(),
        _ => "most of its life is over".to_owned(),
    })
}

/// The authority's word counts, within the certificate's life: advice to renew it after its end is none.
fn advised(certificate: &Certificate, advice: Option<&Advice>) -> i64 {
    match advice {
        Some(advice) if advice.end > advice.start && advice.at < certificate.not_after => advice.at,
        _ => two_thirds(certificate),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ledger::Revoked, *};
    use proptest::prelude::*;

    const DAY: i64 = 86_400;

    fn certificate(days: i64) -> Certificate {
        Certificate {
            subject: "mail.example.org".into(),
            issuer: "CA".into(),
            names: vec!["mail.example.org".into()],
            not_before: 0,
            not_after: days * DAY,
            serial: "0A".into(),
            fingerprint: String::new(),
            self_signed: false,
        }
    }

    fn judged(certificate: &Certificate, names: &[&str], ledger: &Ledger, now: i64) -> Due {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let standing =
            Standing { certificate: Some(certificate), rsa: None, rsa_wanted: false, names: &names };
        due(&standing, ledger, now)
    }

    /// Proves: two thirds of the life where nobody advises, the advice where there is one, and never after the end.
    #[test]
    fn a_certificate_is_due_in_time() {
        let (good, empty) = (certificate(90), Ledger::default());
        let host = ["mail.example.org"];
        assert_eq!(judged(&good, &host, &empty, 0), Due::At(60 * DAY));
        assert!(matches!(judged(&good, &host, &empty, 60 * DAY), Due::Now(_)));
        assert_eq!(judged(&certificate(6), &host, &empty, 0), Due::At(3 * DAY));
        let advice = |at, end| Ledger {
            advice: Some(Advice { serial: "0A".into(), start: at, end, at }),
            ..Ledger::default()
        };
        assert_eq!(judged(&good, &host, &advice(70 * DAY, 75 * DAY), 65 * DAY), Due::At(70 * DAY));
        assert!(
            matches!(judged(&good, &host, &advice(-DAY, 0), 1), Due::Now(why) if why.contains("advises"))
        );
        assert_eq!(judged(&good, &host, &advice(91 * DAY, 92 * DAY), 0), Due::At(60 * DAY));
        let mut other = advice(-DAY, 0);
        other.advice.as_mut().unwrap().serial = "0B".into();
        assert_eq!(judged(&good, &host, &other, 0), Due::At(60 * DAY), "the advice is for another one");
    }

    #[test]
    fn what_cannot_serve_is_due_at_once() {
        let (good, empty) = (certificate(90), Ledger::default());
        let why = |due| match due {
            Due::Now(why) => why,
            Due::At(at) => panic!("only due at {at}"),
        };
        assert!(
            why(judged(&good, &["mail.example.org", "mta-sts.example.org"], &empty, 0)).contains("mta-sts.")
        );
        let made = Certificate { self_signed: true, ..good.clone() };
        assert!(why(judged(&made, &[], &empty, 0)).contains("vouches"));
        let revoked =
            Ledger { revoked: Some(Revoked { serial: "0A".into(), new_key: false }), ..Ledger::default() };
        assert!(why(judged(&good, &[], &revoked, 0)).contains("revoked"));
        let standing = Standing { certificate: Some(&good), rsa: None, rsa_wanted: true, names: &[] };
        assert!(why(due(&standing, &empty, 0)).contains("RSA"));
        assert!(why(due(&Standing { certificate: None, ..standing }, &empty, 0)).contains("none yet"));
    }

    proptest! {
        /// From a minute to nine hours, never less than before but for jitter, whatever the count.
        #[test]
        fn pauses_grow_and_end(count in 1_u32.., chance in 0.0_f64..=1.0) {
            let pause = backoff(count, chance);
            prop_assert!((60..=9 * 3600).contains(&pause));
            prop_assert!(backoff(count.saturating_add(1), 0.0) >= backoff(count, 0.0));
            prop_assert!(pause >= backoff(count, 0.0) && pause * 2 <= backoff(count, 0.0) * 3);
        }

        #[test]
        fn the_moment_lies_in_the_window(start in any::<i32>(), length in 0_i64..10_000_000, chance in 0.0_f64..=1.0) {
            let start = i64::from(start);
            let at = within(start, start + length, chance);
            prop_assert!((start..=start + length).contains(&at));
        }
    }
}
