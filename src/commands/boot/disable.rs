//! `mailctl boot disable`.

use super::{Installed, installed, names};
use crate::{
    error::Error,
    ui::Ui,
    world::{World, atomic, io_error, paths, systemd::Systemd},
};
use std::fs;

/// Undo all that `boot enable` did; a stack that runs goes on running
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Say what would be removed, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Disables, removes, and lets systemd forget.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let systemd = Systemd::here()?;
    let names = names(world);
    let mut files = Vec::new();
    for name in names.all() {
        if let Installed::Ours(_) = installed(world, name)? {
            files.push(paths::units().join(name));
        }
    }
    if args.dry_run {
        tell("would remove", &files, false, ui);
        return Ok(());
    }
    if files.is_empty() {
        tell("", &files, false, ui);
        return Ok(());
    }
    super::root()?;
    systemd.run(&["disable", "--quiet", "--now", &names.timer]).await?;
    systemd.run(&["disable", "--quiet", &names.stack]).await?;
    for file in &files {
        fs::remove_file(file).map_err(|e| io_error("remove", file, &e))?;
    }
    atomic::sync_folder(paths::units())?;
    systemd.run(&["daemon-reload"]).await?;
    for name in names.all() {
        forget(&systemd, name).await?;
    }
    tell("removed", &files, true, ui);
    Ok(())
}

/// A unit without a file has no command to stop it with any more: stopping it only ends what systemd knows of it.
/// One that a package brings as well keeps its file, and stays as it is.
async fn forget(systemd: &Systemd, name: &str) -> Result<(), Error> {
    let found = systemd.show(name).await?;
    let is = |property: &str, value: &str| found.get(property).is_some_and(|found| found == value);
    if !is("LoadState", "not-found") {
        return Ok(());
    }
    if is("ActiveState", "active") {
        systemd.run(&["stop", name]).await?;
    }
    if is("ActiveState", "failed") {
        systemd.run(&["reset-failed", name]).await?;
    }
    Ok(())
}

fn tell(word: &str, files: &[std::path::PathBuf], changed: bool, ui: &mut Ui) {
    if ui.manner().json {
        ui.json(&serde_json::json!({"units": files, "changed": changed}));
        return;
    }
    if files.is_empty() {
        ui.say("nothing to do: no unit of this stack is installed");
    }
    files.iter().for_each(|file| ui.say(format!("{word} {}", file.display())));
    if changed {
        ui.say("at the next boot only the engine starts the containers that run now; nothing renews certificates");
    }
}
