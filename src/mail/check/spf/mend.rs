//! The finished remedy: the domain's record as it should be, with whoever may send now, and with this server.

use super::Case;
use crate::mail::{
    dns::{Answer, Data, Inquiry, Kind, Outcome, Question},
    record,
    spf::{self, Flaw, Leaf, Mechanism, Node, Qualifier, Record, Request, Term, Trouble, Verdict, Weakness},
};
use std::net::IpAddr;

/// Terms that may ask DNS in all (RFC 7208 §4.6.4).
const LOOKUPS: usize = 10;

/// The record that ends all that is wrong with the domain's own, tried before it is given: mail from `ours` passes.
/// `None` = an answer is missing; `Some(None)` = nobody but its owner can shorten it to ten lookups.
pub(super) fn finished(case: &Case<'_>, inquiry: &Inquiry<'_>, ours: &[IpAddr]) -> Option<Option<String>> {
    let Some(text) = Mend::new(case).text() else { return Some(None) };
    let question = Question::new(case.domain, Kind::Txt);
    let answer = Answer::new(Outcome::Found(vec![record::txt(&text)]));
    let sender = format!("postmaster@{}", case.domain);
    let tried = inquiry.supposing(&question, &answer, |inquiry| {
        let each: Vec<_> = ours
            .iter()
            .map(|address| {
                let request = Request::mail_from(*address, &sender, case.server.host.as_str());
                Some((*address, spf::check_host(inquiry, &request)?))
            })
            .collect();
        each.into_iter().collect::<Option<Vec<_>>>()
    })?;
    // Of what did not answer nothing is concluded.
    let refused = tried.iter().filter(|(_, why)| !matches!(why.verdict, Verdict::Pass | Verdict::TempError));
    let terms: Vec<String> = refused.map(|(address, _)| record::address_term(*address)).collect();
    Some(Some(with(&text, &terms)))
}

/// The record with these terms before all else: whoever may send goes on to be allowed.
pub(super) fn with(text: &str, new: &[String]) -> String {
    let (version, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.split(' ').filter(|word| !word.is_empty());
    [version].into_iter().chain(new.iter().map(String::as_str)).chain(rest).collect::<Vec<_>>().join(" ")
}

/// What is kept of the records that are there.
struct Mend<'a> {
    case: &'a Case<'a>,
    /// More than one record counts as none; all their terms go into one.
    several: bool,
    terms: Vec<(String, usize)>,
    alls: Vec<String>,
    redirect: Option<(String, usize)>,
    explanation: Option<String>,
}

impl<'a> Mend<'a> {
    fn new(case: &'a Case<'a>) -> Self {
        let mut records: Vec<String> = case.texts.iter().filter_map(|data| text_of(case, data)).collect();
        // Servers give them in any order; the remedy is always the same.
        records.sort();
        let (terms, alls) = (Vec::new(), Vec::new());
        let mut mend =
            Self { case, several: records.len() > 1, terms, alls, redirect: None, explanation: None };
        for record in &records {
            record
                .split(' ')
                .skip(1)
                .filter(|word| !word.is_empty())
                .for_each(|word| mend.word(word, record));
        }
        mend
    }

    fn word(&mut self, word: &str, record: &str) {
        let Some((word, term)) = right(word) else { return };
        let leaf = self.case.survey.root.leaves.iter().find(|leaf| leaf.term == word);
        let cost = leaf.map_or(usize::from(term.asks()), |leaf| {
            usize::from(term.asks()) + leaf.below.as_ref().map_or(0, |below| below.lookups)
        });
        if leaf.is_some_and(|leaf| self.broken(leaf)) {
            return;
        }
        match term {
            Term::Directive(_, Mechanism::All) => self.alls.push(word),
            Term::Directive(qualifier, mechanism) => {
                let again = record.split(' ').filter(|other| *other == word).count() > 1;
                if let Some(word) = self.kept(&word, qualifier, &mechanism, again) {
                    self.push(word, cost);
                }
            }
            Term::Redirect(_) => self.redirect = Some((word, cost)),
            Term::Explanation(_) => self.explanation = self.explanation.take().or(Some(word)),
            Term::Unknown(_) => {}
        }
    }

    fn push(&mut self, word: String, cost: usize) {
        if !self.terms.iter().any(|(other, _)| other.eq_ignore_ascii_case(&word)) {
            self.terms.push((word, cost));
        }
    }

