//! `mailctl alias list`.

use crate::{
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
    let store = world.store().await?;
    let pattern = args.pattern.to_lowercase();
    let mut listing = Listing::begin(ui);
    let (mut source_after, mut target_after) = (String::new(), String::new());
    loop {
        let page = store.aliases(&pattern, (&source_after, &target_after)).await?;
        if page.is_empty() || listing.closed() {
            break;
        }
        for [source, target] in page.rows() {
            listing.row(&Row { source, target }, |line| {
                line.push_str(source);
                line.push(' ');
                line.push_str(target);
            });
        }
        if let Some([source, target]) = page.rows().last() {
            (source_after, target_after) = (source.to_owned(), target.to_owned());
        }
    }
    listing.end(|ui| {
        ui.say("no aliases match; add one with: mailctl alias add info@example.org ann@example.org")
    });
    Ok(())
}
