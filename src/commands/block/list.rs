//! `mailctl block list` and `mailctl allow list`.

use super::done;
use crate::{
    commands::names,
    error::Error,
    mail::list::{Origin, Way},
    ui::{Ui, listing::Listing},
    world::World,
};

/// Which are shown.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only entries with this text in them or in their comment
    #[arg(value_name = "TEXT", default_value = "")]
    text: String,
}

/// One line for a machine.
#[derive(serde::Serialize)]
struct Row<'a> {
    entry: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    until: Option<i64>,
    comment: &'a str,
}

/// Prints them.
pub async fn run(way: Way, args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let store = world.store_to_read().await?;
    let now = names::now();
    let commands = store.listed(now).await?;
    store.close().await;
    let shelf = world.lists();
    let text = args.text.to_lowercase();
    let fits = |entry: &str, comment: &str| entry.contains(&text) || comment.to_lowercase().contains(&text);
    let mut listing = Listing::begin(ui);
    let mut show = |row: &Row<'_>, origin: &str| {
        if !fits(row.entry, row.comment) {
            return;
        }
        listing.row(row, |line| {
            line.push_str(&format!("{:<40} {origin:<24} {}", row.entry, row.comment));
            line.truncate(line.trim_end().len());
        });
    };
    for listed in commands.iter().filter(|listed| listed.way == way) {
        let (entry, until) = (listed.key.to_string(), listed.until);
        let origin =
            until.map_or("by command".to_owned(), |until| format!("{} left", names::age(until - now)));
        let row = Row { entry: &entry, file: None, line: None, until, comment: &listed.comment };
        show(&row, &origin);
    }
    for entry in shelf.tables().flat_map(|(_, table)| table.entries()).filter(|entry| entry.way == way) {
        let Origin::File { name, line } = &entry.origin else { continue };
        let (text, origin) = (entry.key.to_string(), entry.origin.to_string());
        let row =
            Row { entry: &text, file: Some(name), line: Some(*line), until: None, comment: &entry.comment };
        show(&row, &origin);
    }
    listing.end(|ui| ui.say(format!("nobody is {}; entries: mailctl {way} add --help", done(way))));
    for trouble in shelf.troubles() {
        ui.warn(format!("lists/{}: {}", trouble.file, trouble.what));
    }
    Ok(())
}
