//! `mailctl alias list`.

use crate::{
    commands::names,
    error::Error,
    ui::{Ui, listing::Listing},
    world::World,
};

/// List aliases, a line for each target; `alias import` reads this form
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only where alias or target match, like '*@example.org' or 'info*'
    #[arg(value_name = "PATTERN", default_value = "*")]
    pattern: String,
}

/// One line for a machine.
#[derive(serde::Serialize)]
struct Row<'a> {
    source: &'a str,
    target: &'a str,
}

/// Prints them as they are read.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let store = world.store_to_read().await?;
    let pattern = args.pattern.to_lowercase();
    let mut listing = Listing::begin(ui);
    // The next page is read on SQLite's thread while this one is printed.
    let page = |source: &str, target: &str| {
        let (store, pattern) = (store.clone(), pattern.clone());
        let (source, target) = (source.to_owned(), target.to_owned());
        tokio::spawn(async move { store.aliases(&pattern, (&source, &target)).await })
    };
    let mut coming = page("", "");
    loop {
        let page_here = names::joined_task(coming.await)?;
        let Some([source, target]) = page_here.rows().next_back() else { break };
        coming = page(source, target);
        if listing.closed() {
            break;
        }
        for [source, target] in page_here.rows() {
            listing.row(&Row { source, target }, |line| {
                line.push_str(source);
                line.push(' ');
                line.push_str(target);
            });
        }
    }
    listing.end(|ui| {
        ui.say("no aliases match; add one with: mailctl alias add info@example.org ann@example.org")
    });
    Ok(())
}
