//! Copying Maildirs while Dovecot delivers, moves, flags and removes.
//!
//! A mailbox is listed first, all of its folders at once, until a listing is known to show one moment: no folder
//! changed from before to after it. Then its files are read. One that has another name by then (a flag) is found
//! by what of its name never changes, one that was moved to another folder by its inode, for Dovecot moves by
//! linking. So each message that was there in that moment is in the copy once, with its flags of that moment.

mod shot;

use super::{Writer, gather::failed};
use crate::{
    error::Error,
    plan::backup,
    world::{io_error, paths::Paths},
};
use shot::{Message, Shot};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What became of the mail.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// Mailboxes, those without a login included.
    pub mailboxes: u64,
    /// Messages.
    pub messages: u64,
    /// Messages that were removed between listing and reading.
    pub removed: u64,
    /// What was left out or may be incomplete, and why.
    pub doubts: Vec<String>,
}

/// Copies all mail; `mailbox` hears which one is next.
pub fn mail<W: Write>(
    paths: &Paths,
    writer: &mut Writer<'_, W>,
    mailbox: &mut dyn FnMut(&str),
) -> Result<Copied, Error> {
    let mut copied = Copied::default();
    let mail = paths.mail();
    if !mail.is_dir() {
        return Ok(copied);
    }
    folder(&mail, "mail", writer)?;
    for domain in folders(&mail)? {
        let path = format!("mail/{domain}");
        folder(&mail.join(&domain), &path, writer)?;
        for local in folders(&mail.join(&domain))? {
            mailbox(&format!("{local}@{domain}"));
            let root = mail.join(&domain).join(&local);
            let path = format!("{path}/{local}");
            let mut one = Mailbox { root: &root, path: &path, writer, copied: &mut copied };
            one.copy()?;
        }
    }
    Ok(copied)
}

