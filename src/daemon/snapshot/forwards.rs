//! Patterns by domain, and the terms of the few sources that have any.

use crate::mail::{
    address::Malformed,
    forward::{Off, Patterns, Terms},
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
