//! `mailctl dkim activate`.

use crate::{
    commands::{live, names},
    error::{Error, codes},
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
    if dkim::find(&world.paths, &domain, &selector)?.is_none() {
        return Err(Error::new(codes::ABSENT, format!("{domain} has no DKIM key {selector}"))
            .hint(format!("mailctl dkim show {domain}"))
            .hint(format!("mailctl dkim generate {domain} --selector {selector}")));
    }
    dkim::signing(&world.paths, &domain, Some(&selector), None)?;
    let before = change.selector(&domain).await?;
    change.sign_with(&domain, &selector, names::now()).await?;
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        ui.json(&serde_json::json!({"domain": domain, "selector": selector, "before": before, "changed": !args.dry_run}));
    } else if args.dry_run {
        ui.say(format!("would sign for {domain} with {selector}; nothing was changed"));
    } else {
        ui.say(format!("mail of {domain} is signed with {selector}"));
        if let Some(before) = before.filter(|before| *before != selector) {
            ui.say(format!("undo: mailctl dkim activate {domain} --selector {before}"));
        }
    }
    if args.dry_run { Ok(()) } else { live::refresh(world, ui).await }
}
