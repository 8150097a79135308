//! An engine that holds a port for a container that is gone lets go of it only when it starts anew.

use crate::{
    commands::scene::Scene,
    error::{Error, codes},
    ui::Ui,
    world::{World, systemd::Systemd},
};

/// Debian's, and Docker's own.
const UNIT: &str = "docker.service";

/// If that is what `error` says, restarts the engine and looks again: then what failed can be done. Only where nothing
/// of others runs on it, so that nobody's work is interrupted but that of a stack which does not run whole anyway.
pub async fn heal(world: &World, scene: &mut Scene, error: Error, ui: &mut Ui) -> Result<(), Error> {
    if error.code() != codes::ENGINE_LEFTOVER {
        return Err(error);
    }
    let others = scene.engine.neighbours().await?;
    if !others.is_empty() {
        let names = others.join(", ");
        return Err(
            error.cause(format!("mailctl does not restart it by itself, for others run on it: {names}"))
        );
    }
    // Not an engine of somebody's own making.
    let Ok(systemd) = Systemd::here() else { return Err(error) };
    let active = systemd.show(UNIT).await?.get("ActiveState").is_some_and(|state| state == "active");
    if !(active && world.uses_the_hosts_engine()) {
        return Err(error);
    }
    ui.warn(format!("{}, as after a power cut; restarting {UNIT} [{}]", error.what(), error.code().name));
    // Debian's unit may start three times a minute: with a fourth it would be stopped, and stay so.
    let restarted = match systemd.run(&["reset-failed", UNIT]).await {
        Ok(_) => systemd.run(&["restart", UNIT]).await,
        refused => refused,
    };
    if let Err(second) = restarted {
        return Err(second.causes().iter().fold(error.cause(second.what()), Error::cause));
    }
    scene.engine = world.engine().await?;
    scene.refresh(world).await
}
