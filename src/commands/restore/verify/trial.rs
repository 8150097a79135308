//! A home and a project that are thrown away.

use crate::{
    commands::down,
    error::Error,
    settings::keys::KEYS,
    ui::{Manner, Ui},
    world::{World, atomic, io_error},
};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// The file that says a folder is a trial's, and under which project; held while the trial goes on.
const MARK: &str = ".verify";
/// What the trial's settings say in place of the backup's: it publishes only free ports of this host, and asks no
/// authority for certificates.
const OTHERWISE: &[(&str, &str)] = &[
    ("network.listen", "127.0.0.1"),
    ("TRUSTED_NETWORKS", "127.0.0.0/8"),
    ("ENABLE_IMAP", "true"),
    ("CERTIFICATES", "self-signed"),
];

/// One trial.
pub struct Trial {
    /// Its home and project.
    pub world: World,
    mark: File,
}

impl Trial {
    /// An empty home beside the live one, for the disk with the mail has room for more of it.
    pub fn make(live: &World) -> Result<Self, Error> {
        let (above, prefix) = live.paths.trials();
        fs::create_dir_all(&above).map_err(|e| io_error("make", &above, &e))?;
        let folder = tempfile::Builder::new()
            .prefix(&prefix)
            .rand_bytes(6)
            .tempdir_in(&above)
            .map_err(|e| io_error("make", &above, &e))?
            .keep();
        let project = project(live, &folder);
        let path = folder.join(MARK);
        atomic::write(&path, project.as_bytes(), atomic::PRIVATE)?;
        let mark = File::open(&path).map_err(|e| io_error("open", &path, &e))?;
        flock(&mark, FlockOperation::LockExclusive).map_err(|e| io_error("lock", &path, &e.into()))?;
        // Dovecot and the others reach their folders through it.
        atomic::give(&folder, atomic::shared(0o755, 0))?;
        Ok(Self { world: world(live, folder, project), mark })
    }

    /// Trials of this home that were killed: nobody holds them.
    pub fn left(live: &World) -> Vec<Self> {
        let (above, prefix) = live.paths.trials();
        let entries = fs::read_dir(above).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
        ours.filter_map(|entry| {
            let mark = File::open(entry.path().join(MARK)).ok()?;
            flock(&mark, FlockOperation::NonBlockingLockExclusive).ok()?;
            let project = fs::read_to_string(entry.path().join(MARK)).ok()?;
            Some(Self { world: world(live, entry.path(), project), mark })
        })
        .collect()
    }

    /// After unpacking: takes away what would meet the live server's.
    pub fn settle(&self) -> Result<(), Error> {
        let path = self.world.paths.mailctl_toml();
        let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
        // One that cannot be read is told by `up`, with its line.
        let Ok(mut toml) = text.parse::<toml::Table>() else { return Ok(()) };
        if let Some(network) = toml.get_mut("network").and_then(toml::Value::as_table_mut) {
            network.remove("subnet");
            network.remove("subnet6");
        }
        atomic::write(&path, toml.to_string().as_bytes(), atomic::PUBLIC)
    }

    /// Takes it down and throws it away.
    pub async fn end(self) -> Result<(), Error> {
        let home = self.world.paths.home();
        let mut aside = Ui::new(Manner { quiet: true, json: false, yes: true });
        if self.world.paths.state().is_dir() {
            down::run(down::Args { grace: 5 }, &self.world, &mut aside).await?;
        }
        fs::remove_dir_all(home)
            .map_err(|e| io_error("remove", home, &e).hint(format!("rm -r {}", home.display())))?;
        drop(self.mark);
        Ok(())
    }
}

fn world(live: &World, home: PathBuf, project: String) -> World {
    let known = |name: &str| KEYS.iter().find(|key| key.name == name);
    let ports =
        KEYS.iter().filter(|key| key.name.starts_with("ports.")).map(|key| (key.variable(), "0".to_owned()));
    let others =
        OTHERWISE.iter().filter_map(|(name, value)| Some((known(name)?.variable(), (*value).to_owned())));
    World {
        paths: crate::world::paths::Paths::new(home),
        project,
        environment: ports.chain(others).collect(),
        engine: live.engine.clone(),
    }
}

/// At most 40 characters, as every project's name.
fn project(live: &World, folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let end: String = name.chars().rev().take_while(char::is_ascii_alphanumeric).take(6).collect();
    let begin: String = live.project.chars().take(26).collect();
    format!("{begin}-verify-{}", end.chars().rev().collect::<String>())
}
