//! `mailctl upgrade`: another image under the same stack, tried before it is kept.

use super::{image, probe, scene::Scene, up};
use crate::{
    commands::backup::stamp,
    error::{Error, codes},
    plan::{self, recipe},
    ui::Ui,
    world::{World, pin::Pin},
};
use std::path::PathBuf;

/// Run the stack on a newer image, and go back by itself where that does not hold
///
/// Builds an image with this mailctl and the distribution's newest packages under a new name, lets its programs
/// check today's configuration, brings the stack up on it, asks every service, and sends a message and reads it
/// again. Where any of this fails the stack runs on the image of before, and the exit status is 1.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only look whether there is something newer (exit status 1) or not (0)
    #[arg(long, conflicts_with_all = ["back", "fresh", "image", "dry_run"])]
    check: bool,
    /// Run the image from before the last upgrade again
    #[arg(long, conflicts_with_all = ["fresh", "image"])]
    back: bool,
    /// Build every layer anew, also where nothing newer is known
    #[arg(long, conflicts_with = "image")]
    fresh: bool,
    /// Run this image, which was built by this mailctl elsewhere, instead of building one; it is pulled from the registry
    /// in its name where the engine does not have it
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
    /// Tar of a Debian root file system to build the image on, where no registry can be reached
    #[arg(long, value_name = "FILE")]
    base_rootfs: Option<PathBuf>,
    /// Say what would be done, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Where the other image comes from.
enum Source {
    Build { anew: bool },
    Given(String),
    Before(String),
}

/// Looks, or does it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    if !args.check && !args.dry_run {
        // A newer program may want the directory in another form; looking never does this.
        let _lock = world.lock()?;
        world.store().await?.close().await;
    }
    let scene = Scene::look(world).await?;
    scene.trust()?;
    scene.keys(world)?;
    // Without the lock: to ask the distribution can take a minute.
    let runs = running(world, &scene).await?;
    let reasons = reasons(&args, world, &runs, ui).await?;
    if args.check {
        return told_check(&runs, &reasons, ui);
    }
    let source = match (&args.image, args.back) {
        (Some(image), _) => Source::Given(image.clone()),
        (None, true) => Source::Before(before(world, &scene).await?),
        (None, false) if reasons.is_empty() => {
            if ui.manner().json {
                ui.json(&serde_json::json!({"upgraded": false, "image": runs.tag, "reasons": reasons}));
            }
            ui.say("nothing to do: the stack runs this mailctl's image, and no newer packages are known");
            return Ok(());
        }
        (None, false) => Source::Build { anew: args.fresh || reasons.iter().any(|reason| reason.packages) },
    };
    if args.dry_run {
        return would(&runs, &source, &reasons, ui);
    }
    let _lock = world.lock()?;
    let scene = Scene::look(world).await?;
    let runs = running(world, &scene).await?;
    let program = world.program_tag()?;
    let previous = world.pin().and_then(|pin| pin.previous);
    // From here on `up` brings the old image back, whatever becomes of us.
    if world.pin().is_none_or(|pin| pin.program != program || pin.image != runs.tag) {
        world.set_pin(&Pin { program: program.clone(), image: runs.tag.clone(), previous })?;
    }
    let wanted = provide(&args, source, world, &scene, ui).await?;
    match change(world, &wanted, ui).await {
        Ok(seen) => {
            world.set_pin(&Pin { program, image: wanted.clone(), previous: Some(runs.tag.clone()) })?;
            forget(world, &scene, &[&wanted, &runs.tag]).await;
            told(&runs.tag, &wanted, &seen, ui);
            Ok(())
        }
        Err(error) => {
            let failed = go_back(world, &runs.tag, &wanted, error, ui).await;
            let kept = world.pin().and_then(|pin| pin.previous);
            forget(world, &scene, &[&runs.tag, kept.as_deref().unwrap_or_default()]).await;
            Err(failed)
        }
    }
}

/// The image under the stack now.
struct Running {
    tag: String,
    /// The tag with which it was built.
    recipe: String,
}

