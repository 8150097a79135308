//! `mailctl forward show`.

use super::{
    quoted,
    row::{Full, each, rules},
};
use crate::{
    commands::names,
    error::{Error, codes},
    mail::forward::Source,
    ui::Ui,
    world::{World, store::Filter},
};

/// Show one forward: where it leads, until when, its note and rules
#[derive(clap::Args, Debug)]
pub struct Args {
    /// As it is listed
    #[arg(value_name = "SOURCE")]
    source: String,
}

/// Prints it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let source = Source::parse(&args.source).map_err(|what| Error::new(codes::NAME_MALFORMED, what))?;
    let text = source.to_string();
    let store = world.store_to_read().await?;
    let filter = Filter { source: text.clone(), now: names::now(), ..Filter::default() };
    let rules = rules(&store, Some(&text)).await?.remove(&text).unwrap_or_default();
    let mut found = false;
    let json = ui.manner().json;
    each(&store, &filter, |row| {
        found = true;
        if json {
            ui.json(&Full { row: &row, rules: &rules });
            return false;
        }
        ui.data(format!("source   {}", row.source));
        ui.data(format!("is       {}", said(row.kind)));
        row.targets.iter().for_each(|target| ui.data(format!("leads to {target}")));
        ui.data(format!("enabled  {}", if row.enabled { "yes" } else { "no" }));
        let ends = match row.until {
            None => "never".to_owned(),
            Some(until) if row.expired => format!("{}, so it is over", names::moment(until)),
            Some(until) => names::moment(until),
        };
        ui.data(format!("ends     {ends}"));
        ui.data(format!("note     {}", row.note).trim_end());
        rules.iter().for_each(|rule| {
            let off = if rule.enabled { "" } else { " (switched off)" };
            ui.data(format!("rule     {}, priority {}: {rule}{off}", rule.id, rule.priority));
        });
        false
    })
    .await?;
    if found {
        return Ok(());
    }
    Err(Error::new(codes::ABSENT, format!("{text} is no forward"))
        .hint(format!("mailctl forward list --domain {}", source.domain()))
        .hint(format!("mailctl forward add {} TARGET", quoted(&text))))
}

fn said(kind: &str) -> &'static str {
    match kind {
        "wildcard" => "a wildcard: every address that it matches",
        "expression" => "a regular expression: every address whose local part it matches as a whole",
        "domain" => "a whole domain: the same local parts in another one",
        "catch_all" => "a catch-all: every address of the domain that is nothing else",
        _ => "one address, with or without a tag",
    }
}
