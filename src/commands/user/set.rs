//! `mailctl user set`.

use super::passwd::absent;
use crate::{
    commands::names,
    error::Error,
    mail::address::Address,
    settings::value,
    ui::Ui,
    world::{World, mailboxes::Sizes},
};

/// Change how much mail a mailbox may hold; it counts from the next message on
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address of the mailbox
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// How much mail it may hold, like 2G; 0 = no limit, none = MAILBOX_SIZE_LIMIT of the settings again
    #[arg(long, value_name = "SIZE|none", value_parser = quota)]
    quota: Quota,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// A limit of its own in octets (0 = no limit), or the settings'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Quota(Option<u64>);

fn quota(text: &str) -> Result<Quota, String> {
    if text == "none" {
        return Ok(Quota(None));
    }
    value::size(text).map(|octets| Quota(Some(octets))).map_err(|why| format!("{why}, or none"))
}

/// Changes it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let address = names::address(&args.address, ui)?;
    let settings = world.settings()?.settings;
    let Quota(quota) = args.quota;

    let _lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let Some(before) = change.mailbox(&address).await? else { return Err(absent(&address)) };
    let changed = before.quota != quota;
    // Nothing to do is nothing to write.
    if changed {
        change.set_quota(&address, quota).await?;
    }
    if args.dry_run || !changed { change.undo().await } else { change.commit().await }?;

    let limit = quota.unwrap_or(settings.mailbox_size_limit);
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "address": address, "changed": changed && !args.dry_run, "quota": quota, "limit": limit,
        }));
    } else {
        say(ui, &address, (before.quota, quota), limit, args.dry_run);
    }
    let size = Sizes::new(&world.paths).of(&address.to_string());
    if limit > 0 && size > limit {
        ui.warn(format!(
            "{address} holds {}, more than that already: nothing more is delivered until some of it is deleted",
            names::size(size)
        ));
    }
    Ok(())
}

fn say(ui: &mut Ui, address: &Address, (before, now): (Option<u64>, Option<u64>), limit: u64, dry_run: bool) {
    let words = match limit {
        0 => "no limit".to_owned(),
        limit => format!("the limit {}", names::size(limit)),
    };
    let whose = if now.is_none() { ", as the settings say" } else { "" };
    if before == now {
        return ui.say(format!("{address} has {words} already{whose}; nothing was changed"));
    }
    if dry_run {
        return ui.say(format!("{address} would have {words}{whose}; nothing was changed"));
    }
    ui.say(format!("{address} has {words} now{whose}"));
    let undo = before.map_or("none".to_owned(), |octets| octets.to_string());
    ui.say(format!("undo: mailctl user set {address} --quota {undo}"));
}
