//! `mailctl limits`: how much of them is used up. mailctld counts; asking counts nothing.

mod list;
mod show;

use crate::{error::Error, ui::Ui, world::World};
use clap::Subcommand;

pub use show::{line, words};

/// Show how much of the limits of [rates] is used up
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Show(show::Args),
    List(list::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Show(args) => show::run(args, world, ui).await,
        Verb::List(args) => list::run(args, world, ui).await,
    }
}
