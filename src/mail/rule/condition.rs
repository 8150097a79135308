//! What must hold for a rule to match.

use super::{Facts, Wants};
use crate::mail::address::{Address, Domain};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Most characters of a text that is looked for.
const LONGEST: usize = 200;

/// One condition. Texts are compared without regard to upper and lower case, runs of blanks as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The sender's address has this text in it. The sender is the envelope's, or any in `From`.
    SenderContains(String),
    /// The sender is this address.
    SenderIs(Address),
    /// The sender is of this domain; with a dot in front, of it or one below it: `example.net`, `.example.net`.
    SenderDomain(String),
    /// The subject, decoded (RFC 2047), has this text in it.
    SubjectContains(String),
    /// The subject, decoded, is this text.
    SubjectIs(String),
    /// The message has more octets than this.
    Larger(u64),
    /// The message has fewer octets than this.
    Smaller(u64),
    /// Something is attached, or nothing is.
    Attachment(bool),
    /// The time of day in UTC, from the first to just before the second; over midnight where the second is the earlier.
    Between(Minute, Minute),
}

/// A minute of the day, in UTC: `22:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u16);

impl Condition {
    /// Whether it holds for a message.
    pub fn holds(&self, facts: &Facts) -> bool {
        let senders = || [&facts.sender].into_iter().chain(&facts.from);
        match self {
            Self::SenderContains(text) => {
                let text = text.to_lowercase();
                senders().any(|sender| sender.to_lowercase().contains(&text))
            }
            Self::SenderIs(address) => {
                let address = address.to_string();
                senders().any(|sender| sender.eq_ignore_ascii_case(&address))
            }
            Self::SenderDomain(domain) => senders().any(|sender| of_domain(sender, domain)),
            Self::SubjectContains(text) => {
                let text = plain(text);
                facts.subjects.iter().any(|subject| plain(subject).contains(&text))
            }
            Self::SubjectIs(text) => {
                let text = plain(text);
                facts.subjects.iter().any(|subject| plain(subject) == text)
            }
            Self::Larger(octets) => facts.size > *octets,
            Self::Smaller(octets) => facts.size < *octets,
            Self::Attachment(wanted) => facts.attachments == *wanted,
            Self::Between(from, to) => {
                let now = Minute::of(facts.time);
                if from <= to { (from..to).contains(&&now) } else { now >= *from || now < *to }
            }
        }
    }

    pub(super) fn wants(&self) -> Wants {
        match self {
            Self::Between(..) => Wants::Envelope,
            Self::SenderContains(_)
            | Self::SenderIs(_)
            | Self::SenderDomain(_)
            | Self::SubjectContains(_)
            | Self::SubjectIs(_) => Wants::Header,
            Self::Larger(_) | Self::Smaller(_) | Self::Attachment(_) => Wants::Message,
        }
    }

    pub(super) fn sound(&self) -> Result<(), String> {
        match self {
            Self::SenderContains(text) | Self::SubjectContains(text) | Self::SubjectIs(text) => {
                let blank = plain(text).is_empty() && !matches!(self, Self::SubjectIs(_));
                if blank || text.chars().count() > LONGEST || text.chars().any(char::is_control) {
                    return Err(format!(
                        "{text:?} is empty, longer than {LONGEST} characters, or not one line"
                    ));
                }
                Ok(())
            }
            Self::SenderDomain(domain) => Domain::parse(domain.strip_prefix('.').unwrap_or(domain))
                .map(drop)
                .map_err(|error| error.to_string()),
            Self::Between(from, to) if from == to => Err(format!("from {from} to {to} is no time at all")),
            _ => Ok(()),
        }
    }
}

fn of_domain(sender: &str, domain: &str) -> bool {
    let Some((_, of)) = sender.rsplit_once('@') else { return false };
    let of = of.to_ascii_lowercase();
    match domain.strip_prefix('.') {
        None => of == domain.to_ascii_lowercase(),
        Some(above) => {
            let above = above.to_ascii_lowercase();
            of.strip_suffix(&above).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
    }
}

/// Lower case, blanks of all kinds as one, none at the ends.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Minute {
    /// The seconds since midnight at which it begins.
    pub fn seconds(self) -> i64 {
        i64::from(self.0) * 60
    }

    /// That of a moment in seconds since 1970.
    pub fn of(time: i64) -> Self {
        Self(u16::try_from(time.rem_euclid(86_400) / 60).unwrap_or(0))
    }
}

impl FromStr for Minute {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| match text.len() {
            1 | 2 if text.bytes().all(|b| b.is_ascii_digit()) => text.parse::<u16>().ok(),
            _ => None,
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Some((number(hour)?, number(minute)?)))
            .filter(|(hour, minute)| *hour < 24 && *minute < 60)
            .map(|(hour, minute)| Self(hour * 60 + minute))
            .ok_or_else(|| format!("{text:?} is no time of day; write it like 22:30"))
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for Minute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Minute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SenderContains(text) => write!(f, "the sender contains {text:?}"),
            Self::SenderIs(address) => write!(f, "the sender is {address}"),
            Self::SenderDomain(domain) => match domain.strip_prefix('.') {
                Some(above) => write!(f, "the sender is of {above} or below it"),
                None => write!(f, "the sender is of {domain}"),
            },
            Self::SubjectContains(text) => write!(f, "the subject contains {text:?}"),
            Self::SubjectIs(text) => write!(f, "the subject is {text:?}"),
            Self::Larger(octets) => write!(f, "it is larger than {octets} octets"),
            Self::Smaller(octets) => write!(f, "it is smaller than {octets} octets"),
            Self::Attachment(true) => f.write_str("something is attached"),
            Self::Attachment(false) => f.write_str("nothing is attached"),
            Self::Between(from, to) => write!(f, "it is between {from} and {to} UTC"),
        }
    }
}
