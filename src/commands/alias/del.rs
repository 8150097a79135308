//! `mailctl alias del`.

use super::add::{joined, words};
use crate::{
    commands::names,
    error::{Error, codes},
    ui::Ui,
    world::World,
};

/// Remove an alias, or only some of its targets: the others stay
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address that it stands for, or @example.org
    #[arg(value_name = "ALIAS")]
    source: String,
    /// Only these targets; without them, all
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Removes it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let source = names::source(&args.source, ui)?;
    let mut unwanted = Vec::new();
    for text in &args.targets {
        unwanted.push(names::address(text, ui)?);
    }
    world.settings()?;
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let before = change.targets(&source).await?;
    if before.is_empty() {
        return Err(Error::new(codes::ABSENT, format!("{source} is no alias")).hint("mailctl alias list"));
    }
    if let Some(target) = unwanted.iter().find(|target| !before.contains(target)) {
        return Err(Error::new(codes::ABSENT, format!("{source} does not lead to {target}"))
            .cause(format!("it leads to {}", joined(&before))));
    }
    let removed = if unwanted.is_empty() { before.clone() } else { unwanted };
    for target in &removed {
        change.remove_alias(&source, Some(target)).await?;
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);

    let left: Vec<_> = before.into_iter().filter(|target| !removed.contains(target)).collect();
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "source": source, "removed": if args.dry_run { Vec::new() } else { removed }, "targets": left,
        }));
        return Ok(());
    }
    let would = if args.dry_run { "would lead" } else { "leads" };
    match left.as_slice() {
        [] if args.dry_run => ui.say(format!("{source} would be no alias any more; nothing was changed")),
        [] => ui.say(format!("{source} is no alias any more")),
        left => ui.say(format!("{source} {would} to {}", joined(left))),
    }
    if !args.dry_run {
        ui.say(format!("undo: mailctl alias add {source} {}", words(&removed)));
    }
    Ok(())
}
