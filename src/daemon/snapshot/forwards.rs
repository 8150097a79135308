//! Patterns by domain, and the terms and rules of the few sources that have any.

use crate::mail::{
    address::Malformed,
    forward::{Off, Patterns, Terms},
    rule::Rule,
};
use std::{collections::HashMap, sync::Arc};

/// Rows of a domain that are no patterns: another program wrote them. What would be held against them is asked again later,
/// rather than told that nobody is there.
type Known = Result<Arc<Patterns>, Malformed>;

/// All of them. Notes are for people, and not kept here.
#[derive(Default)]
pub struct Forwards {
    patterns: HashMap<String, Known>,
    terms: HashMap<String, (bool, Option<i64>)>,
    rules: HashMap<String, Result<Arc<[Rule]>, Malformed>>,
}

impl Forwards {
    /// Replaces the patterns of `domain` by these rows of source and target, those of a source together.
    pub fn set_patterns<'r>(&mut self, domain: &str, rows: impl IntoIterator<Item = (&'r str, &'r str)>) {
        let known = match Patterns::new(rows) {
            Ok(patterns) if patterns.is_empty() => {
                self.patterns.remove(domain);
                return;
            }
            Ok(patterns) => Ok(Arc::new(patterns)),
            Err(why) => {
                tracing::error!(domain, why, "the directory holds a pattern that is none");
                let text = domain.to_owned();
                Err(Malformed { what: "domain", text, why: "has patterns that cannot be read" })
            }
        };
        self.patterns.insert(domain.to_owned(), known);
    }

    /// Replaces the terms of `source`; `None` = it has none.
    pub fn set_terms(&mut self, source: &str, terms: Option<&Terms>) {
        match terms {
            Some(terms) if !terms.enabled || terms.until.is_some() => {
                self.terms.insert(source.to_owned(), (terms.enabled, terms.until));
            }
            _ => {
                self.terms.remove(source);
            }
        }
    }

    /// Replaces the rules of `source` by these, in the order in which they are asked; `Err`: one of them cannot be read.
    pub fn set_rules(&mut self, source: &str, rules: Result<Vec<Rule>, String>) {
        let known = match rules {
            Ok(rules) if rules.is_empty() => {
                self.rules.remove(source);
                return;
            }
            Ok(rules) => Ok(rules.into()),
            Err(why) => {
                tracing::error!(source, why, "the directory holds a rule that is none");
                Err(Malformed {
                    what: "source",
                    text: source.to_owned(),
                    why: "has rules that cannot be read",
                })
            }
        };
        self.rules.insert(source.to_owned(), known);
    }

    /// The rules of `source`, in the order in which they are asked.
    pub fn rules(&self, source: &str) -> Result<Option<Arc<[Rule]>>, Malformed> {
        self.rules.get(source).cloned().transpose()
    }

    /// The patterns of `domain`.
    pub fn patterns(&self, domain: &str) -> Result<Option<Arc<Patterns>>, Malformed> {
        self.patterns.get(domain).cloned().transpose()
    }

    /// Why `source` does not count at `now`, in seconds since 1970; `None` = it does.
    pub fn off(&self, source: &str, now: i64) -> Option<Off> {
        let (enabled, until) = *self.terms.get(source)?;
        Terms { enabled, until, note: String::new() }.off(now)
    }
}
