//! Gives up a new key that does not sign yet.

use super::Args;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::{address::Domain, dkim::Algorithm, server::Stage},
    settings::Settings,
    ui::Ui,
    world::{World, keys::dkim},
};

/// Its key file stays, so that nothing is lost that somebody may have published.
pub async fn run(
    args: &Args,
    world: &World,
    ui: &mut Ui,
    settings: &Settings,
    domain: &Domain,
    algorithm: Algorithm,
) -> Result<(), Error> {
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    names::served(settings, &mut change, domain).await?;
    let mut given_up = Vec::new();
    for staged in change.stages(domain).await? {
        let key = dkim::find(&world.paths, domain, &staged.selector)?;
        let of_kind = key.is_none_or(|key| key.record.algorithm == algorithm);
        if staged.stage == Stage::Pending && of_kind {
            change.stage(domain, &staged.selector, None, names::now()).await?;
            given_up.push(staged.selector);
        }
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if given_up.is_empty() {
        return Err(Error::new(codes::ABSENT, format!("no new {algorithm} key of {domain} waits to sign"))
            .hint(format!("mailctl dkim show {domain}")));
    }
    if ui.manner().json {
        ui.json(&serde_json::json!({"domain": domain, "given_up": given_up, "changed": !args.dry_run}));
        return Ok(());
    }
    for selector in given_up {
        ui.say(format!("{selector} is given up; its key stays on the disk, and its record can go from DNS"));
    }
    Ok(())
}
