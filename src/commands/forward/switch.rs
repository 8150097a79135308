//! `mailctl forward enable` and `mailctl forward disable`.

use super::{entry::present, quoted};
use crate::{commands::names, error::Error, ui::Ui, world::World};

/// Which.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// As they are listed; several at once, all or none
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<String>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Switches them.
pub async fn run(args: Args, on: bool, world: &World, ui: &mut Ui) -> Result<(), Error> {
    world.settings()?;
    let now = names::now();
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let (mut changed, mut same, mut over) = (Vec::new(), Vec::new(), Vec::new());
    for text in &args.sources {
        let source = present(&mut change, text).await?.0.to_string();
        let mut terms = change.terms(&source).await?.unwrap_or_default();
        if on && terms.until.is_some_and(|until| until <= now) {
            over.push(source.clone());
        }
        if terms.enabled == on {
            same.push(source);
            continue;
        }
        terms.enabled = on;
        change.set_terms(&source, &terms, now).await?;
        changed.push(source);
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    let words =
        |sources: &[String]| sources.iter().map(|source| quoted(source)).collect::<Vec<_>>().join(" ");
    let (word, back) = if on { ("on", "disable") } else { ("off", "enable") };
    if ui.manner().json {
        let changed = if args.dry_run { &[] } else { &changed[..] };
        ui.json(&serde_json::json!({"enabled": on, "changed": changed, "same": same, "over": over}));
    } else {
        if !same.is_empty() {
            ui.say(format!("switched {word} already: {}", same.join(", ")));
        }
        match (changed.is_empty(), args.dry_run) {
            (true, _) => {}
            (false, true) => {
                ui.say(format!("would be switched {word}: {}; nothing was changed", changed.join(", ")));
            }
            (false, false) => {
                ui.say(format!("switched {word}: {}", changed.join(", ")));
                ui.say(format!("undo: mailctl forward {back} {}", words(&changed)));
            }
        }
    }
    for source in over {
        ui.warn(format!(
            "{source} is over all the same; to let it count: mailctl forward set {} --expires never",
            quoted(&source)
        ));
    }
    Ok(())
}
