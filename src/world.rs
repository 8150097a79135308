//! Everything that can fail because the world is the world: disk, engine, network, processes.
//! It reads no environment: what it needs of it comes in at the door.

pub mod acme;
mod alerts;
pub mod anyone;
pub mod atomic;
pub mod attend;
pub mod backup;
pub mod control;
pub mod dialogue;
pub mod dns;
pub mod docker;
mod facts;
pub mod folders;
pub mod generation;
pub mod health;
pub mod journal;
pub mod keys;
mod leftovers;
pub mod linter;
pub mod lists;
pub mod lock;
pub mod mailboxes;
pub mod paths;
pub mod pin;
pub mod process;
pub mod program;
pub mod restore;
pub mod served;
mod server;
mod settings;
pub mod socket;
pub mod store;
pub mod systemd;
pub mod updates;
pub mod uplink;
mod verified;
pub mod webhook;

use crate::error::{Error, codes};
use paths::Paths;

/// Where a command acts: one home, one project.
#[derive(Clone, Debug)]
pub struct World {
    /// The folder with everything in it.
    pub paths: Paths,
    /// Name of the stack: labels, container and network names.
    pub project: String,
    /// `MAILCTL_*` of the environment, for the settings.
    pub environment: Vec<(String, String)>,
    /// `DOCKER_HOST` of the environment; `None` = the engine's usual socket.
    pub engine: Option<String>,
}

impl World {
    /// Takes the one lock for a command that changes something.
    pub fn lock(&self) -> Result<lock::Lock, Error> {
        lock::Lock::take(&self.paths)
    }
}

/// An I/O failure with the file's name.
pub fn io_error(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Error {
    Error::new(codes::IO, format!("cannot {doing} {}", path.display())).cause(error)
}

/// The home was never set up.
pub fn no_settings(paths: &Paths) -> Error {
    Error::new(codes::SETTINGS_MISSING, format!("there are no settings in {}", paths.home().display()))
        .hint(format!("mailctl --home {} init", paths.home().display()))
}
