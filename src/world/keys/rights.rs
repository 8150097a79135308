//! Who can read the keys. A key that others can read is not a key.

use super::tls;
use crate::{render::ids, world::paths::Paths};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// One thing that is not as it must be, with the command that mends it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Which file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// A command to type.
    pub remedy: String,
}

/// Looks at every key file, and at the directory database with its password hashes.
pub fn check(paths: &Paths) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in tls::files(paths) {
        file(&path, 0o640, ids::MAILCTL, &mut findings);
    }
    for domain in folders(&paths.dkim()) {
        folder(&domain, &mut findings);
        for entry in fs::read_dir(&domain).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().ends_with(b".private") {
                file(&entry.path(), 0o640, ids::OPENDKIM, &mut findings);
            }
        }
    }
    file(&paths.srs_secrets(), 0o640, ids::MAILCTL, &mut findings);
    for place in [paths.tls(), paths.tls_sets(), paths.dkim(), paths.srs(), paths.state(), paths.db_folder()]
    {
        folder(&place, &mut findings);
    }
    for companion in ["", "-wal", "-shm"] {
        let path = paths.db_folder().join(format!("directory.db{companion}"));
        file(&path, 0o640, ids::MAILCTL, &mut findings);
    }
    findings
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// A file that may have at most `mode`, and belong to root and the group `gid`. One that is not there is
/// not wrong here: whoever needs it says so.
fn file(path: &Path, mode: u32, gid: u32, findings: &mut Vec<Finding>) {
    let Ok(data) = fs::symlink_metadata(path) else { return };
    let shown = path.display();
    let mut found =
        |what: String, remedy: String| findings.push(Finding { path: path.to_owned(), what, remedy });
    if !data.is_file() {
        return found("is not a plain file".into(), format!("rm {shown}, then put the file itself there"));
    }
    let is = data.permissions().mode() & 0o7777;
    if is & !mode != 0 {
        found(
            format!("has mode {is:04o}; others could read or change it"),
            format!("chmod {mode:04o} {shown}"),
        );
    }
    if rustix::process::geteuid().is_root() && (data.uid() != 0 || data.gid() != gid) {
        found(format!("belongs to {}:{}", data.uid(), data.gid()), format!("chown 0:{gid} {shown}"));
    }
}

/// A folder that only its owner changes: else any file in it can be swapped.
fn folder(path: &Path, findings: &mut Vec<Finding>) {
    let Ok(data) = fs::metadata(path) else { return };
    let is = data.permissions().mode() & 0o7777;
    if is & 0o022 != 0 {
        findings.push(Finding {
            path: path.to_owned(),
            what: format!("has mode {is:04o}; others could change what is in it"),
            remedy: format!("chmod go-w {}", path.display()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        mail::address::{Domain, Selector},
        world::keys::dkim::{Kind, generate},
    };

    /// Proves: threat 16 (key files are checked; the message names file and command).
    #[test]
    fn a_readable_key_is_found() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path().to_owned());
        let (domain, selector) = (Domain::parse("example.org").unwrap(), Selector::parse("mail").unwrap());
        generate(&paths, &domain, &selector, Kind::Rsa(1024)).unwrap();
        assert_eq!(check(&paths), []);
        let key = paths.dkim_key(&domain, &selector);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(paths.dkim(), fs::Permissions::from_mode(0o777)).unwrap();
        let found = check(&paths);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].remedy, format!("chmod 0640 {}", key.display()));
        assert_eq!(found[1].path, paths.dkim());
    }
}
