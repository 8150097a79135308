//! `mailctl ban list`.

use crate::{
    commands::names,
    error::Error,
    mail::penalty::By,
    ui::{Ui, listing::Listing},
    world::World,
};

/// List who is shut out, by whom, and for how long still
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Prints them.
pub async fn run(_args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let bans = world.bans().await?.bans;
    let now = u64::try_from(names::now()).unwrap_or(0);
    let mut listing = Listing::begin(ui);
    for ban in &bans {
        let left = names::age(i64::try_from(ban.until.saturating_sub(now)).unwrap_or(i64::MAX));
        let by = match ban.by {
            By::Rule => "too many wrong passwords",
            By::Operator => "by command",
        };
        listing.row(ban, |line| line.push_str(&format!("{:<44} {left:>8}  {by}", ban.on)));
    }
    listing.end(|ui| ui.say("nobody is banned"));
    Ok(())
}
