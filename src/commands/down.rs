//! `mailctl down`.

use crate::{error::Error, plan::Service, ui::Ui, world::World};
use futures_util::future::try_join_all;

/// Stop the stack; settings, mail, queue and keys stay
#[derive(clap::Args, Debug, Default)]
pub struct Args {
    /// Seconds that a service gets to end what it does
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub grace: u32,
}

/// Stops who takes mail in first, so that no session meets a peer that is gone, then the others; removes
/// containers and network. Needs no settings: a stack whose settings are broken can be stopped too.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let _lock = world.lock()?;
    let engine = world.engine().await?;
    let (containers, networks) = tokio::try_join!(engine.containers(), engine.networks())?;
    let home = world.paths.home().display().to_string();
    super::scene::own(&containers, &home, &world.project)?;
    // A job of another home under our project's name is not ours to end.
    let containers: Vec<_> =
        containers.into_iter().filter(|found| found.home.is_empty() || found.home == home).collect();
    let progress = ui.progress();
    progress.phase("stopping the services");
    let removed = containers.len();
    let (first, others): (Vec<_>, Vec<_>) =
        containers.iter().partition(|found| found.service == Service::Postfix.name());
    for batch in [first, others] {
        try_join_all(batch.into_iter().map(|found| {
            let engine = &engine;
            async move {
                let own = found.service.parse::<Service>().map_or(args.grace, Service::grace);
                engine.stop(&found.id, args.grace.min(own)).await?;
                engine.remove(&found.id).await
            }
        }))
        .await?;
    }
    for network in networks.0.iter().filter(|network| network.ours) {
        engine.remove_network(&network.id).await?;
    }
    drop(progress);
    if ui.manner().json {
        ui.json(&serde_json::json!({"removed_containers": removed}));
    } else if removed == 0 {
        ui.say("nothing to do: the stack does not run");
    } else {
        ui.say("the stack is down; mail, queue, keys and settings are untouched");
    }
    Ok(())
}
