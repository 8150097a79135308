//! `mailctl forward del`.

use super::{entry::present, quoted, words};
use crate::{
    commands::names,
    error::{Error, codes},
    mail::forward::{Aim, Source, Terms},
    ui::Ui,
    world::{World, store::Change},
};

/// Remove forwards, or with --target only some targets of one: the others stay
#[derive(clap::Args, Debug)]
pub struct Args {
    /// As they are listed; several at once, all or none
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<String>,
    /// Only this target; can be given several times
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<String>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is gone, to have it back.
struct Gone {
    source: String,
    removed: Vec<Aim>,
    left: Vec<Aim>,
    terms: Terms,
}

/// Removes them.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    if args.sources.len() > 1 && !args.targets.is_empty() {
        return Err(Error::new(codes::USAGE, "--target is for one source")
            .hint("mailctl forward del SOURCE --target TARGET"));
    }
    let mut unwanted = Vec::new();
    for text in &args.targets {
        unwanted.push(Aim::parse(text).map_err(|what| Error::new(codes::NAME_MALFORMED, what))?);
    }
    world.settings()?;
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let mut gone: Vec<Gone> = Vec::new();
    for text in &args.sources {
        let (source, all) = present(&mut change, text).await?;
        if let Some(aim) = unwanted.iter().find(|aim| !all.contains(aim)) {
            return Err(Error::new(codes::ABSENT, format!("{source} does not lead to {aim}"))
                .cause(format!("it leads to {}", words(&all, ", "))));
        }
        let removed = if unwanted.is_empty() { all.clone() } else { unwanted.clone() };
        let terms = change.terms(&source.to_string()).await?.unwrap_or_default();
        remove(&mut change, &source, &removed).await?;
        let left = all.into_iter().filter(|aim| !removed.contains(aim)).collect();
        gone.push(Gone { source: source.to_string(), removed, left, terms });
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        let rows: Vec<_> = gone
            .iter()
            .map(|gone| {
                let removed = if args.dry_run { &[] } else { &gone.removed[..] };
                serde_json::json!({"source": gone.source, "removed": removed, "targets": gone.left})
            })
            .collect();
        ui.json(&rows);
    } else {
        gone.iter().for_each(|gone| tell(gone, args.dry_run, ui));
    }
    Ok(())
}

async fn remove(change: &mut Change, source: &Source, unwanted: &[Aim]) -> Result<(), Error> {
    for aim in unwanted {
        match (source, aim) {
            (Source::Alias(source), Aim::Address(target)) => {
                change.remove_alias(source, Some(target)).await?
            }
            (Source::Pattern(pattern), aim) => change.remove_pattern(&pattern.to_string(), Some(aim)).await?,
            _ => 0,
        };
    }
    Ok(())
}

fn tell(gone: &Gone, dry_run: bool, ui: &mut Ui) {
    let Gone { source, removed, left, terms } = gone;
    match (left.as_slice(), dry_run) {
        ([], true) => return ui.say(format!("{source} would be no forward any more; nothing was changed")),
        ([], false) => ui.say(format!("{source} is no forward any more")),
        (left, true) => {
            return ui.say(format!("{source} would lead to {}; nothing was changed", words(left, ", ")));
        }
        (left, false) => ui.say(format!("{source} leads to {}", words(left, ", "))),
    }
    let targets: Vec<String> = removed.iter().map(|aim| quoted(&aim.to_string())).collect();
    let mut undo = format!("undo: mailctl forward add {} {}", quoted(source), targets.join(" "));
    if left.is_empty() {
        if !terms.note.is_empty() {
            undo.push_str(&format!(" --note {}", quoted(&terms.note)));
        }
        if let Some(until) = terms.until.filter(|until| *until > names::now()) {
            undo.push_str(&format!(" --expires {}", super::when::minute(until)));
        }
        if !terms.enabled {
            undo.push_str(" --disabled");
        }
    }
    ui.say(undo);
}
