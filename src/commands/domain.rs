//! `mailctl domain`: the domains that are served beside those of the settings.

mod add;
mod del;
mod list;

use super::live;
use crate::{error::Error, ui::Ui, world::World};
use clap::Subcommand;

/// Add, remove and look at served domains
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
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Add(args) => add::run(args, world, ui).await?,
        Verb::Del(args) => del::run(args, world, ui).await?,
        Verb::List(args) => return list::run(args, world, ui).await,
    }
    live::noticed(world, ui).await
}
