//! Limits: how many messages, recipients and octets in a minute, an hour and a day.
//!
//! A window begins with the first message after the last one ended, and ends a minute, an hour or a day later to the
//! second; so everybody can be told when to try again. Around its end twice the number can pass within its length: that
//! is what the longer windows beside it are for. Messages that were refused are not counted.

use std::{fmt, str::FromStr};
use time::{OffsetDateTime, macros::format_description};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Messages.
    Messages,
    /// Recipients of all messages.
    Recipients,
    /// Octets of all messages, in units of 1024.
    Bytes,
}

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// 60 seconds.
    Minute,
    /// 3600 seconds.
    Hour,
    /// 86,400 seconds.
    Day,
}

const MEASURES: [(Measure, &str); 3] =
    [(Measure::Messages, "messages"), (Measure::Recipients, "recipients"), (Measure::Bytes, "bytes")];

const WINDOWS: [(Window, u32, &str, &str); 3] = [
    (Window::Minute, 60, "m", "a minute"),
    (Window::Hour, 3600, "h", "an hour"),
    (Window::Day, 86_400, "d", "a day"),
];

/// The longest window, in seconds: after that nothing of a count matters.
pub const LONGEST: u32 = 86_400;

/// The share of a limit, in hundredths, at which a warning is given.
const WARN: u64 = 80;

/// Limits of one kind of sender: by window, then by measure; 0 = none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits([[u32; 3]; 3]);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Of what.
    pub measure: Measure,
    /// In which window.
    pub window: Window,
    /// How many; octets in units of 1024.
    pub most: u32,
}

/// What a message would add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// 1, or 0 where only recipients are counted.
    pub messages: u32,
    /// Its recipients.
    pub recipients: u32,
    /// Its octets in units of 1024, rounded up.
    pub kib: u32,
}

/// What was counted of one sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// When each window began, in Unix time; 0 = never.
    begun: [u32; 3],
    seen: [[u32; 3]; 3],
    /// A bit for each limit of which a warning was given in this window.
    warned: u16,
}

/// What comes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may pass.
    Within,
    /// Not before this second (Unix time).
    Over(Limit, u32),
    /// Never: it alone is more than the limit.
    Beyond(Limit),
}

impl Limits {
    /// None at all.
    pub const OFF: Self = Self([[0; 3]; 3]);

    /// Whether there are any.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    fn each(&self) -> impl Iterator<Item = (usize, usize, Limit)> {
        let limits = self.0;
        WINDOWS.into_iter().enumerate().flat_map(move |(row, (window, ..))| {
            MEASURES.into_iter().enumerate().filter_map(move |(column, (measure, _))| {
                let most = limits[row][column];
                (most > 0).then_some((row, column, Limit { measure, window, most }))
            })
        })
    }
}

impl Load {
    /// A message of `octets` to so many recipients.
    pub fn message(recipients: u32, octets: u64) -> Self {
        Self { messages: 1, recipients, kib: u32::try_from(octets.div_ceil(1024)).unwrap_or(u32::MAX) }
    }

    fn of(&self, column: usize) -> u32 {
        [self.messages, self.recipients, self.kib][column]
    }
}

impl Counts {
    /// The same at `now`: what is over has begun anew. A clock that went back begins anew as well.
    fn at(mut self, now: u32) -> Self {
        for (row, (_, length, ..)) in WINDOWS.into_iter().enumerate() {
            let begun = self.begun[row];
            if begun == 0 || now < begun || now - begun >= length {
                self.begun[row] = now;
                self.seen[row] = [0; 3];
                self.warned &= !(0b111 << (3 * row));
            }
        }
        self
    }

    /// Whether `load` may be added at `now`. Where several limits are in the way, the one that is longest in it counts.
    pub fn judge(&self, limits: &Limits, load: &Load, now: u32) -> Verdict {
        let counts = self.at(now);
        let mut worst = Verdict::Within;
        for (row, (window, length, ..)) in WINDOWS.into_iter().enumerate() {
            let again = counts.begun[row].saturating_add(length);
            for (column, (measure, _)) in MEASURES.into_iter().enumerate() {
                let most = limits.0[row][column];
                if most == 0 {
                    continue;
                }
                let (more, limit) = (load.of(column), Limit { measure, window, most });
                if more > most {
                    return Verdict::Beyond(limit);
                }
                let later = match worst {
                    Verdict::Over(_, until) => again > until,
                    _ => true,
                };
                // What adds nothing still has to wait where nothing is left: it is asked before the number is known.
                if counts.seen[row][column].saturating_add(more.max(1)) > most && later {
                    worst = Verdict::Over(limit, again);
                }
            }
        }
        worst
    }

    /// With `load` added, and the limits of which four fifths are used up since just now.
    #[must_use]
    pub fn add(self, limits: &Limits, load: &Load, now: u32) -> (Self, Vec<Limit>) {
        let mut counts = self.at(now);
        for row in &mut counts.seen {
            for (column, seen) in row.iter_mut().enumerate() {
                *seen = seen.saturating_add(load.of(column));
            }
        }
        let mut warnings = Vec::new();
        for (row, column, limit) in limits.each() {
            let bit = 1 << (3 * row + column);
            let seen = u64::from(counts.seen[row][column]);
            if seen * 100 >= u64::from(limit.most) * WARN && counts.warned & bit == 0 {
                counts.warned |= bit;
                warnings.push(limit);
            }
        }
        (counts, warnings)
    }

