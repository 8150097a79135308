//! Writing what a checked backup holds into a new folder.

use super::{Key, Report, Tally, damaged, read, seal::Counted};
use crate::{
    error::Error,
    plan::backup::{Entry, Kind, Manifest, TREE},
    world::io_error,
};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt, chown, lchown, symlink},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tar::Archive;

/// Writes the entries that `wanted` names below `to`, as the manifest has them. It is read a second time, so each
/// file is digested once more.
pub fn extract(
    file: &Path,
    key: Option<&Key>,
    manifest: &Manifest,
    wanted: &dyn Fn(&Entry) -> bool,
    to: &Path,
    report: Report<'_>,
) -> Result<(), Error> {
    let by_path: HashMap<&str, &Entry> = manifest
        .entries
        .iter()
        .filter(|entry| wanted(entry))
        .map(|entry| (entry.path.as_str(), entry))
        .collect();
    let bad = |why: &dyn std::fmt::Display| damaged(file, why);
    let mut missing = by_path.len();
    let mut tally = Tally::default();
    let mut archive = Archive::new(read::open(file, key)?);
    for entry in archive.entries().map_err(|e| bad(&e))? {
        let mut entry = entry.map_err(|e| bad(&e))?;
        let path = String::from_utf8(entry.path_bytes().into_owned()).map_err(|e| bad(&e))?;
        let Some(path) = path.strip_prefix(TREE).map(|path| path.trim_end_matches('/')) else { continue };
        let Some(wanted) = by_path.get(path) else { continue };
        let at = to.join(path);
        let fail = |e: io::Error| io_error("write", &at, &e);
        if let Some(above) = at.parent() {
            fs::create_dir_all(above).map_err(fail)?;
        }
        match &wanted.kind {
            Kind::Folder => fs::create_dir_all(&at).map_err(fail)?,
            Kind::Link { to } => symlink(to, &at).map_err(fail)?,
            Kind::File { size, sha256 } => {
                let found = write(&at, &mut entry).map_err(fail)?;
                if found != (*size, sha256.clone()) {
                    return Err(bad(&format!("{path} is another one than a moment ago")));
                }
                tally.files += 1;
                tally.octets += size;
                report(tally);
            }
        }
        missing -= 1;
    }
    if missing > 0 {
        return Err(bad(&format!("{missing} of its files are gone since a moment ago")));
    }
    // From the inside out: what is in a folder changes its time, and its mode may close it.
    let mut all: Vec<&&Entry> = by_path.values().collect();
    all.sort_by(|a, b| b.path.cmp(&a.path));
    all.into_iter().try_for_each(|entry| rights(&to.join(&entry.path), entry))
}

fn write(at: &Path, content: &mut impl Read) -> io::Result<(u64, String)> {
    // Nobody else reads it before it has its rights.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(at)?;
    let mut counted = Counted::new(content);
    io::copy(&mut counted, &mut file)?;
    Ok(counted.end())
}

/// Owner (where root runs this), mode and time.
fn rights(at: &Path, entry: &Entry) -> Result<(), Error> {
    let fail = |e: io::Error| io_error("set the rights of", at, &e);
    let root = rustix::process::geteuid().is_root();
    if matches!(entry.kind, Kind::Link { .. }) {
        return if root { lchown(at, Some(entry.uid), Some(entry.gid)).map_err(fail) } else { Ok(()) };
    }
    if root {
        chown(at, Some(entry.uid), Some(entry.gid)).map_err(fail)?;
    }
    fs::set_permissions(at, fs::Permissions::from_mode(entry.mode)).map_err(fail)?;
    if let Kind::File { .. } = entry.kind {
        let time: SystemTime = match u64::try_from(entry.mtime) {
            Ok(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
            Err(_) => UNIX_EPOCH,
        };
        // Opened to read: a file of mode 0400 is still its owner's to stamp.
        File::open(at).and_then(|file| file.set_modified(time)).map_err(fail)?;
    }
    Ok(())
}
