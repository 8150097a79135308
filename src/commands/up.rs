//! `mailctl up`: what should run, runs; returns when it accepts mail.

mod apply;
mod check;
mod heal;
mod wait;

use super::{cert, image, plan as plan_command, scene::Scene};
use crate::{
    error::Error,
    plan::{self, Plan, Step},
    settings::source::Origin,
    ui::Ui,
    world::{World, docker, keys, process},
};
pub use apply::apply;
pub use check::lint;
pub use wait::wait;

/// Start the stack, or bring it to what the settings say
#[derive(clap::Args, Debug, Default)]
pub struct Args {
    /// Show the steps and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Return when every service answers, also where there was nothing to do; that an authority has not issued a
    /// certificate yet is then only a warning
    #[arg(long)]
    pub wait: bool,
    /// Tar of a Debian root file system to build the image on, where no registry can be reached
    #[arg(long, value_name = "FILE")]
    pub base_rootfs: Option<std::path::PathBuf>,
}

/// Plans, and does what is planned.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    if args.dry_run {
        let scene = Scene::look(world).await?;
        scene.trust()?;
        plan_command::print(&plan::plan(&scene.stack, &scene.observed), ui);
        return Ok(());
    }
    let logged = ui.log_times();
    let lock = world.lock()?;
    // Looking never does these two.
    world.store().await?.close().await;
    keys::tls::take_over(&world.paths)?;
    keys::srs::ensure(&world.paths)?;
    let taken = cert::import::take(world, &world.settings()?.settings, ui)?;
    if let Some(fault) = taken.fault {
        ui.warn(format!("the certificate that the settings name is not taken: {fault}"));
    }
    let mut scene = Scene::look(world).await?;
    for warning in &scene.warnings {
        ui.warn(warning);
    }
    scene.trust()?;
    scene.keys(world)?;
    let served = keys::tls::served(&world.paths)?;
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    for warning in cert::show::warnings(&served, scene.settings.hostname.as_str(), now) {
        ui.warn(warning);
    }
    if scene.observed.image.is_none() {
        let args = image::BuildArgs { base_rootfs: args.base_rootfs, ..Default::default() };
        image::build(&scene.engine, &scene.stack.image, &args, ui).await?;
        scene.refresh(world).await?;
    }
    let mut plan = plan::plan(&scene.stack, &scene.observed);
    if let Err(error) = ports(&scene, &plan).await {
        heal::heal(world, &mut scene, error, ui).await?;
        plan = plan::plan(&scene.stack, &scene.observed);
        ports(&scene, &plan).await?;
    }
    if logged && !plan.is_empty() {
        configuring(&scene, ui);
    }
    if args.wait && plan.is_empty() {
        // At boot the engine has only just started the containers: what it says of them means nothing yet.
        wait(world, &mut scene, ui).await?;
    } else {
        converge(world, &mut scene, &plan, ui).await?;
    }
    if taken.news {
        cert::serve::confirm(world, ui).await?;
    }
    keys::tls::tidy(&world.paths)?;
    finish(&scene, &plan, logged, ui);
    // An authority can take minutes, and others need not wait for it.
    drop(lock);
    cert::renew::after_up(world, &scene.settings, args.wait, ui).await
}

/// Whether every port can be had, before a container that has other ones is taken down.
async fn ports(scene: &Scene, plan: &Plan) -> Result<(), Error> {
    let published = scene.observed.containers.iter().flat_map(|found| &found.ports);
    let ours: Vec<_> = published.map(|(_, address)| *address).collect();
    let made = plan.steps.iter().filter_map(|step| match step {
        Step::Create { service, .. } => scene.stack.container(*service),
        _ => None,
    });
    let taken = made.filter_map(|spec| Some((process::in_the_way(spec, &ours)?, spec))).next();
    let Some((port, spec)) = taken else { return Ok(()) };
    if process::is_engines(port) && !scene.engine.publishes(port).await? {
        return Err(docker::held(port));
    }
    Err(process::named(port, spec))
}

/// What the operator has set, for the log.
fn configuring(scene: &Scene, ui: &mut Ui) {
    let set = scene.origins.iter().filter(|shown| shown.origin != Origin::Default);
    set.for_each(|shown| ui.say(format!("Configuring: {} = {}", shown.key, shown.value)));
}

/// Does the plan and waits until all services answer. A configuration with which they do not is taken back.
pub async fn converge(world: &World, scene: &mut Scene, plan: &Plan, ui: &mut Ui) -> Result<(), Error> {
    for note in &plan.notes {
        ui.warn(note);
    }
    if plan.is_empty() {
        return wait::settled(scene);
    }
    let mut result = applied(world, scene, plan, ui).await;
    if let Err(error) = result {
        result = match heal::heal(world, scene, error, ui).await {
            Ok(()) => applied(world, scene, &plan::plan(&scene.stack, &scene.observed), ui).await,
            Err(error) => Err(error),
        };
    }
    match result {
        Ok(()) => check::note_loaded(world, scene),
        Err(error) => Err(check::go_back(world, scene, plan, error).await),
    }
}

async fn applied(world: &World, scene: &mut Scene, plan: &Plan, ui: &mut Ui) -> Result<(), Error> {
    apply(world, scene, plan, ui).await?;
    wait(world, scene, ui).await
}

fn finish(scene: &Scene, plan: &Plan, logged: bool, ui: &mut Ui) {
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "steps": plan.steps,
            "services": super::status::services(scene),
        }));
    } else if plan.is_empty() {
        ui.say("nothing to do: what runs is what should run");
    } else {
        told(scene, plan, logged, ui);
    }
    if logged {
        // What service logs of mail containers end their start with, and what waits for them looks for.
        ui.say("Mail server configuration complete");
    }
}

fn told(scene: &Scene, plan: &Plan, logged: bool, ui: &mut Ui) {
    // A log had them one by one, when they were done.
    for step in plan.steps.iter().filter(|_| !logged) {
        if !matches!(step, Step::Start { .. } | Step::Folder { .. }) {
            ui.say(format!("  {step}"));
        }
    }
    ui.say(format!("{} accepts mail", scene.settings.hostname));
    for (service, ports) in super::status::published(scene) {
        ui.say(format!("  {service:<9} {ports}"));
    }
}
