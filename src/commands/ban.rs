//! `mailctl ban`: who is shut out from logging in. mailctld holds the bans; each change counts at once.

mod add;
pub mod del;
mod list;

use crate::{
    error::{Error, codes},
    mail::penalty::Key,
    ui::Ui,
    world::World,
};
use clap::Subcommand;

/// Show, make and lift bans from logging in
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    List(list::Args),
    Add(add::Args),
    Del(del::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::List(args) => list::run(args, world, ui).await,
        Verb::Add(args) => add::run(args, world, ui).await,
        Verb::Del(args) => del::run(args, world, ui).await,
    }
}

/// What a person typed.
fn key(text: &str) -> Result<Key, Error> {
    text.parse().map_err(|unclear| Error::new(codes::NAME_MALFORMED, format!("{unclear}")))
}
