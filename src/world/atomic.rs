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

/// How the names of unfinished files begin.
pub const DRAFT: &str = ".new-";

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
    let mut temporary = tempfile::Builder::new().prefix(DRAFT).tempfile_in(folder).map_err(fail)?;
    temporary.write_all(content).map_err(fail)?;
    temporary.as_file().set_permissions(std::fs::Permissions::from_mode(access.mode)).map_err(fail)?;
    if let Some((uid, gid)) = access.owner {
        chown(temporary.path(), Some(uid), Some(gid)).map_err(fail)?;
    }
    temporary.as_file().sync_all().map_err(fail)?;
    temporary.persist(path).map_err(|e| fail(e.error))?;
    sweep(folder);
    sync_folder(folder)
}

/// Removes what writers left behind that were killed; best effort. One that is at work now is younger.
pub fn sweep(folder: &Path) {
    let forgotten = |entry: &std::fs::DirEntry| {
        entry.file_name().as_encoded_bytes().starts_with(DRAFT.as_bytes())
            && entry
                .metadata()
                .and_then(|data| data.modified())
                .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > std::time::Duration::from_secs(600)))
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().filter(forgotten) {
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Makes renames in `folder` survive a power cut.
pub fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| io_error("sync", folder, &e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    /// Proves: fault 9 (temporary files of a killed writer are cleaned by a later one, those at work are not).
    #[test]
    fn a_write_clears_what_a_killed_one_left() {
        let folder = tempfile::tempdir().unwrap();
        let (old, young) = (folder.path().join(".new-old"), folder.path().join(".new-young"));
        for path in [&old, &young] {
            std::fs::write(path, "half").unwrap();
        }
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        File::options().write(true).open(&old).unwrap().set_modified(hour_ago).unwrap();
        let path = folder.path().join("file");
        write(&path, b"whole", PRIVATE).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert!(!old.exists() && young.exists());
    }
}
