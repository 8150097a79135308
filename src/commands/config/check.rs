//! `mailctl config check`.

use crate::{
    error::{Error, codes},
    plan::trust,
    settings::Settings,
    ui::Ui,
    world::World,
};

/// Find what is wrong with the settings, without changing anything
///
/// Reads both files and the environment, checks the values against each other, and against the engine's
/// networks where an engine answers. Exit status 78 where something is wrong.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Checks them.
pub async fn run(_args: &Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let loaded = world.settings()?;
    let mut warnings = loaded.warnings;
    match world.engine().await {
        Ok(engine) => trusted_gateway(&loaded.settings, &engine.networks().await?.1)?,
        Err(error) => {
            warnings.push(format!("TRUSTED_NETWORKS was not compared with the engine's networks: {error}"))
        }
    }
    if ui.manner().json {
        ui.json(&serde_json::json!({"ok": true, "warnings": warnings}));
        return Ok(());
    }
    warnings.iter().for_each(|warning| ui.warn(warning));
    ui.say("the settings are good");
    Ok(())
}

/// A trusted network with a gateway inside makes an open relay.
fn trusted_gateway(settings: &Settings, gateways: &[crate::plan::observed::Gateway]) -> Result<(), Error> {
    let Some(fault) = trust::fault(&settings.trusted, gateways) else { return Ok(()) };
    let (trusted, gateway) = (fault.trusted, fault.gateway);
    Err(Error::new(codes::TRUST_GATEWAY, format!("TRUSTED_NETWORKS {trusted} holds a gateway of the engine"))
        .cause(format!(
            "{} is the gateway of network {}, and clients of the Internet can appear under it",
            gateway.address, gateway.network
        ))
        .hint(format!("write !{} before {trusted} in TRUSTED_NETWORKS", gateway.address)))
}
