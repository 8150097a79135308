//! The file that a backup becomes: `FILE.part` until it is whole, mode 0600.

use crate::{
    error::{Error, codes},
    world::{atomic, io_error},
};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// An unfinished backup; removed when it is dropped so.
pub struct Target {
    path: PathBuf,
    part: PathBuf,
    file: File,
    finished: bool,
}

impl Target {
    /// Takes the place of `path`, where there must be nothing yet. What a killed backup left there is overwritten.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(Error::new(codes::EXISTS, format!("{} is there already", path.display()))
                .cause("a backup never replaces another")
                .hint("name another file, or a folder: each backup gets a dated name in it"));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let fail = |e: std::io::Error| io_error("write", &part, &e);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&part)
            .map_err(fail)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Error::new(codes::LOCKED, format!("another backup writes {} now", part.display()))
                .hint("repeat the command in a moment")
        })?;
        file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(fail)?;
        file.set_len(0).map_err(fail)?;
        Ok(Self { path: path.to_owned(), part, file, finished: false })
    }

    /// To write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Everything is written: from here on it is a backup. The result is its size in octets.
    pub fn finish(mut self) -> Result<u64, Error> {
        let fail = |e: std::io::Error| io_error("write", &self.path, &e);
        self.file.sync_all().map_err(fail)?;
        let size = self.file.metadata().map_err(fail)?.len();
        fs::rename(&self.part, &self.path).map_err(fail)?;
        self.finished = true;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        atomic::sync_folder(folder.unwrap_or(Path::new(".")))?;
        Ok(size)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Removes the unfinished files of killed backups in a folder: those that nobody holds. `ours` knows the names of
/// finished ones.
pub fn sweep(folder: &Path, ours: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(whole) = name.to_str().and_then(|name| name.strip_suffix(".part")) else { continue };
        let held = |file: &File| flock(file, FlockOperation::NonBlockingLockExclusive).is_err();
        if ours(whole) && File::open(entry.path()).is_ok_and(|file| !held(&file)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
