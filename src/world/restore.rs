//! Replacing parts of a home: staged beside, then switched by renames that a journal makes one step of.
//!
//! Everything new lies below `.restore/new` before anything old is touched. Then the journal is written; from that
//! moment the restore is finished by whatever mailctl runs next, so a home is the old one or the new one. Each old
//! thing is moved to `HOME.before-TIME` first and its follower then moved in; both can be seen to have happened,
//! so doing it again does only what is left.

use super::{World, atomic, io_error, paths::Paths};
use crate::error::{Error, codes};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long a command waits for a restore that goes on.
const PATIENCE: Duration = Duration::from_secs(30);

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    /// Below the home.
    path: String,
    /// Whether there was one before.
    old: bool,
    /// Whether there is one afterwards.
    new: bool,
}

/// What is to be done, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Journal {
    before: PathBuf,
    turns: Vec<Turn>,
}

/// A restore into one home; nobody else restores into it meanwhile.
pub struct Restore<'a> {
    paths: &'a Paths,
    /// Whether the home was made for it.
    made: bool,
    committed: bool,
    #[expect(dead_code, reason = "held, never read")]
    lock: File,
    /// The lock of the home that comes, so that no command slips in while the parts change.
    next: Option<File>,
}

impl World {
    /// Finishes a restore that was interrupted after it had begun to switch. Whether there was one.
    pub fn finish_restore(&self) -> Result<bool, Error> {
        let paths = &self.paths;
        if !paths.restore_journal().exists() {
            return Ok(false);
        }
        let _lock = lock(paths)?;
        // Whoever held the lock has finished it in the meantime.
        if !paths.restore_journal().exists() {
            return Ok(false);
        }
        finish(paths)?;
        Ok(true)
    }
}

impl<'a> Restore<'a> {
    /// Takes hold of the home, which is made where it is missing, and clears away what an interrupted restore had
    /// staged.
    pub fn begin(paths: &'a Paths) -> Result<Self, Error> {
        let home = paths.home();
        let made = !home.exists();
        if made {
            fs::create_dir_all(home).map_err(|e| io_error("make", home, &e))?;
            atomic::give(home, atomic::shared(0o755, 0))?;
        }
        atomic::folder(&paths.restore(), atomic::shared(0o700, 0))?;
        let lock = lock(paths)?;
        let new = paths.restore_new();
        let fail = |e: io::Error| io_error("clear", &new, &e);
        if new.exists() {
            fs::remove_dir_all(&new).map_err(fail)?;
        }
        fs::create_dir(&new).map_err(fail)?;
        Ok(Self { paths, made, committed: false, lock, next: None })
    }

    /// Where the new things are staged.
    pub fn staged(&self) -> PathBuf {
        self.paths.restore_new()
    }

    /// Stages the lock of the home that comes, and holds it: state comes with its folder.
    pub fn hold_state(&mut self) -> Result<(), Error> {
        let path = self.staged().join("state/lock");
        let fail = |e: io::Error| io_error("lock", &path, &e);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(fail)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|e| fail(e.into()))?;
        self.next = Some(file);
        Ok(())
    }

    /// Which of `targets` are there now, and would be moved aside.
    pub fn replaced(paths: &Paths, targets: &[String]) -> Vec<String> {
        let there = |path: &&String| fs::symlink_metadata(paths.home().join(path)).is_ok();
        targets.iter().filter(there).cloned().collect()
    }

    /// Switches: each of `targets` becomes what is staged under its name, or nothing. The result is where the old
    /// things are, if there were any.
    pub fn commit(mut self, targets: &[String], stamp: &str) -> Result<Option<PathBuf>, Error> {
        let home = self.paths.home();
        let staged = self.staged();
        let turns: Vec<Turn> = targets
            .iter()
            .map(|path| Turn {
                path: path.clone(),
                old: fs::symlink_metadata(home.join(path)).is_ok(),
                new: fs::symlink_metadata(staged.join(path)).is_ok(),
            })
            .filter(|turn| turn.old || turn.new)
            .collect();
        movable(home, &turns)?;
        let within = is_mount(home);
        let before = unused(|again| match again {
            0 => self.paths.before(stamp, within),
            again => self.paths.before(&format!("{stamp}-{again}"), within),
        });
        for turn in turns.iter().filter(|turn| turn.new) {
            make_above(home, &staged, &turn.path)?;
        }
        let old = turns.iter().any(|turn| turn.old);
        let journal = Journal { before: before.clone(), turns };
        // All that is staged, in one call: an fsync for each of a million messages would take hours.
        File::open(&staged)
            .and_then(|folder| rustix::fs::syncfs(&folder).map_err(Into::into))
            .map_err(|e| io_error("sync", &staged, &e))?;
        let text = serde_json::to_vec(&journal)
            .map_err(|e| Error::new(codes::BUG, "cannot write down what is to be restored").cause(e))?;
        self.committed = true;
        atomic::write(&self.paths.restore_journal(), &text, atomic::PRIVATE)?;
        finish(self.paths)?;
        Ok(old.then_some(before))
    }
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        // Given up: nothing of it stays. What was committed is finished, now or by the next command.
        if !self.committed {
            let _ = fs::remove_dir_all(self.paths.restore());
            if self.made {
                let _ = fs::remove_dir(self.paths.home());
            }
        }
    }
}

