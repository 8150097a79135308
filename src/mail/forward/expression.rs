//! `/^ticket-(\d+)$/@example.org`.
//!
//! The engine needs time in proportion to the text, whatever the expression (no backtracking), and a local part has at most
//! 64 characters: no sender can make it slow. What it may take of memory is limited when it is read.

use crate::mail::address::{Domain, Localpart};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::fmt;

/// Most characters between the slashes.
const LONGEST: usize = 200;
/// Octets that a compiled one may take, and its working memory.
const SIZE: usize = 64 << 10;
/// Brackets in brackets.
const NEST: u32 = 20;
/// Groups that a target can name.
const GROUPS: usize = 99;

/// A regular expression that a local part matches as a whole, in upper or lower case.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    domain: Domain,
    regex: Regex,
}

impl Expression {
    /// Parses `/^…$/@domain`, in the syntax of the `regex` crate. Both anchors are asked for, so that nobody takes it for
    /// one that looks within; alternatives are anchored as a whole.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| format!("pattern {text:?} {why}");
        let form = "is written like /^ticket-([0-9]+)$/@example.org";
        let (expression, domain) =
            text.strip_prefix('/').and_then(|rest| rest.rsplit_once("/@")).ok_or_else(|| bad(form))?;
        let domain = Domain::parse(domain).map_err(|error| error.to_string())?;
        let inner = expression
            .strip_prefix('^')
            .and_then(|rest| rest.strip_suffix('$'))
            .filter(|inner| !escapes(inner))
            .ok_or_else(|| {
                bad("must begin with ^ and end with $: it is matched against the whole local part")
            })?;
        if expression.len() > LONGEST || !expression.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Err(bad("is longer than 200 characters, or has some that are not ASCII"));
        }
        // Alone first: brackets that only close together with ours would be another expression.
        compile(inner).map_err(|error| bad(&error))?;
        let regex = compile(&format!("^(?:{inner})$")).map_err(|error| bad(&error))?;
        if regex.captures_len() > GROUPS {
            return Err(bad("has more than 98 groups"));
        }
        Ok(Self { text: expression.to_owned(), domain, regex })
    }

    /// After the `@`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// How many groups it has.
    pub fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// What its groups stand for in `local`, "" for one that is not in it; `None` = it does not match.
    pub fn parts<'t>(&self, local: &'t str) -> Option<Vec<&'t str>> {
        let found = self.regex.captures(local.as_bytes())?;
        let part = |at| found.get(at).and_then(|part| local.get(part.range())).unwrap_or_default();
        Some((1..found.len()).map(part).collect())
    }

    /// Made from its own parts; only those that it matches and that can be a local part.
    pub(super) fn samples(&self) -> Vec<String> {
        let Ok(hir) = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(&self.text)
        else {
            return Vec::new();
        };
        let made = (0..8).map(|seed| {
            let mut text = Vec::new();
            sample(&hir, seed, &mut text);
            String::from_utf8_lossy(&text).to_lowercase()
        });
        made.filter(|text| self.parts(text).is_some() && Localpart::parse(text).is_ok()).collect()
    }
}

/// Whether the last `$` is the text of a dollar sign: an odd number of backslashes stands before it.
fn escapes(inner: &str) -> bool {
    inner.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}

fn compile(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .nest_limit(NEST)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "is too large when it is compiled".to_owned(),
            other => {
                // Its own message draws the place with several lines; the last one says what is wrong.
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("is no regular expression: {last}")
            }
        })
}

/// A text that `hir` may match; `seed` chooses among several.
fn sample(hir: &Hir, seed: usize, text: &mut Vec<u8>) {
    // A repetition of a repetition of … is not written out.
    if text.len() > 128 {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(class) => text.push(one_of(class, seed)),
        HirKind::Capture(group) => sample(&group.sub, seed, text),
        HirKind::Repetition(repeated) => {
            let most = repeated.max.unwrap_or(repeated.min + 1);
            let times = if seed.is_multiple_of(2) { repeated.min.max(1).min(most) } else { repeated.min };
            (0..times.min(64)).for_each(|_| sample(&repeated.sub, seed, text));
        }
        HirKind::Concat(all) => all.iter().for_each(|part| sample(part, seed, text)),
        HirKind::Alternation(all) => {
            if let Some(part) = all.get(seed / 2 % all.len().max(1)) {
                sample(part, seed, text);
            }
        }
    }
}

fn one_of(class: &Class, seed: usize) -> u8 {
    let holds = |b: u8| match class {
        Class::Bytes(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&b)),
        Class::Unicode(class) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&char::from(b)))
        }
    };
    let able: Vec<u8> =
        (b'a'..=b'z').chain(b'0'..=b'9').chain(*b"-._!#&'*+=?^~").filter(|b| holds(*b)).collect();
    able.get(seed % able.len().max(1)).copied().unwrap_or(b'x')
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/@{}", self.text, self.domain)
    }
}
