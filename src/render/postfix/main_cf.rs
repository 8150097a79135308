//! The operator's parameters over those of a rendered `main.cf`.

use std::collections::BTreeMap;

/// `text` without the parameters that the operator sets, and his at the end. Postfix would take the last of
/// two, but warn at every start.
pub(super) fn overridden(text: &str, raw: &BTreeMap<String, String>) -> String {
    if raw.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 64 * raw.len());
    let mut dropped = false;
    for line in text.lines() {
        // A line that begins with a blank goes on with the parameter above it.
        if !line.starts_with([' ', '\t']) {
            dropped = name(line).is_some_and(|name| raw.contains_key(name));
        }
        if !dropped {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.push_str("\n# From [postfix.main] in mailctl.toml\n");
    for (name, value) in raw {
        out.push_str(format!("{name} = {value}").trim_end());
        out.push('\n');
    }
    out
}

/// The parameter that a line sets.
fn name(line: &str) -> Option<&str> {
    if line.starts_with('#') {
        return None;
    }
    line.split_once('=').map(|(name, _)| name.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S2-4, S3-21, S0-7 (a raw parameter wins over what is rendered).
    #[test]
    fn a_parameter_is_set_once() {
        let raw = BTreeMap::from([
            ("a".to_owned(), "9".to_owned()),
            ("new".to_owned(), "x = y".to_owned()),
            ("none".to_owned(), String::new()),
        ]);
        let out = overridden("# a = 0\na = 1\n  2\n# 3\nab = 4\nb = a = 5\n", &raw);
        assert_eq!(
            out,
            "# a = 0\n# 3\nab = 4\nb = a = 5\n\n# From [postfix.main] in mailctl.toml\na = 9\nnew = x = y\nnone =\n"
        );
        assert_eq!(overridden("a = 1\n", &BTreeMap::new()), "a = 1\n");
    }
}
