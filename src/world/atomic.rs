//! Files that are old or new, never half: write a temporary file, fsync, rename, fsync the folder.

use super::io_error;
use crate::error::Error;
use std::{
    fs::File,
    io::Write,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
};

/// Who may read a file: permission bits and, where root runs this, the owner.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Permission bits.
    pub mode: u32,
    /// Owner and group; `None` leaves the process's own.
    pub owner: Option<(u32, u32)>,
}

/// Only root.
pub const PRIVATE: Access = Access { mode: 0o600, owner: None };

/// Everybody.
pub const PUBLIC: Access = Access { mode: 0o644, owner: None };

/// Root, and the one program of the image that has the group `gid`. Where somebody else runs this (a
/// trial home), the owner stays: only root can give files away.
pub fn shared(mode: u32, gid: u32) -> Access {
    Access { mode, owner: rustix::process::geteuid().is_root().then_some((0, gid)) }
}

/// Gives `path` its owner and its permission bits.
pub fn give(path: &Path, access: Access) -> Result<(), Error> {
    let fail = |e: std::io::Error| io_error("set the rights of", path, &e);
    if let Some((uid, gid)) = access.owner {
        chown(path, Some(uid), Some(gid)).map_err(fail)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(access.mode)).map_err(fail)
}

/// Makes a folder where there is none, and gives it its rights either way.
pub fn folder(path: &Path, access: Access) -> Result<(), Error> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(io_error("make", path, &error));
        }
        _ => {}
    }
    give(path, access)
}

/// Replaces `path` whole.
pub fn write(path: &Path, content: &[u8], access: Access) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let fail = |e: std::io::Error| io_error("write", path, &e);
    let mut temporary = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(fail)?;
    temporary.write_all(content).map_err(fail)?;
    temporary.as_file().set_permissions(std::fs::Permissions::from_mode(access.mode)).map_err(fail)?;
    if let Some((uid, gid)) = access.owner {
        chown(temporary.path(), Some(uid), Some(gid)).map_err(fail)?;
    }
    temporary.as_file().sync_all().map_err(fail)?;
    temporary.persist(path).map_err(|e| fail(e.error))?;
    sync_folder(folder)
}

/// Makes renames in `folder` survive a power cut.
pub fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| io_error("sync", folder, &e))
}
