//! `mailctl user unfreeze`.

use crate::{
    commands::names,
    error::{Error, codes},
    ui::Ui,
    world::World,
};

/// Let a login send again that was frozen because it sent far more than ever (rates.freeze_times)
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The login: address of its mailbox
    #[arg(value_name = "ADDRESS")]
    login: String,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Frees it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let login = names::address(&args.login, ui)?;
    if !world.thaw(&login, args.dry_run).await? {
        return Err(Error::new(codes::ABSENT, format!("{login} is not frozen"))
            .hint(format!("mailctl explain send --user {login} --to ADDRESS     (what else refuses it)"))
            .hint("mailctl logs mailctld"));
    }
    if ui.manner().json {
        ui.json(&serde_json::json!({"login": login, "unfrozen": !args.dry_run}));
        return Ok(());
    }
    if args.dry_run {
        ui.say(format!("{login} is frozen, and would be freed; nothing was changed"));
        return Ok(());
    }
    ui.say(format!("{login} may send again; if somebody else has the password: mailctl user passwd {login}"));
    Ok(())
}
