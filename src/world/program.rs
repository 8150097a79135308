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

impl World {
    /// The tag of the image with this program in it.
    pub fn image_tag(&self) -> Result<String, Error> {
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
