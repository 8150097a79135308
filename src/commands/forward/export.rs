//! `mailctl forward export`.

use super::{
    row::{Full, Row, each, rules},
    when,
};
use crate::{
    commands::names,
    error::Error,
    mail::forward::csv,
    ui::{Ui, listing::Listing},
    world::{World, store::Filter},
};

/// Print all forwards for `forward import`: as CSV, or with --json
#[derive(clap::Args, Debug)]
pub struct Args {
    /// As CSV, which it is anyway
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Only of this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
}

/// Prints them as they are read.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let domain = args.domain.as_deref().map(|domain| names::domain(domain, ui)).transpose()?;
    let store = world.store_to_read().await?;
    let suffix = domain.map(|domain| format!("@{domain}")).unwrap_or_default();
    let filter = Filter { suffix, now: names::now(), ..Filter::default() };
    let json = ui.manner().json;
    let rules = rules(&store, None).await?;
    if !json && !rules.is_empty() {
        ui.warn("CSV has no rules; with --json they are there");
    }
    let mut listing = Listing::begin(ui);
    if !json {
        listing.row(&(), |line| line.push_str(csv::line(&csv::COLUMNS).trim_end_matches('\n')));
    }
    each(&store, &filter, |row| {
        let full = Full { row: &row, rules: rules.get(row.source).map_or(&[], Vec::as_slice) };
        listing.row(&full, |line| line.push_str(record(&row).trim_end_matches('\n')));
        !listing.closed()
    })
    .await?;
    listing.end(|_| {});
    Ok(())
}

fn record(row: &Row<'_>) -> String {
    let until = row.until.map(when::written).unwrap_or_default();
    let enabled = if row.enabled { "yes" } else { "no" };
    csv::line(&[row.source, &row.targets.join(" "), enabled, &until, row.note])
}