async fn running(world: &World, scene: &Scene) -> Result<Running, Error> {
    let down = || {
        Error::new(
            codes::STACK_DOWN,
            "the stack does not run, so there is nothing to compare a new image with",
        )
        .hint("mailctl up")
    };
    let container =
        scene.observed.containers.iter().find(|found| found.service == plan::Service::Postfix.name());
    let id = container.ok_or_else(down)?.image.clone();
    let engine = &scene.engine;
    let image = engine.image(&id).await?.ok_or_else(down)?;
    let recipe = image.labels.get(recipe::LABEL_RECIPE).cloned().unwrap_or_default();
    // An upgrade that was cut off: what it came from is what counts, whatever runs by now.
    let program = world.program_tag()?;
    if let Some(pin) = world.pin().filter(|pin| pin.program == program)
        && let Some(pinned) = engine.image(&pin.image).await?
    {
        let recipe = pinned.labels.get(recipe::LABEL_RECIPE).cloned().unwrap_or_default();
        return Ok(Running { tag: pin.image, recipe });
    }
    let tags = engine.image_tags().await?;
    let named = tags.into_iter().find(|(tag, of)| *of == id && tag.starts_with(recipe::REPOSITORY));
    let tag = match named {
        Some((tag, _)) => tag,
        // Built anew since: it lost its name, and needs one to be gone back to.
        None => {
            let tag = recipe::upgrade_tag(base(&recipe, &program), &world.project, &stamp());
            engine.tag_image(&id, &tag).await?;
            tag
        }
    };
    Ok(Running { tag, recipe })
}

/// `mailctl:0123456789ab` of any tag that begins so.
fn base<'a>(recipe: &'a str, otherwise: &'a str) -> &'a str {
    recipe.get(..otherwise.len()).filter(|base| base.starts_with(recipe::REPOSITORY)).unwrap_or(otherwise)
}

