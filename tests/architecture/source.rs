//! Rust source as the walls see it: tokens without comments, texts and tests, and the paths among them.

/// A token: a word, or one character of punctuation; `::` is one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The word or the character.
    pub text: String,
    /// Where it stands.
    pub line: usize,
}

/// A path as it is written out in full, with what `use` brought in put in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// `crate`, `world`, `store`, ...
    pub segments: Vec<String>,
    /// Where it stands.
    pub line: usize,
    /// Does it stand in a `use`?
    pub used: bool,
}

/// Splits source into tokens; comments, string and character literals are left out.
pub fn tokens(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let (mut at, mut line, mut tokens) = (0, 1, Vec::new());
    while at < text.len() {
        let next = skip(&text, at).unwrap_or(at);
        if next > at {
            line += text[at..next].iter().filter(|c| **c == '\n').count();
            at = next;
            continue;
        }
        let mut end = at + 1;
        if is_word(text[at]) {
            end = at + text[at..].iter().take_while(|c| is_word(**c)).count();
        } else if text[at..].starts_with(&[':', ':']) {
            end = at + 2;
        }
        tokens.push(Token { text: text[at..end].iter().collect(), line });
        at = end;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where the comment, literal, lifetime or white space that begins at `at` ends.
fn skip(text: &[char], at: usize) -> Option<usize> {
    let rest = &text[at..];
    let find = |from: usize, c: char| {
        rest.iter().skip(from).position(|x| *x == c).map_or(text.len(), |found| at + from + found)
    };
    match rest {
        [c, ..] if c.is_whitespace() => Some(at + 1),
        ['/', '/', ..] => Some(find(2, '\n')),
        ['/', '*', ..] => {
            let (mut depth, mut i) = (1, 2);
            while depth > 0 && i < rest.len() {
                match &rest[i..] {
                    ['/', '*', ..] => (depth, i) = (depth + 1, i + 2),
                    ['*', '/', ..] => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
            }
            Some(at + i)
        }
        ['b' | 'c', '"', ..] => Some(text_end(text, at + 2, '"')),
        ['"', ..] => Some(text_end(text, at + 1, '"')),
        ['b', '\'', ..] => Some(text_end(text, at + 2, '\'')),
        // A character, or a lifetime: a lifetime has no quote after its first letter.
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => Some(text_end(text, at + 1, '\'')),
        ['\'', ..] => Some(at + 1 + rest.iter().skip(1).take_while(|c| is_word(**c)).count()),
        ['r', ..] | ['b' | 'c', 'r', ..] => {
            let prefix = rest.iter().take_while(|c| matches!(c, 'b' | 'c' | 'r')).count();
            let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
            if prefix > 2 || rest.get(prefix + hashes) != Some(&'"') {
                return None;
            }
            let close: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let body: String = rest[prefix + hashes + 1..].iter().collect();
            let length = body.find(&close).map_or(body.chars().count(), |b| body[..b].chars().count());
            Some((at + prefix + hashes + 1 + length + close.chars().count()).min(text.len()))
        }
        _ => None,
    }
}

fn text_end(text: &[char], mut at: usize, quote: char) -> usize {
    while at < text.len() && text[at] != quote {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// Takes out every item under `#[cfg(test)]`; the names of those modules that have a file of their own
/// come beside.
pub fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut files, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if !is(&tokens[at..], &MARK) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let item = at + MARK.len();
        let mut end = item;
        let mut depth = 0;
        // An item ends with its first `;` outside of all brackets, or with the `}` that closes its body.
        while let Some(token) = tokens.get(end) {
            end += 1;
            match token.text.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(token.text.as_str(), ";" | "}") {
                break;
            }
        }
        let words: Vec<&str> = tokens[item..end].iter().map(|token| token.text.as_str()).collect();
        if let [.., "mod", name, ";"] = words[..] {
            files.push(name.to_owned());
        }
        at = end;
    }
    (kept, files)
}

fn is(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.text == *word)
}

/// All paths of a file whose own module is `module` (`["world", "store"]`), names brought in by `use`
/// written out. A `use` of one word is a path too.
pub fn paths(tokens: &[Token], module: &[String]) -> Vec<Path> {
    let (mut found, mut names, mut rest, mut at) = (Vec::new(), Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at].text == "use" && tokens.get(at + 1).is_some_and(|t| t.text != "<") {
            at = tree(tokens, at + 1, &[], module, &mut found, &mut names);
        } else {
            rest.push(tokens[at].clone());
            at += 1;
        }
    }
    let mut at = 0;
    while at < rest.len() {
        let line = rest[at].line;
        let mut segments = Vec::new();
        while rest.get(at).is_some_and(|t| t.text.starts_with(is_word)) {
            segments.push(rest[at].text.clone());
            at += 1;
            if !(is(&rest[at..], &["::"]) && rest.get(at + 1).is_some_and(|t| t.text.starts_with(is_word))) {
                break;
            }
            at += 1;
        }
        if segments.is_empty() {
            at += 1;
            continue;
        }
        if let Some((_, full)) = names.iter().find(|(name, _)| *name == segments[0]) {
            segments.splice(..1, full.iter().cloned());
        }
        if segments.len() > 1 {
            found.push(Path { segments: absolute(segments, module), line, used: false });
        }
    }
    found
}

/// Reads one tree of a `use`; answers where it ends.
fn tree(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    module: &[String],
    found: &mut Vec<Path>,
    names: &mut Vec<(String, Vec<String>)>,
) -> usize {
    let mut segments = before.to_vec();
    let mut name = None;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t.text != "}") {
                    at = tree(tokens, at, &segments, module, found, names);
                    at += usize::from(tokens.get(at).is_some_and(|t| t.text == ","));
                }
                return at + 1;
            }
            "," | ";" | "}" => break,
            "as" => {
                name = tokens.get(at + 1).map(|t| t.text.clone());
                at += 2;
            }
            "self" if !segments.is_empty() => at += 1,
            word => {
                segments.push(word.to_owned());
                at += 1;
            }
        }
    }
    let line = tokens.get(at.saturating_sub(1)).map_or(0, |t| t.line);
    let full = absolute(segments, module);
    if let Some(name) = name.or_else(|| full.last().cloned()) {
        names.push((name, full.clone()));
    }
    found.push(Path { segments: full, line, used: true });
    at
}

/// `self` and `super` written out from `crate` on.
fn absolute(segments: Vec<String>, module: &[String]) -> Vec<String> {
    let ups = segments.iter().take_while(|s| *s == "super").count();
    let first = segments.first().map(String::as_str);
    let (own, skipped) = match first {
        Some("self") => (module.len(), 1),
        Some("super") => (module.len().saturating_sub(ups), ups),
        _ => return segments,
    };
    let root = std::iter::once("crate".to_owned());
    root.chain(module[..own].iter().cloned()).chain(segments.into_iter().skip(skipped)).collect()
}
