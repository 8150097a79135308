//! `mailctl cert remove`.

use super::serve;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::cert::Place,
    ui::Ui,
    world::{
        World,
        keys::tls::{self, Change},
    },
};

/// Serve a domain's clients with the server's own certificate again
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The domain whose certificate goes
    domain: String,
    /// Say what would go, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Withdraws it in one step; key and certificate stay in an older set for a while, to undo it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let domain = names::domain(&args.domain, ui)?;
    let place = Place::Domain(domain.clone());
    let lock = world.lock()?;
    if !tls::places(&world.paths).contains(&place) {
        return Err(Error::new(codes::ABSENT, format!("{domain} has no certificate of its own"))
            .hint("mailctl cert show"));
    }
    let kept = std::fs::canonicalize(world.paths.certificate(&place)).ok();
    if !args.dry_run {
        tls::install(&world.paths, &Change::default().withdraw(place.clone()))?;
        let mut watched = tls::watched(&world.paths)?;
        watched.remove(&place);
        tls::watch(&world.paths, &watched)?;
    }
    drop(lock);
    let ports = if args.dry_run { Vec::new() } else { serve::everywhere(world, ui).await? };
    if ui.manner().json {
        ui.json(&serde_json::json!({"domain": domain.as_str(), "removed": !args.dry_run, "ports": ports}));
    } else if args.dry_run {
        ui.say(format!("would serve clients of {domain} with the server's own certificate"));
    } else {
        ui.say(format!("clients of {domain} get the server's own certificate"));
        if let Some(file) = kept.map(|file| file.display().to_string()) {
            ui.say(format!("undo: mailctl cert import --for {domain} --cert {file} --key {file}"));
        }
    }
    Ok(())
}
