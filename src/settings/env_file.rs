//! `settings.env`: `KEY=value` lines. Comments stand on lines of their own, so that a `#` inside a password is
//! what it looks like. Quotes are not needed, and taken off where they are.

use super::{
    keys::{Home, KEYS},
    source::{Origin, Words},
};
use std::collections::BTreeMap;

impl Words {
    /// Reads the file's text.
    pub(super) fn read_env(&mut self, text: &str) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let place = Origin::Line(Home::Env.file(), index + 1);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                // The line itself is not shown: it may be half of a password.
                self.fault(place, "is not KEY=value", Some("put # before a comment".to_owned()));
                continue;
            };
            let name = name.strip_prefix("export ").unwrap_or(name).trim();
            if let Some(before) = seen.insert(name, index + 1) {
                let remedy = Some("keep one of the two".to_owned());
                self.fault(place, format!("{name} was set in line {before} already"), remedy);
                continue;
            }
            match KEYS.iter().find(|key| key.home == Home::Env && key.name == name) {
                None => self.unknown(place, name, Home::Env),
                Some(key) => match unquote(value.trim()) {
                    Ok(value) if value.chars().any(char::is_control) => {
                        self.fault(place, format!("{name} has a control character inside"), None);
                    }
                    Ok(value) => self.put(key, value, place),
                    Err(what) => self.fault(place, format!("{name} {what}"), None),
                },
            }
        }
    }
}

/// Takes one pair of quotes off.
fn unquote(value: &str) -> Result<&str, &'static str> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.strip_suffix(quote).ok_or("has an opening quote and no closing one");
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::source::Sources;

    fn read(text: &str) -> Words {
        Words::gather(&Sources { settings_env: Some(text), ..Sources::default() })
    }

    /// Proves: S4-2 (no quotes needed, comments, blank lines).
    #[test]
    fn reads_lines_as_people_write_them() {
        let words = read(
            "\u{feff}# mine\r\n\r\nDOMAIN=example.org\r\n  HOSTNAME = \"mail.example.org\"\nRELAY_PASSWORD=a#b c=d\nRELAY_USER='x'\nTZ=\n",
        );
        assert!(words.faults.is_empty(), "{:?}", words.faults);
        assert_eq!(words.set["DOMAIN"].text, "example.org");
        assert_eq!(words.set["HOSTNAME"].origin, Origin::Line("settings.env", 4));
        assert_eq!(words.set["RELAY_PASSWORD"].text, "a#b c=d");
        assert_eq!(words.set["RELAY_USER"].text, "x");
        assert!(!words.set.contains_key("TZ"), "an empty value is none");
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_line() {
        let words = read(
            "DOMIAN=example.org\nDOMAIN=a.org\nDOMAIN=b.org\nnonsense\nSMTP=1\nports.smtp=25\nTZ=\"x\nXYZZY=1\n",
        );
        let told: Vec<String> = words.faults.iter().map(ToString::to_string).collect();
        assert!(
            told[0].starts_with("settings.env:1: ") && told[0].contains("did you mean DOMAIN?"),
            "{told:?}"
        );
        assert!(told[1].contains("line 2") && told[2].contains("settings.env:4"), "{told:?}");
        assert!(told.iter().any(|t| t.contains("[ports]") && t.contains("mailctl.toml")), "{told:?}");
        assert!(
            told.iter().any(|t| t.contains("closing"))
                && told.last().unwrap().contains("mailctl help settings")
        );
    }
}
