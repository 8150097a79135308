//! `mailctl user list`.

use crate::{
    commands::names,
    error::Error,
    ui::{Ui, listing::Listing},
    world::{World, mailboxes::Sizes},
};

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
        for [address, quota, _created] in page.rows() {
            let size = sizes.as_mut().map(|sizes| sizes.of(address));
            listing.row(
                || serde_json::json!({"address": address, "size": size, "quota": quota.parse::<u64>().ok()}),
                |line| match size {
                    Some(octets) => line.push_str(&format!("{address:<40} {:>10}", names::size(octets))),
                    None => line.push_str(address),
                },
            );
        }
        if let Some([last, ..]) = page.rows().last() {
            after = last.to_owned();
        }
    }
    listing.end(|ui| ui.say("no mailboxes match; add one with: mailctl user add ann@example.org"));
    Ok(())
}
