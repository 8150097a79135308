//! `mailctl user`: people with a mailbox. Each change is live within a second, without a reload.

pub(super) mod add;
mod allow;
mod del;
mod list;
mod may_send;
mod passwd;
pub mod secret;
mod set;
mod show;
mod unfreeze;

use super::live;
use crate::{error::Error, ui::Ui, world::World};
use clap::Subcommand;

/// Add, remove, change and look at mailboxes
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
    Passwd(passwd::Args),
    Set(set::Args),
    Show(show::Args),
    MaySend(may_send::Args),
    Allow(allow::Args),
    Disallow(allow::Back),
    Unfreeze(unfreeze::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Add(args) => add::run(args, world, ui).await?,
        Verb::Del(args) => del::run(args, world, ui).await?,
        Verb::Set(args) => return set::run(args, world, ui).await,
        Verb::List(args) => return list::run(args, world, ui).await,
        Verb::Allow(args) => allow::allow(args, world, ui).await?,
        Verb::Disallow(args) => allow::disallow(args, world, ui).await?,
        Verb::Unfreeze(args) => return unfreeze::run(args, world, ui).await,
        Verb::MaySend(args) => return may_send::run(args, world, ui).await,
        Verb::Passwd(args) => return passwd::run(args, world, ui).await,
        Verb::Show(args) => return show::run(args, world, ui).await,
    }
    live::noticed(world, ui).await
}
