//! `mailctl boot enable|disable|status|units`.

mod disable;
mod enable;
mod status;

use crate::{
    error::{Error, codes},
    render::systemd::{self as render, Names, Place, Unit},
    ui::Ui,
    world::{World, paths, program, systemd::Systemd},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Let systemd start the stack at boot, and run its upkeep
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    word: Word,
}

#[derive(clap::Subcommand, Debug)]
enum Word {
    Enable(enable::Args),
    Disable(disable::Args),
    Status(status::Args),
    Units(UnitsArgs),
}

/// Print the units that `boot enable` installs, or write them into a folder, as packages do
#[derive(clap::Args, Debug)]
struct UnitsArgs {
    /// Where the program will lie
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Write them there, whole, and only those that differ
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// Does it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    match args.word {
        Word::Enable(args) => enable::run(args, world, ui).await,
        Word::Disable(args) => disable::run(args, world, ui).await,
        Word::Status(args) => status::run(args, world, ui).await,
        Word::Units(args) => units(args, world, ui).await,
    }
}

async fn units(args: UnitsArgs, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let version = version().await;
    let program = args.program.map_or_else(program::path, Ok)?;
    let units = wanted(world, &program, version)?;
    let Some(folder) = args.into else {
        print(&units, ui);
        return Ok(());
    };
    for unit in &units {
        let path = folder.join(&unit.name);
        if fs::read_to_string(&path).is_ok_and(|text| text == unit.text) {
            continue;
        }
        write(&path, unit)?;
        ui.say(format!("wrote {}", path.display()));
    }
    Ok(())
}

/// The bytes of every unit, each after its name.
fn print(units: &[Unit], ui: &mut Ui) {
    if ui.manner().json {
        ui.json(&serde_json::json!({ "units": units }));
        return;
    }
    for unit in units {
        ui.say(format!("{}:", paths::units().join(&unit.name).display()));
        ui.write(&unit.text);
    }
}

/// The release of this host's systemd, where there is one.
async fn version() -> Option<u32> {
    Systemd::here().ok()?.version().await
}

/// The units of this home and project.
fn wanted(world: &World, program: &Path, systemd: Option<u32>) -> Result<Vec<Unit>, Error> {
    let text = |path: &Path| {
        path.to_str().map(str::to_owned).ok_or_else(|| {
            Error::new(codes::USAGE, format!("{} is not UTF-8 text", path.display()))
                .cause("a unit of systemd is")
        })
    };
    let home = world.paths.home();
    let place = Place {
        program: text(program)?,
        home: text(home)?,
        // systemd refuses `..` there, and a link's target is what has to be writable.
        writable: text(&fs::canonicalize(home).unwrap_or_else(|_| home.to_owned()))?,
        project: world.project.clone(),
        engine: world.engine.clone(),
        systemd,
    };
    render::units(&place).map_err(|fault| Error::new(codes::USAGE, "the units cannot be made").cause(fault))
}

fn names(world: &World) -> Names {
    Names::of(&world.project)
}

fn write(path: &Path, unit: &Unit) -> Result<(), Error> {
    use crate::world::atomic;
    atomic::write(path, unit.text.as_bytes(), atomic::PUBLIC)
}

/// What is installed under a unit's name.
enum Installed {
    Nothing,
    /// By us, for this home.
    Ours(String),
}

/// Looks, and refuses what another home or somebody else put there.
fn installed(world: &World, name: &str) -> Result<Installed, Error> {
    let path = paths::units().join(name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Installed::Nothing),
        Err(error) => return Err(crate::world::io_error("read", &path, &error)),
    };
    let home = world.paths.home().display().to_string();
    let foreign = Error::new(codes::BOOT_FOREIGN, format!("{} is not of this stack", path.display()));
    match render::made_for(&text) {
        Some(other) if other == home => Ok(Installed::Ours(text)),
        Some(other) => Err(foreign
            .cause(format!("it starts the stack in {other}"))
            .hint(format!("mailctl --home {other} boot disable"))
            .hint("or give this stack a name of its own: mailctl --project NAME boot enable")),
        None => Err(foreign.cause("somebody else wrote it").hint(format!("systemctl cat {name}"))),
    }
}

/// Only root changes what the host starts.
fn root() -> Result<(), Error> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Error::new(codes::BOOT_DENIED, "only root may change what starts at boot")
        .hint("run mailctl as root (sudo mailctl …)"))
}
