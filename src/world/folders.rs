//! The folders that containers mount, on the disk.

use super::{World, io_error};
use crate::{error::Error, plan::folders::Folder};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

impl World {
    /// Which of `wanted` are missing or wrong, and how.
    pub fn wrong_folders(&self, wanted: &[Folder]) -> Vec<(Folder, String)> {
        wanted.iter().filter_map(|folder| Some((folder.clone(), wrong(folder)?))).collect()
    }

    /// Tells Postfix's start script that its queue was looked through a moment ago. It believes that once, and
    /// is most of a second quicker for it.
    pub fn queue_was_checked(&self) -> Result<(), Error> {
        let path = self.paths.spool().join("quick-start");
        fs::write(&path, "").map_err(|e| io_error("write", &path, &e))
    }

    /// Makes one as it must be. Never follows a link: what is mounted is what was meant.
    pub fn make_folder(&self, folder: &Folder) -> Result<(), Error> {
        let path = Path::new(&folder.path);
        let cannot = |e: std::io::Error| io_error("prepare", path, &e);
        if fs::symlink_metadata(path).is_err() {
            fs::create_dir_all(path).map_err(cannot)?;
        }
        if !fs::symlink_metadata(path).map_err(cannot)?.is_dir() {
            return Err(io_error("use", path, &std::io::ErrorKind::NotADirectory.into()));
        }
        chown(path, Some(folder.uid), Some(folder.gid)).map_err(cannot)?;
        // After the owner: changing it clears the set-group bit.
        fs::set_permissions(path, fs::Permissions::from_mode(folder.mode)).map_err(cannot)
    }
}

fn wrong(folder: &Folder) -> Option<String> {
    let Ok(meta) = fs::symlink_metadata(&folder.path) else {
        return Some("it is missing".to_owned());
    };
    let (mode, uid, gid) = (meta.mode() & 0o7777, meta.uid(), meta.gid());
    if !meta.is_dir() {
        Some("it is no folder".to_owned())
    } else if (uid, gid) != (folder.uid, folder.gid) {
        Some(format!("its owner is {uid}:{gid}, should be {}:{}", folder.uid, folder.gid))
    } else if mode != folder.mode {
        Some(format!("its mode is {mode:04o}, should be {:04o}", folder.mode))
    } else {
        None
    }
}
