//! `mailctl block del` and `mailctl allow del`.

use super::{done, joined, keys};
use crate::{
    error::{Error, codes},
    mail::list::{Key, Way},
    ui::Ui,
    world::World,
};

/// What is removed.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// As it was added
    #[arg(value_name = "ENTRY", required = true)]
    entries: Vec<String>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Removes them, all or none.
pub async fn run(way: Way, args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let keys = keys(&args.entries, ui)?;
    world.settings()?;
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    for key in &keys {
        if !change.unlist(way, key).await? {
            return Err(absent(way, key, world));
        }
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        let removed = if args.dry_run { &[] } else { &keys[..] };
        let removed: Vec<String> = removed.iter().map(ToString::to_string).collect();
        ui.json(&serde_json::json!({"way": way, "removed": removed}));
        return Ok(());
    }
    let names = joined(&keys, ", ");
    if args.dry_run {
        ui.say(format!("{names} would not be {} by command any more; nothing was changed", done(way)));
    } else {
        ui.say(format!("not {} by command any more: {names}", done(way)));
        ui.say(format!("undo: mailctl {way} add {}", joined(&keys, " ")));
    }
    Ok(())
}

fn absent(way: Way, key: &Key, world: &World) -> Error {
    let error = Error::new(codes::ABSENT, format!("{key} is not {} by command", done(way)));
    let shelf = world.lists();
    let found = shelf
        .tables()
        .flat_map(|(_, table)| table.entries())
        .find(|entry| entry.way == way && entry.key == *key)
        .map(|entry| (entry.to_string(), entry.remedy()));
    match found {
        Some((entry, remedy)) => error.cause(format!("it stands in a file: {entry}")).hint(remedy),
        None => error.hint(format!("mailctl {way} list")),
    }
}
