//! `mailctl tls`: the certificate that every port serves.

mod import;
mod show;

use crate::{error::Error, ui::Ui, world::World};
use clap::Subcommand;

/// Show the certificate, or bring in another one
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Show(show::Args),
    Import(import::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Show(args) => show::run(args, world, ui),
        Verb::Import(args) => import::run(args, world, ui).await,
    }
}
