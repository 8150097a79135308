//! `mailctl dkim generate`.

use super::{RSA_BITS, make, new_selector};
use crate::{
    commands::{live, names},
    error::Error,
    mail::dkim::Algorithm,
    ui::Ui,
    world::{
        World,
        keys::dkim::{self, Kind},
    },
};
use clap::builder::TypedValueParser as _;

/// Make a DKIM key and print its DNS record; the domain's first RSA key signs at once
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Domain to sign for; without it, DOMAIN of the settings
    #[arg(value_name = "DOMAIN")]
    domain: Option<String>,
    /// Name of the key in DNS; without it, DKIM_SELECTOR of the settings or one with this month
    #[arg(long, value_name = "NAME")]
    selector: Option<String>,
    /// Kind of key; mail is signed with RSA, an Ed25519 key is only published
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
    let chosen = change.selector(&domain).await?;
    let before = dkim::signing(&world.paths, &domain, chosen.as_ref(), settings.dkim_selector.as_ref())?;
    let key = make(world, &domain, &selector, kind).await?;
    let signs = key.record.algorithm == Algorithm::Rsa && before.is_none();
    // The key that signs is written down, also one that was only found there: a new one must not take over
    // before its record is published.
    let signing = if signs { Some(&selector) } else { before.as_ref().map(|key| &key.selector) };
    if let Some(signing) = signing {
        change.sign_with(&domain, signing, names::now()).await?;
    }
    change.commit().await?;
    drop(lock);

    let file = world.paths.dkim_key(&domain, &selector);
    if ui.manner().json {
        ui.json(&super::show::entry(&key, signs));
    } else {
        ui.say(format!("made {}; publish its record:", file.display()));
        ui.data(key.record.zone(&domain, &selector));
    }
    match (signs, before) {
        (true, _) => live::refresh(world, ui).await?,
        (false, Some(now)) if key.record.algorithm == Algorithm::Rsa => ui.say(format!(
            "{} goes on signing; once the record is published: mailctl dkim activate {domain} --selector {selector}",
            now.selector
        )),
        _ => ui.say("mail is signed with RSA keys only for now; this one can be published beside them"),
    }
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
