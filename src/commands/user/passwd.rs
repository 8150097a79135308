//! `mailctl user passwd`.

use super::secret::{self, Source};
use crate::{
    commands::names,
    error::{Error, codes},
    mail::address::Address,
    ui::Ui,
    world::World,
};

/// Give a mailbox a new password; the old one stops at once
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address of the mailbox
    #[arg(value_name = "ADDRESS")]
    address: String,
    #[command(flatten)]
    secret: Source,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Replaces it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let address = names::address(&args.address, ui)?;
    if world.store().await?.mailbox(&address).await?.is_none() {
        return Err(absent(&address));
    }
    let chosen = secret::choose(args.secret, &address, ui)?;
    let hash = secret::hash(&chosen.password).await?;

    let _lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    if !change.set_password(&address, &hash).await? {
        return Err(absent(&address));
    }
    if args.dry_run { change.undo().await } else { change.commit().await }?;

    let shown = (chosen.generated && !args.dry_run).then_some(&chosen.password);
    if ui.manner().json {
        ui.json(&serde_json::json!({"address": address, "changed": !args.dry_run, "password": shown}));
    } else if args.dry_run {
        ui.say(format!("would change the password of {address}; nothing was changed"));
    } else {
        ui.say(format!("changed the password of {address}; sessions that are open go on until they end"));
        if let Some(password) = shown {
            ui.say("the new one, shown only now:");
            ui.secret(password);
        }
    }
    Ok(())
}

/// There is no such mailbox.
pub fn absent(address: &Address) -> Error {
    Error::new(codes::ABSENT, format!("{address} has no mailbox"))
        .hint("mailctl user list")
        .hint(format!("mailctl alias resolve {address}     (where its mail goes, if anywhere)"))
}
