//! `mailctl forward rule`: what happens to some messages on their way through a forward.

mod add;
mod change;
mod list;
mod test;

use super::quoted;
use crate::{
    commands::live,
    error::{Error, codes},
    mail::rule::{Action, Condition, Rule},
    ui::Ui,
    world::{World, store::Change},
};
use clap::Subcommand;

/// Rules of forwards: by sender, subject, size, attachment or time of day, forward, block, redirect, or send to others too
///
/// The enabled rule with the lowest priority number whose conditions all hold counts, and no other. See `mailctl help forward`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Add(add::Args),
    /// Remove rules
    Del(change::Numbers),
    List(list::Args),
    /// Switch rules on again
    Enable(change::Numbers),
    /// Switch rules off: the others go on
    Disable(change::Numbers),
    Move(change::Move),
    Test(test::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Add(args) => add::run(args, world, ui).await?,
        Verb::Del(args) => change::del(args, world, ui).await?,
        Verb::Enable(args) => change::switch(args, true, world, ui).await?,
        Verb::Disable(args) => change::switch(args, false, world, ui).await?,
        Verb::Move(args) => change::put(args, world, ui).await?,
        Verb::List(args) => return list::run(args, world, ui).await,
        Verb::Test(args) => return test::run(args, world, ui).await,
    }
    ui.warn(
        "rules are kept and can be tried with `mailctl forward rule test`; mailctld does not obey them yet",
    );
    live::noticed(world, ui).await
}

async fn there(change: &mut Change, id: i64) -> Result<(String, Rule), Error> {
    change.rule(id).await?.ok_or_else(|| {
        Error::new(codes::ABSENT, format!("there is no rule {id}")).hint("mailctl forward rule list")
    })
}

/// For a machine.
fn json(source: &str, rule: &Rule) -> serde_json::Value {
    serde_json::json!({
        "id": rule.id, "source": source, "priority": rule.priority, "enabled": rule.enabled,
        "conditions": rule.conditions, "action": rule.action,
    })
}

/// The command that adds it.
fn typed(source: &str, rule: &Rule) -> String {
    let mut words = format!("mailctl forward rule add {} --priority {}", quoted(source), rule.priority);
    for condition in &rule.conditions {
        let (flag, value) = match condition {
            Condition::SenderContains(text) => ("sender-contains", quoted(text)),
            Condition::SenderIs(address) => ("sender-is", quoted(&address.to_string())),
            Condition::SenderDomain(domain) => ("sender-domain", domain.clone()),
            Condition::SubjectContains(text) => ("subject-contains", quoted(text)),
            Condition::SubjectIs(text) => ("subject-is", quoted(text)),
            Condition::Larger(octets) => ("larger", octets.to_string()),
            Condition::Smaller(octets) => ("smaller", octets.to_string()),
            Condition::Attachment(wanted) => ("attachment", if *wanted { "yes" } else { "no" }.to_owned()),
            Condition::Between(from, to) => ("between", format!("{from}-{to}")),
        };
        words.push_str(&format!(" --{flag} {}", if value.is_empty() { "''" } else { &value }));
    }
    let names = |all: &[crate::mail::address::Address]| {
        all.iter().map(|one| quoted(&one.to_string())).collect::<Vec<_>>().join(" ")
    };
    words.push_str(&match &rule.action {
        Action::Forward => " --forward".to_owned(),
        Action::Block(text) => format!(" --block {}", quoted(text)),
        Action::Redirect(targets) => format!(" --redirect {}", names(targets)),
        Action::AlsoTo(targets) => format!(" --also-to {}", names(targets)),
    });
    if !rule.enabled {
        words.push_str(" --disabled");
    }
    words
}
