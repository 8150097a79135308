//! `mailctl image check`: whether the distribution has newer packages than the image.

use crate::{
    commands::names,
    error::{Error, codes},
    plan::{
        spec::JOB_UPDATES,
        upgrade::{Checked, Upgrade, upgrades},
    },
    ui::Ui,
    world::{
        World,
        docker::{Engine, Job, Reach},
        updates, uplink,
    },
};

/// Ask the distribution for newer versions of the packages in the image
///
/// Exit status 0: there are none; 1: there are some; 75: it could not be asked. Changes nothing but what
/// `mailctl status` remembers of it.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only where UPDATE_CHECK is true and the last look is older than UPDATE_INTERVAL: for a timer
    #[arg(long)]
    if_due: bool,
    /// Ask from within the image
    #[arg(long, hide = true)]
    inside: bool,
}

/// Asks, tells, remembers.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    if args.inside {
        ui.write(&updates::simulate().await?);
        return Ok(());
    }
    let engine = world.engine().await?;
    let tag = world.image_tag()?;
    let Some(image) = engine.image(&tag).await? else {
        return Err(
            Error::new(codes::STACK_DOWN, format!("image {tag} is not built")).hint("mailctl image build")
        );
    };
    if args.if_due && !due(world, &image.id)? {
        ui.say("nothing to do: the last look is recent enough, or UPDATE_CHECK is false");
        return Ok(());
    }
    let checked = look(world, &engine, &tag, image.id, ui).await?;
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "image": tag, "checked_at": checked.at, "current": checked.upgrades.is_empty(),
            "upgrades": checked.upgrades,
        }));
    } else {
        for found in &checked.upgrades {
            ui.data(format!("{:<24} {} -> {}", found.package, found.installed, found.available));
        }
    }
    match checked.upgrades.len() {
        0 => {
            ui.say("every package in the image is the newest of its distribution");
            Ok(())
        }
        count => Err(Error::new(codes::UPDATE_AVAILABLE, format!("{count} package(s) have a newer version"))
            .hint("mailctl upgrade")),
    }
}

/// For `mailctl maintain`: asks where it is due, and says what came of it. Where there is no image yet, or nobody
/// wants to know, there is nothing to ask about.
pub async fn maintain(world: &World, dry_run: bool, done: &mut Vec<String>) -> Result<(), Error> {
    if world.settings()?.settings.update_interval.is_none() {
        return Ok(());
    }
    let (engine, tag) = (world.engine().await?, world.image_tag()?);
    let Some(image) = engine.image(&tag).await? else { return Ok(()) };
    if !due(world, &image.id)? || world.update_check_failed_lately() {
        return Ok(());
    }
    if dry_run {
        done.push("would ask the distribution for newer packages".to_owned());
        return Ok(());
    }
    let listing = match ask(&engine, &tag).await {
        Ok(listing) => listing,
        Err(error) => {
            world.note_failed_update_check()?;
            return Err(error);
        }
    };
    let checked = Checked { at: names::now(), image: image.id, upgrades: upgrades(&listing) };
    world.note_update_check(&checked)?;
    done.push(match checked.upgrades.len() {
        0 => "every package in the image is the newest of its distribution".to_owned(),
        count => format!("{count} package(s) in the image have a newer version"),
    });
    Ok(())
}

/// What is newer than in the image `tag`; remembered as well.
pub async fn newer(world: &World, tag: &str, ui: &Ui) -> Result<Vec<Upgrade>, Error> {
    let engine = world.engine().await?;
    let Some(image) = engine.image(tag).await? else { return Ok(Vec::new()) };
    Ok(look(world, &engine, tag, image.id, ui).await?.upgrades)
}

async fn look(world: &World, engine: &Engine, tag: &str, id: String, ui: &Ui) -> Result<Checked, Error> {
    let progress = ui.progress();
    progress.phase("asking the distribution for newer packages");
    let listing = ask(engine, tag).await;
    drop(progress);
    let checked = Checked { at: names::now(), image: id, upgrades: upgrades(&listing?) };
    world.note_update_check(&checked)?;
    Ok(checked)
}

fn due(world: &World, image: &str) -> Result<bool, Error> {
    let Some(interval) = world.settings()?.settings.update_interval else { return Ok(false) };
    Ok(!world.last_update_check().is_some_and(|last| last.holds(image, names::now(), interval)))
}

/// Through the engine's network, which keeps a program that talks to mirrors apart from the host; but not where the
/// mirrors' answers would be too large for the way to it.
async fn reach(engine: &Engine) -> Result<Reach, Error> {
    let Some(octets) = uplink::mtu(false) else { return Ok(Reach::World) };
    Ok(if octets < engine.default_mtu().await? { Reach::Host } else { Reach::World })
}

/// What apt would install, in its own words. In a container of its own, with folders in memory, no capability
/// and none of our folders: what talks to mirrors sees neither mail nor keys.
async fn ask(engine: &Engine, image: &str) -> Result<String, Error> {
    let folder = |path: &str, options: &str| (path.to_owned(), options.to_owned());
    let job = Job {
        label: JOB_UPDATES,
        image: image.to_owned(),
        command: ["mailctl", "image", "check", "--inside"].map(str::to_owned).to_vec(),
        hostname: "updates".to_owned(),
        tmpfs: vec![
            folder("/tmp", "mode=1777,size=64m"),
            folder("/var/lib/apt/lists", "mode=755,size=512m"),
            folder("/var/cache/apt", "mode=755,size=256m"),
        ],
        reach: reach(engine).await?,
        ..Job::default()
    };
    let unknown = |cause: String| {
        Error::new(codes::UPDATE_UNKNOWN, "the distribution could not be asked for newer packages")
            .cause(cause)
            .hint("mailctl image check     (again, when containers reach its mirrors)")
    };
    let outcome = engine.run(&job, updates::PATIENCE).await.map_err(|error| match error.code() {
        codes::ENGINE_HANGS => unknown("the mirrors did not answer in time".to_owned()),
        _ => error,
    })?;
    if outcome.status == 0 {
        return Ok(outcome.output);
    }
    let cause = outcome.output.lines().find_map(|line| line.trim().strip_prefix("because: "));
    Err(unknown(cause.unwrap_or(outcome.output.trim()).to_owned()))
}
