//! `mailctl dkim deactivate`.

use crate::{
    commands::{live, names},
    error::{Error, codes},
    mail::dkim::Algorithm,
    ui::Ui,
    world::World,
};

/// Sign with RSA alone again: the domain's Ed25519 key signs no more
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Domain; without it, DOMAIN of the settings
    #[arg(value_name = "DOMAIN")]
    domain: Option<String>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Stops it; key and record stay, for mail on its way.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let domain = match &args.domain {
        Some(text) => names::domain(text, ui)?,
        None => settings.domain.clone(),
    };
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    names::served(&settings, &mut change, &domain).await?;
    let signs = change
        .signers()
        .await?
        .into_iter()
        .find(|signer| signer.domain == domain && signer.algorithm == Algorithm::Ed25519)
        .ok_or_else(|| {
            Error::new(codes::ABSENT, format!("no Ed25519 key signs for {domain}"))
                .hint(format!("mailctl dkim show {domain}"))
        })?;
    change.sign_without(&domain, Algorithm::Ed25519).await?;
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    let selector = signs.selector;
    if ui.manner().json {
        ui.json(&serde_json::json!({"domain": domain, "before": selector, "changed": !args.dry_run}));
    } else if args.dry_run {
        ui.say(format!("would sign for {domain} without {selector}; nothing was changed"));
    } else {
        ui.say(format!("mail of {domain} is signed without {selector}; leave its record in DNS for a week"));
        ui.say(format!("undo: mailctl dkim activate {domain} --selector {selector}"));
    }
    if args.dry_run { Ok(()) } else { live::refresh(world, ui).await.map(drop) }
}
