//! `mailctl forward rule list`.

use super::json;
use crate::{
    error::{Error, codes},
    mail::forward::Source,
    ui::{Ui, listing::Listing},
    world::{World, store::rules},
};

/// List the rules of all forwards, or of one, in the order in which they are asked
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only of this forward
    #[arg(value_name = "SOURCE")]
    source: Option<String>,
}

/// Prints them.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let source = args.source.as_deref().map(Source::parse).transpose();
    let source =
        source.map_err(|what| Error::new(codes::NAME_MALFORMED, what))?.map(|source| source.to_string());
    let store = world.store_to_read().await?;
    let only = source.as_deref().map(|source| [source]);
    let rows = store.rules(only.as_ref().map(<[&str; 1]>::as_slice)).await?;
    let mut listing = Listing::begin(ui);
    for row in &rows {
        let rule = rules::read(row).map_err(|what| Error::new(codes::STORE_DAMAGED, what))?;
        listing.row(&json(&row.0, &rule), |line| {
            let off = if rule.enabled { "" } else { "  [switched off]" };
            line.push_str(&format!("{:>4}  priority {:>4}  {}  {rule}{off}", rule.id, rule.priority, row.0));
        });
    }
    listing.end(|ui| ui.say("there are no rules; add one with: mailctl forward rule add SOURCE --subject-contains TEXT --block"));
    Ok(())
}
