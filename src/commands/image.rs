//! `mailctl image build|show|check`.

pub mod check;

use crate::{
    error::{Error, codes},
    plan::recipe,
    ui::Ui,
    world::{
        World,
        docker::{Engine, Image, Progress},
        program,
    },
};
use std::path::PathBuf;

/// Build or show the image that every container runs
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    word: Word,
}

#[derive(clap::Subcommand, Debug)]
enum Word {
    /// Build the image: Debian's Postfix, Dovecot and OpenDKIM, and this program
    Build(BuildArgs),
    /// Show the image of this mailctl and the versions in it
    Show,
    Check(check::Args),
}

/// How to build.
#[derive(clap::Args, Debug, Default)]
pub struct BuildArgs {
    /// Tar of a Debian root file system to build on, where no registry can be reached
    #[arg(long, value_name = "FILE")]
    pub base_rootfs: Option<PathBuf>,
    /// Build every layer anew, on a fresh base
    #[arg(long, visible_alias = "fresh")]
    pub no_cache: bool,
    /// Print the recipe and build nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Does it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.word {
        Word::Build(args) if args.dry_run => {
            let tag = world.program_tag()?;
            let recipe = recipe::FILES.iter().find(|(name, _)| *name == "Dockerfile");
            ui.say(format!("would build {tag} by this recipe:"));
            ui.write(&recipe.map(|(_, text)| String::from_utf8_lossy(text).into_owned()).unwrap_or_default());
            Ok(())
        }
        Word::Build(args) => {
            let engine = world.engine().await?;
            let tag = world.program_tag()?;
            if world.image_tag()? != tag {
                ui.warn("the stack runs another image since an upgrade; mailctl upgrade --fresh builds one and runs it");
            }
            if !args.no_cache
                && let Some(image) = engine.image(&tag).await?
            {
                ui.say(format!("{tag} is there already"));
                return show(&tag, &image, ui);
            }
            let image = build(&engine, &tag, &args, ui).await?;
            show(&tag, &image, ui)
        }
        Word::Check(args) => check::run(args, world, ui).await,
        Word::Show => {
            let engine = world.engine().await?;
            let tag = world.image_tag()?;
            match engine.image(&tag).await? {
                Some(image) => show(&tag, &image, ui),
                None => Err(Error::new(codes::STACK_DOWN, format!("image {tag} is not built"))
                    .hint("mailctl image build")),
            }
        }
    }
}

/// Builds the image, base included, and shows how it goes.
pub async fn build(engine: &Engine, tag: &str, args: &BuildArgs, ui: &mut Ui) -> Result<Image, Error> {
    let progress = ui.progress();
    let mut report = |event: Progress| shown(&progress, event);
    let there = engine.image(recipe::BASE).await?.is_some();
    let mut unpulled = None;
    if args.no_cache || !there {
        match &args.base_rootfs {
            Some(rootfs) => {
                progress.phase(&format!("import {} as {}", rootfs.display(), recipe::BASE));
                engine.import_base(rootfs, &mut report).await?;
            }
            None => {
                progress.phase(&format!("pull {}", recipe::BASE));
                match engine.pull_base(&mut report).await {
                    // Its packages become the newest ones all the same.
                    Err(error) if there => unpulled = Some(error),
                    pulled => pulled?,
                }
            }
        }
    }
    let image = engine.build(tag, &program::file(), args.no_cache, &mut report).await?;
    let forgotten = engine.forget_images().await?;
    drop(progress);
    if let Some(error) = unpulled {
        ui.warn(format!("{} is the one that was there: {error}", recipe::BASE));
    }
    if forgotten > 0 {
        ui.say(format!("removed {forgotten} image(s) of older programs"));
    }
    Ok(image)
}

/// What the engine tells while it works.
pub fn shown(progress: &crate::ui::Progress, event: Progress) {
    match event {
        Progress::Base { done, total } => {
            progress.detail(&format!("{} of {} MB", done / 1_000_000, total / 1_000_000));
        }
        Progress::Step { step, steps, text } => progress.step(step, steps, &text),
        Progress::Line(line) => progress.detail(&line),
    }
}

fn show(tag: &str, image: &Image, ui: &mut Ui) -> Result<(), Error> {
    if ui.manner().json {
        let packages: std::collections::BTreeMap<_, _> = image.versions().into_iter().collect();
        ui.json(&serde_json::json!({
            "tag": tag, "id": image.id, "size": image.size, "created": image.created, "packages": packages,
        }));
        return Ok(());
    }
    ui.data(format!("{tag}  {}  {} MB", image.id, image.size / 1_000_000));
    for (name, version) in image.versions() {
        ui.data(format!("  {name:<14} {version}"));
    }
    Ok(())
}
