//! `mailctl forward set`.

use super::{
    entry::{note, present},
    quoted,
    when::{self, When},
};
use crate::{
    commands::names,
    error::{Error, codes},
    mail::forward::Terms,
    ui::Ui,
    world::World,
};

/// Give forwards another end or another note
#[derive(clap::Args, Debug)]
pub struct Args {
    /// As they are listed; several at once, all or none
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<String>,
    /// When they end: 30d, 2026-12-31 (the end of that day, UTC), 2026-12-31T18:00 (UTC), or never
    #[arg(long, value_name = "WHEN", value_parser = when::parse, required_unless_present = "note")]
    expires: Option<When>,
    /// For people; at most 500 characters, nothing takes it away
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Sets it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    world.settings()?;
    let now = names::now();
    let until = args.expires.map(|when| when.until(now)).transpose();
    let until = until.map_err(|what| Error::new(codes::NAME_MALFORMED, what))?;
    let note = args.note.as_deref().map(note).transpose()?;
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let mut done: Vec<(String, Terms, Terms)> = Vec::new();
    for text in &args.sources {
        let source = present(&mut change, text).await?.0.to_string();
        let before = change.terms(&source).await?.unwrap_or_default();
        let after = Terms {
            until: until.unwrap_or(before.until),
            note: note.clone().unwrap_or_else(|| before.note.clone()),
            ..before
        };
        change.set_terms(&source, &after, now).await?;
        done.push((source, before, after));
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        let rows: Vec<_> = done
            .iter()
            .map(|(source, before, after)| {
                let terms = if args.dry_run { before } else { after };
                serde_json::json!({
                    "source": source, "enabled": terms.enabled, "until": terms.until, "note": terms.note,
                })
            })
            .collect();
        ui.json(&rows);
        return Ok(());
    }
    for (source, before, after) in &done {
        let note = if after.note.is_empty() { String::new() } else { format!(", note: {}", after.note) };
        let stays = if after.until.is_none() { ", without an end" } else { "" };
        let said = format!("{source}{}{stays}{note}", super::state(after));
        if args.dry_run {
            ui.say(format!("would be: {said}; nothing was changed"));
            continue;
        }
        ui.say(said);
        ui.say(format!("undo: mailctl forward set {}{}", quoted(source), back(&args, before, now)));
    }
    Ok(())
}

/// What is typed to have it as it was.
fn back(args: &Args, before: &Terms, now: i64) -> String {
    let mut words = String::new();
    if args.expires.is_some() {
        let until = before.until.filter(|until| *until > now);
        words.push_str(&format!(" --expires {}", until.map_or_else(|| "never".to_owned(), when::minute)));
    }
    if args.note.is_some() {
        words.push_str(&format!(" --note {}", quoted_note(&before.note)));
    }
    words
}

fn quoted_note(note: &str) -> String {
    if note.is_empty() { "''".to_owned() } else { quoted(note) }
}