/// A folder of this moment that is not there yet: two restores can end within a second.
fn unused(name: impl Fn(u32) -> PathBuf) -> PathBuf {
    (0..).map(&name).find(|path| fs::symlink_metadata(path).is_err()).unwrap_or_else(|| name(u32::MAX))
}

fn lock(paths: &Paths) -> Result<File, Error> {
    let path = paths.restore_lock();
    let fail = |e: io::Error| io_error("lock", &path, &e);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(fail)?;
    let began = Instant::now();
    while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if error != rustix::io::Errno::WOULDBLOCK {
            return Err(fail(error.into()));
        }
        if began.elapsed() > PATIENCE {
            let home = paths.home().display();
            return Err(Error::new(codes::LOCKED, format!("{home} is in use"))
                .cause("another mailctl restores a backup into it")
                .hint("repeat the command when that has ended"));
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    Ok(file)
}

/// Does what the journal says and is not done yet, then forgets it.
fn finish(paths: &Paths) -> Result<(), Error> {
    let path = paths.restore_journal();
    let text = fs::read(&path).map_err(|e| io_error("read", &path, &e))?;
    let journal: Journal = serde_json::from_slice(&text).map_err(|e| {
        Error::new(codes::IO, format!("{} cannot be understood", path.display()))
            .cause(e)
            .hint("restore the backup once more, after: rm -r .restore in the home")
    })?;
    let (home, staged) = (paths.home(), paths.restore_new());
    for turn in &journal.turns {
        let (at, aside) = (home.join(&turn.path), journal.before.join(&turn.path));
        if turn.old && fs::symlink_metadata(&aside).is_err() {
            if let Some(above) = aside.parent() {
                make_private(&journal.before)?;
                fs::create_dir_all(above).map_err(|e| io_error("make", above, &e))?;
            }
            rename(&at, &aside)?;
        }
        let new = staged.join(&turn.path);
        if turn.new && fs::symlink_metadata(&new).is_ok() {
            rename(&new, &at)?;
        }
    }
    fs::remove_file(&path).map_err(|e| io_error("remove", &path, &e))?;
    atomic::sync_folder(&paths.restore())?;
    // It holds nothing now that the next restore would not clear away itself.
    let _ = fs::remove_dir_all(paths.restore());
    Ok(())
}

/// Moves, and makes that survive a power cut.
fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|e| io_error("move", from, &e))?;
    [from, to].iter().filter_map(|path| path.parent()).try_for_each(atomic::sync_folder)
}

/// It will hold keys.
fn make_private(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
        .map_err(|e| io_error("make", folder, &e))?;
    folder.parent().map_or(Ok(()), atomic::sync_folder)
}

/// Folders above a thing that comes where there was none, with the rights that they have in the backup.
fn make_above(home: &Path, staged: &Path, path: &str) -> Result<(), Error> {
    for (at, _) in path.match_indices('/') {
        let folder = home.join(&path[..at]);
        if folder.exists() {
            continue;
        }
        let fail = |e: io::Error| io_error("make", &folder, &e);
        let like = fs::metadata(staged.join(&path[..at])).map_err(fail)?;
        fs::create_dir(&folder).map_err(fail)?;
        if rustix::process::geteuid().is_root() {
            chown(&folder, Some(like.uid()), Some(like.gid())).map_err(fail)?;
        }
        fs::set_permissions(&folder, like.permissions()).map_err(fail)?;
    }
    Ok(())
}

/// A file system of its own cannot be moved; better told before anything is.
fn movable(home: &Path, turns: &[Turn]) -> Result<(), Error> {
    let fixed =
        turns.iter().filter(|turn| turn.old).map(|turn| home.join(&turn.path)).find(|at| is_mount(at));
    let Some(at) = fixed else { return Ok(()) };
    Err(Error::new(codes::RESTORE_OCCUPIED, format!("{} is a file system of its own", at.display()))
        .cause("what is there can be replaced only by moving it aside, and a file system cannot be moved")
        .hint(format!(
            "umount {0}, restore, move the restored content onto it and mount it again",
            at.display()
        ))
        .hint("or restore the other parts alone, with --only"))
}

/// Whether something is mounted here, seen by another device than that of the folder above.
fn is_mount(at: &Path) -> bool {
    let device = |path: &Path| fs::symlink_metadata(path).map(|meta| meta.dev()).ok();
    match at.parent() {
        Some(above) => device(at).is_some() && device(at) != device(above),
        None => true,
    }
}
