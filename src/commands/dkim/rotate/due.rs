//! What `mailctl maintain` does: changes of keys that were begun go on by themselves, none is begun.

use super::{Args, Done, HOLD, RSA_BITS, Turn};
use crate::{
    commands::{dns::Resolver, live, names},
    error::Error,
    mail::{address::Domain, dkim::Algorithm, rotation::Staged, server::Stage},
    settings::Settings,
    ui::Ui,
    world::{World, keys::dkim},
};

/// Every key of a served domain that is to sign, or signs no more and is still published.
pub async fn under_way(world: &World, settings: &Settings) -> Result<Vec<(Domain, Staged)>, Error> {
    let store = world.store_to_read().await?;
    let served = names::domains(settings, &store).await?;
    let mut found = Vec::new();
    for domain in store.rotating().await?.into_iter().filter(|domain| served.contains(domain)) {
        let staged = store.stages(&domain).await?.into_iter();
        let moving = staged.filter(|staged| matches!(staged.stage, Stage::Pending | Stage::Leaving));
        found.extend(moving.map(|staged| (domain.clone(), staged)));
    }
    store.close().await;
    Ok(found)
}

/// Does every step that can be done now; each is a line in `done`, also those before one that failed.
pub async fn due(world: &World, ui: &mut Ui, dry_run: bool, done: &mut Vec<String>) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let mut turns: Vec<(Domain, Algorithm)> = Vec::new();
    for (domain, staged) in under_way(world, &settings).await? {
        // A key whose file is gone is told of by what reads it.
        let Some(key) = dkim::find(&world.paths, &domain, &staged.selector)? else { continue };
        let turn = (domain, key.record.algorithm);
        if !turns.contains(&turn) {
            turns.push(turn);
        }
    }
    if turns.is_empty() {
        return Ok(());
    }
    let args = Args {
        domain: None,
        kind: String::new(),
        selector: None,
        bits: RSA_BITS,
        wait: 0,
        hold: HOLD,
        abort: false,
        dry_run,
        resolver: Resolver::default(),
    };
    let dns = args.resolver.dns(&settings)?;
    let (mut switched, mut failed) = (false, None);
    for (domain, algorithm) in &turns {
        let turn =
            Turn { args: &args, world, settings: &settings, domain, algorithm: *algorithm, begin: false };
        match turn.take(&dns, ui).await {
            Ok(report) => {
                let would = if dry_run { "would be " } else { "" };
                let lines = report.done.iter();
                done.extend(
                    lines.map(|Done { step, selector }| format!("{selector} of {domain} {would}{step}")),
                );
                switched |= report.switched;
            }
            // The keys of other domains need not wait for it.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if switched && !dry_run {
        live::refresh(world, ui).await?;
    }
    failed.map_or(Ok(()), Err)
}
