//! Mail on the disk: how much a mailbox holds, and its removal. Dovecot writes here all the time, so
//! everything may vanish while we look, and nothing is followed that is a link.

use super::{io_error, paths::Paths};
use crate::{error::Error, mail::address::Address};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, renameat, statat};
use std::{
    collections::{HashMap, HashSet},
    fs::{self, DirEntry},
    path::{Path, PathBuf},
};

/// Names within `mail/` of what is on its way out. No domain begins with a dot.
const LEAVING: &str = ".leaving-";

/// Sizes of many mailboxes: a folder that is not there costs nothing.
#[derive(Debug)]
pub struct Sizes {
    mail: PathBuf,
    /// Per domain, the local parts that have a folder.
    folders: HashMap<String, HashSet<String>>,
}

impl Sizes {
    /// For the mail below `paths`.
    pub fn new(paths: &Paths) -> Self {
        Self { mail: paths.mail(), folders: HashMap::new() }
    }

    /// Octets of mail at `address` (canonical text); 0 where nothing has come yet.
    pub fn of(&mut self, address: &str) -> u64 {
        let Some((local, domain)) = address.rsplit_once('@') else { return 0 };
        if !self.folders.contains_key(domain) {
            let names =
                entries(&self.mail.join(domain)).filter_map(|entry| entry.file_name().into_string().ok());
            self.folders.insert(domain.to_owned(), names.collect());
        }
        match self.folders.get(domain) {
            Some(locals) if locals.contains(local) => {
                maildir(&self.mail.join(domain).join(local).join("Maildir"))
            }
            _ => 0,
        }
    }
}

/// A Maildir++: the inbox and, beside its three folders, one `.Name` per further folder.
fn maildir(root: &Path) -> u64 {
    let folders = entries(root).filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"."));
    let further: u64 = folders.map(|folder| messages(&folder.path())).sum();
    further + messages(root)
}

fn messages(folder: &Path) -> u64 {
    ["cur", "new"].iter().flat_map(|name| entries(&folder.join(name))).map(|entry| octets(&entry)).sum()
}

/// Dovecot writes the size into the name (`…,S=1234,W=1260:2,S`); else the file is asked.
fn octets(entry: &DirEntry) -> u64 {
    let name = entry.file_name();
    let named = name.to_str().and_then(|name| name.split_once(",S=")).and_then(|(_, rest)| {
        rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
    });
    named.or_else(|| entry.metadata().ok().map(|data| data.len())).unwrap_or(0)
}

fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// Whether there is a folder with mail of `address`, whether or not it is a mailbox now.
pub fn kept(paths: &Paths, address: &Address) -> bool {
    fs::symlink_metadata(paths.mailbox(address)).is_ok_and(|data| data.is_dir())
}

/// Removes all mail of `address`: first aside, so that it is gone at once and whole, then file by file.
/// `false` where there was none. Finishes what an interrupted removal left.
pub fn purge(paths: &Paths, address: &Address) -> Result<bool, Error> {
    let folder = paths.mailbox(address);
    let fail = |e: rustix::io::Errno| io_error("remove", &folder, &e.into());
    let beneath = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened =
        openat(CWD, paths.mail(), OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).and_then(|mail| {
            let domain = openat(&mail, address.domain().as_str(), beneath, Mode::empty())?;
            statat(&domain, address.local().as_str(), AtFlags::SYMLINK_NOFOLLOW)?;
            Ok((mail, domain))
        });
    let found = match opened {
        Err(rustix::io::Errno::NOENT) => false,
        Err(error) => return Err(fail(error)),
        Ok((mail, domain)) => {
            let aside = format!("{LEAVING}{:016x}", rand::random::<u64>());
            renameat(&domain, address.local().as_str(), &mail, &aside).map_err(fail)?;
            rustix::fs::fsync(&mail).map_err(fail)?;
            true
        }
    };
    sweep(paths)?;
    Ok(found)
}

/// Removes what is aside. The standard library's `remove_dir_all` walks by descriptors and follows no link.
fn sweep(paths: &Paths) -> Result<(), Error> {
    let leaving = |entry: &DirEntry| entry.file_name().as_encoded_bytes().starts_with(LEAVING.as_bytes());
    for entry in entries(&paths.mail()).filter(leaving) {
        let path = entry.path();
        let removed = match entry.file_type() {
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(&path),
            _ => fs::remove_file(&path),
        };
        removed.map_err(|e| io_error("remove", &path, &e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn home() -> (tempfile::TempDir, Paths) {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path().to_owned());
        (home, paths)
    }

    fn put(folder: &Path, name: &str, octets: usize) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), vec![b'x'; octets]).unwrap();
    }

    /// Proves: S4-17.
    #[test]
    fn sizes_come_from_names_or_files_of_all_folders() {
        let (_home, paths) = home();
        let maildir = paths.mail().join("example.org/ann/Maildir");
        put(&maildir.join("cur"), "1.M1P1.host,S=1000,W=1030:2,S", 3);
        put(&maildir.join("new"), "2.M2P2.host", 20);
        put(&maildir.join(".Sent/cur"), "3.host,S=300:2,", 3);
        put(&maildir.join("tmp"), "4.host", 4000);
        put(&maildir, "dovecot.index", 4000);
        let mut sizes = Sizes::new(&paths);
        assert_eq!(sizes.of("ann@example.org"), 1320);
        assert_eq!(sizes.of("bob@example.org"), 0);
        assert_eq!(sizes.of("ann@example.net"), 0);
    }

    /// Proves: threat 10 (a removal follows no link).
    #[test]
    fn a_purge_follows_no_link() {
        let (home, paths) = home();
        let address = Address::parse("ann@example.org").unwrap();
        let outside = home.path().join("outside");
        put(&outside.join("ann"), "precious", 1);

        let domain = paths.mail().join("example.org");
        put(&domain.join("ann/Maildir/cur"), "1", 1);
        symlink(&outside, domain.join("ann/link")).unwrap();
        assert!(purge(&paths, &address).unwrap());
        assert!(!purge(&paths, &address).unwrap());

        symlink(&outside, domain.join("ann")).unwrap();
        assert!(purge(&paths, &address).unwrap());
        fs::remove_dir(&domain).unwrap();
        symlink(&outside, &domain).unwrap();
        assert!(purge(&paths, &address).is_err());
        assert!(outside.join("ann/precious").exists());
        assert_eq!(entries(&paths.mail()).count(), 1);
    }
}
