//! `mailctl boot enable`.

use super::{Installed, installed, names, wanted};
use crate::{
    commands::scene,
    error::Error,
    plan::{Service, observed::State},
    render::systemd::{Names, Unit},
    ui::Ui,
    world::{World, paths, program, systemd::Systemd},
};
use serde::Serialize;
use std::fmt;

/// Install the units and enable them
///
/// The stack then starts at every boot, after the engine, and `mailctl maintain` runs every quarter of an hour. A
/// stack that runs goes on running; one that does not starts with the next boot, or with `mailctl up`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print the units and what would be done with them, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// One change to the host.
#[derive(Debug, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
enum Step {
    Write { path: String },
    Reload,
    Enable { unit: String },
    Start { unit: String },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path } => write!(f, "write {path}"),
            Self::Reload => f.write_str("systemctl daemon-reload"),
            Self::Enable { unit } => write!(f, "systemctl enable {unit}"),
            Self::Start { unit } => write!(f, "systemctl start {unit}"),
        }
    }
}

/// Does what is missing.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    // Bytes can be shown where no systemd runs.
    let systemd = Systemd::here();
    if args.dry_run && systemd.is_err() {
        let units = wanted(world, &program::path()?, None)?;
        super::print(&units, ui);
        return Ok(());
    }
    let systemd = systemd?;
    world.settings()?;
    let units = wanted(world, &program::path()?, systemd.version().await)?;
    let runs = runs(world).await;
    let steps = steps(world, &systemd, &units, runs).await?;
    if args.dry_run {
        show(&units, &steps, ui);
        return Ok(());
    }
    environment(world, ui);
    if steps.is_empty() {
        tell(&steps, runs, world, ui);
        return Ok(());
    }
    super::root()?;
    let progress = ui.progress();
    for step in &steps {
        progress.doing(&step.to_string());
        take(step, &systemd, &units).await?;
    }
    drop(progress);
    tell(&steps, runs, world, ui);
    Ok(())
}

/// Each is done only where it is missing, so that a run which was cut short is finished by the next.
async fn steps(world: &World, systemd: &Systemd, units: &[Unit], runs: bool) -> Result<Vec<Step>, Error> {
    let names = names(world);
    let mut steps = Vec::new();
    for unit in units {
        if !matches!(installed(world, &unit.name)?, Installed::Ours(text) if text == unit.text) {
            steps.push(Step::Write { path: paths::units().join(&unit.name).display().to_string() });
        }
    }
    let (stack, timer) = tokio::try_join!(systemd.show(&names.stack), systemd.show(&names.timer))?;
    let is = |unit: &crate::world::systemd::Properties, name: &str, value: &str| {
        unit.get(name).is_some_and(|found| found == value)
    };
    if !steps.is_empty() || [&stack, &timer].iter().any(|unit| is(unit, "NeedDaemonReload", "yes")) {
        steps.push(Step::Reload);
    }
    for (unit, found) in [(&names.stack, &stack), (&names.timer, &timer)] {
        if !is(found, "UnitFileState", "enabled") {
            steps.push(Step::Enable { unit: unit.clone() });
        }
    }
    // `systemctl stop` only stops what systemd has started.
    let begun = ["active", "activating", "reloading"];
    for (unit, found, wanted) in [(&names.timer, &timer, true), (&names.stack, &stack, runs)] {
        if wanted && !begun.iter().any(|state| is(found, "ActiveState", state)) {
            steps.push(Step::Start { unit: unit.clone() });
        }
    }
    Ok(steps)
}

async fn take(step: &Step, systemd: &Systemd, units: &[Unit]) -> Result<(), Error> {
    match step {
        Step::Write { path } => {
            let path = std::path::Path::new(path);
            let found = units.iter().find(|unit| path.ends_with(&unit.name));
            found.map_or(Ok(()), |unit| super::write(path, unit))
        }
        Step::Reload => systemd.run(&["daemon-reload"]).await.map(drop),
        Step::Enable { unit } => systemd.run(&["enable", "--quiet", unit]).await.map(drop),
        Step::Start { unit } => systemd.run(&["start", unit]).await.map(drop),
    }
}

/// Whether a container of this stack runs now.
async fn runs(world: &World) -> bool {
    let Ok(engine) = world.engine().await else { return false };
    let Ok(containers) = engine.containers().await else { return false };
    let home = world.paths.home().display().to_string();
    let ours = |name: &str| Service::ALL.iter().any(|service| service.name() == name);
    scene::own(&containers, &home, &world.project).is_ok()
        && containers.iter().any(|found| ours(&found.service) && found.state == State::Running)
}

fn show(units: &[Unit], steps: &[Step], ui: &mut Ui) {
    if ui.manner().json {
        ui.json(&serde_json::json!({"units": units, "steps": steps, "changed": false}));
        return;
    }
    super::print(units, ui);
    steps.iter().for_each(|step| ui.say(format!("would {step}")));
    ui.say("nothing was changed");
}

/// What is set in this shell is not set at boot.
fn environment(world: &World, ui: &mut Ui) {
    let own = ["MAILCTL_HOME", "MAILCTL_PROJECT"];
    for (name, _) in world.environment.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
        ui.warn(format!("{name} is set here and will not be at boot; put it into the settings file"));
    }
}

fn tell(steps: &[Step], runs: bool, world: &World, ui: &mut Ui) {
    if ui.manner().json {
        ui.json(&serde_json::json!({"steps": steps, "changed": !steps.is_empty(), "stack_runs": runs}));
        return;
    }
    if steps.is_empty() {
        ui.say("nothing to do: the units are installed and enabled");
        return;
    }
    steps.iter().for_each(|step| ui.say(format!("  {step}")));
    let Names { stack, .. } = names(world);
    ui.say(format!("{stack} starts the stack at every boot; its upkeep runs every quarter of an hour"));
    if !runs {
        ui.say(format!("it does not run now; start it with: mailctl up, or: systemctl start {stack}"));
    }
}
