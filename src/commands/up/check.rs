//! A new configuration: checked before it is live, taken back when the services do not come up with it.

use super::wait;
use crate::{
    commands::scene::Scene,
    error::{Error, codes},
    plan::{
        Plan, Service, Step,
        observed::{Loaded, State},
        spec::Mount,
    },
    world::{
        World,
        docker::{Job, Reach},
    },
};
use std::time::Duration;

/// Lets the real programs, in the image, judge generation `number`; the result is what they only warn about.
pub async fn check(world: &World, scene: &Scene, number: u32) -> Result<Vec<String>, Error> {
    let folder = world.paths.generation(number).display().to_string();
    let idle = queue_is_idle(scene);
    let warnings = judged(world, scene, &folder, idle)
        .await
        .map_err(|error| error.hint(format!("the files are in {folder}")))?;
    if idle {
        world.queue_was_checked()?;
    }
    world.mark_checked(number, scene.observed.image.as_deref().unwrap_or_default())?;
    Ok(warnings)
}

/// Lets them judge the configuration in `folder`, whichever it is; touches nothing.
pub async fn lint(world: &World, scene: &Scene, folder: &str) -> Result<Vec<String>, Error> {
    judged(world, scene, folder, false).await
}

async fn judged(world: &World, scene: &Scene, folder: &str, real_queue: bool) -> Result<Vec<String>, Error> {
    let job = job(world, scene, folder, real_queue);
    let outcome = scene.engine.run(&job, Duration::from_secs(30)).await?;
    let lines: Vec<String> = outcome
        .output
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("error["))
        .map(str::to_owned)
        .collect();
    if outcome.status == 0 {
        return Ok(lines);
    }
    let error = Error::new(codes::CONFIG_REJECTED, "the mail programs do not accept the configuration");
    let error = lines.into_iter().fold(error, Error::cause);
    Err(error.hint("mailctl config show, and look for raw settings and templates of your own"))
}

/// Whether Postfix does not run: then its check may work on the real queue, and make what is missing there.
fn queue_is_idle(scene: &Scene) -> bool {
    scene.container(Service::Postfix).is_none_or(|found| found.state != State::Running)
}

/// As the live containers see it, but without a network, and with state and mostly a queue of its own.
fn job(world: &World, scene: &Scene, folder: &str, real_queue: bool) -> Job {
    let places = world.paths.places();
    let mount = |host: String, inside: &str, read_only| Mount { host, inside: inside.to_owned(), read_only };
    let mut mounts = vec![
        mount(folder.to_owned(), "/etc/mailctl/current", true),
        mount(places.tls, "/etc/mailctl-tls", true),
        mount(places.dkim, "/etc/mailctl-dkim", true),
    ];
    let mut tmpfs = vec![
        ("/tmp", "mode=1777,size=16m"),
        ("/var/lib/postfix", "uid=5001,gid=5001,mode=700,size=16m"),
        ("/run/dovecot", "mode=755,size=16m"),
        ("/run/dovecot-state", "mode=755,size=16m"),
    ];
    if real_queue {
        mounts.push(mount(places.spool, "/var/spool/postfix", false));
    } else {
        tmpfs.push(("/var/spool/postfix", "mode=755,size=16m"));
    }
    Job {
        label: "check",
        image: scene.stack.image.clone(),
        command: vec!["mailctl".to_owned(), "lint".to_owned()],
        hostname: scene
            .stack
            .container(Service::Postfix)
            .map_or_else(|| "check".to_owned(), |spec| spec.hostname.clone()),
        capabilities: vec!["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
        mounts,
        tmpfs: tmpfs.iter().map(|(path, options)| (path.to_string(), options.to_string())).collect(),
        reach: Reach::Nothing,
    }
}

/// Remembers which containers answered with which configuration.
pub fn note_loaded(world: &World, scene: &Scene) -> Result<(), Error> {
    let loaded = scene.stack.containers.iter().filter_map(|spec| {
        let container = scene.container(spec.service)?.id.clone();
        let digest = scene.stack.reads(spec.service);
        Some((spec.service, Loaded { container, digest }))
    });
    world.note_loaded(&loaded.collect())
}

/// If the plan had switched to a new configuration, switches back and reloads; the error then says so.
pub async fn go_back(world: &World, scene: &mut Scene, plan: &Plan, error: Error) -> Error {
    let switched = plan.steps.iter().find_map(|step| match step {
        Step::SwitchConfig { from: Some(from), to } => Some((*from, *to)),
        _ => None,
    });
    let Some((from, to)) = switched else { return error };
    let live = world.generation().ok().flatten().map(|generation| generation.number);
    if live != Some(to) {
        return error;
    }
    match back(world, scene, from).await {
        Ok(()) => error.cause(format!("the configuration of before ({from:04}) is live again")),
        Err(second) => error.cause(format!("and going back to configuration {from:04} failed too: {second}")),
    }
}

async fn back(world: &World, scene: &mut Scene, from: u32) -> Result<(), Error> {
    world.switch_generation(from)?;
    scene.refresh(world).await?;
    for service in Service::ALL {
        match scene.container(service) {
            // One that ends just now reads the old one when it is started again; whether all answer is asked
            // below.
            Some(found) if found.state == State::Running => {
                let _ = scene.engine.signal(&found.id, service.reload()).await;
            }
            // A program that ended because of its configuration is started with the old one.
            Some(found) => {
                if let Some(spec) = scene.stack.container(service) {
                    scene.engine.start(&found.id, spec).await?;
                }
            }
            None => {}
        }
    }
    wait::healthy(world, scene).await
}
