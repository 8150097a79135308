//! `mailctl reload`.

use super::{scene::Scene, up};
use crate::{
    error::Error,
    plan::{self, Plan, Service, Step},
    ui::Ui,
    world::World,
};

/// Let the running services read their configuration again, without cutting a session
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Renders and switches if the settings changed; signals every service in any case.
pub async fn run(_args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let _lock = world.lock()?;
    let mut scene = Scene::look(world).await?;
    scene.trust()?;
    let wanted = plan::plan(&scene.stack, &scene.observed);
    let config = |step: &Step| {
        matches!(
            step,
            Step::WriteConfig { .. }
                | Step::CheckConfig { .. }
                | Step::SwitchConfig { .. }
                | Step::ForgetConfigs { .. }
        )
    };
    let mut steps: Vec<Step> = wanted.steps.into_iter().filter(config).collect();
    // OpenDKIM and Dovecot before Postfix, which then opens its connections to them anew.
    for service in Service::ALL {
        let id = scene.running(service)?.id.clone();
        steps.push(Step::Reload { service, id, signal: service.reload() });
    }
    up::converge(world, &mut scene, &Plan { steps, notes: wanted.notes }, ui).await?;
    ui.say("every service has read its configuration and answers");
    Ok(())
}
