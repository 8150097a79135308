//! `mailctl dkim activate`.

use super::switch;
use crate::{
    commands::{live, names},
    error::{Error, codes},
    mail::{dkim::Algorithm, server::Stage},
    ui::Ui,
    world::{World, keys::dkim},
};

/// Sign with another key of the domain; publish its record first
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Domain to sign for; without it, DOMAIN of the settings
    #[arg(value_name = "DOMAIN")]
    domain: Option<String>,
    /// Which key
    #[arg(long, value_name = "NAME")]
    selector: String,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Switches.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let selector = names::selector(&args.selector)?;
    let domain = match &args.domain {
        Some(text) => names::domain(text, ui)?,
        None => settings.domain.clone(),
    };
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    names::served(&settings, &mut change, &domain).await?;
    let key = dkim::find(&world.paths, &domain, &selector)?.ok_or_else(|| {
        Error::new(codes::ABSENT, format!("{domain} has no DKIM key {selector}"))
            .hint(format!("mailctl dkim show {domain}"))
            .hint(format!("mailctl dkim generate {domain} --selector {selector}"))
    })?;
    let algorithm = key.record.algorithm;
    let stage = change.stages(&domain).await?.into_iter().find(|staged| staged.selector == selector);
    if stage.is_some_and(|staged| staged.stage == Stage::Retired) {
        return Err(Error::new(codes::DKIM_UNUSABLE, format!("the key {selector} of {domain} is withdrawn"))
            .cause("its record says so to everybody, so mail signed with it would be refused")
            .hint(format!("mailctl dkim rotate {domain}")));
    }
    let stored = change.signers().await?;
    let signing = dkim::signing(&world.paths, &domain, &stored, settings.dkim_selector.as_ref())?;
    let before = switch(&mut change, &settings, world, &key, names::now()).await?;
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        ui.json(&serde_json::json!({"domain": domain, "selector": selector, "before": before, "changed": !args.dry_run}));
    } else if args.dry_run {
        ui.say(format!("would sign for {domain} with {selector}; nothing was changed"));
    } else {
        ui.say(format!("mail of {domain} is signed with {selector}"));
        match before {
            Some(before) => ui.say(format!("undo: mailctl dkim activate {domain} --selector {before}")),
            None if algorithm == Algorithm::Ed25519 => {
                ui.say(format!("undo: mailctl dkim deactivate {domain}"));
            }
            None => {}
        }
    }
    let rsa = signing.iter().any(|key| key.record.algorithm == Algorithm::Rsa);
    if algorithm == Algorithm::Ed25519 && !rsa {
        ui.warn(format!(
            "no RSA key signs for {domain}; many servers verify only those: mailctl dkim generate {domain}"
        ));
    }
    if args.dry_run { Ok(()) } else { live::refresh(world, ui).await.map(drop) }
}
