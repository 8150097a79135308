//! `mailctl domain list`.

use crate::{
    error::Error,
    mail::finding::Proven,
    ui::{Ui, listing::Listing},
    world::{World, keys::dkim},
};

/// List the served domains, where each is named, the DKIM selectors that sign for it, and how its DNS was found
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
    let standings = world.dns_standings();
    let mut listing = Listing::begin(ui);
    for (domain, origin) in all {
        let keys = dkim::signing(&world.paths, domain, &chosen, settings.dkim_selector.as_ref())?;
        let selectors: Vec<&str> = keys.iter().map(|key| key.selector.as_str()).collect();
        let standing = standings.get(domain);
        let proven = standing.map(|standing| standing.proven);
        let entry = serde_json::json!({
            "domain": domain, "origin": origin, "selector": selectors.first(), "selectors": selectors,
            "dns": Proven::name(proven), "dns_checked": standing.and_then(|standing| day(standing.checked)),
        });
        listing.row(&entry, |line| {
            let signed = match selectors.join(" and ") {
                none if none.is_empty() => format!("unsigned; mailctl dkim generate {domain}"),
                selectors => format!("signed with {selectors}"),
            };
            let dns = match standing.and_then(|standing| day(standing.checked)) {
                Some(day) => format!("DNS {} on {day}", Proven::name(proven)),
                None => format!("DNS pending; mailctl dns-check {domain}"),
            };
            line.push_str(&format!("{domain:<30} {origin:<9} {signed}; {dns}"));
        });
    }
    listing.end(|_| {});
    Ok(())
}

/// The day of a moment, in UTC.
fn day(seconds: i64) -> Option<String> {
    time::OffsetDateTime::from_unix_timestamp(seconds).ok().map(|time| time.date().to_string())
}
