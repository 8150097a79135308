//! `mailctl dkim`: the keys that sign outgoing mail.

mod activate;
mod deactivate;
mod generate;
pub mod rotate;
mod show;

use crate::{
    error::{Error, codes},
    mail::{
        address::{Domain, Selector},
        dkim::Algorithm,
        server::Stage,
    },
    settings::Settings,
    ui::Ui,
    world::{
        World,
        keys::dkim::{self, Key, Kind},
        store::Change,
    },
};
use clap::Subcommand;

/// Make and show DKIM keys
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Generate(generate::Args),
    Show(show::Args),
    Activate(activate::Args),
    Deactivate(deactivate::Args),
    Rotate(rotate::Args),
}

/// Runs the verb.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.verb {
        Verb::Generate(args) => generate::run(args, world, ui).await,
        Verb::Show(args) => show::run(args, world, ui).await,
        Verb::Activate(args) => activate::run(args, world, ui).await,
        Verb::Deactivate(args) => deactivate::run(args, world, ui).await,
        Verb::Rotate(args) => rotate::run(args, world, ui).await,
    }
}

/// Bits of an RSA key where nobody says otherwise: the most that fits one UDP answer and all verifiers take.
const RSA_BITS: u32 = 2048;

/// The key that signs for a domain, and whether it was made just now.
pub struct Ensured {
    /// The key.
    pub key: Key,
    /// Made just now.
    pub made: bool,
}

/// Makes sure that an RSA key signs for `domain`: takes the one that is there, or makes one. The caller holds
/// the lock and commits.
pub async fn ensure(
    world: &World,
    settings: &Settings,
    change: &mut Change,
    domain: &Domain,
) -> Result<Ensured, Error> {
    let stored = change.signers().await?;
    let found = dkim::signing(&world.paths, domain, &stored, settings.dkim_selector.as_ref())?;
    let rsa = found.into_iter().find(|key| key.record.algorithm == Algorithm::Rsa);
    let (key, made) = match rsa {
        Some(key) => (key, false),
        None => (make(world, domain, &new_selector(settings), Kind::Rsa(RSA_BITS)).await?, true),
    };
    let signer = key.clone().signer();
    if !stored.contains(&signer) {
        change.sign_with(&signer, super::names::now()).await?;
    }
    Ok(Ensured { key, made })
}

/// Lets `key` sign from now on in the place of the one of its algorithm, whose record has to stay in DNS for the
/// mail that it signed. The selector that signed before, where it was another. The caller holds the lock and
/// commits.
async fn switch(
    change: &mut Change,
    settings: &Settings,
    world: &World,
    key: &Key,
    now: i64,
) -> Result<Option<Selector>, Error> {
    let stored = change.signers().await?;
    let signing = dkim::signing(&world.paths, &key.domain, &stored, settings.dkim_selector.as_ref())?;
    let same = signing.into_iter().find(|other| other.record.algorithm == key.record.algorithm);
    let before = same.map(|other| other.selector).filter(|before| *before != key.selector);
    if let Some(before) = &before {
        change.stage(&key.domain, before, Some(Stage::Leaving), now).await?;
    }
    change.stage(&key.domain, &key.selector, None, now).await?;
    change.sign_with(&key.clone().signer(), now).await?;
    Ok(before)
}

/// Makes a key off the async threads: a large RSA key takes seconds.
async fn make(world: &World, domain: &Domain, selector: &Selector, kind: Kind) -> Result<Key, Error> {
    let (paths, domain, selector) = (world.paths.clone(), domain.clone(), selector.clone());
    tokio::task::spawn_blocking(move || dkim::generate(&paths, &domain, &selector, kind))
        .await
        .map_err(|e| Error::new(codes::BUG, "making a DKIM key broke off").cause(e))?
}

/// `DKIM_SELECTOR`, or one that tells its month: `m202611`.
fn new_selector(settings: &Settings) -> Selector {
    let today = time::OffsetDateTime::now_utc();
    settings.dkim_selector.clone().unwrap_or_else(|| Selector::dated(today.year(), today.month().into()))
}
