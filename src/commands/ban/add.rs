//! `mailctl ban add`.

use super::key;
use crate::{commands::names, error::Error, settings::value, ui::Ui, world::World};

/// Shut somebody out from logging in, for a time
#[derive(clap::Args, Debug)]
pub struct Args {
    /// An address, a network like 192.0.2.0/24, or a login like ann@example.org
    #[arg(value_name = "ADDRESS|NETWORK|LOGIN")]
    on: String,
    /// For how long, like 90s, 30m, 1h, 7d or 4w
    #[arg(long = "for", value_name = "TIME", default_value = "1d", value_parser = value::span)]
    time: u64,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Bans them.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let key = key(&args.on)?;
    let banned = world.ban(&key, args.time, args.dry_run).await?;
    if ui.manner().json {
        ui.json(&serde_json::json!({"banned": banned.bans, "changed": !args.dry_run}));
        return Ok(());
    }
    let time = names::age(i64::try_from(args.time).unwrap_or(i64::MAX));
    if args.dry_run {
        ui.say(format!("would ban {key} for {time}; nothing was changed"));
    } else {
        ui.say(format!("banned {key} for {time}: no login, on any port; sessions that are open go on"));
        ui.say(format!("undo: mailctl unban {key}"));
    }
    Ok(())
}
