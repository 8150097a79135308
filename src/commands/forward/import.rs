//! `mailctl forward import`.

use super::{
    entry::{Entry, note},
    when,
};
use crate::{
    commands::{
        alias::{check::named_lead_elsewhere, place},
        names,
    },
    error::{Error, codes},
    mail::{
        address::{Address, Domain},
        forward::{Aim, Terms, csv},
        rule::{Action, RULES, Rule},
    },
    settings::{Settings, value},
    ui::Ui,
    world::{
        World, io_error,
        store::{Change, Lookup},
    },
};
use std::path::{Path, PathBuf};

/// How many faults are told at once.
const SHOWN: usize = 20;

/// Add all forwards of a file, or none: what `forward export` prints, as CSV or JSON
///
/// A forward that is there already gets the targets and rules that it lacks, and end, note and switch of the file. Postfix's
/// virtual(5) is taken by `mailctl alias import`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// One of the file.
struct Read {
    line: usize,
    source: String,
    targets: Vec<String>,
    terms: Terms,
    rules: Vec<Rule>,
}

/// As JSON has it; what else is there is not looked at.
#[derive(serde::Deserialize)]
struct Json {
    source: String,
    targets: Vec<String>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    until: Option<i64>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

fn yes() -> bool {
    true
}

/// Imports it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let now = names::now();
    let text = text(&args.file)?;
    let read = if text.trim_start().starts_with('[') { from_json(&text) } else { from_csv(&text, now) };
    let rows = read.map_err(|faults| refused(&args.file, faults))?;
    let lock = world.lock()?;
    let store = world.store().await?;
    let served = names::domains(&settings, &store).await?;
    let mut change = store.begin().await?;
    let (mut faults, mut entries) = (Vec::new(), Vec::new());
    let (mut added, mut changed) = (0, 0);
    for row in &rows {
        match insert(row, &settings, &mut change, &served, now).await {
            Ok(inserted) => {
                added += usize::from(inserted.new);
                changed += usize::from(inserted.other && !inserted.new);
                entries.push((row.line, inserted));
            }
            Err(error) => faults.push(format!("line {}: {error}", row.line)),
        }
    }
    if faults.is_empty() {
        // Afterwards, for a forward may lead to one that stands behind it in the file.
        let place = place(&settings);
        let check = |(line, inserted): &(usize, Inserted), directory: &Lookup<'_>| {
            let Inserted { entry, all, further, named, .. } = inserted;
            let done = entry.reaches(directory, &place, all, further);
            let done = done.and_then(|()| named_lead_elsewhere(directory, &place, &entry.source, named));
            done.err().map(|error| format!("line {line}: {error}"))
        };
        faults = change
            .look_up(&settings, |directory| {
                Ok(entries.iter().filter_map(|one| check(one, directory)).collect())
            })
            .await?;
    }
    if !faults.is_empty() {
        return Err(refused(&args.file, faults));
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "forwards": rows.len(), "added": if args.dry_run { 0 } else { added }, "would_add": added,
            "changed": if args.dry_run { 0 } else { changed },
        }));
    } else {
        let same = rows.len().saturating_sub(added + changed);
        let did = if args.dry_run { " would be; nothing was changed" } else { "" };
        ui.say(format!("{added} forwards added, {changed} changed, {same} as they were{did}"));
    }
    Ok(())
}

/// One that is in.
struct Inserted {
    entry: Entry,
    all: Vec<Aim>,
    further: Vec<Address>,
    /// Whom its new rules name.
    named: Vec<Address>,
    /// It has targets that it had not.
    new: bool,
    /// Something else of it is as it was not.
    other: bool,
}

