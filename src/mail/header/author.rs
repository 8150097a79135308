//! Who a message says that it is from: `From` and `Sender` (RFC 5322 §3.6.2).
//!
//! `Sender` counts as well, for mail programs show it: "Sender on behalf of From". `Resent-From` does not (§3.6.6): nobody
//! shows it as the author, and it makes no `From` better.

use super::text::{Is, Part, parts};
use std::{fmt, str::FromStr};

/// Octets of a field at most; a hundred mailboxes need less.
const LONGEST: usize = 16 * 1024;

/// Whether a login answers for what stands in `From`: `submission.header_from`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeaderFrom {
    /// Addresses that it may send as.
    #[default]
    Own,
    /// Anything.
    Any,
}

impl FromStr for HeaderFrom {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "own" => Ok(Self::Own),
            "any" => Ok(Self::Any),
            other => Err(format!("must be own or any, not {other:?}")),
        }
    }
}

impl fmt::Display for HeaderFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Own => "own",
            Self::Any => "any",
        })
    }
}

/// The fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Who wrote it.
    From,
    /// Who sent it, where that is another.
    Sender,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::From => "From",
            Self::Sender => "Sender",
        })
    }
}

/// The fields of one message, while its header comes in.
#[derive(Clone, Debug, Default)]
pub struct Author {
    fields: [Seen; 2],
}

#[derive(Clone, Debug, Default)]
struct Seen {
    count: u32,
    value: Vec<u8>,
}

/// An address as somebody wrote it. Nothing is folded; the local part is without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Before the `@`.
    pub local: String,
    /// Behind it; in brackets where it is no name.
    pub domain: String,
}

/// Why nobody can say who a message is from; a sentence that begins with the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear(pub String);

impl Author {
    /// Looks at one field of the header.
    pub fn take(&mut self, name: &[u8], value: &[u8]) {
        let Some(field) = [Field::From, Field::Sender]
            .into_iter()
            .find(|field| name.trim_ascii().eq_ignore_ascii_case(field.to_string().as_bytes()))
        else {
            return;
        };
        let seen = &mut self.fields[field as usize];
        seen.count = seen.count.saturating_add(1);
        if seen.count == 1 {
            // One octet more than may be tells that it is too long.
            seen.value = value[..value.len().min(LONGEST + 1)].to_vec();
        }
    }

    /// All addresses in these fields, and where each stands. There is one `From`, at most one `Sender` (RFC 5322 §3.6),
    /// and an address in each.
    pub fn addresses(&self) -> Result<Vec<(Field, Written)>, Unclear> {
        let mut all = Vec::new();
        for field in [Field::From, Field::Sender] {
            let seen = &self.fields[field as usize];
            let unclear = |why: &str| Unclear(format!("{field} {why}"));
            match (field, seen.count) {
                (Field::From, 0) => return Err(unclear("is missing (RFC 5322 3.6)")),
                (Field::Sender, 0) => continue,
                (_, 1) => {}
                _ => return Err(unclear("is there more than once (RFC 5322 3.6)")),
            }
            if seen.value.len() > LONGEST {
                return Err(unclear("is longer than 16384 octets"));
            }
            let found = list(&seen.value).map_err(unclear)?;
            match (field, found.len()) {
                (_, 0) => return Err(unclear("has no address")),
                (Field::Sender, 2..) => return Err(unclear("has more than one address (RFC 5322 3.6.2)")),
                _ => all.extend(found.into_iter().map(|written| (field, written))),
            }
        }
        Ok(all)
    }
}

/// What separates the parts of a list of addresses.
const SIGNS: &str = "<>:;@,.";

