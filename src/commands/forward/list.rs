//! `mailctl forward list`.

use super::row::each;
use crate::{
    commands::names,
    error::Error,
    ui::{Ui, listing::Listing},
    world::{World, store::Filter},
};

/// List forwards, a line for each: those that stand for many addresses first, then aliases and catch-alls
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only of this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// Only with this text in source, targets or note
    #[arg(long, value_name = "TEXT", default_value = "")]
    search: String,
    /// Only those that are over
    #[arg(long)]
    expired: bool,
    /// Only those that are switched off; with --expired, either
    #[arg(long)]
    disabled: bool,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Which so many of them, from 1
    #[arg(long, value_name = "N", requires = "limit", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
}

/// Prints them as they are read.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let domain = args.domain.as_deref().map(|domain| names::domain(domain, ui)).transpose()?;
    let store = world.store_to_read().await?;
    let filter = Filter {
        suffix: domain.map(|domain| format!("@{domain}")).unwrap_or_default(),
        search: args.search.to_lowercase(),
        expired: args.expired,
        disabled: args.disabled,
        source: String::new(),
        now: names::now(),
    };
    let (first, last) = match args.limit {
        Some(limit) => {
            let first = (u64::from(args.page) - 1) * u64::from(limit);
            (first, first + u64::from(limit))
        }
        None => (0, u64::MAX),
    };
    let mut listing = Listing::begin(ui);
    let mut count = 0;
    each(&store, &filter, |row| {
        if count >= first && count < last {
            listing.row(&row, |line| line.push_str(&row.line()));
        }
        count += 1;
        count < last && !listing.closed()
    })
    .await?;
    listing.end(|ui| {
        ui.say("no forwards match; add one with: mailctl forward add info@example.org ann@example.org");
    });
    Ok(())
}
