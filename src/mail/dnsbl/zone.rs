//! A list as the settings name it: `zen.spamhaus.org`, `bl.example=127.0.0.[2..4;10]/defer`, `domain:dbl.example/log`.

use crate::mail::dns::Name;
use std::{fmt, net::Ipv4Addr, str::FromStr};

/// A list that is asked about strangers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Where it is asked.
    pub name: Name,
    /// It lists domains, and is asked about the sender's and the HELO name; else clients' addresses.
    pub domains: bool,
    /// Which answers count; `None` = all that lists usually give.
    pub codes: Option<Codes>,
    /// What becomes of what it lists.
    pub act: Act,
}

/// What becomes of what a list has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Act {
    /// Refused (554).
    #[default]
    Reject,
    /// The client is asked to come again (451).
    Defer,
    /// Only told in the log.
    Log,
}

impl Act {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Reject, "reject"), (Self::Defer, "defer"), (Self::Log, "log")];
}

/// Codes, as Postfix writes them: four numbers, each one or `[2;4..8]` (postconf(5), `reject_rbl_client`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes([Vec<(u8, u8)>; 4]);

impl Codes {
    /// Whether this one is meant.
    pub fn hold(&self, code: Ipv4Addr) -> bool {
        let within = |octet: u8, ranges: &[(u8, u8)]| {
            ranges.iter().any(|(least, most)| (*least..=*most).contains(&octet))
        };
        code.octets().into_iter().zip(&self.0).all(|(octet, ranges)| within(octet, ranges))
    }
}

impl Zone {
    /// Its name for others to read: without a key of ours, which some lists want as the first label.
    pub fn shown(&self) -> &str {
        let mut name = self.name.as_str();
        while let Some((_, rest)) = name.split_once('.').filter(|(label, _)| label.len() >= 20) {
            name = rest;
        }
        name
    }
}

impl FromStr for Zone {
    /// One clear line.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, act) = match text.rsplit_once('/') {
            None => (text, Act::default()),
            Some((rest, word)) => {
                let found = Act::ALL.into_iter().find(|(_, name)| *name == word);
                (rest, found.ok_or_else(|| format!("{word:?} is not reject, defer or log"))?.0)
            }
        };
        let (rest, codes) = match rest.split_once('=') {
            None => (rest, None),
            Some((rest, codes)) => (rest, Some(codes.parse()?)),
        };
        let (domains, name) = rest.strip_prefix("domain:").map_or((false, rest), |name| (true, name));
        match Name::parse(name) {
            Ok(name) if name.labels().count() > 1 => Ok(Self { name, domains, codes, act }),
            Ok(_) => Err(format!("{name:?} is no blocklist; write it like zen.spamhaus.org")),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl FromStr for Codes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} are no codes; write them like 127.0.0.2 or 127.0.0.[2..4;10]");
        let mut octets: [Vec<(u8, u8)>; 4] = Default::default();
        let mut rest = text;
        for (at, ranges) in octets.iter_mut().enumerate() {
            let end = match rest.strip_prefix('[') {
                Some(_) => rest.find(']').ok_or_else(bad)? + 1,
                None => rest.find('.').unwrap_or(rest.len()),
            };
            let (octet, after) = rest.split_at(end);
            for range in octet.trim_matches(['[', ']']).split(';') {
                let (least, most) = range.split_once("..").unwrap_or((range, range));
                let number = |text: &str| text.parse::<u8>().map_err(|_| bad());
                let (least, most) = (number(least)?, number(most)?);
                if least > most {
                    return Err(bad());
                }
                ranges.push((least, most));
            }
            rest = match (at, after.strip_prefix('.')) {
                (3, None) if after.is_empty() => after,
                (0..3, Some(after)) => after,
                _ => return Err(bad()),
            };
        }
        Ok(Self(octets))
    }
}

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, ranges) in self.0.iter().enumerate() {
            let dot = if at > 0 { "." } else { "" };
            let range = |(least, most): &(u8, u8)| match least == most {
                true => least.to_string(),
                false => format!("{least}..{most}"),
            };
            let told: Vec<String> = ranges.iter().map(range).collect();
            match ranges.as_slice() {
                [(least, most)] if least == most => write!(f, "{dot}{least}")?,
                _ => write!(f, "{dot}[{}]", told.join(";"))?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.domains { "domain:" } else { "" }, self.name)?;
        if let Some(codes) = &self.codes {
            write!(f, "={codes}")?;
        }
        match Act::ALL.into_iter().find(|(act, _)| *act == self.act) {
            Some((act, word)) if act != Act::default() => write!(f, "/{word}"),
            _ => Ok(()),
        }
    }
}
