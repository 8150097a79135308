//! What other servers answer, and what to do about it: `554 5.7.1 Relay access denied` to cause and remedy.
//!
//! Servers say the same thing in many words. Each [`Advice`] has the words by which it is known; the table is read from the
//! most particular to the most general, and the last lines know a reply by its code alone.

mod table;

use super::address::{Address, Domain};
use std::borrow::Cow;

/// What becomes of the message meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// It is tried again, and mostly that is enough.
    Passes,
    /// It is tried again, in vain until something is changed.
    Waits,
    /// It went back to its sender; what is changed helps the next one.
    Lost,
}

/// One kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Advice {
    /// Stable name.
    pub name: &'static str,
    /// Why the server says it.
    pub cause: &'static str,
    /// What to do, a step each, commands as they are to be typed. `{address}` and `{domain}` stand for those in the answer.
    pub fix: &'static [&'static str],
    /// What becomes of the message.
    pub outlook: Outlook,
    /// Words by which it is known: all of a set, any set. In small letters; a code counts only as a whole word.
    #[serde(skip)]
    when: &'static [&'static [&'static str]],
}

impl Advice {
    /// The steps, with the address and the domain that the answer names, where it names any.
    pub fn steps(&self, answer: &str) -> Vec<String> {
        let address = words(answer).find_map(|word| Address::parse(word).ok());
        let named = || {
            words(answer)
                .find_map(|word| Domain::parse(word).ok().filter(|_| word.contains(char::is_alphabetic)))
        };
        let domain = address.as_ref().map(|address| address.domain().clone()).or_else(named);
        let address = address.map_or(Cow::Borrowed("ADDRESS"), |address| address.to_string().into());
        let domain = domain.map_or(Cow::Borrowed("DOMAIN"), |domain| domain.to_string().into());
        self.fix.iter().map(|step| step.replace("{address}", &address).replace("{domain}", &domain)).collect()
    }
}

/// What is known of an answer, the best first: a reply as it came, a line of a log, or the words of a failed connection.
/// `None` where nothing in it is known.
pub fn advise(answer: &str) -> Option<&'static Advice> {
    // One line, as people copy it from anywhere.
    let text: String = answer
        .chars()
        .take(4000)
        .map(|sign| if sign.is_control() { ' ' } else { sign.to_ascii_lowercase() })
        .collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = |set: &[&str]| set.iter().all(|word| holds(&text, word));
    table::all().find(|advice| advice.when.iter().any(|set| known(set)))
}

/// Whether a word is in the text; one that begins or ends with a digit is not part of a longer number or name.
fn holds(text: &str, word: &str) -> bool {
    let digit = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_digit());
    let (first, last) = (digit(word.chars().next()), digit(word.chars().next_back()));
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        let apart = |sign: Option<char>| sign.is_none_or(|sign| !sign.is_alphanumeric());
        let after = behind.strip_prefix('.').unwrap_or(behind);
        (!first || apart(before.chars().next_back()) && !before.ends_with('.'))
            && (!last || apart(behind.chars().next()) && !digit(after.chars().next()))
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let within = |sign: char| sign.is_ascii_alphanumeric() || "!#&'*+-=?^_~.@".contains(sign);
    text.split(move |sign: char| !within(sign))
        .map(|word| word.trim_matches(|sign: char| ".'-".contains(sign)))
}

#[cfg(test)]
mod tests;
