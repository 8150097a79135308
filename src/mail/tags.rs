//! Lists of `tag=value` as DKIM and DMARC records have them (RFC 6376 §3.2).

/// One tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// As written: upper and lower case count.
    pub name: &'a str,
    /// Without the blanks around it.
    pub value: &'a str,
}

/// Reads a list; the error is the part that is no `tag=value`. A `;` at the end is allowed.
pub fn parse(text: &str) -> Result<Vec<Tag<'_>>, String> {
    let mut tags: Vec<Tag<'_>> = Vec::new();
    let mut parts: Vec<&str> = text.split(';').map(trim).collect();
    if parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    for part in parts {
        let (name, value) = part.split_once('=').ok_or_else(|| shown(part))?;
        let (name, value) = (trim(name), trim(value));
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(shown(part));
        }
        tags.push(Tag { name, value });
    }
    Ok(tags)
}

/// The tag that stands twice, which no list may have.
pub fn doubled<'a>(tags: &[Tag<'a>]) -> Option<&'a str> {
    let twice = |index: usize, tag: &Tag<'_>| tags[..index].iter().any(|other| other.name == tag.name);
    tags.iter().enumerate().find(|(index, tag)| twice(*index, tag)).map(|(_, tag)| tag.name)
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

fn shown(part: &str) -> String {
    if part.is_empty() {
        "nothing between two semicolons".to_owned()
    } else {
        part.chars().take(60).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: RFC 6376 §3.2 (blanks around, the last semicolon, `=` within values, tags once).
    #[test]
    fn lists_are_read_as_they_are_written() {
        let tags = parse("v=DMARC1 ; p = none;rua=mailto:a@b?x=y;").unwrap();
        assert_eq!(tags.iter().map(|tag| tag.name).collect::<Vec<_>>(), ["v", "p", "rua"]);
        assert_eq!(tags[2].value, "mailto:a@b?x=y");
        assert_eq!(doubled(&tags), None);
        assert_eq!(doubled(&parse("a=1; a=2").unwrap()), Some("a"));
        for bad in ["v=DMARC1;; p=none", "none", "v=DMARC1; p", "=x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse(""), Ok(Vec::new()));
    }
}
