//! Commands in messages, as they are to be typed: with the home and project that were given on this command
//! line, or the next command would act on another server.

use std::borrow::Cow;

/// How this program is called here.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// `--home DIR`, `--project NAME`, as far as they were given.
    options: String,
    /// The words that can follow: `user`, `up`, …
    words: Vec<String>,
}

impl Call {
    /// `options` are name and value; `words` are what the command line knows.
    pub fn new(options: &[(&str, &str)], words: impl IntoIterator<Item = String>) -> Self {
        let options = options.iter().map(|(name, value)| format!(" {name} {}", quoted(value))).collect();
        Self { options, words: words.into_iter().collect() }
    }

    /// The line with the options put in after every `mailctl` that a command follows.
    pub fn typed<'a>(&self, line: &'a str) -> Cow<'a, str> {
        const NAME: &str = "mailctl ";
        if self.options.is_empty() || !line.contains(NAME) {
            return Cow::Borrowed(line);
        }
        let mut text = String::with_capacity(line.len() + 2 * self.options.len());
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(NAME) {
            text.push_str(before);
            text.push_str("mailctl");
            let begins = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"-/".contains(c));
            let word =
                after.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
            if begins && self.words.iter().any(|known| known == word) {
                text.push_str(&self.options);
            }
            text.push(' ');
            rest = after;
        }
        text.push_str(rest);
        Cow::Owned(text)
    }
}

/// For a POSIX shell.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_to_be_typed_as_this_one_was() {
        let call = Call::new(
            &[("--home", "/srv/my mail")],
            ["user".to_owned(), "up".to_owned(), "dns-check".to_owned()],
        );
        for (line, typed) in [
            ("mailctl user list", "mailctl --home '/srv/my mail' user list"),
            (
                "a; then: mailctl up, undo: mailctl user del",
                "a; then: mailctl --home '/srv/my mail' up, undo: mailctl --home '/srv/my mail' user del",
            ),
            ("mailctl dns-check a.org", "mailctl --home '/srv/my mail' dns-check a.org"),
            ("mailctl --home /x up", "mailctl --home /x up"),
            ("the mailctl of before", "the mailctl of before"),
            ("/run/mailctl user", "/run/mailctl user"),
        ] {
            assert_eq!(call.typed(line), typed);
        }
        assert_eq!(Call::default().typed("mailctl up"), "mailctl up");
    }
}
