//! `mailctl user add`.

use super::secret::{self, Source};
use crate::{
    commands::names,
    error::{Error, codes},
    mail::{address::Address, alias},
    settings::value,
    ui::Ui,
    world::{World, mailboxes, store::NewMailbox},
};

/// Add a mailbox: its login and delivery work at once
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address and login, like ann@example.org
    #[arg(value_name = "ADDRESS")]
    address: String,
    #[command(flatten)]
    secret: Source,
    /// How much mail it may hold, like 2G; without it, MAILBOX_SIZE_LIMIT of the settings
    #[arg(long, value_name = "SIZE", value_parser = value::size)]
    quota: Option<u64>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Adds it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let address = names::address(&args.address, ui)?;
    add(world, ui, &address, args.secret, args.quota, args.dry_run).await
}

/// Adds a mailbox with a password made here; returns that password. For `demo`.
pub async fn create(world: &World, address: &Address) -> Result<String, Error> {
    let password = crate::mail::password::generate(rand::random());
    let hash = secret::hash(&password).await?;
    write(world, address, &hash, None, false).await?;
    Ok(password)
}

async fn add(
    world: &World,
    ui: &mut Ui,
    address: &Address,
    source: Source,
    quota: Option<u64>,
    dry_run: bool,
) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let store = world.store().await?;
    names::known(&names::domains(&settings, &store).await?, address.domain())?;
    if store.mailbox(address).await?.is_some() {
        return Err(exists(address));
    }
    let aliased = !store.targets(&alias::Source::Address(address.clone())).await?.is_empty();
    drop(store);

    let chosen = secret::choose(source, address, ui)?;
    let hash = secret::hash(&chosen.password).await?;
    write(world, address, &hash, quota, dry_run).await?;

    let shown = (chosen.generated && !dry_run).then_some(&chosen.password);
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "address": address, "added": !dry_run, "password": shown, "quota": quota,
        }));
    } else if dry_run {
        ui.say(format!("would add {address}; nothing was changed"));
    } else {
        ui.say(format!("added {address}"));
        if let Some(password) = shown {
            ui.say("its password, shown only now:");
            ui.secret(password);
        }
        if mailboxes::kept(&world.paths, address) {
            ui.say("the mail that was kept is there again");
        }
        ui.say(format!("client settings: mailctl user show {address}; undo: mailctl user del {address}"));
    }
    if aliased {
        ui.warn(format!(
            "{address} is also an alias; see where its mail goes: mailctl alias resolve {address}"
        ));
    }
    Ok(())
}

async fn write(
    world: &World,
    address: &Address,
    hash: &str,
    quota: Option<u64>,
    dry_run: bool,
) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let _lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    names::served(&settings, &mut change, address.domain()).await?;
    let new = NewMailbox { address, password: hash, quota, created_at: names::now() };
    if !change.add_mailbox(&new).await? {
        return Err(exists(address));
    }
    if dry_run { change.undo().await } else { change.commit().await }
}

fn exists(address: &Address) -> Error {
    Error::new(codes::EXISTS, format!("{address} already has a mailbox"))
        .hint(format!("mailctl user passwd {address}     (a new password)"))
        .hint(format!("mailctl user show {address}"))
}
