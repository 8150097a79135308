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
    let (stored, chosen) = (store.domains().await?, store.selectors().await?);
    let further = stored.iter().filter(|domain| settings.domains().all(|served| served != *domain));
    let all =
        settings.domains().map(|domain| (domain, "settings")).chain(further.map(|domain| (domain, "store")));
    let mut listing = Listing::begin(ui);
    for (domain, origin) in all {
        let selector = chosen.iter().find(|(of, _)| of == domain).map(|(_, selector)| selector);
        let key = dkim::signing(&world.paths, domain, selector, settings.dkim_selector.as_ref())?;
        let selector = key.map(|key| key.selector);
        listing.row(&serde_json::json!({"domain": domain, "origin": origin, "selector": selector}), |line| {
            let signed = match &selector {
                Some(selector) => format!("signed with {selector}"),
                None => format!("unsigned; mailctl dkim generate {domain}"),
            };
            line.push_str(&format!("{domain:<30} {origin:<9} {signed}"));
        });
    }
    listing.end(|_| {});
    Ok(())
}