/// The addresses of a list of mailboxes and groups (RFC 5322 §3.4), without its obsolete forms but for dots in names.
pub fn list(value: &[u8]) -> Result<Vec<Written>, &'static str> {
    let all = parts(value, SIGNS)?;
    // What stands behind a comment is not joined to what is before it, so they can go.
    let all: Vec<Part> = all.into_iter().filter(|part| !matches!(part.is, Is::Comment(_))).collect();
    let mut rest = &all[..];
    let mut found = Vec::new();
    let mut within = false;
    loop {
        // A group of nobody: `undisclosed:;`
        if within && sign(rest) == Some(';') {
            (rest, within) = (&rest[1..], false);
        } else {
            let name = phrase(rest);
            match sign(&rest[name..]) {
                Some(':') if name > 0 && !within => {
                    (rest, within) = (&rest[name + 1..], true);
                    continue;
                }
                Some('<') => {
                    let (written, behind) = address(&rest[name + 1..])?;
                    if sign(behind) != Some('>') {
                        return Err("has something behind an address and before its >");
                    }
                    found.push(written);
                    rest = &behind[1..];
                }
                _ => {
                    let (written, behind) = address(rest)?;
                    found.push(written);
                    rest = behind;
                }
            }
            if within && sign(rest) == Some(';') {
                (rest, within) = (&rest[1..], false);
            }
        }
        match sign(rest) {
            Some(',') => rest = &rest[1..],
            None if rest.is_empty() && within => return Err("has a group that does not end"),
            None if rest.is_empty() => return Ok(found),
            _ => {
                return Err(
                    "has something between two addresses that is no comma; names with an @, a comma or another sign in them stand in quotes",
                );
            }
        }
    }
}

fn sign(rest: &[Part]) -> Option<char> {
    match rest.first()?.is {
        Is::Sign(c) => Some(c),
        _ => None,
    }
}

/// How many parts the name at the front has: words, quoted strings, and dots behind the first (RFC 5322 §4.1).
fn phrase(rest: &[Part]) -> usize {
    let of_name = |(at, part): &(usize, &Part)| match &part.is {
        Is::Word(_) | Is::Quoted(_) => true,
        Is::Sign('.') => *at > 0,
        _ => false,
    };
    rest.iter().enumerate().take_while(of_name).count()
}

/// `local@domain` with no blank and no comment in it: where there is one, mail programs differ.
fn address(rest: &[Part]) -> Result<(Written, &[Part]), &'static str> {
    let (local, rest) = match rest.split_first() {
        Some((Part { is: Is::Quoted(text), .. }, behind)) => (text.clone(), behind),
        Some((Part { is: Is::Word(_), .. }, _)) => dotted(rest)?,
        Some((Part { is: Is::Sign('@'), .. }, _)) => return Err("has an address with a route"),
        _ => return Err("has no address where one belongs"),
    };
    // Programs that decode where nothing is encoded show another address (RFC 2047 §5).
    if local.contains("=?") {
        return Err("has an encoded word in an address");
    }
    if local.chars().any(|c| !(' '..='~').contains(&c)) {
        return Err("has letters outside ASCII in an address");
    }
    let Some((at, rest)) = rest.split_first().filter(|(at, _)| at.is == Is::Sign('@')) else {
        return Err(
            "has no address where one belongs; names with a comma or another sign in them stand in quotes",
        );
    };
    let (domain, behind) = match rest.split_first() {
        Some((Part { is: Is::Literal(text), joined: true }, behind)) => (text.clone(), behind),
        Some((Part { is: Is::Word(_), joined: true }, _)) => dotted(rest)?,
        _ => return Err("has an address without a domain"),
    };
    if !at.joined {
        return Err("has a blank or a comment within an address");
    }
    if !domain.is_ascii() {
        return Err("has letters outside ASCII in an address; write the domain in its xn-- form");
    }
    Ok((Written { local, domain }, behind))
}

/// Words with single dots between them, all joined.
fn dotted(rest: &[Part]) -> Result<(String, &[Part]), &'static str> {
    let mut text = String::new();
    for (at, part) in rest.iter().enumerate() {
        match &part.is {
            _ if at > 0 && !part.joined && matches!(part.is, Is::Sign('.')) => {
                return Err("has a blank or a comment within an address");
            }
            Is::Word(word) if at == 0 || text.ends_with('.') && part.joined => text.push_str(word),
            Is::Sign('.') if at > 0 && !text.ends_with('.') => text.push('.'),
            _ => return closed(text, &rest[at..]),
        }
    }
    closed(text, &[])
}

fn closed(text: String, rest: &[Part]) -> Result<(String, &[Part]), &'static str> {
    if text.ends_with('.') {
        Err("has a dot at the end of an address or two in a row")
    } else {
        Ok((text, rest))
    }
}

/// As it may stand in a reply: printable ASCII, at most a hundred characters of each part.
impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |text: &str| -> String {
            text.chars().take(100).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
        };
        let local = plain(&self.local);
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if !local.is_empty() && local.chars().all(atom) {
            write!(f, "{local}@{}", plain(&self.domain))
        } else {
            write!(f, "\"{}\"@{}", local.replace(['"', '\\'], "?"), plain(&self.domain))
        }
    }
}
