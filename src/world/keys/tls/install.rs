//! Installing: a whole new set beside the live one, then one switch. Killed anywhere, the old or the new set is live.
//!
//! Containers read `live/…`, so a file that leaves stays in the set, marked, for as long as the configuration that
//! they read names it: a Postfix that starts in between would not come up without it.

use super::{LEAVING, leaves, places, unusable, within};
use crate::{
    error::Error,
    mail::cert::{Certificate, Pair, Place},
    render::{ids, tls::INSIDE},
    world::{atomic, io_error, paths::Paths},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{ErrorKind, Write},
    os::unix::fs::symlink,
    path::Path,
};

/// Sets that are kept beside the live one, for going back by hand.
const KEPT: usize = 2;

/// Files of the rendered configuration that name certificates.
const READERS: [&str; 3] = ["postfix/main.cf", "postfix/sni", "dovecot/dovecot.conf"];

/// What a new set has that the live one has not.
#[derive(Clone, Debug, Default)]
pub struct Change(BTreeMap<Place, Option<Vec<u8>>>);

impl Change {
    /// Serves `pair` in `place`.
    #[must_use]
    pub fn serve(mut self, place: Place, pair: &Pair) -> Self {
        self.0.insert(place, Some(pair.pem.clone()));
        self
    }

    /// Whether the live set is not so already.
    pub fn is_news(&self, paths: &Paths) -> bool {
        let places = places(paths);
        self.0.iter().any(|(place, pem)| match pem {
            None => places.contains(place),
            Some(pem) => {
                !places.contains(place) || fs::read(paths.certificate(place)).ok().as_ref() != Some(pem)
            }
        })
    }

    /// Serves nobody in `place` any more.
    #[must_use]
    pub fn withdraw(mut self, place: Place) -> Self {
        self.0.insert(place, None);
        self
    }
}

/// Makes the set with `change` the live one; the programs read it when they are told to. The number of the set. The
/// caller holds the lock.
pub fn install(paths: &Paths, change: &Change) -> Result<u32, Error> {
    let mut files = Vec::new();
    let mut leaving = Vec::new();
    for place in places(paths).into_iter().filter(|place| !change.0.contains_key(place)) {
        let file = paths.certificate(&place);
        files.push((place, fs::read(&file).map_err(|e| io_error("read", &file, &e))?));
    }
    for (place, pem) in &change.0 {
        files.extend(pem.as_ref().map(|pem| (place.clone(), pem.clone())));
    }
    for place in within(&paths.tls_live()) {
        let stays = files.iter().any(|(kept, _)| *kept == place);
        if !stays && named(paths, &place) {
            let file = paths.certificate(&place);
            let pem = fs::read(&file).map_err(|e| io_error("read", &file, &e))?;
            leaving.push((place, pem));
        }
    }
    write(paths, &files, &leaving)
}

/// Takes over the one file of a home from before there were sets; whether there was something to take.
pub fn take_over(paths: &Paths) -> Result<bool, Error> {
    let old = paths.tls_before_sets();
    let pem = match fs::read(&old) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        pem => pem.map_err(|e| io_error("read", &old, &e))?,
    };
    let fresh = within(&paths.tls_live()).is_empty();
    if fresh {
        if Certificate::read(&pem).is_none() {
            return Err(unusable(&old, "holds no certificate").hint(format!("rm {}", old.display())));
        }
        write(paths, &[(Place::Host, pem)], &[])?;
    }
    // Running programs may still be told to read it.
    if !mentioned(paths, &format!("{INSIDE}/live.pem")) {
        fs::remove_file(&old).map_err(|e| io_error("remove", &old, &e))?;
        atomic::sync_folder(&paths.tls())?;
    }
    Ok(fresh)
}

/// Drops files that left and that no configuration names any more. The caller holds the lock.
pub fn tidy(paths: &Paths) -> Result<(), Error> {
    let left = within(&paths.tls_live());
    if left.iter().any(|place| leaves(paths, place) && !named(paths, place)) {
        install(paths, &Change::default())?;
    }
    Ok(())
}

fn named(paths: &Paths, place: &Place) -> bool {
    mentioned(paths, &format!("{INSIDE}/live/{}", place.file()))
}

/// Whether the configuration that is live speaks of `file`.
fn mentioned(paths: &Paths, file: &str) -> bool {
    let texts = READERS.iter().filter_map(|name| fs::read_to_string(paths.current().join(name)).ok());
    texts.into_iter().any(|text| text.contains(file))
}

fn write(paths: &Paths, files: &[(Place, Vec<u8>)], leaving: &[(Place, Vec<u8>)]) -> Result<u32, Error> {
    let sets = paths.tls_sets();
    let folder = atomic::shared(0o750, ids::MAILCTL);
    atomic::folder(&paths.tls(), folder)?;
    atomic::folder(&sets, folder)?;
    let number = numbers(paths).last().map_or(1, |last| last + 1);
    let cannot = |e: std::io::Error| io_error("write", &sets, &e);
    forget_unfinished(&sets);
    // Gone again where anything below fails.
    let draft = tempfile::Builder::new().prefix(atomic::DRAFT).tempdir_in(&sets).map_err(cannot)?;
    let root = draft.path();
    for (place, pem) in files {
        put(root, &place.file(), pem)?;
    }
    for (place, pem) in leaving {
        put(root, &place.file(), pem)?;
        put(root, &(place.file() + LEAVING), b"")?;
    }
    let names = root.join("sni");
    if names.is_dir() {
        atomic::give(&names, folder)?;
        atomic::sync_folder(&names)?;
    }
    atomic::give(root, folder)?;
    atomic::sync_folder(root)?;
    fs::rename(root, paths.tls_set(number)).map_err(cannot)?;
    // It has moved: there is nothing left to remove.
    let _ = draft.keep();
    atomic::sync_folder(&sets)?;
    switch(paths, number)?;
    prune(paths, number)?;
    Ok(number)
}

fn put(root: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    let path = root.join(name);
    let cannot = |e: std::io::Error| io_error("write", &path, &e);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let mut file = File::create_new(&path).map_err(cannot)?;
    // Before the content: a key is never readable for others, not even for a moment.
    atomic::give(&path, atomic::shared(0o640, ids::MAILCTL))?;
    file.write_all(content).map_err(cannot)?;
    file.sync_all().map_err(cannot)
}

/// One rename.
fn switch(paths: &Paths, number: u32) -> Result<(), Error> {
    let live = paths.tls_live();
    let draft = paths.tls().join(".new-live");
    let cannot = |e: std::io::Error| io_error("switch", &live, &e);
    let _ = fs::remove_file(&draft);
    symlink(format!("sets/{number:04}"), &draft).map_err(cannot)?;
    fs::rename(&draft, &live).map_err(cannot)?;
    atomic::sync_folder(&paths.tls())
}

fn numbers(paths: &Paths) -> Vec<u32> {
    let entries = fs::read_dir(paths.tls_sets()).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

/// Old keys do not lie about for ever.
fn prune(paths: &Paths, live: u32) -> Result<(), Error> {
    let mut old = numbers(paths);
    old.retain(|number| *number != live);
    old.truncate(old.len().saturating_sub(KEPT));
    for number in old {
        let set = paths.tls_set(number);
        fs::remove_dir_all(&set).map_err(|e| io_error("remove", &set, &e))?;
    }
    Ok(())
}

/// What a run that was killed left: whoever writes here holds the lock, so nobody is at work on it.
fn forget_unfinished(sets: &Path) {
    for entry in fs::read_dir(sets).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(atomic::DRAFT.as_bytes()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
