//! `mailctl user list`.

use crate::{
    commands::names,
    error::Error,
    ui::{Ui, listing::Listing},
    world::{World, mailboxes::Sizes},
};
use std::fmt::Write;

/// List mailboxes with the size of their mail
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only addresses that match, like '*@example.org' or 'ann*'
    #[arg(value_name = "PATTERN", default_value = "*")]
    pattern: String,
    /// Leave out the sizes: nothing is read but the directory
    #[arg(long)]
    no_size: bool,
}

/// One mailbox for a machine.
#[derive(serde::Serialize)]
struct Row<'a> {
    address: &'a str,
    size: Option<u64>,
    quota: Option<u64>,
}

/// Prints them as they are read.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let store = world.store().await?;
    let mut sizes = (!args.no_size).then(|| Sizes::new(&world.paths));
    let pattern = args.pattern.to_lowercase();
    let mut listing = Listing::begin(ui);
    let mut after = String::new();
    loop {
        let page = store.mailboxes(&pattern, &after).await?;
        if page.is_empty() || listing.closed() {
            break;
        }
        for [address, quota] in page.rows() {
            let size = sizes.as_mut().map(|sizes| sizes.of(address));
            let row = Row { address, size, quota: quota.parse().ok() };
            listing.row(&row, |line| {
                // Writing to a String cannot fail.
                let _ = match size {
                    Some(octets) => write!(line, "{address:<40} {:>10}", names::size(octets)),
                    None => line.write_str(address),
                };
            });
        }
        if let Some([last, ..]) = page.rows().last() {
            after = last.to_owned();
        }
    }
    listing.end(|ui| ui.say("no mailboxes match; add one with: mailctl user add ann@example.org"));
    Ok(())
}