/// Folders in a folder, sorted; neither links nor hidden ones (a mailbox on its way out).
fn folders(at: &Path) -> Result<Vec<String>, Error> {
    let fail = |e: io::Error| io_error("read", at, &e);
    let mut names = Vec::new();
    for entry in fs::read_dir(at).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.starts_with('.') && entry.file_type().map_err(fail)?.is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn folder<W: Write>(at: &Path, path: &str, writer: &mut Writer<'_, W>) -> Result<(), Error> {
    let meta = fs::symlink_metadata(at).map_err(|e| io_error("read", at, &e))?;
    writer.folder(path, &meta).map_err(|e| failed(at, &e))
}

struct Mailbox<'a, 'b, W: Write> {
    root: &'a Path,
    /// Below the home.
    path: &'a str,
    writer: &'a mut Writer<'b, W>,
    copied: &'a mut Copied,
}

impl<W: Write> Mailbox<'_, '_, W> {
    fn copy(&mut self) -> Result<(), Error> {
        let taken = match shot::take(self.root) {
            // Purged in this moment.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            taken => taken.map_err(|e| io_error("read", self.root, &e))?,
        };
        let (shot, steady) = taken;
        if !steady {
            self.copied.doubts.push(format!("{}: it did not stop changing while it was listed", self.path));
        }
        for (folder, meta) in &shot.folders {
            self.writer.folder(&self.inside(folder), meta).map_err(|e| failed(self.root, &e))?;
        }
        let mut later = None;
        for message in shot.messages.values() {
            self.message(&shot, message, &mut later)?;
        }
        // After the messages: Dovecot's list of UIDs then knows all of them.
        for file in &shot.others {
            self.other(file)?;
        }
        self.copied.mailboxes += 1;
        Ok(())
    }

    fn inside(&self, path: &str) -> String {
        if path.is_empty() { self.path.to_owned() } else { format!("{}/{path}", self.path) }
    }

    fn message(&mut self, shot: &Shot, message: &Message, later: &mut Option<Shot>) -> Result<(), Error> {
        let at = self.root.join(message.path());
        let opened = match open(&at) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.sought(shot, message, later)?,
            opened => Some(opened.map_err(|e| io_error("read", &at, &e))?),
        };
        let Some(mut file) = opened else {
            self.copied.removed += 1;
            return Ok(());
        };
        self.copied.messages += 1;
        self.writer.file(&self.inside(&message.path()), &mut file).map_err(|e| failed(&at, &e))
    }

    /// Finds a message that is not any more where it was: by a listing made since, and once more by a fresh one.
    fn sought(
        &self,
        shot: &Shot,
        message: &Message,
        later: &mut Option<Shot>,
    ) -> Result<Option<File>, Error> {
        for fresh in [false, true] {
            if fresh || later.is_none() {
                let taken = shot::take(self.root);
                if matches!(&taken, Err(error) if error.kind() == ErrorKind::NotFound) {
                    return Ok(None);
                }
                *later = Some(taken.map_err(|e| io_error("read", self.root, &e))?.0);
            }
            let Some(found) = later.as_ref().and_then(|later| later.find(message)) else { continue };
            let at = self.root.join(found.path());
            match open(&at) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                opened => {
                    let file = opened.map_err(|e| io_error("read", &at, &e))?;
                    let meta = file.metadata().map_err(|e| io_error("read", &at, &e))?;
                    // An inode that was freed and given to a message that came later is not it.
                    let it = found.base() == message.base() && found.folder == message.folder;
                    if it || meta.ino() == message.inode && meta.mtime() < shot.began {
                        return Ok(Some(file));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Subscriptions, Sieve scripts, lists of UIDs and keywords: small, and replaced or appended to while we look.
    fn other(&mut self, file: &str) -> Result<(), Error> {
        let at = self.root.join(file);
        let path = self.inside(file);
        let fail = |e: io::Error| io_error("read", &at, &e);
        let meta = match fs::symlink_metadata(&at) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            meta => meta.map_err(fail)?,
        };
        if meta.is_symlink() {
            let to: PathBuf = fs::read_link(&at).map_err(fail)?;
            match to.to_str().filter(|to| backup::stays_inside(&path, to)) {
                Some(to) => self.writer.link(&path, to, &meta).map_err(|e| failed(&at, &e))?,
                None => self.copied.doubts.push(format!("{path}: a link that leads out of the home")),
            }
            return Ok(());
        }
        let mut content = match open(&at).and_then(|mut file| {
            let mut content = Vec::new();
            io::Read::read_to_end(&mut file, &mut content)?;
            Ok(content)
        }) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            content => content.map_err(fail)?,
        };
        if file.ends_with("dovecot-uidlist") {
            // Perhaps in the middle of a line that is being written.
            let end = content.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
            content.truncate(end);
        }
        self.writer.bytes(&path, &content, &meta).map_err(|e| failed(&at, &e))
    }
}

/// Never follows a link: a name in a mailbox is not to be trusted.
fn open(at: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()).open(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::backup::{FORMAT, Head, Part};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Proves: S1-27 (mail while it is in use): messages that are flagged, moved between folders and removed, and
    /// new ones that come, while it is copied over and over: those that stay are in each copy exactly once.
    #[test]
    fn a_message_is_never_lost_nor_doubled_while_mailboxes_change() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::new(home.path().to_owned());
        let maildir = paths.mail().join("example.org/ann/Maildir");
        for folder in ["", ".A", ".B"] {
            for state in ["cur", "new", "tmp"] {
                fs::create_dir_all(maildir.join(folder).join(state)).unwrap();
            }
        }
        // Of before the copy, as its time shows.
        let put = |at: &Path, text: &str| {
            fs::write(at, text).unwrap();
            let past = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
            File::open(at).unwrap().set_modified(past).unwrap();
        };
        for number in 0..300 {
            put(&maildir.join(format!("new/{number}.M1.h,S=9")), &format!("message {number}\n"));
        }
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // As Dovecot does it: flags by renaming, a move by linking under a new name and removing the old.
            scope.spawn(|| churn(&maildir, &stop));
            scope.spawn(|| {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    let name = format!("x{number}.M1.h,S=9");
                    fs::write(maildir.join("tmp").join(&name), "late\n").unwrap();
                    fs::rename(maildir.join("tmp").join(&name), maildir.join("new").join(&name)).unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(7));
                }
            });
            let _stop = Stop(&stop);
            for round in 0..12 {
                let found = copied(&paths);
                for number in 0..300 {
                    let text = format!("message {number}\n");
                    let times = found.iter().filter(|content| **content == text).count();
                    assert_eq!(times, 1, "round {round}: message {number}");
                }
            }
        });
    }

    fn churn(maildir: &Path, stop: &AtomicBool) {
        let folders = ["", ".A", ".B"];
        let mut turn: usize = 0;
        while !stop.load(Ordering::Relaxed) {
            turn += 1;
            let from = maildir.join(folders[turn % 3]);
            for state in ["new", "cur"] {
                let Some(entry) = fs::read_dir(from.join(state)).unwrap().flatten().nth(turn % 5) else {
                    continue;
                };
                let name = entry.file_name().into_string().unwrap();
                if name.starts_with('x') {
                    continue;
                }
                let base = name.split(":2,").next().unwrap();
                if turn.is_multiple_of(2) {
                    let flags = ["", "S", "FS", "RS"][turn % 4];
                    fs::rename(entry.path(), from.join(format!("cur/{base}:2,{flags}"))).unwrap();
                } else {
                    let to = maildir
                        .join(folders[(turn + 1) % 3])
                        .join(format!("cur/m{turn}{state}.M1.h,S=9:2,S"));
                    fs::hard_link(entry.path(), to).unwrap();
                    fs::remove_file(entry.path()).unwrap();
                }
            }
            // In bursts, as people do it.
            let pause = if turn.is_multiple_of(8) { 80 } else { 1 };
            std::thread::sleep(std::time::Duration::from_millis(pause));
        }
    }

    /// The others end also when a round fails.
    struct Stop<'a>(&'a AtomicBool);

    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// The contents of all messages in one copy.
    fn copied(paths: &Paths) -> Vec<String> {
        let head = Head {
            format: FORMAT,
            mailctl: String::new(),
            schema: None,
            project: String::new(),
            hostname: String::new(),
            machine: String::new(),
            addresses: Vec::new(),
            created: String::new(),
            parts: vec![Part::Mail],
        };
        let mut report = |_| {};
        let mut writer = Writer::begin(Vec::new(), head, &mut report).unwrap();
        let copied = mail(paths, &mut writer, &mut |_| {}).unwrap();
        assert_eq!(copied.doubts, Vec::<String>::new());
        let (bytes, manifest) = writer.finish().unwrap();
        assert_eq!(manifest.fault(), None);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap().map(Result::unwrap);
        let messages = entries.filter(|entry| entry.path().unwrap().to_str().unwrap().contains(".M1.h"));
        messages
            .map(|mut entry| {
                let mut text = String::new();
                io::Read::read_to_string(&mut entry, &mut text).unwrap();
                text
            })
            .collect()
    }
}
