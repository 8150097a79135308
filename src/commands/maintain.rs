//! `mailctl maintain`: what is due, and only that. A timer runs it; see [`super::boot`].

mod alerts;
mod clean;

use super::{
    cert::{self, renew::Due},
    dkim, image,
};
use crate::{
    error::{Error, codes},
    ui::{Manner, Ui},
    world::World,
};
use clap::builder::PossibleValuesParser;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;

/// Do what is due: renewals, steps of DKIM rotations, a look for newer packages, cleaning, alerts
///
/// Says each thing that it does in one line, and nothing of what is not due. A task that fails does not stop the
/// others; the exit status is then 1. Safe at any time, and as often as one likes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only these tasks; without any, all of them
    #[arg(value_name = "TASK", value_parser = PossibleValuesParser::new(TASKS.iter().map(|task| task.name)))]
    tasks: Vec<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// List the tasks, and do nothing
    #[arg(long)]
    list: bool,
}

/// One kind of upkeep. It takes the lock itself, and only for what needs it.
struct Task {
    name: &'static str,
    about: &'static str,
    /// Each thing done is a line in `done`, also those before a failure.
    run: for<'a> fn(Turn<'a>) -> LocalBoxFuture<'a, Result<(), Error>>,
}

/// What a task is given.
struct Turn<'a> {
    world: &'a World,
    ui: &'a mut Ui,
    dry_run: bool,
    done: &'a mut Vec<String>,
}

/// In the order in which they run: what others may be alarmed about comes before the alerts.
const TASKS: &[Task] = &[
    Task {
        name: "import",
        about: "certificates that somebody else renews: new ones are taken, and served on every port",
        run: |turn| Box::pin(import(turn)),
    },
    Task {
        name: "certificates",
        about: "renewal by the authority of the settings (ACME)",
        run: |turn| Box::pin(renew(turn)),
    },
    Task {
        name: "dkim",
        about: "steps of DKIM rotations that were begun",
        run: |turn| Box::pin(dkim::rotate::due(turn.world, turn.ui, turn.dry_run, turn.done)),
    },
    Task {
        name: "packages",
        about: "a look for newer packages, as UPDATE_CHECK and UPDATE_INTERVAL say",
        run: |turn| Box::pin(image::check::maintain(turn.world, turn.dry_run, turn.done)),
    },
    Task {
        name: "clean",
        about: "old generations of configuration, images of older programs, unfinished files",
        run: |turn| Box::pin(clean::run(turn.world, turn.dry_run, turn.done)),
    },
    Task {
        name: "alerts",
        about: "log, mail and webhook for what needs a person, each once",
        run: |turn| Box::pin(alerts::run(turn)),
    },
];

async fn import(turn: Turn<'_>) -> Result<(), Error> {
    if turn.dry_run {
        if turn.world.settings()?.settings.certificate.is_some() {
            turn.done.push("would look for a new certificate where the settings say".to_owned());
        }
        return Ok(());
    }
    if cert::import::due(turn.world, turn.ui).await? {
        turn.done
            .push("every port serves the certificate that is installed, which some did not yet".to_owned());
    }
    Ok(())
}

async fn renew(turn: Turn<'_>) -> Result<(), Error> {
    match cert::renew::due(turn.world, turn.ui, turn.dry_run).await? {
        Due::Off | Due::Nothing => {}
        Due::Would => turn.done.push("would have a certificate issued".to_owned()),
        Due::Renewed(issuer) => {
            turn.done.push(format!("{issuer} has issued a certificate, and every port serves it"));
        }
    }
    Ok(())
}

/// What came of one task.
#[derive(Serialize)]
struct Ran {
    task: &'static str,
    done: Vec<String>,
    /// Another command was changing the home, or the mirrors do not answer; a later run does it.
    put_off: bool,
    error: Option<Failure>,
}

#[derive(Serialize)]
struct Failure {
    code: &'static str,
    what: String,
    causes: Vec<String>,
}

/// Runs them one after another.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    if args.list {
        list(ui);
        return Ok(());
    }
    world.settings()?;
    let wanted = |task: &&Task| args.tasks.is_empty() || args.tasks.iter().any(|name| name == task.name);
    let (mut all, mut failed) = (Vec::new(), Vec::new());
    for task in TASKS.iter().filter(wanted) {
        let mut done = Vec::new();
        // What commands within a task would say or print is told here, a line each.
        let mut aside = Ui::new(Manner { json: false, quiet: true, yes: true });
        let turn = Turn { world, ui: &mut aside, dry_run: args.dry_run, done: &mut done };
        let result = (task.run)(turn).await;
        done.iter().for_each(|line| ui.say(format!("{}: {line}", task.name)));
        let mut ran = Ran { task: task.name, done, put_off: false, error: None };
        match result {
            Ok(()) => {}
            Err(error) if [codes::LOCKED, codes::UPDATE_UNKNOWN].contains(&error.code()) => {
                ui.say(format!("{}: put off: {error}", task.name));
                ran.put_off = true;
            }
            Err(error) => {
                ui.warn(format!("{}: {error}", task.name));
                ran.error = Some(Failure {
                    code: error.code().name,
                    what: error.what().to_owned(),
                    causes: error.causes().to_vec(),
                });
                failed.push((task.name, error));
            }
        }
        all.push(ran);
    }
    if ui.manner().json {
        ui.json(&serde_json::json!({"tasks": all, "failed": failed.len(), "dry_run": args.dry_run}));
    } else if all.iter().all(|ran| ran.done.is_empty() && !ran.put_off && ran.error.is_none()) {
        ui.say("nothing is due");
    }
    verdict(&failed, all.len())
}

fn verdict(failed: &[(&'static str, Error)], count: usize) -> Result<(), Error> {
    let Some((_, first)) = failed.first() else { return Ok(()) };
    let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
    let what = format!("{} of {count} task(s) failed: {}", failed.len(), names.join(", "));
    let error = Error::new(codes::MAINTAIN_FAILED, what).cause(first);
    Err(first.hints().iter().fold(error, |error, hint| error.hint(hint)))
}

fn list(ui: &mut Ui) {
    if ui.manner().json {
        let tasks = TASKS.iter().map(|task| serde_json::json!({"task": task.name, "about": task.about}));
        ui.json(&tasks.collect::<Vec<_>>());
        return;
    }
    TASKS.iter().for_each(|task| ui.data(format!("{:<14} {}", task.name, task.about)));
}
