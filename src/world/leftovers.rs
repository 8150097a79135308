//! What commands left behind that were killed: files and folders that were never finished.

use super::{World, atomic::DRAFT};
use std::{
    fs::{self, DirEntry},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Nothing that is at work now is as old as that.
const AGE: Duration = Duration::from_secs(24 * 3600);
/// Folders within folders that are looked into.
const DEPTH: usize = 4;

impl World {
    /// The unfinished in the home, older than a day. Mail, queue and sockets are other programs' to clean.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let closed = [self.paths.mail(), self.paths.spool(), self.paths.run()];
        let mut found = Vec::new();
        gather(self.paths.home(), &closed, DEPTH, &mut found);
        found.sort();
        found
    }

    /// Removes them; the result is how many are gone. One that cannot be removed is harmless.
    pub fn remove_leftovers(&self, found: &[PathBuf]) -> usize {
        let remove = |path: &&PathBuf| fs::remove_file(path).or_else(|_| fs::remove_dir_all(path)).is_ok();
        found.iter().filter(remove).count()
    }
}

fn gather(folder: &Path, closed: &[PathBuf], depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(DRAFT.as_bytes()) {
            if is_old(&entry) {
                found.push(path);
            }
        } else if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) && !closed.contains(&path) {
            gather(&path, closed, depth - 1, found);
        }
    }
}

fn is_old(entry: &DirEntry) -> bool {
    let changed = entry.metadata().and_then(|data| data.modified()).unwrap_or_else(|_| SystemTime::now());
    changed.elapsed().is_ok_and(|age| age > AGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::paths::Paths;

    /// Proves: fault 9 (what a killed command left is cleaned; mail and what is at work are not touched).
    #[test]
    fn only_what_is_old_and_ours_is_a_leftover() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        for folder in ["rendered/.new-dead", "rendered/0001", "mail/example.org/.new-folder", "state"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        for file in ["state/.new-old", "state/.new-young", "state/alerts.json", "rendered/.new-dead/x"] {
            fs::write(at(file), "").unwrap();
        }
        let before = SystemTime::now() - 2 * AGE;
        for old in
            ["rendered/.new-dead", "mail/example.org/.new-folder", "state/.new-old", "state/alerts.json"]
        {
            fs::File::open(at(old)).unwrap().set_modified(before).unwrap();
        }
        let world = World {
            paths: Paths::new(home.path().to_owned()),
            project: "test".to_owned(),
            environment: vec![],
            engine: None,
        };
        let found = world.leftovers();
        assert_eq!(found, [at("rendered/.new-dead"), at("state/.new-old")]);
        assert_eq!(world.remove_leftovers(&found), 2);
        assert!(at("mail/example.org/.new-folder").exists() && at("state/.new-young").exists());
        assert_eq!(world.leftovers(), Vec::<PathBuf>::new());
    }
}
