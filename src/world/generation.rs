//! Generations of rendered configuration: written whole, switched to by one rename.
//!
//! `rendered/NNNN` holds the files, `.digest` (what was written) and `.checked` (the image whose programs
//! accepted it); `rendered/current` is a symlink to the live one. A run that dies anywhere leaves either a
//! folder `.new-*` that the next run removes, or a generation that nothing uses yet.

use super::{World, atomic, io_error};
use crate::{
    error::Error,
    plan::observed::{Generation, Loaded, old_generations},
    plan::service::Service,
    render::{ConfigFile, ConfigSet},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    time::{Duration, SystemTime},
};

/// A `main.cf` younger than two seconds makes Postfix wait until it is older.
const AGE: Duration = Duration::from_secs(10);

const DIGEST: &str = ".digest";
const CHECKED: &str = ".checked";

impl World {
    /// The generation that `current` leads to; `None` = there is none that can be read.
    pub fn generation(&self) -> Result<Option<Generation>, Error> {
        let Some(number) = self.current_number() else { return Ok(None) };
        let folder = self.paths.generation(number);
        if !folder.is_dir() {
            return Ok(None);
        }
        let mut files = Vec::new();
        gather(&folder, "", &mut files)?;
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default().trim().to_owned();
        Ok(Some(Generation {
            number,
            files: ConfigSet::new(files),
            recorded: read(DIGEST),
            checked: read(CHECKED),
        }))
    }

    fn current_number(&self) -> Option<u32> {
        fs::read_link(self.paths.current()).ok()?.to_str()?.parse().ok()
    }

    /// Their numbers, oldest first.
    pub fn generation_numbers(&self) -> Vec<u32> {
        let entries = fs::read_dir(self.paths.rendered()).into_iter().flatten().flatten();
        let mut numbers: Vec<u32> =
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The number after the highest there is.
    pub fn next_generation(&self) -> u32 {
        self.generation_numbers().last().map_or(1, |last| last + 1)
    }

    /// All but the current one and the newest before it.
    pub fn old_generations(&self) -> Vec<u32> {
        old_generations(&self.generation_numbers(), self.current_number())
    }

    /// Writes generation `number` whole.
    pub fn write_generation(&self, number: u32, set: &ConfigSet) -> Result<(), Error> {
        let rendered = self.paths.rendered();
        let folder = self.paths.generation(number);
        let temporary = self.draft_generation(set)?;
        fs::rename(temporary.path(), &folder).map_err(|e| io_error("write", &folder, &e))?;
        // It has moved: there is nothing left to remove.
        let _ = temporary.keep();
        atomic::sync_folder(&rendered)
    }

    /// Writes the files to a folder without a number, gone when dropped: to be looked at, never to be live.
    pub fn draft_generation(&self, set: &ConfigSet) -> Result<tempfile::TempDir, Error> {
        let rendered = self.paths.rendered();
        self.remove_unfinished(&rendered);
        let cannot = |e: std::io::Error| io_error("write", &rendered, &e);
        let temporary = tempfile::Builder::new().prefix(".new-").tempdir_in(&rendered).map_err(cannot)?;
        let root = temporary.path();
        for file in set.files() {
            write(root, file)?;
        }
        let digest = ConfigFile {
            path: DIGEST.to_owned(),
            text: format!("{}\n", set.digest("")),
            mode: 0o644,
            gid: 0,
        };
        write(root, &digest)?;
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).map_err(cannot)?;
        sync_folders(root)?;
        Ok(temporary)
    }

    fn remove_unfinished(&self, rendered: &Path) {
        for entry in fs::read_dir(rendered).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(".new-") {
                // Left by a run that died; harmless if it stays.
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
        }
    }

    /// Notes that the programs of `image` accepted generation `number`.
    pub fn mark_checked(&self, number: u32, image: &str) -> Result<(), Error> {
        let path = self.paths.generation(number).join(CHECKED);
        atomic::write(&path, format!("{image}\n").as_bytes(), atomic::PUBLIC)
    }

    /// Makes `number` the current generation: one rename.
    pub fn switch_generation(&self, number: u32) -> Result<(), Error> {
        let (rendered, current) = (self.paths.rendered(), self.paths.current());
        let temporary = rendered.join(".new-current");
        let cannot = |e: std::io::Error| io_error("switch", &current, &e);
        let _ = fs::remove_file(&temporary);
        symlink(format!("{number:04}"), &temporary).map_err(cannot)?;
        fs::rename(&temporary, &current).map_err(cannot)?;
        atomic::sync_folder(&rendered)
    }

    /// Deletes generations.
    pub fn forget_generations(&self, numbers: &[u32]) -> Result<(), Error> {
        for &number in numbers {
            let folder = self.paths.generation(number);
            fs::remove_dir_all(&folder).map_err(|e| io_error("delete", &folder, &e))?;
        }
        Ok(())
    }

