//! The mechanisms that look at addresses (RFC 7208 §5), and the client's own name.

use super::{
    evaluate::{Halt, Match, Run},
    evaluation::Trouble,
    expand::{self, Values},
    macros::{Letter, MacroString},
    record::{Mechanism, Prefixes},
};
use crate::mail::dns::{Data, Kind, Name, Outcome, Question};
use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Names of mail servers, and of clients, that are looked at (RFC 7208 §4.6.4).
pub(super) const NAMES: usize = 10;

impl<'i> Run<'_, 'i> {
    /// Every mechanism but `include`.
    pub(super) fn compare(&self, mechanism: &Mechanism, domain: &Name) -> Result<Match, Halt> {
        Ok(match mechanism {
            Mechanism::All => Match::Yes,
            Mechanism::Ip4(..) | Mechanism::Ip6(..) | Mechanism::Include(_) => {
                if self.holds(mechanism) {
                    Match::Yes
                } else {
                    Match::No
                }
            }
            Mechanism::A(target, prefixes) => match self.named(target.as_ref(), domain)? {
                Some(name) => self.addresses(name, *prefixes)?,
                None => Match::No,
            },
            Mechanism::Mx(target, prefixes) => match self.named(target.as_ref(), domain)? {
                Some(name) => self.mail_servers(&name, *prefixes)?,
                None => Match::No,
            },
            Mechanism::Ptr(target) => match self.named(target.as_ref(), domain)? {
                Some(name) => self.pointer(&name)?,
                None => Match::No,
            },
            // Always IPv4 addresses, whatever the client has (RFC 7208 §5.7).
            Mechanism::Exists(target) => match self.named(Some(target), domain)? {
                Some(name) => match self.records(name, Kind::A)? {
                    [] => Match::Void,
                    _ => Match::Yes,
                },
                None => Match::No,
            },
        })
    }

    /// Whether the client is in the network of `ip4` or `ip6`.
    pub(super) fn holds(&self, mechanism: &Mechanism) -> bool {
        match (mechanism, self.request.client) {
            (Mechanism::Ip4(network, bits), IpAddr::V4(client)) => same4(*network, client, *bits),
            (Mechanism::Ip6(network, bits), IpAddr::V6(client)) => same6(*network, client, *bits),
            _ => false,
        }
    }

    /// RFC 7208 §5.3.
    fn addresses(&self, name: Name, prefixes: Prefixes) -> Result<Match, Halt> {
        let records = self.records(name, self.family())?;
        Ok(match records.iter().any(|data| self.equals(data, prefixes)) {
            true => Match::Yes,
            false if records.is_empty() => Match::Void,
            false => Match::No,
        })
    }

    /// RFC 7208 §5.4. More than ten names are an error whether or not one of the first ten matches: the order of
    /// an answer is chance, and the same message must not pass today and break tomorrow.
    fn mail_servers(&self, name: &Name, prefixes: Prefixes) -> Result<Match, Halt> {
        let records = self.records(name.clone(), Kind::Mx)?;
        if records.is_empty() {
            return Ok(Match::Void);
        }
        if records.len() > NAMES {
            return Err(Trouble::MxLimit(name.clone(), records.len()).into());
        }
        let mut servers: Vec<(u16, &Name)> = records.iter().filter_map(server).collect();
        servers.sort_by_key(|(preference, _)| *preference);
        let mut ended = Ok(Match::No);
        for (_, server) in servers {
            let one = self.addresses(server.clone(), prefixes);
            match (&ended, one) {
                // All are asked for at once; only what comes before the first unknown one counts now.
                (Err(_), _) => {}
                (Ok(_), Err(Halt::Missing)) => ended = Err(Halt::Missing),
                (Ok(_), Ok(Match::No)) => {}
                (Ok(_), Ok(Match::Void)) => ended = Ok(Match::Void),
                (Ok(_), decided) => return decided,
            }
        }
        ended
    }

    /// RFC 7208 §5.5: no error of DNS is one of the sender here.
    fn pointer(&self, target: &Name) -> Result<Match, Halt> {
        let (names, void) = self.client_names()?;
        Ok(match names.iter().any(|name| name.is_within(target)) {
            true => Match::Yes,
            false if void => Match::Void,
            false => Match::No,
        })
    }

    /// The client's names that lead back to its address, of the first ten; and whether some question was in vain
    /// (RFC 7208 §5.5).
    fn client_names(&self) -> Result<(Vec<&'i Name>, bool), Halt> {
        let question = Question::new(Name::reverse(self.request.client), Kind::Ptr);
        let answer = self.inquiry.ask(question).ok_or(Halt::Missing)?;
        let records = match &answer.outcome {
            Outcome::Found(records) => records,
            Outcome::Nothing { .. } => return Ok((Vec::new(), true)),
            Outcome::Silent(_) => return Ok((Vec::new(), false)),
        };
        let names = records.iter().filter_map(|data| match data {
            Data::Ptr(name) => Some(name),
            _ => None,
        });
        let (mut valid, mut void, mut missing) = (Vec::new(), false, false);
        for name in names.take(NAMES) {
            let exact = Prefixes { v4: 32, v6: 128 };
            match self.addresses(name.clone(), exact) {
                Ok(Match::Yes) => valid.push(name),
                Ok(Match::Void) => void = true,
                Ok(Match::No) | Err(Halt::Trouble(_)) => {}
                Err(Halt::Missing) => missing = true,
            }
        }
        if missing { Err(Halt::Missing) } else { Ok((valid, void)) }
    }

    /// RFC 7208 §7.3 `p`: the domain itself, else one below it, else any, else `unknown`.
    fn validated(&self, domain: &Name) -> Result<String, Halt> {
        let (names, _) = self.client_names()?;
        let best = (names.iter().find(|name| **name == domain))
            .or_else(|| names.iter().find(|name| name.is_within(domain)))
            .or(names.first());
        Ok(best.map_or_else(|| "unknown".to_owned(), ToString::to_string))
    }

    /// What a term without a domain means, or with one; `None` where it cannot be asked for, and so matches
    /// nothing (RFC 7208 §4.8; RFC 8616 §4 for letters outside ASCII).
    pub(super) fn named(&self, target: Option<&MacroString>, domain: &Name) -> Result<Option<Name>, Halt> {
        let Some(target) = target else { return Ok(Some(domain.clone())) };
        Ok(Name::parse_expanded(&self.expanded(target, domain)?).ok())
    }

    /// The text of a name to look up.
    pub(super) fn expanded<'m>(&self, target: &'m MacroString, domain: &Name) -> Result<Cow<'m, str>, Halt> {
        if let Some(literal) = target.literal() {
            return Ok(literal.into());
        }
        Ok(expand::name(target, &self.values(target, domain)?).into())
    }

    fn values<'a>(&'a self, string: &MacroString, domain: &'a Name) -> Result<Values<'a>, Halt> {
        let validated = match string.letters().any(|letter| letter == Letter::Validated) {
            true => self.validated(domain)?.into(),
            false => "".into(),
        };
        Ok(Values { request: self.request, domain, validated })
    }

    /// RFC 7208 §6.2: whatever is wrong with it, there is none then. The outer `None`: not known yet.
    pub(super) fn explanation(&self, target: &MacroString, domain: &Name) -> Option<Option<String>> {
        let explained = || -> Result<Option<String>, Halt> {
            let Some(name) = self.named(Some(target), domain)? else { return Ok(None) };
            let records = self.records(name, Kind::Txt)?;
            let [Data::Txt(strings)] = records else { return Ok(None) };
            let Ok(text) = String::from_utf8(strings.concat()) else { return Ok(None) };
            let Ok(string) = MacroString::explanation(&text) else { return Ok(None) };
            let text = expand::text(&string, &self.values(&string, domain)?, 400);
            Ok(Some(text).filter(|text| text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())))
        };
        match explained() {
            Ok(text) => Some(text),
            Err(Halt::Missing) => None,
            Err(Halt::Trouble(_)) => Some(None),
        }
    }

    pub(super) fn family(&self) -> Kind {
        if self.request.client.is_ipv4() { Kind::A } else { Kind::Aaaa }
    }

    fn equals(&self, data: &Data, prefixes: Prefixes) -> bool {
        match (data, self.request.client) {
            (Data::A(address), IpAddr::V4(client)) => same4(*address, client, prefixes.v4),
            (Data::Aaaa(address), IpAddr::V6(client)) => same6(*address, client, prefixes.v6),
            _ => false,
        }
    }

    /// An error of DNS ends the evaluation (RFC 7208 §5).
    fn records(&self, name: Name, kind: Kind) -> Result<&'i [Data], Halt> {
        let answer = self.inquiry.ask(Question::new(&name, kind)).ok_or(Halt::Missing)?;
        answer.records().map_err(|why| Trouble::Silent(Question::new(name, kind), why.clone()).into())
    }
}

/// The null server is nobody's (RFC 7505).
pub(super) fn server(data: &Data) -> Option<(u16, &Name)> {
    match data {
        Data::Mx { preference, exchange } if !exchange.is_root() => Some((*preference, exchange)),
        _ => None,
    }
}

fn same4(one: Ipv4Addr, other: Ipv4Addr, bits: u8) -> bool {
    let shift = 32 - u32::from(bits);
    one.to_bits().checked_shr(shift).unwrap_or(0) == other.to_bits().checked_shr(shift).unwrap_or(0)
}

fn same6(one: Ipv6Addr, other: Ipv6Addr, bits: u8) -> bool {
    let shift = 128 - u32::from(bits);
    one.to_bits().checked_shr(shift).unwrap_or(0) == other.to_bits().checked_shr(shift).unwrap_or(0)
}
