//! All folders and messages of one mailbox in one moment.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    io,
    os::unix::fs::{DirEntryExt, MetadataExt},
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Listings of a mailbox that does not hold still.
const TRIES: u32 = 40;
/// So long a move of many messages may take from its first link to its removals.
const MOVE: Duration = Duration::from_secs(3);
/// Seconds before a listing in which such a move may have begun.
const LATELY: i64 = 10;
/// Kernels stamp changes by a clock of at most so coarse a tick: a folder that changed later than this may change
/// again without its stamp showing it.
const TICK: Duration = Duration::from_millis(20);

/// A message's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The Maildir that it is in, below the mailbox.
    pub folder: String,
    /// `new` or `cur`.
    pub state: &'static str,
    /// With its flags (`:2,S`).
    pub name: String,
    /// The same after a move to another folder.
    pub inode: u64,
}

impl Message {
    /// Below the mailbox.
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.folder, self.state, self.name)
    }

    /// What of the name never changes in its folder.
    pub fn base(&self) -> &str {
        base(&self.name)
    }
}

fn base(name: &str) -> &str {
    name.split_once(":2,").map_or(name, |(base, _)| base)
}

/// A mailbox in one moment.
#[derive(Debug, Default)]
pub struct Shot {
    /// Seconds since 1970 when it began.
    pub began: i64,
    /// Folders below the mailbox, those above first; `tmp` of Maildirs included, for they must be there.
    pub folders: BTreeMap<String, Metadata>,
    /// By folder and base name: a message on its way from `new` to `cur` is seen in both.
    pub messages: BTreeMap<(String, String), Message>,
    /// Other files worth keeping.
    pub others: Vec<String>,
}

impl Shot {
    /// The same message under another name or in another folder.
    pub fn find(&self, message: &Message) -> Option<&Message> {
        let here = self.messages.get(&(message.folder.clone(), message.base().to_owned()));
        here.or_else(|| self.messages.values().find(|found| found.inode == message.inode))
    }
}

/// Lists a mailbox; `false` where it never held still long enough to be sure.
pub fn take(root: &Path) -> io::Result<(Shot, bool)> {
    let mut before: Option<Shot> = None;
    for tried in 0..TRIES {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut shot = Shot { began: i64::try_from(now.as_secs()).unwrap_or(0), ..Shot::default() };
        list(root, "", &mut shot)?;
        if still(root, &shot, now) {
            return Ok((settled(root, shot), true));
        }
        // Two listings, and nothing that the first had is missing in the second: then nothing was moved between
        // them, and what was missed by the first because it moved just then is in the second.
        let kept = |before: &Shot| before.messages.keys().all(|key| shot.messages.contains_key(key));
        if before.as_ref().is_some_and(kept) {
            return Ok((settled(root, shot), true));
        }
        before = Some(shot);
        std::thread::sleep(TICK * (1 + tried / 8));
    }
    Ok((settled(root, before.unwrap_or_default()), false))
}

/// A move is a link and then a removal: in between the message is in both folders. One that was linked a moment ago
/// and is gone from one of them a little later was moved; one that stays in both was copied, and is twice by its
/// owner's wish.
fn settled(root: &Path, mut shot: Shot) -> Shot {
    let began = Instant::now();
    loop {
        let doubtful = linked_lately(root, &shot);
        if doubtful.is_empty() || began.elapsed() > MOVE {
            return shot;
        }
        let mut now = Shot::default();
        if list(root, "", &mut now).is_ok() {
            for places in doubtful {
                let (there, gone): (Vec<_>, Vec<_>) =
                    places.into_iter().partition(|key| now.messages.contains_key(key));
                // Where it has gone on from all of them, one stands for it: its file is found by the inode.
                gone.iter().skip(usize::from(there.is_empty())).for_each(|key| {
                    shot.messages.remove(key);
                });
            }
        }
        std::thread::sleep(TICK * 5);
    }
}

/// The places of messages that lie in several by one inode, which a link has touched since a moment before the
/// listing.
fn linked_lately(root: &Path, shot: &Shot) -> Vec<Vec<(String, String)>> {
    let mut places: BTreeMap<u64, Vec<&(String, String)>> = BTreeMap::new();
    for (key, message) in &shot.messages {
        places.entry(message.inode).or_default().push(key);
    }
    let lately = |key: &&(String, String)| {
        let meta = fs::symlink_metadata(root.join(shot.messages[*key].path()));
        // Gone by now: that is what is asked.
        meta.map_or(true, |meta| meta.ctime() >= shot.began - LATELY)
    };
    let twice = places.into_values().filter(|keys| keys.len() > 1);
    twice.filter(|keys| keys.iter().any(lately)).map(|keys| keys.into_iter().cloned().collect()).collect()
}

/// Whether no folder has changed since before the listing.
fn still(root: &Path, shot: &Shot, began: Duration) -> bool {
    let quiet = began.saturating_sub(TICK);
    shot.folders.keys().all(|folder| {
        fs::symlink_metadata(root.join(folder)).is_ok_and(|now| {
            let changed = Duration::new(
                u64::try_from(now.ctime()).unwrap_or(0),
                u32::try_from(now.ctime_nsec()).unwrap_or(0),
            );
            changed < quiet
        })
    })
}

fn list(root: &Path, folder: &str, shot: &mut Shot) -> io::Result<()> {
    let at = root.join(folder);
    shot.folders.insert(folder.to_owned(), fs::symlink_metadata(&at)?);
    let mut below = Vec::new();
    for entry in fs::read_dir(&at)? {
        let entry = entry?;
        // Dovecot writes folder names in ASCII (RFC 9051 §5.1's modified UTF-7).
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.file_type()?.is_dir() {
            below.push((name, path));
        } else if worth(&name) {
            shot.others.push(path);
        }
    }
    below.sort();
    let maildir = below.iter().any(|(name, _)| name == "cur");
    for (name, path) in below {
        match name.as_str() {
            // First `new`, then `cur`: that is the way that messages go.
            "cur" if maildir => {
                messages(root, folder, "new", shot)?;
                messages(root, folder, "cur", shot)?;
            }
            "new" if maildir => {}
            "tmp" if maildir => {
                shot.folders.insert(path.clone(), fs::symlink_metadata(root.join(&path))?);
            }
            _ => list(root, &path, shot)?,
        }
    }
    Ok(())
}

fn messages(root: &Path, folder: &str, state: &'static str, shot: &mut Shot) -> io::Result<()> {
    let path = format!("{folder}/{state}");
    let at = root.join(&path);
    let meta = match fs::symlink_metadata(&at) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        meta => meta?,
    };
    shot.folders.insert(path, meta);
    for entry in fs::read_dir(&at)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') || !entry.file_type()?.is_file() {
            continue;
        }
        let key = (folder.to_owned(), base(&name).to_owned());
        shot.messages.insert(key, Message { folder: folder.to_owned(), state, name, inode: entry.ino() });
    }
    Ok(())
}

/// Indexes are left out: Dovecot makes them anew from what lies there, and a copy in the middle of a change is
/// worse than none. So are locks, drafts and compiled scripts.
fn worth(name: &str) -> bool {
    !(name.starts_with("dovecot.index")
        || name.starts_with("dovecot.list.index")
        || name.starts_with("dovecot-uidlist.")
        || name.contains(".tmp.")
        || [".lock", ".tmp", ".svbin"].iter().any(|end| name.ends_with(end)))
}
