//! Where values come from: two files and the environment, every word with its origin and every fault at once.

use super::{
    keys::{Home, KEYS, Key, find},
    near::nearest,
};
use std::{collections::BTreeMap, fmt};

/// The texts to read; a file that does not exist is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// `settings.env`.
    pub settings_env: Option<&'a str>,
    /// `mailctl.toml`.
    pub mailctl_toml: Option<&'a str>,
    /// `MAILCTL_*` and their values.
    pub environment: &'a [(String, String)],
}

/// Where a value was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The table's default.
    Default,
    /// A line of a file.
    Line(&'static str, usize),
    /// An environment variable.
    Variable(String),
    /// The content of a file that a key names.
    SecretFile(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Line(file, line) => write!(f, "{file}:{line}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::SecretFile(path) => write!(f, "file {path}"),
        }
    }
}

/// One thing that is wrong: where, what, and what to do about it. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `settings.env:3`.
    pub place: Origin,
    /// One clear line.
    pub what: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place != Origin::Default {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.what)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

/// A value as it was written, and where.
#[derive(Clone)]
pub struct Word {
    /// As written.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

/// What the sources say, before it is understood.
#[derive(Clone, Default)]
pub struct Words {
    /// By key name.
    pub set: BTreeMap<&'static str, Word>,
    /// Free tables: (table, key) = value.
    pub raw: BTreeMap<(&'static str, String), Word>,
    /// What is wrong so far.
    pub faults: Vec<Fault>,
}

impl Words {
    /// Reads all sources: default < file < environment. An empty value counts as not set.
    pub fn gather(sources: &Sources<'_>) -> Self {
        let mut words = Self::default();
        words.read_env(sources.settings_env.unwrap_or_default());
        words.read_toml(sources.mailctl_toml.unwrap_or_default());
        words.read_environment(sources.environment);
        words
    }

    /// Notes a value; an empty one is none.
    pub fn put(&mut self, key: &'static Key, text: &str, origin: Origin) {
        if !text.is_empty() {
            self.set.insert(key.name, Word { text: text.to_owned(), origin });
        }
    }

    /// Notes a fault.
    pub fn fault(&mut self, place: Origin, what: impl Into<String>, remedy: Option<String>) {
        self.faults.push(Fault { place, what: what.into(), remedy });
    }

    /// A name that `file` does not know: in the wrong file, misspelt, or unheard of.
    pub fn unknown(&mut self, place: Origin, name: &str, home: Home) {
        let dotted = name.to_ascii_lowercase().replacen('_', ".", 1);
        let plain = name.rsplit('.').next().unwrap_or(name).to_ascii_uppercase();
        let elsewhere = KEYS
            .iter()
            .filter(|key| key.home != home)
            .find(|key| key.name == name || key.name == dotted || key.name == plain);
        if let Some(key) = elsewhere {
            let how = match key.name.split_once('.') {
                Some((table, leaf)) => format!("as {leaf} under [{table}]"),
                None => format!("as {}=…", key.name),
            };
            let remedy = format!("move it to {}, {how}", key.home.file());
            return self.fault(place, format!("{name:?} does not belong in {}", home.file()), Some(remedy));
        }
        let known = KEYS.iter().filter(|key| key.home == home).map(|key| key.name);
        let remedy = match nearest(name, known).or_else(|| nearest(name, KEYS.iter().map(|key| key.name))) {
            Some(near) => match find(near) {
                Some(key) if key.home != home => format!("did you mean {near}, in {}?", key.home.file()),
                _ => format!("did you mean {near}?"),
            },
            None => "mailctl help settings lists all".to_owned(),
        };
        self.fault(place, format!("{name:?} is not a setting"), Some(remedy));
    }

    /// `MAILCTL_<KEY>`. Other programs may own such names too, so only a near miss is a fault.
    fn read_environment(&mut self, environment: &[(String, String)]) {
        let variables: Vec<(String, &'static Key)> = KEYS.iter().map(|key| (key.variable(), key)).collect();
        for (name, value) in environment {
            let origin = Origin::Variable(name.clone());
            if ["MAILCTL_HOME", "MAILCTL_PROJECT"].contains(&name.as_str()) {
                continue;
            }
            if let Some((_, key)) = variables.iter().find(|(variable, _)| variable == name) {
                self.put(key, value, origin);
            } else if let Some(near) = nearest_variable(name, &variables) {
                self.fault(origin, format!("{name} is not a setting"), Some(format!("did you mean {near}?")));
            }
        }
    }
}

/// Compares without the common prefix, which would make everything look near.
fn nearest_variable(name: &str, variables: &[(String, &'static Key)]) -> Option<String> {
    let tails = variables.iter().map(|(variable, _)| variable.trim_start_matches("MAILCTL_"));
    let near = nearest(name.strip_prefix("MAILCTL_")?, tails)?;
    Some(format!("MAILCTL_{near}"))
}