    /// Whether a term, or what it leads to, voids the whole record.
    fn broken(&self, leaf: &Leaf) -> bool {
        let own = |weakness: &Weakness| {
            weakness.domain == *self.case.domain && weakness.term == leaf.term && weakness.flaw.breaks()
        };
        self.case.survey.weaknesses.iter().any(own) || leaf.below.as_ref().is_some_and(|node| self.sick(node))
    }

    fn sick(&self, node: &Node) -> bool {
        let void = node.trouble.as_ref().is_some_and(|trouble| !matches!(trouble, Trouble::Silent(..)));
        let here = |weakness: &Weakness| {
            weakness.domain == node.domain
                && matches!(weakness.flaw, Flaw::Broken(_))
                && weakness.flaw.breaks()
        };
        let below = || node.leaves.iter().filter_map(|leaf| leaf.below.as_ref());
        void || self.case.survey.weaknesses.iter().any(here) || below().any(|node| self.sick(node))
    }

    /// The term in better words, or nothing.
    fn kept(&self, word: &str, qualifier: Qualifier, mechanism: &Mechanism, again: bool) -> Option<String> {
        let is = |flaw: fn(&Flaw) -> bool| {
            let own = |weakness: &&Weakness| weakness.domain == *self.case.domain && weakness.term == word;
            self.case.survey.weaknesses.iter().filter(own).any(|weakness| flaw(&weakness.flaw))
        };
        let wide = |bits: u8, least: u8| qualifier == Qualifier::Pass && bits < least;
        match mechanism {
            // Whom it was meant for may be this server, which is added where it does not pass without.
            Mechanism::Ptr(_) => None,
            Mechanism::Ip4(address, bits) if wide(*bits, 8) => {
                (!address.is_unspecified()).then(|| format!("ip4:{address}"))
            }
            Mechanism::Ip6(address, bits) if wide(*bits, 19) => {
                (!address.is_unspecified()).then(|| format!("ip6:{address}"))
            }
            Mechanism::A(_, prefixes) | Mechanism::Mx(_, prefixes)
                if wide(prefixes.v4, 8) || wide(prefixes.v6, 19) =>
            {
                word.split('/').next().map(str::to_owned)
            }
            // The subject mx tells about those of a domain; the server's own name has none.
            Mechanism::Mx(None, _) if self.case.domain.as_str() != self.case.server.host.as_str() => {
                Some(word.to_owned())
            }
            _ if is(|flaw| matches!(flaw, Flaw::Void)) => None,
            _ if !again && is(|flaw| matches!(flaw, Flaw::IncludedTwice)) => None,
            _ => Some(word.to_owned()),
        }
    }

    /// All of it; `None` where it still asks more often than is allowed.
    fn text(mut self) -> Option<String> {
        // Beside `all` a `redirect` is ignored (RFC 7208 §6.1): as an `include` it lets the same servers send.
        let mut end = self.end();
        if let Some((redirect, cost)) = self.redirect.take() {
            if self.alls.is_empty() && !self.several {
                self.push(redirect, cost);
                end = None;
            } else if let Some((_, target)) = redirect.split_once('=') {
                self.push(format!("include:{target}"), cost);
            }
        }
        self.name_addresses();
        if self.terms.iter().map(|(_, cost)| cost).sum::<usize>() > LOOKUPS {
            return None;
        }
        let terms = self.terms.into_iter().map(|(word, _)| word);
        let words = ["v=spf1".to_owned()].into_iter().chain(terms).chain(end).chain(self.explanation);
        Some(words.collect::<Vec<_>>().join(" "))
    }

    /// What is said of everybody else. Of several records the milder one holds: who was only suspected by one of them
    /// shall not be refused now.
    fn end(&self) -> Option<String> {
        let wish = || self.case.options.wishes.spf_all.clone();
        let strict = |all: &String| all.eq_ignore_ascii_case("-all");
        let mild = |all: &String| all.eq_ignore_ascii_case("~all");
        Some(match &self.alls[..] {
            [] => wish(),
            alls if alls.iter().all(strict) => "-all".to_owned(),
            alls if alls.iter().any(mild) || self.several => "~all".to_owned(),
            [_, ..] => wish(),
        })
    }

