//! `mailctl block`: who is refused, by client, HELO name, sender or recipient. `mailctl allow` is its other side and has the
//! same verbs.

mod add;
mod del;
mod list;

use super::live;
use crate::{
    error::{Error, codes},
    mail::list::{Key, Way},
    ui::Ui,
    world::World,
};
use clap::Subcommand;

/// Refuse mail by client, HELO name, sender or recipient
///
/// An entry is 192.0.2.7, 192.0.2.0/24, 2001:db8::/32, helo:NAME, sender:ADDRESS or recipient:ADDRESS; instead of an
/// address example.org for a domain, .example.org for all below it too, postmaster@ for a name in every domain. Logins
/// and TRUSTED_NETWORKS are asked for recipients only. See `mailctl help policy`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// What can be done with either list.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Add entries, or give them another comment or another end
    Add(add::Args),
    /// Remove entries that were added by command
    Del(del::Args),
    /// List the entries: those of commands, then those of the files lists/*
    List(list::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    on(Way::Block, args.verb, world, ui).await
}

/// Runs it on one of the lists.
pub async fn on(way: Way, verb: Verb, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match verb {
        Verb::Add(args) => add::run(way, args, world, ui).await?,
        Verb::Del(args) => del::run(way, args, world, ui).await?,
        Verb::List(args) => return list::run(way, args, world, ui).await,
    }
    live::noticed(world, ui).await
}

/// What a person typed, each once.
fn keys(texts: &[String], ui: &mut Ui) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::new();
    for text in texts {
        let key: Key = text.trim().parse().map_err(|what: String| Error::new(codes::NAME_MALFORMED, what))?;
        if key.to_string() != text.trim() {
            ui.say(format!("note: {text} is taken as {key}"));
        }
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn joined(keys: &[Key], between: &str) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// What the other list is called.
fn other(way: Way) -> Way {
    match way {
        Way::Allow => Way::Block,
        Way::Block => Way::Allow,
    }
}

/// In a sentence: "192.0.2.7 is blocked".
fn done(way: Way) -> &'static str {
    match way {
        Way::Allow => "allowed",
        Way::Block => "blocked",
    }
}
