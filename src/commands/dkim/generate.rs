//! `mailctl dkim generate`.

use super::{RSA_BITS, make, new_selector};
use crate::{
    commands::{live, names},
    error::Error,
    mail::{dkim::Algorithm, server::Stage},
    ui::Ui,
    world::{
        World,
        keys::dkim::{self, Kind},
    },
};
use clap::builder::TypedValueParser as _;

/// Make a DKIM key and print its DNS record; the domain's first of its kind signs at once
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Domain to sign for; without it, DOMAIN of the settings
    #[arg(value_name = "DOMAIN")]
    domain: Option<String>,
    /// Name of the key in DNS; without it, DKIM_SELECTOR of the settings or one with this month
    #[arg(long, value_name = "NAME")]
    selector: Option<String>,
    /// Kind of key; an Ed25519 key signs beside an RSA key, for not everybody verifies it yet
    #[arg(long = "type", value_name = "TYPE", default_value = "rsa", value_parser = ["rsa", "ed25519"])]
    kind: String,
    /// Size of an RSA key; without it 2048
    #[arg(long, value_name = "BITS", value_parser = clap::builder::PossibleValuesParser::new(["1024", "2048", "3072", "4096"])
        .try_map(|bits| bits.parse::<u32>()))]
    bits: Option<u32>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Makes it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let kind = kind(&args)?;
    let selector = match &args.selector {
        Some(text) => names::selector(text)?,
        None => new_selector(&settings),
    };
    let domain = match &args.domain {
        Some(text) => names::domain(text, ui)?,
        None => settings.domain.clone(),
    };
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    names::served(&settings, &mut change, &domain).await?;
    if args.dry_run {
        change.undo().await?;
        if let Some(key) = dkim::find(&world.paths, &domain, &selector)? {
            return Err(dkim::taken(&world.paths.dkim_key(&domain, &key.selector)));
        }
        ui.say(format!("would make the {} key {selector} of {domain}; nothing was changed", args.kind));
        return Ok(());
    }
    if args.bits == Some(1024) {
        ui.warn(
            "a DKIM key of 1024 bits can be broken by those who care; publish it only where 2048 do not fit",
        );
    }
    let stored = change.signers().await?;
    let before = dkim::signing(&world.paths, &domain, &stored, settings.dkim_selector.as_ref())?;
    let there = dkim::list(&world.paths, &domain)?;
    let progress = ui.progress();
    if let Kind::Rsa(bits @ 3072..) = kind {
        progress.phase(&format!("making an RSA key of {bits} bits"));
    }
    let key = make(world, &domain, &selector, kind).await;
    drop(progress);
    let key = key?;
    let algorithm = key.record.algorithm;
    let signs = there.iter().all(|other| other.record.algorithm != algorithm);
    // What signs is written down, also a key that was only found there: a new one must not take over before
    // its record is published.
    for key in before.iter().chain(signs.then_some(&key)) {
        change.sign_with(&key.clone().signer(), names::now()).await?;
    }
    if !signs {
        change.stage(&domain, &selector, Some(Stage::Pending), names::now()).await?;
    }
    change.commit().await?;
    drop(lock);

    let file = world.paths.dkim_key(&domain, &selector);
    if ui.manner().json {
        ui.json(&super::show::entry(&key, if signs { Stage::Active } else { Stage::Pending }));
    } else {
        ui.say(format!("made {}; publish its record:", file.display()));
        ui.data(key.record.zone(&domain, &selector));
    }
    if signs {
        return live::refresh(world, ui).await.map(drop);
    }
    let now = before.iter().find(|key| key.record.algorithm == algorithm);
    let kind = if algorithm == Algorithm::Rsa { "" } else { " --type ed25519" };
    let now = now.map(|now| format!("{} goes on signing; ", now.selector)).unwrap_or_default();
    ui.say(format!("{now}once the record is published: mailctl dkim rotate {domain}{kind}"));
    Ok(())
}

fn kind(args: &Args) -> Result<Kind, Error> {
    match (args.kind.as_str(), args.bits) {
        ("ed25519", None) => Ok(Kind::Ed25519),
        ("ed25519", Some(_)) => {
            Err(Error::new(crate::error::codes::USAGE, "an Ed25519 key has one size only")
                .hint("leave out --bits, or use --type rsa"))
        }
        (_, bits) => Ok(Kind::Rsa(bits.unwrap_or(RSA_BITS))),
    }
}
