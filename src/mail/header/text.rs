//! The text of a structured field (RFC 5322 §3.2) in its parts: words, quoted strings, comments, signs.

/// One part, and whether it stands directly behind the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub is: Is,
    /// No blank, line end or comment in between.
    pub joined: bool,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Is {
    /// A run of characters that are neither blanks nor signs.
    Word(String),
    /// `"…"`, what is within it.
    Quoted(String),
    /// `[…]`, with its brackets.
    Literal(String),
    /// `(…)`, what is within it.
    Comment(String),
    /// One of the signs that were asked for.
    Sign(char),
}

/// Takes a field's value apart; `Err` says what is wrong with it. Lines end in LF or CRLF, and go on with a blank.
pub fn parts(value: &[u8], signs: &str) -> Result<Vec<Part>, &'static str> {
    let text = str::from_utf8(value).map_err(|_| "is neither ASCII nor UTF-8")?;
    let text = unfolded(text)?;
    let mut rest = text.chars().peekable();
    let mut found: Vec<Part> = Vec::new();
    let mut joined = false;
    while let Some(c) = rest.next() {
        if matches!(c, ' ' | '\t') {
            joined = false;
            continue;
        }
        let is = match c {
            '(' => Is::Comment(comment(&mut rest)?),
            '"' => Is::Quoted(until('"', &mut rest).ok_or("has a quote that does not end")?),
            '[' => {
                Is::Literal(format!("[{}]", until(']', &mut rest).ok_or("has a bracket that does not end")?))
            }
            ')' | ']' | '\\' => return Err("has a bracket or a backslash where none belongs"),
            c if signs.contains(c) => Is::Sign(c),
            c => {
                let mut word = String::from(c);
                let inside = |c: &char| !matches!(c, ' ' | '\t' | '(' | ')' | '"' | '[' | ']' | '\\');
                while let Some(c) = rest.next_if(|c| inside(c) && !signs.contains(*c)) {
                    word.push(c);
                }
                Is::Word(word)
            }
        };
        let comment = matches!(is, Is::Comment(_));
        found.push(Part { is, joined });
        joined = !comment;
    }
    Ok(found)
}

fn unfolded(text: &str) -> Result<String, &'static str> {
    let mut line = String::with_capacity(text.len());
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' if matches!(rest.peek(), Some(' ' | '\t')) => {}
            '\t' => line.push('\t'),
            c if c.is_control() => return Err("has a control character"),
            c => line.push(c),
        }
    }
    Ok(line)
}

/// Up to the closing sign; a backslash takes the next character as it is (RFC 5322 §3.2.1).
fn until(end: char, rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '\\' => text.push(rest.next()?),
            c if c == end => return Some(text),
            c => text.push(c),
        }
    }
}

/// Comments stand in comments (RFC 5322 §3.2.2).
fn comment(rest: &mut impl Iterator<Item = char>) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut depth = 1;
    loop {
        let c = rest.next().ok_or("has a comment that does not end")?;
        match c {
            '\\' => text.push(rest.next().ok_or("has a comment that does not end")?),
            ')' if depth == 1 => return Ok(text),
            c => {
                depth += match c {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                text.push(c);
            }
        }
    }
}
