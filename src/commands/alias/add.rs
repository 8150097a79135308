//! `mailctl alias add`.

use super::check;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::{address::Address, alias::Source},
    ui::Ui,
    world::{
        World,
        store::{Alias, Change},
    },
};

/// Add an alias, or further targets to one: its mail goes to all of them
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address that it stands for, or @example.org for all of a domain that has no name of its own
    #[arg(value_name = "ALIAS")]
    source: String,
    /// Where its mail goes: here or elsewhere
    #[arg(value_name = "TARGET", required = true)]
    targets: Vec<String>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Adds it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let source = names::source(&args.source, ui)?;
    let mut targets = Vec::new();
    for text in &args.targets {
        let target = names::address(text, ui)?;
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    let settings = world.settings()?.settings;
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    names::served(&settings, &mut change, source.domain()).await?;
    unmistakable(&source, &mut change).await?;
    let mut added = Vec::new();
    for target in &targets {
        let alias = Alias { source: source.clone(), target: target.clone() };
        if change.add_alias(&alias, names::now()).await? {
            added.push(target.clone());
        }
    }
    if added.is_empty() {
        return Err(Error::new(codes::EXISTS, format!("{source} leads to {} already", joined(&targets)))
            .hint(format!("mailctl alias resolve {}", args.source)));
    }
    let all = change.targets(&source).await?;
    if let [only] = all.as_slice()
        && source == Source::Address(only.clone())
    {
        return Err(Error::new(codes::ALIAS_LOOP, format!("{source} would lead to itself and nowhere else"))
            .hint("name where its mail should go"));
    }
    let place = check::place(&settings);
    change.look_up(&settings, |directory| check::leads_somewhere(directory, &place, &source, &all)).await?;
    let shadowed = match &source {
        Source::Address(address) if !all.contains(address) => change.mailbox(address).await?,
        _ => None,
    };
    let off = change.terms(&source.to_string()).await?.and_then(|terms| terms.off(names::now()));
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);

    if ui.manner().json {
        ui.json(&serde_json::json!({
            "source": source, "targets": all, "added": if args.dry_run { Vec::new() } else { added },
        }));
    } else if args.dry_run {
        ui.say(format!("{source} would lead to {}; nothing was changed", joined(&all)));
    } else {
        ui.say(format!("{source} leads to {}", joined(&all)));
        ui.say(format!("undo: mailctl alias del {source} {}", words(&added)));
    }
    if let Some(mailbox) = shadowed {
        ui.warn(format!(
            "{0} has a mailbox, and now its mail goes elsewhere only; to keep a copy: mailctl alias add {0} {0}",
            mailbox.address
        ));
    }
    if off.is_some() {
        ui.warn(format!("{source} is switched off or over; on again: mailctl forward enable {source}"));
    }
    if source.to_string().contains('*') {
        ui.warn(format!(
            "the star in {source} is a letter; for all that match: mailctl forward add '{source}' TARGET"
        ));
    }
    Ok(())
}

/// No source means two things: a pattern of forwards that is written alike comes first.
pub async fn unmistakable(source: &Source, change: &mut Change) -> Result<(), Error> {
    let text = source.to_string();
    let aims = change.aims(&text).await?;
    if aims.is_empty() {
        return Ok(());
    }
    let aims: Vec<String> = aims.iter().map(ToString::to_string).collect();
    Err(Error::new(codes::EXISTS, format!("{text} is a forward that stands for many addresses"))
        .cause(format!("it leads to {}", aims.join(", ")))
        .hint(format!("mailctl forward del '{text}'")))
}

/// For a sentence.
pub fn joined(addresses: &[Address]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// For a command line.
pub fn words(addresses: &[Address]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