async fn insert(
    row: &Read,
    settings: &Settings,
    change: &mut Change,
    served: &[Domain],
    now: i64,
) -> Result<Inserted, Error> {
    let entry = Entry::parse(&row.source, &row.targets)?;
    let put = entry.insert(settings, change, served, now).await?;
    let source = entry.source.to_string();
    let before = change.terms(&source).await?.unwrap_or_default();
    change.set_terms(&source, &row.terms, now).await?;
    let known = change.rules_of(&source).await?;
    let (mut other, mut named) = (before != row.terms, Vec::new());
    for rule in &row.rules {
        if known.iter().any(|known| Rule { id: rule.id, ..known.clone() } == *rule) {
            continue;
        }
        if let Action::Redirect(targets) | Action::AlsoTo(targets) = &rule.action {
            named.extend(targets.iter().cloned());
        }
        change.add_rule(&source, rule, now).await?;
        other = true;
    }
    if change.rules_of(&source).await?.len() > RULES {
        return Err(Error::new(codes::FORWARD_LIMIT, format!("{source} would have more than {RULES} rules")));
    }
    let further = entry.further(change).await?;
    Ok(Inserted { entry, all: put.all, further, named, new: !put.added.is_empty(), other })
}

fn text(file: &Path) -> Result<String, Error> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    String::from_utf8(bytes.map_err(|e| io_error("read", file, &e))?)
        .map_err(|_| Error::new(codes::IMPORT_REFUSED, format!("{} is not UTF-8 text", file.display())))
}

fn from_json(text: &str) -> Result<Vec<Read>, Vec<String>> {
    let rows: Vec<Json> = serde_json::from_str(text).map_err(|error| vec![error.to_string()])?;
    let read = |(at, row): (usize, Json)| {
        let note = note(&row.note).map_err(|error| format!("element {}: {error}", at + 1))?;
        let terms = Terms { enabled: row.enabled, until: row.until, note };
        // `export` prints one on each line, the first on the second.
        row.rules.iter().try_for_each(Rule::sound).map_err(|error| format!("element {}: {error}", at + 1))?;
        Ok(Read { line: at + 2, source: row.source, targets: row.targets, terms, rules: row.rules })
    };
    all(rows.into_iter().enumerate().map(read))
}

fn from_csv(text: &str, now: i64) -> Result<Vec<Read>, Vec<String>> {
    let records = csv::records(text).map_err(|(line, what)| vec![format!("line {line}: {what}")])?;
    let Some((head, rows)) = records.split_first() else { return Ok(Vec::new()) };
    let column = |name: &str| head.fields.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
    let (Some(source), Some(targets)) = (column("source"), column("targets")) else {
        return Err(vec![format!(
            "line 1: the columns are {}; source and targets are needed",
            csv::COLUMNS.join(",")
        )]);
    };
    let unknown =
        head.fields.iter().find(|field| !csv::COLUMNS.contains(&field.trim().to_lowercase().as_str()));
    if let Some(unknown) = unknown {
        return Err(vec![format!("line 1: there is no column {unknown:?}, only {}", csv::COLUMNS.join(","))]);
    }
    let others = ["enabled", "until", "note"].map(column);
    all(rows.iter().map(|record| {
        let field =
            |at: Option<usize>| at.and_then(|at| record.fields.get(at)).map_or("", |field| field.trim());
        let fault = |what: String| format!("line {}: {what}", record.line);
        let enabled = if field(others[0]).is_empty() { Ok(true) } else { value::flag(field(others[0])) };
        let terms = Terms {
            enabled: enabled.map_err(fault)?,
            until: when::read(field(others[1]), now).map_err(fault)?,
            note: note(field(others[2])).map_err(|error| fault(error.to_string()))?,
        };
        let targets = field(Some(targets)).split([' ', ',', ';']).filter(|target| !target.is_empty());
        let targets: Vec<String> = targets.map(str::to_owned).collect();
        if targets.is_empty() {
            return Err(fault("has no target".to_owned()));
        }
        let source = field(Some(source)).to_owned();
        Ok(Read { line: record.line, source, targets, terms, rules: Vec::new() })
    }))
}

fn all<T>(rows: impl Iterator<Item = Result<T, String>>) -> Result<Vec<T>, Vec<String>> {
    let (mut good, mut faults) = (Vec::new(), Vec::new());
    for row in rows {
        match row {
            Ok(row) => good.push(row),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(good) } else { Err(faults) }
}

fn refused(file: &Path, faults: Vec<String>) -> Error {
    let count = faults.len();
    let what = format!("{} was not imported: {count} of its lines cannot be", file.display());
    let error = faults.into_iter().take(SHOWN).fold(Error::new(codes::IMPORT_REFUSED, what), Error::cause);
    if count > SHOWN { error.cause(format!("and {} more", count - SHOWN)) } else { error }
}
