//! The operator's entries over those of a rendered `master.cf`, in the manner of `postconf -M` and `-P`.

use crate::render::Fault;
use std::collections::BTreeMap;

/// One entry: its head line and the `-o` lines below it, or lines that belong to none.
struct Entry {
    /// `submission/inet`; empty for comments.
    name: String,
    lines: Vec<String>,
}

/// `text` with entries replaced or added (`service/type`), then parameters set (`service/type/parameter`).
pub(super) fn overridden(text: &str, raw: &BTreeMap<String, String>) -> Result<String, Fault> {
    let mut entries = split(text);
    let parts = |name: &str| name.split('/').map(str::to_owned).collect::<Vec<_>>();
    for (name, rest) in raw.iter().filter(|(name, _)| parts(name).len() == 2) {
        let words = rest.split_whitespace().count();
        if words < 6 {
            let what = "needs six words at least: private unpriv chroot wakeup maxproc command";
            return Err(fault(name, what.to_owned()));
        }
        let head = format!("{} {rest}", name.replacen('/', " ", 1));
        let entry = Entry { name: name.clone(), lines: vec![head] };
        match entries.iter().position(|entry| entry.name == *name) {
            Some(place) => entries[place] = entry,
            None => entries.push(entry),
        }
    }
    for (name, value) in raw {
        if let [service, kind, parameter] = parts(name).as_slice() {
            let owner = format!("{service}/{kind}");
            let Some(entry) = entries.iter_mut().find(|entry| entry.name == owner) else {
                let known: Vec<&str> =
                    entries.iter().map(|entry| entry.name.as_str()).filter(|name| !name.is_empty()).collect();
                return Err(fault(
                    name,
                    format!("there is no entry {owner}; there are {}", known.join(", ")),
                ));
            };
            entry.set(parameter, value);
        }
    }
    let lines: Vec<&str> = entries.iter().flat_map(|entry| entry.lines.iter().map(String::as_str)).collect();
    Ok(lines.join("\n") + "\n")
}

impl Entry {
    /// Sets one `-o`, in place of an earlier one.
    fn set(&mut self, parameter: &str, value: &str) {
        let mine = |line: &str| {
            let option = line.trim_start().strip_prefix("-o").map(|rest| rest.trim_start_matches([' ', '{']));
            option.and_then(|rest| rest.split_once('=')).is_some_and(|(name, _)| name.trim() == parameter)
        };
        self.lines.retain(|line| !mine(line));
        let plain = !value.contains(char::is_whitespace);
        self.lines.push(if plain {
            format!("  -o {parameter}={value}")
        } else {
            format!("  -o {{ {parameter} = {value} }}")
        });
    }
}

fn split(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t'])
            && let Some(entry) = entries.last_mut()
        {
            entry.lines.push(line.to_owned());
            continue;
        }
        let mut words = line.split_whitespace();
        let name = match (words.next(), words.next()) {
            (Some(service), Some(kind)) if !service.starts_with('#') => format!("{service}/{kind}"),
            _ => String::new(),
        };
        entries.push(Entry { name, lines: vec![line.to_owned()] });
    }
    entries
}

fn fault(name: &str, what: String) -> Fault {
    Fault { place: format!("mailctl.toml: [postfix.master] {name:?}"), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# head\nsmtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n  -o a=1\n  -o { b = 2 3 }\n";

    fn with(raw: &[(&str, &str)]) -> Result<String, Fault> {
        overridden(TEXT, &raw.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// Proves: S2-21 (`postconf -M` and `-P`), S2-4.
    #[test]
    fn entries_and_parameters() {
        let out = with(&[
            ("submission/inet/a", "9"),
            ("submission/inet/b", "x y"),
            ("smtp/inet", "n - n - 50 smtpd"),
        ]);
        assert_eq!(
            out.unwrap(),
            "# head\nsmtp inet n - n - 50 smtpd\nsubmission inet n - n - - smtpd\n  -o a=9\n  -o { b = x y }\n"
        );
        let out = with(&[("2525/inet", "n - n - - smtpd"), ("2525/inet/c", "d")]).unwrap();
        assert!(out.ends_with("2525 inet n - n - - smtpd\n  -o c=d\n"), "{out}");
        assert_eq!(with(&[]).unwrap(), TEXT);
    }

    #[test]
    fn faults_name_the_line_of_the_operator() {
        let fault = with(&[("submision/inet/a", "1")]).err().unwrap();
        assert!(fault.to_string().contains("submision/inet") && fault.what.contains("submission/inet"));
        assert!(with(&[("smtp/inet", "smtpd")]).is_err());
    }
}
