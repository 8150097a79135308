//! `mailctl user del`.

use super::passwd::absent;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::address::Address,
    ui::Ui,
    world::{World, mailboxes, store::Store},
};

/// Remove a mailbox: nobody logs in, nothing is delivered; its mail is kept unless you say --purge
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address of the mailbox
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// Remove its mail too; this cannot be undone
    #[arg(long, visible_alias = "purge-inbox")]
    purge: bool,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Removes it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let address = names::address(&args.address, ui)?;
    let settings = world.settings()?.settings;
    if address == settings.admin {
        return Err(Error::new(codes::NEEDED, format!("{address} is the administrator's mailbox"))
            .cause("ADMIN_EMAIL names it, so mail for postmaster and abuse goes there")
            .hint("name another mailbox in ADMIN_EMAIL of settings.env, then repeat the command"));
    }
    let store = world.store().await?;
    let there = store.mailbox(&address).await?.is_some();
    let kept = mailboxes::kept(&world.paths, &address);
    let leftover = args.purge && kept;
    if !there && !leftover {
        return Err(match kept {
            true => absent(&address)
                .cause("its mail is still here")
                .hint(format!("mailctl user del {address} --purge")),
            false => absent(&address),
        });
    }
    let aliases = aliases(&store, &address).await?;
    drop(store);
    if args.purge && !args.dry_run {
        ui.confirm(&format!("Remove {address} and all of its mail for good?"))?;
    }

    let _lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let removed = change.remove_mailbox(&address).await?;
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    let purged = args.purge && !args.dry_run && mailboxes::purge(&world.paths, &address)?;

    let folder = world.paths.mailbox(&address);
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "address": address, "removed": removed && !args.dry_run, "purged": purged,
            "mail": (kept && !purged).then_some(&folder), "aliases": aliases,
        }));
    } else {
        say(ui, &address, &args, kept.then_some(&folder));
    }
    if !aliases.is_empty() {
        let names = aliases.join(", ");
        ui.warn(format!(
            "aliases still lead to {address}: {names}; mail for them is refused or goes on to the rest"
        ));
        for alias in aliases.iter().take(3) {
            ui.say(format!("  mailctl forward del '{alias}' --target {address}"));
        }
    }
    Ok(())
}

fn say(ui: &mut Ui, address: &Address, args: &Args, kept: Option<&std::path::PathBuf>) {
    if args.dry_run {
        let too = if args.purge { " and its mail" } else { "" };
        return ui.say(format!("would remove {address}{too}; nothing was changed"));
    }
    ui.say(format!("removed {address}: nobody logs in with it any more"));
    match kept {
        Some(_) if args.purge => ui.say("its mail is gone"),
        Some(folder) => {
            ui.say(format!("its mail is kept in {}", folder.display()));
            ui.say(format!("undo: mailctl user add {address}     (the same mail, a new password)"));
        }
        None => ui.say("it had no mail"),
    }
}

async fn aliases(store: &Store, address: &Address) -> Result<Vec<String>, Error> {
    let mut found: Vec<String> = store.sources(address).await?.iter().map(ToString::to_string).collect();
    found.extend(store.patterns_to(&address.to_string()).await?);
    Ok(found)
}
