//! Until every service answers its own health check.

use crate::{
    commands::scene::Scene,
    error::{Error, codes},
    plan::{
        Service,
        observed::{Container, Health, State},
        spec::ContainerSpec,
    },
    ui::Ui,
    world::World,
};
use futures_util::future::try_join_all;
use std::time::{Duration, Instant};

/// From the start of a service to its first good answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The soonest that a check which waits gives up (`mailctl health --ready`).
const VERDICT: Duration = Duration::from_secs(5);

/// Waits for all services, and shows for whom.
pub async fn wait(world: &World, scene: &mut Scene, ui: &mut Ui) -> Result<(), Error> {
    let progress = ui.progress();
    progress.phase("waiting until every service answers");
    let result = healthy(world, scene).await;
    drop(progress);
    result
}

/// Waits for all services, or for the first that will not answer.
pub async fn healthy(world: &World, scene: &mut Scene) -> Result<(), Error> {
    let began = Instant::now();
    scene.refresh(world).await?;
    let watched = &*scene;
    // The first refusal ends the waiting: who depends on that service would only wait for it in vain.
    let answers = watched.stack.containers.iter().map(|spec| answering(watched, spec, began));
    match try_join_all(answers).await {
        Ok(_) => scene.refresh(world).await,
        Err((service, says)) => Err(unhealthy(scene, service, &says).await),
    }
}

/// Asks until it answers, its time is up, or it has ended for good.
async fn answering(scene: &Scene, spec: &ContainerSpec, began: Instant) -> Result<(), (Service, String)> {
    let Some(found) = scene.container(spec.service) else {
        return Err((spec.service, "its container is missing".to_owned()));
    };
    loop {
        let asked = Instant::now();
        let Err(says) = scene.ask(spec, &found.id, Some(PATIENCE.as_secs())).await else { return Ok(()) };
        if let Ok(now) = scene.engine.container(found.id.clone()).await {
            if let Some(end) = ended(found, now.as_ref()) {
                return Err((spec.service, end));
            }
            // Its own verdict takes its time; a quick failure is that of a container which is just ending, and
            // one that was started again is asked again.
            let steady = |now: Container| now.state == State::Running && now.restarts == found.restarts;
            if asked.elapsed() >= VERDICT && now.is_some_and(steady) {
                return Err((spec.service, says));
            }
        }
        if began.elapsed() > PATIENCE {
            return Err((spec.service, says));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Why there is nothing to wait for any more. One end can be bad luck, a second one is not.
fn ended(before: &Container, now: Option<&Container>) -> Option<String> {
    let Some(now) = now else { return Some("its container is gone".to_owned()) };
    let status = now.exit_code;
    if matches!(now.state, State::Exited | State::Dead) {
        return Some(format!("it ended with status {status}"));
    }
    (now.restarts >= before.restarts + 2)
        .then(|| format!("it ends again and again, the last time with status {status}"))
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
