//! A file of aliases: Postfix's virtual(5) text, and the `valias` of older setups whose targets are bare names.

use super::Source;
use crate::mail::address::{Address, Domain};

/// One alias with one target, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Line number, from 1.
    pub line: usize,
    /// Left side.
    pub source: Source,
    /// One of the right side.
    pub target: Address,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line number, from 1.
    pub line: usize,
    /// In one clear line.
    pub what: String,
}

/// Reads `SOURCE TARGET[, TARGET …]` per line; `#` begins a comment, a line that begins with a blank goes on
/// from the one above. A target without a domain is a mailbox of `home`. All faults are told at once.
pub fn parse(text: &str, home: &Domain) -> Result<Vec<Entry>, Vec<Fault>> {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let mut open: Option<Source> = None;
    for (index, raw) in text.lines().enumerate() {
        let line = index + 1;
        let content = raw.split('#').next().unwrap_or_default();
        let mut words = content.split([' ', '\t', ',', '\r']).filter(|word| !word.is_empty()).peekable();
        if words.peek().is_none() {
            continue;
        }
        let mut fault = |what: String| faults.push(Fault { line, what });
        if !content.starts_with([' ', '\t']) {
            open = None;
            match words.next().map(Source::parse) {
                Some(Ok(source)) => open = Some(source),
                Some(Err(error)) => {
                    fault(error.to_string());
                    continue;
                }
                None => continue,
            }
            if words.peek().is_none() {
                fault("has no target".into());
                continue;
            }
        }
        let Some(source) = &open else { continue };
        for word in words {
            match target(word, home) {
                Ok(target) => entries.push(Entry { line, source: source.clone(), target }),
                Err(what) => fault(what),
            }
        }
    }
    if faults.is_empty() { Ok(entries) } else { Err(faults) }
}

fn target(word: &str, home: &Domain) -> Result<Address, String> {
    if word.starts_with('@') {
        return Err(format!("target {word:?} maps a whole domain to another; name an address"));
    }
    let parsed =
        if word.contains('@') { Address::parse(word) } else { Address::parse(&format!("{word}@{home}")) };
    parsed.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Domain {
        Domain::parse("example.org").unwrap()
    }

    fn pairs(text: &str) -> Vec<String> {
        let entries = parse(text, &home()).unwrap();
        entries.iter().map(|entry| format!("{}>{}", entry.source, entry.target)).collect()
    }

    /// Proves: S4-20, S0-7.
    #[test]
    fn both_forms_are_read() {
        let text = "# all of them\n\ninfo@example.org ann\nteam@example.org  ann, Bob@example.org,out@example.net # why\r\n\
                    \tcarl@example.org\n@example.net ann@example.org\n   # nothing\n";
        assert_eq!(
            pairs(text),
            [
                "info@example.org>ann@example.org",
                "team@example.org>ann@example.org",
                "team@example.org>bob@example.org",
                "team@example.org>out@example.net",
                "team@example.org>carl@example.org",
                "@example.net>ann@example.org",
            ]
        );
        assert_eq!(pairs(""), [""; 0]);
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = "info ann\nok@example.org ann\nalone@example.org\na@example.org |cmd, /file\nb@example.org @example.net\n";
        let faults = parse(text, &home()).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 3, 4, 4, 5]);
        assert!(faults[1].what.contains("no target"));
    }
}
