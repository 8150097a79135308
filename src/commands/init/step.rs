//! The steps of `init`: each can tell whether it is still to be done.

use super::admin;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::{
        address::{Address, Domain, Selector},
        dkim::{Algorithm, Signer},
    },
    plan::folders,
    settings::{Settings, example},
    world::{
        World,
        atomic::{self, Access, PRIVATE, PUBLIC},
        io_error, keys,
        store::Store,
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
    /// A key that signs for a domain.
    Dkim(Domain),
    /// The first certificate.
    Certificate(Domain),
    /// The certificate of a home from before there were sets.
    TakeOver(PathBuf),
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
            Self::Dkim(domain) => write!(f, "make the DKIM key of {domain}"),
            Self::Certificate(name) => write!(f, "make a self-signed certificate for {name}"),
            Self::TakeOver(path) => write!(f, "take over the certificate in {}", path.display()),
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
    let store = look(world).await?;
    if admin::missing(world, settings, store.as_ref()).await? {
        steps.push(Step::Mailbox(settings.admin.clone()));
    }
    let signing = match &store {
        Some(store) => store.signers().await?,
        None => Vec::new(),
    };
    let unsigned = settings.domains().filter(|domain| {
        !signing.iter().any(|signer| signer.domain == **domain && signer.algorithm == Algorithm::Rsa)
    });
    steps.extend(unsigned.cloned().map(Step::Dkim));
    if keys::tls::live(paths)?.is_none() {
        let old = paths.tls_before_sets();
        let hostname = settings.hostname.clone();
        steps.push(if old.exists() { Step::TakeOver(old) } else { Step::Certificate(hostname) });
    }
    if let Some(store) = store {
        store.close().await;
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
            Self::Mailbox(address) => return admin::create(world, address, given).await,
            Self::Dkim(domain) => sign(world, settings, domain).await?,
            Self::Certificate(name) => {
                keys::tls::self_signed(&world.paths, name, time::OffsetDateTime::now_utc())?;
            }
            Self::TakeOver(_) => {
                keys::tls::take_over(&world.paths)?;
            }
        }
        Ok(Done::Quietly)
    }
}

/// The directory, where there is one; opened so that a look changes nothing.
async fn look(world: &World) -> Result<Option<Store>, Error> {
    let database = world.paths.database();
    if !database.exists() {
        return Ok(None);
    }
    Store::read_only(&database).await.map(Some)
}

/// Makes the domain's key, unless one is there (copied from an older server, or made before we were stopped),
/// and notes that it signs.
async fn sign(world: &World, settings: &Settings, domain: &Domain) -> Result<(), Error> {
    let preferred = settings.dkim_selector.as_ref();
    let found = keys::dkim::signing(&world.paths, domain, &[], preferred)?;
    let selector = match found.into_iter().next() {
        Some(key) => key.selector,
        None => {
            let selector = preferred.cloned().map_or_else(dated, Ok)?;
            let (paths, of, name) = (world.paths.clone(), domain.clone(), selector.clone());
            let kind = keys::dkim::Kind::Rsa(2048);
            // Finding two primes takes up to a second.
            tokio::task::spawn_blocking(move || keys::dkim::generate(&paths, &of, &name, kind))
                .await
                .map_err(|e| Error::new(codes::BUG, "making a DKIM key was cut off").cause(e))??;
            selector
        }
    };
    let store = world.store().await?;
    let mut change = store.begin().await?;
    let signer = Signer { domain: domain.clone(), algorithm: Algorithm::Rsa, selector };
    change.sign_with(&signer, names::now()).await?;
    change.commit().await?;
    store.close().await;
    Ok(())
}

/// `mYYYYMM`: tells when to change it.
fn dated() -> Result<Selector, Error> {
    let today = time::OffsetDateTime::now_utc().date();
    let name = format!("m{:04}{:02}", today.year(), u8::from(today.month()));
    Selector::parse(&name).map_err(|e| Error::new(codes::BUG, e.to_string()))
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
