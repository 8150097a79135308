//! `mailctl allow`: who is not asked further, whatever blocks him.

use super::block::{self, Verb};
use crate::{error::Error, mail::list::Way, ui::Ui, world::World};

/// Take mail by client, sender or recipient without asking SPF, lists, rates and greylisting
///
/// Entries are written as for `mailctl block`. Of two entries the more specific one counts, and at the same client,
/// sender or recipient the one that allows; what is allowed by one of these is not blocked by another. A sender is only
/// what the client says: where you can, allow the client.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    block::on(Way::Allow, args.verb, world, ui).await
}
