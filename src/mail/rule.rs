//! What happens to some messages on their way through a forward: the first rule that matches counts.
//!
//! A [`Rule`] has conditions, all of which must hold, and an [`Action`]. What a message is like are its [`Facts`], which a
//! [`Scanner`] gathers while it comes in. How a walk takes rules into account: [`super::directory::resolve_for`].

mod condition;
mod facts;
mod matches;
mod mime;

pub use condition::{Condition, Minute};
pub use facts::{Facts, Scanner};
pub use matches::Matches;

use super::address::Address;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Highest priority number; the lowest comes first.
pub const LAST: u16 = 1000;
/// Most rules of one forward.
pub const RULES: usize = 100;
/// Most conditions of a rule.
pub const CONDITIONS: usize = 20;
/// Most characters of the text that a blocked sender is told.
pub const TEXT: usize = 200;

/// Where nothing else is said: in the middle.
pub const USUAL: u16 = 500;

/// One rule of a forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its number, never used twice; not in files, for every directory has its own.
    #[serde(skip)]
    pub id: i64,
    /// 0 to [`LAST`], the lowest first; among equals the one that was added first.
    #[serde(default = "usual")]
    pub priority: u16,
    /// It counts.
    #[serde(default = "on")]
    pub enabled: bool,
    /// All of them must hold; none = it matches every message.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// What then happens.
    pub action: Action,
}

fn usual() -> u16 {
    USUAL
}

fn on() -> bool {
    true
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It goes to the forward's targets, as without a rule: no later rule is asked.
    Forward,
    /// It is refused with 550 5.7.1 and this text; never thrown away in silence.
    Block(String),
    /// It goes to these instead.
    Redirect(Vec<Address>),
    /// It goes to these as well.
    AlsoTo(Vec<Address>),
}

/// What the rules of a forward say of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'r> {
    /// The rule that matched; its number is counted. `None` = none did.
    pub rule: Option<i64>,
    /// What happens.
    pub action: &'r Action,
}

/// What must be known of a message before a decision can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wants {
    /// Sender and time are enough.
    Envelope,
    /// Its header.
    Header,
    /// All of it: its size, or what is attached.
    Message,
}

/// The first enabled rule whose conditions all hold. `rules` are in order ([`in_order`]).
pub fn decide<'r>(rules: &'r [Rule], facts: &Facts) -> Decision<'r> {
    let matches =
        |rule: &&Rule| rule.enabled && rule.conditions.iter().all(|condition| condition.holds(facts));
    match rules.iter().find(matches) {
        Some(rule) => Decision { rule: Some(rule.id), action: &rule.action },
        None => Decision { rule: None, action: &Action::Forward },
    }
}

/// Puts them into the order in which they are asked.
pub fn in_order(rules: &mut [Rule]) {
    rules.sort_by_key(|rule| (rule.priority, rule.id));
}

/// How much of a message must be there before [`decide`] can be asked.
pub fn wants(rules: &[Rule]) -> Wants {
    let enabled = rules.iter().filter(|rule| rule.enabled);
    enabled.flat_map(|rule| &rule.conditions).map(Condition::wants).max().unwrap_or(Wants::Envelope)
}

impl Rule {
    /// Reads what [`Rule::stored`] wrote; `Err`: why it cannot be.
    pub fn read(
        id: i64,
        priority: i64,
        enabled: bool,
        conditions: &str,
        action: &str,
    ) -> Result<Self, String> {
        let wrong = |why: &dyn fmt::Display| format!("rule {id} cannot be read: {why}");
        Ok(Self {
            id,
            priority: u16::try_from(priority).map_err(|why| wrong(&why))?,
            enabled,
            conditions: serde_json::from_str(conditions).map_err(|why| wrong(&why))?,
            action: serde_json::from_str(action).map_err(|why| wrong(&why))?,
        })
    }

    /// Conditions and action as they are kept.
    pub fn stored(&self) -> Result<(String, String), String> {
        let text = |done: Result<String, serde_json::Error>| done.map_err(|why| why.to_string());
        Ok((text(serde_json::to_string(&self.conditions))?, text(serde_json::to_string(&self.action))?))
    }

    /// Looks whether it may be added; `Err`: one clear line.
    pub fn sound(&self) -> Result<(), String> {
        if self.priority > LAST {
            return Err(format!("priority {} is over {LAST}", self.priority));
        }
        if self.conditions.len() > CONDITIONS {
            return Err(format!("a rule has at most {CONDITIONS} conditions"));
        }
        self.conditions.iter().try_for_each(Condition::sound)?;
        match &self.action {
            Action::Block(text) if text.is_empty() || text.len() > TEXT => {
                Err(format!("the text for a blocked sender has 1 to {TEXT} characters"))
            }
            Action::Block(text) if !text.bytes().all(|b| (b' '..=b'~').contains(&b)) => {
                Err("the text for a blocked sender is one line of ASCII".to_owned())
            }
            Action::Redirect(targets) | Action::AlsoTo(targets) if targets.is_empty() => {
                Err("the rule names nobody to send to".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |all: &[Address]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Forward => f.write_str("forward as usual"),
            Self::Block(text) => write!(f, "block: {text}"),
            Self::Redirect(targets) => write!(f, "redirect to {}", names(targets)),
            Self::AlsoTo(targets) => write!(f, "forward, and also to {}", names(targets)),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        match conditions.join(" and ") {
            none if none.is_empty() => write!(f, "always: {}", self.action),
            conditions => write!(f, "if {conditions}: {}", self.action),
        }
    }
}

#[cfg(test)]
mod tests;
