//! `mailctl alias`: where mail goes that has no mailbox of its own. Each change is live within a second.

mod add;
pub(super) mod check;
mod del;
mod import;
mod list;
pub(super) mod resolve;

use super::live;
use crate::{error::Error, ui::Ui, world::World};
pub use check::place;
use clap::Subcommand;

/// Add, remove, import and explain aliases
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
    Resolve(resolve::Args),
    Import(import::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Add(args) => add::run(args, world, ui).await?,
        Verb::Del(args) => del::run(args, world, ui).await?,
        Verb::List(args) => return list::run(args, world, ui).await,
        Verb::Resolve(args) => return resolve::run(args, world, ui).await,
        Verb::Import(args) => import::run(args, world, ui).await?,
    }
    live::noticed(world, ui).await
}
