//! `mailctl restart [SERVICE]`.

use super::{scene::Scene, up};
use crate::{
    error::{Error, codes},
    plan::{Plan, Service, Step},
    ui::Ui,
    world::World,
};
use futures_util::future::try_join_all;

/// Stop and start the services, or one of them
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only this one: mailctld, opendkim, dovecot or postfix
    service: Option<Service>,
}

/// Stops at once, starts in order, waits until all answer.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let _lock = world.lock()?;
    let mut scene = Scene::look(world).await?;
    let chosen: Vec<Service> =
        Service::ALL.into_iter().filter(|service| args.service.is_none_or(|one| one == *service)).collect();
    let mut steps = Vec::new();
    for service in chosen {
        let Some(found) = scene.container(service) else {
            return Err(Error::new(codes::STACK_DOWN, format!("there is no container of {service}"))
                .hint("mailctl up"));
        };
        steps.push(Step::Start { service, id: Some(found.id.clone()), why: "restart".to_owned() });
    }
    let stops = steps.iter().filter_map(|step| match step {
        Step::Start { id: Some(id), service, .. } => Some(scene.engine.stop(id, service.grace().min(20))),
        _ => None,
    });
    try_join_all(stops).await?;
    let plan = Plan { steps, notes: Vec::new() };
    up::apply(world, &mut scene, &plan, ui).await?;
    up::wait(world, &mut scene, ui).await?;
    ui.say("every service answers");
    Ok(())
}
