//! `mailctl relay`: the server that takes our mail further.

mod explain;

use crate::{error::Error, ui::Ui, world::World};
use clap::Subcommand;

/// Look after the server that takes mail further
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Explain(explain::Args),
}

/// Runs the verb.
pub async fn run(args: Args, _world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Explain(args) => explain::run(&args, ui),
    }
}
