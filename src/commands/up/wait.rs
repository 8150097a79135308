//! Until every service answers its own health check.

use crate::{
    commands::scene::Scene,
    error::{Error, codes},
    plan::{
        Service,
        observed::{Health, State},
    },
    ui::Ui,
    world::World,
};
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// From the start of a service to its first good answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for all services, and shows for whom.
pub async fn wait(world: &World, scene: &mut Scene, ui: &mut Ui) -> Result<(), Error> {
    let progress = ui.progress();
    progress.phase("waiting until every service answers");
    let result = healthy(world, scene).await;
    drop(progress);
    result
}

/// Waits for all services.
pub async fn healthy(world: &World, scene: &mut Scene) -> Result<(), Error> {
    let began = Instant::now();
    scene.refresh(world).await?;
    let watched = &*scene;
    let answers = join_all(watched.stack.containers.iter().map(|spec| async move {
        loop {
            let answer = match watched.container(spec.service) {
                Some(found) => watched.ask(spec, &found.id, Some(PATIENCE.as_secs())).await,
                None => Err("its container is missing".to_owned()),
            };
            // Only a container that ended while it was asked is asked again.
            if answer.is_ok() || began.elapsed() > PATIENCE {
                return (spec.service, answer);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }))
    .await;
    let sick = answers.into_iter().find_map(|(service, answer)| Some((service, answer.err()?)));
    match sick {
        None => scene.refresh(world).await,
        Some((service, says)) => Err(unhealthy(scene, service, &says).await),
    }
}

/// With nothing to do: what the engine's own checks say must not be bad.
pub fn settled(scene: &Scene) -> Result<(), Error> {
    for service in Service::ALL {
        let Some(found) = scene.container(service) else { continue };
        if found.health == Health::Unhealthy || found.state == State::Restarting {
            let says =
                if found.health_says.is_empty() { "it ends again and again" } else { &found.health_says };
            return Err(Error::new(codes::STACK_UNHEALTHY, format!("{service} is not well"))
                .cause(says.lines().next().unwrap_or_default())
                .hint(format!("mailctl logs {service}"))
                .hint(format!("mailctl restart {service}")));
        }
    }
    Ok(())
}

async fn unhealthy(scene: &Scene, service: Service, says: &str) -> Error {
    let mut error = Error::new(codes::STACK_UNHEALTHY, format!("{service} does not answer as it should"));
    if !says.is_empty() {
        error = error.cause(says);
    }
    if let Some(found) = scene.container(service) {
        for line in scene.engine.last_lines(&found.id, 5).await {
            error = error.cause(format!("its log: {line}"));
        }
    }
    error.hint(format!("mailctl logs {service}"))
}
