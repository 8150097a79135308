//! `mailctl config`: the settings as they are understood.

mod check;
mod diff;
mod show;

use crate::{error::Error, ui::Ui, world::World};

/// Show, check and compare the configuration
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    word: Word,
}

#[derive(clap::Subcommand, Debug)]
enum Word {
    Show(show::Args),
    Check(check::Args),
    Diff(diff::Args),
}

/// Does what the second word says.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.word {
        Word::Show(args) => show::run(&args, world, ui),
        Word::Check(args) => check::run(&args, world, ui).await,
        Word::Diff(args) => diff::run(&args, world, ui).await,
    }
}