/// Whether an image was built with this program, by the name that it was built under.
fn is_of(recipe: &str, program: &str) -> bool {
    recipe.strip_prefix(program).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Why there is something to do.
#[derive(serde::Serialize)]
struct Reason {
    what: String,
    /// Whether it is a matter of the distribution's packages.
    packages: bool,
}

async fn reasons(args: &Args, world: &World, runs: &Running, ui: &mut Ui) -> Result<Vec<Reason>, Error> {
    let mut reasons = Vec::new();
    let program = world.program_tag()?;
    if !is_of(&runs.recipe, &program) {
        reasons.push(Reason {
            what: "the image holds another mailctl than this one".to_owned(),
            packages: false,
        });
    }
    if args.fresh {
        reasons.push(Reason { what: "it was asked for (--fresh)".to_owned(), packages: true });
    } else if args.image.is_none() && !args.back {
        match image::check::newer(world, &runs.tag, ui).await {
            Ok(newer) if newer.is_empty() => {}
            Ok(newer) => {
                let first = &newer[0].package;
                let what = match newer.len() {
                    1 => format!("{first} has a newer version"),
                    more => format!("{first} and {} more packages have newer versions", more - 1),
                };
                reasons.push(Reason { what, packages: true });
            }
            Err(error) if args.check && reasons.is_empty() => return Err(error),
            Err(error) => ui.warn(format!("{error}; going on with the packages that are there")),
        }
    }
    Ok(reasons)
}

fn told_check(runs: &Running, reasons: &[Reason], ui: &mut Ui) -> Result<(), Error> {
    if ui.manner().json {
        ui.json(&serde_json::json!({"image": runs.tag, "current": reasons.is_empty(), "reasons": reasons}));
    }
    let Some(first) = reasons.first() else {
        ui.say("the stack runs the newest that there is");
        return Ok(());
    };
    let error = Error::new(codes::UPDATE_AVAILABLE, format!("an upgrade is to be had: {}", first.what));
    Err(reasons[1..].iter().fold(error, |error, reason| error.cause(&reason.what)).hint("mailctl upgrade"))
}

fn would(runs: &Running, source: &Source, reasons: &[Reason], ui: &mut Ui) -> Result<(), Error> {
    let from = match source {
        Source::Build { anew: true } => "build an image, every layer anew".to_owned(),
        Source::Build { anew: false } => "build an image on the layers that are there".to_owned(),
        Source::Given(image) => format!("take the image {image}"),
        Source::Before(image) => format!("take the image of before, {image}"),
    };
    let steps = [
        from,
        "check today's configuration with its programs".to_owned(),
        "replace the containers one after the other".to_owned(),
        "ask every service, send a message and read it again".to_owned(),
        format!("go back to {} where any of this fails", runs.tag),
    ];
    if ui.manner().json {
        ui.json(&serde_json::json!({"dry_run": true, "image": runs.tag, "reasons": reasons, "steps": steps}));
    } else {
        reasons.iter().for_each(|reason| ui.say(format!("because {}", reason.what)));
        steps.iter().for_each(|step| ui.data(format!("would {step}")));
        ui.say("nothing was changed");
    }
    Ok(())
}

/// The image of before the last upgrade, which must still be there.
async fn before(world: &World, scene: &Scene) -> Result<String, Error> {
    let none =
        || Error::new(codes::ABSENT, "there is no image to go back to").hint("mailctl upgrade --check");
    let program = world.program_tag()?;
    let pin = world.pin().filter(|pin| pin.program == program).ok_or_else(none)?;
    let previous = pin.previous.ok_or_else(none)?;
    match scene.engine.image(&previous).await? {
        Some(_) => Ok(previous),
        None => Err(none().cause(format!("{previous} was removed from the engine"))),
    }
}

/// Makes the image available under a name of ours.
async fn provide(
    args: &Args,
    source: Source,
    world: &World,
    scene: &Scene,
    ui: &mut Ui,
) -> Result<String, Error> {
    let program = world.program_tag()?;
    let tag = recipe::upgrade_tag(&program, &world.project, &stamp());
    match source {
        Source::Before(image) => Ok(image),
        Source::Build { anew } => {
            let args = image::BuildArgs {
                base_rootfs: args.base_rootfs.clone(),
                no_cache: anew,
                ..Default::default()
            };
            image::build(&scene.engine, &tag, &args, ui).await?;
            Ok(tag)
        }
        Source::Given(image) => {
            let unusable =
                |why: &str| Error::new(codes::IMAGE_BASE, format!("{image} cannot be used")).cause(why);
            if scene.engine.image(&image).await?.is_none() {
                let progress = ui.progress();
                progress.phase(&format!("pull {image}"));
                let pulled = scene.engine.pull(&image, &mut |event| image::shown(&progress, event)).await;
                let absent = |error: Error| {
                    let told = unusable("the engine does not have it").cause(error.what());
                    error.causes().iter().fold(told, Error::cause).hint("docker load --input FILE")
                };
                pulled.map_err(absent)?;
            }
            let found = scene.engine.image(&image).await?;
            let found = found.ok_or_else(|| unusable("the engine does not have it"))?;
            let recipe = found.labels.get(recipe::LABEL_RECIPE).cloned().unwrap_or_default();
            if !is_of(&recipe, &program) {
                return Err(unusable("it was not built by this mailctl").hint("mailctl upgrade"));
            }
            scene.engine.tag_image(&image, &tag).await?;
            Ok(tag)
        }
    }
}

/// Runs the stack on `image` and tries it. The result is what was seen.
async fn change(world: &World, image: &str, ui: &mut Ui) -> Result<String, Error> {
    let mut scene = Scene::with_image(world, image.to_owned()).await?;
    let plan = plan::plan(&scene.stack, &scene.observed);
    up::converge(world, &mut scene, &plan, ui).await?;
    scene.refresh(world).await?;
    let progress = ui.progress();
    progress.phase("sending a message and reading it again");
    let seen = probe::round_trip(world, &scene, ui).await;
    drop(progress);
    seen
}

async fn go_back(world: &World, old: &str, new: &str, error: Error, ui: &mut Ui) -> Error {
    ui.say(format!("{new} does not hold; going back to {old}"));
    let failed =
        Error::new(codes::UPGRADE_FAILED, "the stack did not hold on the new image").cause(error.what());
    let failed = error.causes().iter().fold(failed, Error::cause);
    match change(world, old, ui).await {
        Ok(_) => failed.cause(format!("it runs on {old} again, and mail flows")).hint("mailctl status"),
        Err(second) => second
            .causes()
            .iter()
            .fold(
                failed.cause(format!("and going back to {old} failed too: {}", second.what())),
                Error::cause,
            )
            .hint("mailctl up")
            .hint("mailctl logs"),
    }
}

/// Takes the names of other upgrades of this stack away; best effort.
async fn forget(world: &World, scene: &Scene, kept: &[&str]) {
    for (tag, _) in scene.engine.image_tags().await.unwrap_or_default() {
        if recipe::is_upgrade_of(&world.project, &tag) && !kept.contains(&tag.as_str()) {
            let _ = scene.engine.untag_image(&tag).await;
        }
    }
}

fn told(old: &str, new: &str, seen: &str, ui: &mut Ui) {
    if ui.manner().json {
        return ui.json(&serde_json::json!({"upgraded": true, "image": new, "previous": old, "seen": seen}));
    }
    ui.say(format!("the stack runs on {new}; a message was sent and read: {seen}"));
    ui.say(format!("the image of before is kept ({old}): mailctl upgrade --back"));
}
