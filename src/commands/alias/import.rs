//! `mailctl alias import`.

use super::check;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::{
        address::{Address, Domain},
        alias::{Source, table},
    },
    settings::Settings,
    ui::Ui,
    world::{
        World, io_error,
        store::{Alias, Change},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// How many faults are told at once.
const SHOWN: usize = 20;

/// Add all aliases of a file, or none: `ALIAS TARGET[, TARGET …]` per line, as in Postfix's virtual(5)
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The file (valias, postfix-virtual.cf, the output of alias list); - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Imports it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let text = read(&args.file)?;
    let entries = table::parse(&text, &settings.domain).map_err(|faults| {
        refused(
            &args.file,
            faults.iter().map(|fault| format!("line {}: {}", fault.line, fault.what)).collect(),
        )
    })?;
    let lines: BTreeMap<&Source, usize> =
        entries.iter().rev().map(|entry| (&entry.source, entry.line)).collect();
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;

    let mut served: BTreeSet<Domain> = settings.domains().cloned().collect();
    served.extend(change.domains().await?);
    let foreign: Vec<String> = entries
        .iter()
        .filter(|entry| !served.contains(entry.source.domain()))
        .map(|entry| format!("line {}: {} is not a domain of this server", entry.line, entry.source.domain()))
        .collect();
    if !foreign.is_empty() {
        return Err(refused(&args.file, foreign).hint("mailctl domain add DOMAIN"));
    }
    let aliases: Vec<Alias> = entries
        .iter()
        .map(|entry| Alias { source: entry.source.clone(), target: entry.target.clone() })
        .collect();
    let patterns = change.pattern_sources().await?;
    let taken: Vec<String> = entries
        .iter()
        .filter(|entry| patterns.contains(&entry.source.to_string()))
        .map(|entry| {
            format!("line {}: {} is a forward that stands for many addresses", entry.line, entry.source)
        })
        .collect();
    if !taken.is_empty() {
        return Err(refused(&args.file, taken).hint("mailctl forward list"));
    }
    let added = change.add_aliases(&aliases, names::now()).await?;
    let faults = astray(&settings, &mut change, &served, &lines).await?;
    if !faults.is_empty() {
        return Err(refused(&args.file, faults));
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);

    let known = aliases.len() as u64 - added;
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "lines": aliases.len(), "added": if args.dry_run { 0 } else { added }, "known": known,
            "would_add": added,
        }));
    } else {
        let did = if args.dry_run { "would be added; nothing was changed" } else { "added" };
        ui.say(format!("{added} aliases {did}; {known} were there already"));
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, Error> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    String::from_utf8(bytes.map_err(|e| io_error("read", file, &e))?)
        .map_err(|_| Error::new(codes::IMPORT_REFUSED, format!("{} is not UTF-8 text", file.display())))
}

/// What is wrong with where the file's aliases lead. Most lead to a mailbox or to another server; only the
/// rest is walked, for a walk takes a dozen questions.
async fn astray(
    settings: &Settings,
    change: &mut Change,
    served: &BTreeSet<Domain>,
    lines: &BTreeMap<&Source, usize>,
) -> Result<Vec<String>, Error> {
    let mut odd: BTreeMap<Source, Vec<Address>> = BTreeMap::new();
    for alias in change.aliases_without_mailbox().await? {
        let local = served.contains(alias.target.domain()) || *alias.target.domain() == settings.hostname;
        if local && lines.contains_key(&alias.source) {
            odd.entry(alias.source).or_default().push(alias.target);
        }
    }
    let place = check::place(settings);
    let mut faults = Vec::new();
    change
        .look_up(settings, |directory| {
            for (source, targets) in &odd {
                if let Err(error) = check::leads_somewhere(directory, &place, source, targets) {
                    let line = lines.get(source).copied().unwrap_or_default();
                    faults.push(format!("line {line}: {error}"));
                }
            }
            Ok(())
        })
        .await?;
    Ok(faults)
}

fn refused(file: &Path, faults: Vec<String>) -> Error {
    let all = faults.len();
    let what = format!("{} was not imported: {all} of its lines cannot be", file.display());
    let error = Error::new(codes::IMPORT_REFUSED, what);
    let error = faults.into_iter().take(SHOWN).fold(error, Error::cause);
    if all > SHOWN { error.cause(format!("and {} more", all - SHOWN)) } else { error }
}
