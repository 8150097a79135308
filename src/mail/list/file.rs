//! A file of entries: one in each line, comments behind `#` or `;`, as Spamhaus' DROP and many others are written.

use super::{COMMENT, Entry, Origin, Way};
use std::{fmt, sync::Arc};

/// Entries of one file at most; a million networks take about 150 MB while they are compiled.
pub const MOST: usize = 1_000_000;

/// Faults that are kept of one file; the others are counted.
const TOLD: usize = 20;

/// A line that is no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: u32,
    /// What is wrong, and how it is written.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The lines that are entries.
    pub entries: Vec<Entry>,
    /// The first of those that are neither entry nor comment.
    pub faults: Vec<Fault>,
    /// How many of them there are.
    pub faulty: usize,
}

/// What a file's name says that its entries do: `NAME.block`, `NAME.allow`; `None` = it is no list.
pub fn way(name: &str) -> Option<Way> {
    let (stem, end) = name.rsplit_once('.')?;
    // Hidden: what editors and downloads write before they give it its name.
    if stem.is_empty() || stem.starts_with('.') {
        return None;
    }
    end.parse().ok()
}

/// Reads the text of the file `name`.
pub fn read(name: &str, way: Way, text: &[u8]) -> Read {
    let name: Arc<str> = name.into();
    let mut read = Read::default();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for (line, octets) in (1..).zip(text.split(|b| *b == b'\n')) {
        let told = String::from_utf8_lossy(octets);
        let (entry, comment) = match told.find(['#', ';']) {
            Some(at) => (&told[..at], told[at + 1..].trim()),
            None => (&*told, ""),
        };
        let entry = entry.trim();
        if entry.is_empty() {
            continue;
        }
        let parsed = match read.entries.len() < MOST {
            true => entry.parse(),
            false => Err(format!("there are more than {MOST} entries; a second file takes the others")),
        };
        match parsed {
            Ok(key) => read.entries.push(Entry {
                way,
                key,
                origin: Origin::File { name: name.clone(), line },
                comment: plain(comment).into(),
            }),
            Err(what) => {
                read.faulty += 1;
                if read.faults.len() < TOLD {
                    read.faults.push(Fault { line, what: what.chars().take(COMMENT).collect() });
                }
            }
        }
    }
    read
}

/// A comment as it can stand in a log line.
pub fn plain(comment: &str) -> String {
    comment.chars().filter(|c| !c.is_control()).take(COMMENT).collect()
}