    /// Beyond ten lookups, `a` and `mx` become the addresses that they stand for now, the last ones first.
    fn name_addresses(&mut self) {
        while self.terms.iter().map(|(_, cost)| cost).sum::<usize>() > LOOKUPS {
            let leaves = &self.case.survey.root.leaves;
            let addresses = |word: &str| {
                let leaf = leaves.iter().find(|leaf| leaf.term == word && !leaf.addresses.is_empty())?;
                let (_, term) = right(word)?;
                let plain = matches!(
                    term,
                    Term::Directive(Qualifier::Pass, Mechanism::A(_, whole) | Mechanism::Mx(_, whole))
                        if (whole.v4, whole.v6) == (32, 128)
                );
                plain.then(|| leaf.addresses.clone())
            };
            let found = self.terms.iter().enumerate().rev();
            let found = found.into_iter().find_map(|(at, (word, _))| Some((at, addresses(word)?)));
            let Some((at, addresses)) = found else { return };
            let named: Vec<(String, usize)> =
                addresses.into_iter().map(|address| (record::address_term(address), 0)).collect();
            self.terms.splice(at..=at, named);
        }
    }
}

/// The text of what counts as a record; where strings were joined without a blank, with the blank.
fn text_of(case: &Case<'_>, data: &Data) -> Option<String> {
    let Data::Txt(strings) = data else { return None };
    let glued = case.survey.weaknesses.iter().any(|weakness| weakness.flaw == Flaw::Glued);
    let octets = if glued { strings.join(&b' ') } else { strings.concat() };
    Record::is_one(&octets).then(|| String::from_utf8_lossy(&octets).into_owned())
}

/// The term, or what it was surely meant to be; nothing where nobody can tell.
fn right(word: &str) -> Option<(String, Term)> {
    let parsed = |word: String| {
        let record = Record::parse(format!("v=spf1 {word}").as_bytes()).ok()?;
        let (_, _, term) = record.terms().next()?;
        Some((word, term.clone()))
    };
    match parsed(word.to_owned()) {
        Some((word, Term::Unknown(_))) => parsed(meant(&word)?),
        Some(right) => Some(right),
        None => parsed(meant(word)?).filter(|(_, term)| !matches!(term, Term::Unknown(_))),
    }
}

/// Mistakes that are made again and again: `ip:`, `ipv4:`, `ip4:` before an IPv6 address, `=` in the place of a
/// colon, an address alone, a comma or semicolon at the end.
fn meant(word: &str) -> Option<String> {
    let word = word.trim_matches([',', ';', '"', '\'']);
    let network = |text: &str| {
        let address = text.split('/').next().unwrap_or(text).parse::<IpAddr>().ok()?;
        Some(format!("{}:{text}", if address.is_ipv4() { "ip4" } else { "ip6" }))
    };
    let known = ["all", "-all", "~all", "?all", "mx", "a"];
    if known.iter().any(|term| word.eq_ignore_ascii_case(term)) {
        return Some(word.to_ascii_lowercase());
    }
    if let Some(network) = network(word) {
        return Some(network);
    }
    let (name, value) = word.split_at_checked(word.find([':', '='])?)?;
    let value = value[1..].trim_start_matches([':', '=']);
    match name.trim_start_matches('+').to_ascii_lowercase().as_str() {
        "ip" | "ip4" | "ipv4" | "ip6" | "ipv6" => network(value),
        "include" | "includes" | "incl" => Some(format!("include:{value}")),
        name @ ("a" | "mx" | "exists") => Some(format!("{name}:{value}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn mistakes_that_are_made_again_and_again() {
        for (word, right) in [
            ("ip:192.0.2.1", Some("ip4:192.0.2.1")),
            ("ipv4:192.0.2.0/24,", Some("ip4:192.0.2.0/24")),
            ("ip4:2001:db8::1", Some("ip6:2001:db8::1")),
            ("ip4=192.0.2.1", Some("ip4:192.0.2.1")),
            ("include=x.net", Some("include:x.net")),
            ("192.0.2.1", Some("ip4:192.0.2.1")),
            ("-all;", Some("-all")),
            ("mx", Some("mx")),
            ("ip4:bogus", None),
            ("unknown=1", None),
            ("v=spf1", None),
            ("hello", None),
            ("\u{fffd}", None),
        ] {
            assert_eq!(super::right(word).map(|(word, _)| word).as_deref(), right, "{word}");
        }
    }
}