    /// Each limit with what of it is used up at `now`, and the second at which that is over; 0 = nothing is.
    pub fn standing(&self, limits: &Limits, now: u32) -> Vec<(Limit, u32, u32)> {
        let counts = self.at(now);
        let stands = |(row, column, limit): (usize, usize, Limit)| {
            let used = counts.seen[row][column];
            let until = if used == 0 { 0 } else { counts.begun[row].saturating_add(WINDOWS[row].1) };
            (limit, used, until)
        };
        limits.each().map(stands).collect()
    }

    /// Octets of [`Counts::to_octets`].
    pub const OCTETS: usize = 4 * 12 + 2;

    /// For the disk.
    pub fn to_octets(self, out: &mut Vec<u8>) {
        for number in self.begun.iter().chain(self.seen.iter().flatten()) {
            out.extend(number.to_le_bytes());
        }
        out.extend(self.warned.to_le_bytes());
    }

    /// From the disk.
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let (numbers, warned) = octets.split_at_checked(48)?;
        let mut numbers =
            numbers.chunks_exact(4).map(|four| <[u8; 4]>::try_from(four).map(u32::from_le_bytes));
        let mut next = || numbers.next()?.ok();
        let mut counts = Self { warned: u16::from_le_bytes(warned.try_into().ok()?), ..Self::default() };
        for number in counts.begun.iter_mut().chain(counts.seen.iter_mut().flatten()) {
            *number = next()?;
        }
        Some(counts)
    }
}

/// `2026-11-21 14:05 UTC`, the minute in which `second` has passed for sure; without the date where it is today.
pub fn clock(second: u32, now: u32) -> String {
    let at = |second: u32| {
        OffsetDateTime::from_unix_timestamp(i64::from(second)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    let minute = at(second.saturating_add(59) / 60 * 60);
    let form = if minute.date() == at(now).date() {
        minute.format(format_description!("[hour]:[minute] UTC"))
    } else {
        minute.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC"))
    };
    form.unwrap_or_default()
}

/// `200 recipients an hour`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = WINDOWS.iter().find(|(window, ..)| *window == self.window).map_or("", |window| window.3);
        match self.measure {
            Measure::Bytes => write!(f, "{} of mail {words}", size(self.most)),
            Measure::Messages => write!(f, "{} message{} {words}", self.most, plural(self.most)),
            Measure::Recipients => write!(f, "{} recipient{} {words}", self.most, plural(self.most)),
        }
    }
}

fn plural(number: u32) -> &'static str {
    if number == 1 { "" } else { "s" }
}

fn size(kib: u32) -> String {
    match kib {
        _ if kib >= 1 << 20 && kib.is_multiple_of(1 << 20) => format!("{}G", kib >> 20),
        _ if kib >= 1 << 10 && kib.is_multiple_of(1 << 10) => format!("{}M", kib >> 10),
        _ => format!("{kib}k"),
    }
}

/// As in the settings: `messages 30/m 200/h, recipients 1000/h, bytes 2G/d`; `off` = none.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (column, (_, name)) in MEASURES.iter().enumerate() {
            let some = WINDOWS.iter().enumerate().filter(|(row, _)| self.0[*row][column] > 0);
            for (number, (row, (_, _, letter, _))) in some.enumerate() {
                let most = self.0[row][column];
                let most = if *name == "bytes" { size(most) } else { most.to_string() };
                match (number, first) {
                    (0, true) => write!(f, "{name} {most}/{letter}")?,
                    (0, false) => write!(f, ", {name} {most}/{letter}")?,
                    _ => write!(f, " {most}/{letter}")?,
                }
                first = false;
            }
        }
        if first { f.write_str("off") } else { Ok(()) }
    }
}

impl FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = Self::default();
        if text.trim() == "off" {
            return Ok(limits);
        }
        let shape = "write it like: messages 30/m 200/h, recipients 1000/d, bytes 1G/h";
        for part in text.split(',') {
            let mut words = part.split_whitespace();
            let name = words.next().ok_or_else(|| format!("there is nothing between two commas; {shape}"))?;
            let column = MEASURES.iter().position(|(_, known)| *known == name);
            let column =
                column.ok_or_else(|| format!("{name:?} is not messages, recipients or bytes; {shape}"))?;
            let mut any = false;
            for word in words {
                any = true;
                let bad = || format!("{word:?} is no limit; {shape}");
                let (most, letter) = word.split_once('/').ok_or_else(bad)?;
                let row = WINDOWS.iter().position(|(_, _, known, _)| *known == letter).ok_or_else(bad)?;
                let most = if name == "bytes" { kib(most) } else { most.parse().ok() };
                limits.0[row][column] = most.filter(|most| *most > 0).ok_or_else(bad)?;
            }
            if !any {
                return Err(format!("{name} has no number; {shape}"));
            }
        }
        Ok(limits)
    }
}

/// `10k`, `50M`, `1G`, in units of 1024 octets.
fn kib(text: &str) -> Option<u32> {
    let unit = text.char_indices().next_back().filter(|(_, unit)| unit.is_ascii_alphabetic());
    let (number, shift) = match unit? {
        (at, 'k' | 'K') => (&text[..at], 0),
        (at, 'M' | 'm') => (&text[..at], 10),
        (at, 'G' | 'g') => (&text[..at], 20),
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(1 << shift)
}

impl serde::Serialize for Limits {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Limits {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
