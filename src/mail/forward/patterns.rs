//! All patterns of one domain, in the order in which they are asked.

use super::{Aim, Expression, Pattern, Source, Wildcard};
use crate::mail::address::{Address, Domain};

/// Most wildcards of a domain: each address without a name of its own is held against all of them.
pub const WILDCARDS: u64 = 1000;
/// Most regular expressions of a domain.
pub const EXPRESSIONS: u64 = 100;

/// Compiled, with their targets.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    wildcards: Vec<(Wildcard, Vec<Aim>)>,
    expressions: Vec<(Expression, Vec<Aim>)>,
    whole: Option<Domain>,
}

/// What kind of pattern matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `sales-*@example.org`.
    Wildcard,
    /// `/^ticket-(\d+)$/@example.org`.
    Expression,
}

/// The pattern that stands for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// As it is written.
    pub source: String,
    /// What it is.
    pub kind: Kind,
    /// What its stars or groups stand for.
    pub parts: Vec<String>,
    /// Its targets, filled in; `None` where one of them is then no address.
    pub targets: Option<Vec<Address>>,
    /// It matched without the tag.
    pub untagged: bool,
}

impl Patterns {
    /// Of these rows of source and target, all of one domain, those of a source together; `Err`: one that is neither.
    pub fn new<'r>(rows: impl IntoIterator<Item = (&'r str, &'r str)>) -> Result<Self, String> {
        let mut found: Vec<(&str, Vec<Aim>)> = Vec::new();
        for (source, target) in rows {
            let aim = Aim::parse(target)?;
            match found.last_mut() {
                Some((known, aims)) if *known == source => aims.push(aim),
                _ => found.push((source, vec![aim])),
            }
        }
        let mut all = Self::default();
        for (text, aims) in found {
            match (Source::towards(text, &aims)?, &aims[..]) {
                (Source::Pattern(Pattern::Wildcard(wildcard)), _) => all.wildcards.push((wildcard, aims)),
                (Source::Pattern(Pattern::Expression(expression)), _) => {
                    all.expressions.push((expression, aims))
                }
                (Source::Pattern(Pattern::Domain(_)), [Aim::Domain(to)]) => all.whole = Some(to.clone()),
                _ => return Err(format!("{text:?} is no pattern")),
            }
        }
        // The nearest first; where two name as much, as they are written, so that it is always the same one.
        all.wildcards.sort_by_cached_key(|(wildcard, _)| {
            (std::cmp::Reverse(wildcard.literals()), wildcard.stars(), wildcard.to_string())
        });
        all.expressions.sort_by_cached_key(|(expression, _)| expression.to_string());
        Ok(all)
    }

    /// The first that stands for `local`, as it is or without its tag.
    pub fn find(&self, local: &str, untagged: Option<&str>) -> Option<Hit> {
        let names = || [(local, false)].into_iter().chain(untagged.map(|plain| (plain, true)));
        for (wildcard, aims) in &self.wildcards {
            if let Some((parts, untagged)) =
                names().find_map(|(name, cut)| Some((wildcard.parts(name)?, cut)))
            {
                return Some(hit(wildcard.to_string(), Kind::Wildcard, &parts, aims, untagged));
            }
        }
        for (expression, aims) in &self.expressions {
            if let Some((parts, untagged)) =
                names().find_map(|(name, cut)| Some((expression.parts(name)?, cut)))
            {
                return Some(hit(expression.to_string(), Kind::Expression, &parts, aims, untagged));
            }
        }
        None
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.wildcards.is_empty() && self.expressions.is_empty() && self.whole.is_none()
    }

    /// The domain to which all of this one is led.
    pub fn whole(&self) -> Option<&Domain> {
        self.whole.as_ref()
    }
}

fn hit(source: String, kind: Kind, parts: &[&str], aims: &[Aim], untagged: bool) -> Hit {
    let targets = aims.iter().map(|aim| aim.filled(parts)).collect::<Result<_, _>>().ok();
    Hit { source, kind, parts: parts.iter().map(|part| (*part).to_owned()).collect(), targets, untagged }
}
