//! The steps of `init`: each can tell whether it is still to be done.

use crate::{
    commands::user::secret,
    error::Error,
    mail::{address::Address, password},
    plan::folders,
    settings::{Settings, example},
    ui::Ui,
    world::{
        World,
        atomic::{self, Access, PRIVATE, PUBLIC},
        io_error,
        store::{NewMailbox, Store},
    },
};
use std::{fmt, fs, os::unix::fs::MetadataExt, path::PathBuf};

/// Something that is missing.
#[derive(Clone, Debug)]
pub enum Step {
    /// A folder, or its rights.
    Folder(PathBuf, Access),
    /// A file.
    File(PathBuf, String, Access),
    /// The administrator's mailbox.
    Mailbox(Address),
}

/// What doing a step brought.
pub enum Done {
    /// Nothing to tell.
    Quietly,
    /// A password that was made here and must be shown.
    Password(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path, access) => {
                write!(f, "make the folder {} (mode {:04o})", path.display(), access.mode)
            }
            Self::File(path, ..) => write!(f, "write {}", path.display()),
            Self::Mailbox(address) => write!(f, "create the mailbox {address}"),
        }
    }
}

/// What is missing, in the order in which it is done. `text` is the settings file to write, "" = it is there.
pub async fn missing(world: &World, settings: &Settings, text: &str) -> Result<Vec<Step>, Error> {
    let paths = &world.paths;
    let mut steps = Vec::new();
    for (path, access) in wanted_folders(world) {
        if !is_so(&path, access) {
            steps.push(Step::Folder(path, access));
        }
    }
    if !paths.mailctl_toml().exists() {
        steps.push(Step::File(paths.mailctl_toml(), example::mailctl_toml(), PUBLIC));
    }
    // Before what needs them: stopped after this, `init` goes on without being told anything again.
    if !text.is_empty() && !paths.settings_env().exists() {
        steps.push(Step::File(paths.settings_env(), text.to_owned(), PRIVATE));
    }
    if admin_missing(world, settings).await? {
        steps.push(Step::Mailbox(settings.admin.clone()));
    }
    Ok(steps)
}

impl Step {
    /// Does it.
    pub async fn apply(
        &self,
        world: &World,
        settings: &Settings,
        given: Option<&str>,
    ) -> Result<Done, Error> {
        match self {
            Self::Folder(path, access) => atomic::folder(path, *access)?,
            Self::File(path, text, access) => atomic::write(path, text.as_bytes(), *access)?,
            Self::Mailbox(address) => return mailbox(world, settings, address, given).await,
        }
        Ok(Done::Quietly)
    }
}

/// The home itself, and folders above it that do not exist yet.
pub fn make_home(world: &World) -> Result<(), Error> {
    let home = world.paths.home();
    if home.is_dir() {
        return Ok(());
    }
    if let Some(above) = home.parent() {
        fs::create_dir_all(above).map_err(|e| io_error("make", above, &e))?;
    }
    atomic::folder(home, atomic::shared(0o755, 0))
}

/// Folders, those above before those within.
fn wanted_folders(world: &World) -> Vec<(PathBuf, Access)> {
    let paths = &world.paths;
    let root = rustix::process::geteuid().is_root();
    let keys = paths.dkim().parent().map(|keys| (keys.to_owned(), atomic::shared(0o750, 0)));
    let own = [(paths.state(), atomic::shared(0o700, 0)), (paths.templates(), atomic::shared(0o755, 0))];
    let mounted = folders::wanted(&paths.places()).into_iter().map(|folder| {
        let owner = root.then_some((folder.uid, folder.gid));
        (PathBuf::from(folder.path), Access { mode: folder.mode, owner })
    });
    own.into_iter().chain(keys).chain(mounted).collect()
}

/// Whether a folder has its rights already: then it is not touched.
fn is_so(path: &PathBuf, access: Access) -> bool {
    fs::metadata(path).is_ok_and(|data| {
        let owner = access.owner.is_none_or(|(uid, gid)| (data.uid(), data.gid()) == (uid, gid));
        data.is_dir() && data.mode() & 0o7777 == access.mode && owner
    })
}

/// Says that the administrator's password was made but not yet shown.
fn marker(world: &World) -> PathBuf {
    world.paths.state().join("admin-password-owed")
}

/// The password was shown.
pub fn admin_settled(world: &World) -> Result<(), Error> {
    match fs::remove_file(marker(world)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io_error("remove", &marker(world), &error))
        }
        _ => Ok(()),
    }
}

/// Whether the administrator still needs a mailbox, or a password that somebody has seen.
async fn admin_missing(world: &World, settings: &Settings) -> Result<bool, Error> {
    let database = world.paths.database();
    let stored = database.exists();
    let mut served = settings.domains().any(|domain| domain == settings.admin.domain());
    if !stored {
        return Ok(served);
    }
    // Only reads, so that a look changes nothing.
    let store = Store::read_only(&database).await?;
    served |= store.domains().await?.contains(settings.admin.domain());
    let there = store.mailbox(&settings.admin).await?.is_some();
    store.close().await;
    Ok(served && (!there || marker(world).exists()))
}

async fn mailbox(
    world: &World,
    settings: &Settings,
    address: &Address,
    given: Option<&str>,
) -> Result<Done, Error> {
    let made = password::generate(rand::random());
    if given.is_none() {
        atomic::write(&marker(world), b"", PRIVATE)?;
    }
    let hash = secret::hash(given.unwrap_or(&made)).await?;
    let store = world.store().await?;
    let mut change = store.begin().await?;
    let created_at = crate::commands::names::now();
    let new = NewMailbox { address: &settings.admin, password: &hash, quota: None, created_at };
    if !change.add_mailbox(&new).await? {
        change.set_password(address, &hash).await?;
    }
    change.commit().await?;
    store.close().await;
    Ok(if given.is_some() { Done::Quietly } else { Done::Password(made) })
}

/// The administrator's password from standard input.
pub fn given_password(settings: &Settings, ui: &mut Ui) -> Result<String, Error> {
    let source = secret::Source { password_stdin: true, ..secret::Source::default() };
    Ok(secret::choose(source, &settings.admin, ui)?.password)
}
