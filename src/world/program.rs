//! This very program as a file: it goes into the image, and its digest into the image's tag.

use super::{World, io_error};
use crate::{error::Error, plan::recipe};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// The running executable. The kernel's link works even when the file was replaced while it runs.
pub fn file() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// Where it lies, for those who start it later.
pub fn path() -> Result<PathBuf, Error> {
    let path = std::env::current_exe().map_err(|e| io_error("find", &file(), &e))?;
    // The kernel says so of a file that was replaced while it ran.
    match path.to_str().and_then(|text| text.strip_suffix(" (deleted)")) {
        Some(before) if Path::new(before).is_file() => Ok(PathBuf::from(before)),
        Some(_) => Err(io_error("find", &path, &std::io::ErrorKind::NotFound.into())),
        None => Ok(path),
    }
}

impl World {
    /// The tag of the image with this program in it.
    pub fn program_tag(&self) -> Result<String, Error> {
        Ok(recipe::tag(&digest(&file())?))
    }
}

fn digest(path: &Path) -> Result<[u8; 32], Error> {
    let cannot = |e: std::io::Error| io_error("read", path, &e);
    let mut file = File::open(path).map_err(cannot)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 256 * 1024];
    loop {
        match file.read(&mut piece).map_err(cannot)? {
            0 => return Ok(hash.finalize().into()),
            count => hash.update(&piece[..count]),
        }
    }
}
