//! `mailctl forward add`.

use super::{
    entry::{Entry, note},
    quoted, when,
    when::When,
    words,
};
use crate::{
    commands::names,
    error::{Error, codes},
    mail::{
        alias,
        forward::{Source, Terms},
    },
    ui::Ui,
    world::World,
};

/// Add a forward, or further targets to one: its mail goes to all of them
#[derive(clap::Args, Debug)]
pub struct Args {
    /// info@example.org, sales-*@example.org, '/^ticket-([0-9]+)$/@example.org', @example.org, or a whole domain
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Where its mail goes: an address, here or elsewhere; 'team-$1@example.org' takes up what a * or a group stands for;
    /// @example.org for a whole domain
    #[arg(value_name = "TARGET", required = true)]
    targets: Vec<String>,
    /// When it ends: 30d, 2026-12-31 (the end of that day, UTC), 2026-12-31T18:00 (UTC), or never
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    expires: Option<When>,
    /// For people; at most 500 characters
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Switched off until `forward enable`
    #[arg(long)]
    disabled: bool,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Adds it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let entry = Entry::parse(&args.source, &args.targets)?;
    let source = entry.source.to_string();
    if source != args.source {
        ui.say(format!("note: {} is taken as {source}", args.source));
    }
    let settings = world.settings()?.settings;
    let now = names::now();
    let until = args.expires.map(|when| when.until(now)).transpose();
    let until = until.map_err(|what| Error::new(codes::NAME_MALFORMED, what))?;
    let lock = world.lock()?;
    let store = world.store().await?;
    let served = names::domains(&settings, &store).await?;
    let mut change = store.begin().await?;
    let put = entry.put(&settings, &mut change, &served, now).await?;
    let before = change.terms(&source).await?.unwrap_or_default();
    let mut terms = before.clone();
    if let Some(until) = until {
        terms.until = until;
    }
    if let Some(text) = &args.note {
        terms.note = note(text)?;
    }
    terms.enabled &= !args.disabled;
    if put.added.is_empty() && terms == before {
        return Err(Error::new(
            codes::EXISTS,
            format!("{source} leads to {} already", words(&put.all, ", ")),
        )
        .hint(format!("mailctl forward show {}", quoted(&source))));
    }
    change.set_terms(&source, &terms, now).await?;
    let shadowed = match &entry.source {
        Source::Alias(alias::Source::Address(address)) => {
            let kept = put.all.iter().any(|aim| aim.to_string() == source);
            if kept { None } else { change.mailbox(address).await? }
        }
        _ => None,
    };
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        let added = if args.dry_run { &[] } else { &put.added[..] };
        ui.json(&serde_json::json!({
            "source": source, "targets": put.all, "added": added, "enabled": terms.enabled, "until": terms.until,
            "note": terms.note,
        }));
    } else {
        tell(&args, &source, &put, &terms, ui);
    }
    if let (Some(mailbox), None) = (shadowed, terms.off(now)) {
        ui.warn(format!(
            "{0} has a mailbox, and now its mail goes elsewhere only; to keep a copy: mailctl forward add {0} {0}",
            mailbox.address
        ));
    }
    if let (Some(_), false) = (before.off(now), args.disabled) {
        ui.warn(format!(
            "{source} is switched off or over; on again: mailctl forward enable {}",
            quoted(&source)
        ));
    }
    Ok(())
}

fn tell(args: &Args, source: &str, put: &super::entry::Put, terms: &Terms, ui: &mut Ui) {
    let all = words(&put.all, ", ");
    if args.dry_run {
        return ui.say(format!("{source} would lead to {all}{}; nothing was changed", super::state(terms)));
    }
    ui.say(format!("{source} leads to {all}{}", super::state(terms)));
    if put.added.len() == put.all.len() {
        ui.say(format!("undo: mailctl forward del {}", quoted(source)));
    } else if !put.added.is_empty() {
        let targets: Vec<String> =
            put.added.iter().map(|aim| format!("--target {}", quoted(&aim.to_string()))).collect();
        ui.say(format!("undo: mailctl forward del {} {}", quoted(source), targets.join(" ")));
    }
    if args.source.starts_with('/') || args.source.contains('*') {
        ui.say(format!(
            "try it: mailctl forward test some-name@{}",
            source.rsplit('@').next().unwrap_or_default()
        ));
    }
}