    /// What each service was last told to read, and answered healthily with.
    pub fn loaded(&self) -> BTreeMap<Service, Loaded> {
        let text = fs::read_to_string(self.paths.loaded()).unwrap_or_default();
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split(' ');
            let service = words.next()?.parse().ok()?;
            let loaded = Loaded { container: words.next()?.to_owned(), digest: words.next()?.to_owned() };
            Some((service, loaded))
        });
        lines.collect()
    }

    /// Notes it; does not write what is there already.
    pub fn note_loaded(&self, loaded: &BTreeMap<Service, Loaded>) -> Result<(), Error> {
        if *loaded == self.loaded() {
            return Ok(());
        }
        let text: String = loaded
            .iter()
            .map(|(service, loaded)| format!("{service} {} {}\n", loaded.container, loaded.digest))
            .collect();
        atomic::write(&self.paths.loaded(), text.as_bytes(), atomic::PRIVATE)
    }
}

fn gather(root: &Path, prefix: &str, files: &mut Vec<ConfigFile>) -> Result<(), Error> {
    let folder = root.join(prefix);
    let entries = fs::read_dir(&folder).map_err(|e| io_error("read", &folder, &e))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if prefix.is_empty() && (name == DIGEST || name == CHECKED) {
            continue;
        }
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let full = entry.path();
        let meta = entry.metadata().map_err(|e| io_error("read", &full, &e))?;
        if meta.is_dir() {
            gather(root, &path, files)?;
        } else {
            let text = fs::read(&full).map_err(|e| io_error("read", &full, &e))?;
            files.push(ConfigFile {
                path,
                text: String::from_utf8_lossy(&text).into_owned(),
                mode: meta.permissions().mode() & 0o7777,
                gid: meta.gid(),
            });
        }
    }
    Ok(())
}

fn write(root: &Path, file: &ConfigFile) -> Result<(), Error> {
    let path = root.join(&file.path);
    let cannot = |e: std::io::Error| io_error("write", &path, &e);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(cannot)?;
    }
    let mut handle = File::create_new(&path).map_err(cannot)?;
    // Before the content: a secret is never readable, not even for a moment.
    handle.set_permissions(fs::Permissions::from_mode(file.mode)).map_err(cannot)?;
    if file.gid != 0 {
        chown(&path, None, Some(file.gid)).map_err(cannot)?;
    }
    handle.write_all(file.text.as_bytes()).map_err(cannot)?;
    handle.set_modified(SystemTime::now() - AGE).map_err(cannot)?;
    handle.sync_all().map_err(cannot)
}

fn sync_folders(root: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(root).map_err(|e| io_error("read", root, &e))?.flatten() {
        if entry.path().is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    atomic::sync_folder(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::paths::Paths;

    fn world(home: &Path) -> World {
        fs::create_dir_all(home.join("rendered")).unwrap();
        fs::create_dir_all(home.join("state")).unwrap();
        World {
            paths: Paths::new(home.to_owned()),
            project: "test".to_owned(),
            environment: vec![],
            engine: None,
        }
    }

    fn set(text: &str) -> ConfigSet {
        let gid = rustix::process::getgid().as_raw();
        ConfigSet::new(vec![ConfigFile {
            path: "postfix/main.cf".to_owned(),
            text: text.to_owned(),
            mode: 0o644,
            gid,
        }])
    }

    /// Proves: invariant 3 and 8 of the house
    #[test]
    fn a_generation_comes_back_as_it_was_written_and_an_edit_shows() {
        let home = tempfile::tempdir().unwrap();
        let world = world(home.path());
        assert!(world.generation().unwrap().is_none());
        world.write_generation(1, &set("a = b\n")).unwrap();
        assert!(world.generation().unwrap().is_none(), "written is not switched");
        world.switch_generation(1).unwrap();
        let found = world.generation().unwrap().unwrap();
        assert_eq!((found.number, found.files.digest("")), (1, set("a = b\n").digest("")));
        assert_eq!(found.recorded, found.files.digest(""));
        let file = world.paths.generation(1).join("postfix/main.cf");
        assert!(file.metadata().unwrap().modified().unwrap().elapsed().unwrap() > Duration::from_secs(5));
        fs::write(&file, "a = c\n").unwrap();
        let found = world.generation().unwrap().unwrap();
        assert_ne!(found.recorded, found.files.digest(""));
    }

    #[test]
    fn what_a_dead_run_left_is_removed_and_old_generations_are_named() {
        let home = tempfile::tempdir().unwrap();
        let world = world(home.path());
        fs::create_dir(home.path().join("rendered/.new-abc")).unwrap();
        for number in 1..=9 {
            world.write_generation(number, &set("x")).unwrap();
        }
        world.switch_generation(9).unwrap();
        assert!(!home.path().join("rendered/.new-abc").exists());
        assert_eq!(world.old_generations(), [1, 2, 3]);
        world.forget_generations(&[1, 2, 3]).unwrap();
        assert_eq!((world.old_generations(), world.next_generation()), (vec![], 10));
    }

    #[test]
    fn what_was_loaded_is_remembered() {
        let home = tempfile::tempdir().unwrap();
        let world = world(home.path());
        let loaded: BTreeMap<_, _> =
            [(Service::Dovecot, Loaded { container: "c1".to_owned(), digest: "d1".to_owned() })].into();
        world.note_loaded(&loaded).unwrap();
        assert_eq!(world.loaded(), loaded);
    }
}
