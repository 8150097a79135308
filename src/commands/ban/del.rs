//! `mailctl ban del`, also called `unban`.

use super::key;
use crate::{
    error::{Error, codes},
    ui::Ui,
    world::World,
};

/// Let somebody in again who was shut out from logging in
#[derive(clap::Args, Debug)]
pub struct Args {
    /// An address, a network like 192.0.2.0/24, or a login like ann@example.org
    #[arg(value_name = "ADDRESS|NETWORK|LOGIN")]
    on: String,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Lifts every ban that stands in the way.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let key = key(&args.on)?;
    let lifted = world.unban(&key, args.dry_run).await?.bans;
    if lifted.is_empty() {
        return Err(Error::new(codes::ABSENT, format!("no ban stands in the way of {key}"))
            .cause("wrong passwords that were counted there are forgotten all the same")
            .hint("mailctl ban list"));
    }
    if ui.manner().json {
        ui.json(&serde_json::json!({"lifted": lifted, "changed": !args.dry_run}));
        return Ok(());
    }
    for ban in &lifted {
        match args.dry_run {
            true => ui.say(format!("would lift the ban on {}; nothing was changed", ban.on)),
            false => ui.say(format!("lifted the ban on {}; undo: mailctl ban add {}", ban.on, ban.on)),
        }
    }
    Ok(())
}
