//! `mailctl forward`: aliases that may stand for many addresses, end by themselves, be switched off and have rules. The same
//! directory as `mailctl alias`. Each change is live within a second.

mod add;
mod del;
mod entry;
mod export;
mod import;
mod list;
mod row;
mod rule;
mod set;
mod show;
mod switch;
mod test;
mod when;

use super::{live, names};
use crate::{error::Error, mail::forward::Terms, ui::Ui, world::World};
use clap::Subcommand;

/// Add, change, list, import and explain forwards: aliases with more
///
/// A source is info@example.org, sales-*@example.org, '/^ticket-([0-9]+)$/@example.org', @example.org for what else there is in
/// a domain, or @old.example with the target @example.org for a whole domain. See `mailctl help forward`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Add(add::Args),
    Del(del::Args),
    List(list::Args),
    Show(show::Args),
    /// Switch forwards on again
    Enable(switch::Args),
    /// Switch forwards off: their addresses are refused, and nothing is lost of what is set
    Disable(switch::Args),
    Set(set::Args),
    Import(import::Args),
    Export(export::Args),
    Test(test::Args),
    // Until mailctld asks them: what nobody obeys is offered to nobody.
    #[command(hide = true)]
    Rule(rule::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Add(args) => add::run(args, world, ui).await?,
        Verb::Del(args) => del::run(args, world, ui).await?,
        Verb::Enable(args) => switch::run(args, true, world, ui).await?,
        Verb::Disable(args) => switch::run(args, false, world, ui).await?,
        Verb::Set(args) => set::run(args, world, ui).await?,
        Verb::Import(args) => import::run(args, world, ui).await?,
        Verb::List(args) => return list::run(args, world, ui).await,
        Verb::Show(args) => return show::run(args, world, ui).await,
        Verb::Export(args) => return export::run(args, world, ui).await,
        Verb::Test(args) => return test::run(args, world, ui).await,
        Verb::Rule(args) => return rule::run(args, world, ui).await,
    }
    live::noticed(world, ui).await
}

/// As a shell takes it: in quotes where it holds what a shell gives a meaning to.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@.-_+=,:/%".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// For a sentence, or for a command line.
fn words(aims: &[impl ToString], between: &str) -> String {
    aims.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// Behind a sentence: ", until 2026-12-31 23:59 UTC, switched off".
fn state(terms: &Terms) -> String {
    let until = terms.until.map(|until| format!(", until {}", names::moment(until))).unwrap_or_default();
    let off = if terms.enabled { "" } else { ", switched off" };
    format!("{until}{off}")
}
