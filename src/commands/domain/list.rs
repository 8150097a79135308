//! `mailctl domain list`.

use crate::{
    error::Error,
    ui::{Ui, listing::Listing},
    world::{World, keys::dkim},
};

/// List the served domains, where each is named, and the DKIM selector that signs for it
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Prints them.
pub async fn run(_args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let store = world.store_to_read().await?;
    let (stored, chosen) = (store.domains().await?, store.signers().await?);
    let further = stored.iter().filter(|domain| settings.domains().all(|served| served != *domain));
    let all =
        settings.domains().map(|domain| (domain, "settings")).chain(further.map(|domain| (domain, "store")));
    let mut listing = Listing::begin(ui);
    for (domain, origin) in all {
        let keys = dkim::signing(&world.paths, domain, &chosen, settings.dkim_selector.as_ref())?;
        let selectors: Vec<&str> = keys.iter().map(|key| key.selector.as_str()).collect();
        let entry = serde_json::json!({
            "domain": domain, "origin": origin, "selector": selectors.first(), "selectors": selectors,
        });
        listing.row(&entry, |line| {
            let signed = match selectors.join(" and ") {
                none if none.is_empty() => format!("unsigned; mailctl dkim generate {domain}"),
                selectors => format!("signed with {selectors}"),
            };
            line.push_str(&format!("{domain:<30} {origin:<9} {signed}"));
        });
    }
    listing.end(|_| {});
    Ok(())
}
