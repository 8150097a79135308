//! `mailctl cert`: the certificates that every port serves.

mod attempt;
pub mod facts;
pub mod import;
mod issue;
mod remove;
pub mod renew;
mod revoke;
pub mod serve;
pub mod show;

use crate::{error::Error, ui::Ui, world::World};
use clap::Subcommand;

/// Get certificates from an authority, show them, or bring in others
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Show(show::Args),
    Issue(issue::Args),
    Renew(renew::Args),
    Revoke(revoke::Args),
    Import(import::Args),
    Remove(remove::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Show(args) => show::run(args, world, ui),
        Verb::Issue(args) => issue::run(args, world, ui).await,
        Verb::Renew(args) => renew::run(args, world, ui).await,
        Verb::Revoke(args) => revoke::run(args, world, ui).await,
        Verb::Import(args) => import::run(args, world, ui).await,
        Verb::Remove(args) => remove::run(args, world, ui).await,
    }
}
