//! The operator's lists in files: `lists/*.block` and `lists/*.allow` of a home, read anew when they change.

use super::World;
use crate::mail::list::{Table, Way, file};
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Octets of one file at most: a million networks with their comments.
const LARGEST: u64 = 64 << 20;

/// All files of the folder, each as it was when it was last good.
pub struct Shelf {
    folder: PathBuf,
    files: BTreeMap<String, Shown>,
    /// Why the folder cannot be read.
    shut: Option<String>,
}

/// One file.
struct Shown {
    seen: Option<Signature>,
    table: Arc<Table>,
    /// Whether the table is all of some state of the file.
    whole: bool,
    trouble: Option<Trouble>,
}

/// Something in the folder that does not count as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The file's name; the folder's own where that cannot be read.
    pub file: String,
    /// What is wrong; with the line, where it is one.
    pub what: String,
    /// What counts instead.
    pub instead: &'static str,
}

/// Tells one state of a file from another: a rename changes the inode, writing the times.
type Signature = (u64, u64, u64, (i64, i64), (i64, i64));

const BEFORE: &str = "what was in it before counts";
const GOOD_LINES: &str = "its other lines count";
const NOTHING: &str = "nothing in it counts";

impl World {
    /// The files of this home, read now.
    pub fn lists(&self) -> Shelf {
        let mut shelf = Shelf::new(self.paths.lists());
        shelf.look();
        shelf
    }
}

impl Shelf {
    /// Nothing of it is read yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, files: BTreeMap::new(), shut: None }
    }

    /// Reads what is another than it was; whether anything is.
    pub fn look(&mut self) -> bool {
        let names = match names(&self.folder) {
            Ok(names) => names,
            Err(error) => {
                let why = unreadable(&self.folder, &error);
                let new = self.shut.as_ref() != Some(&why);
                self.shut = Some(why);
                return new;
            }
        };
        let mut changed = self.shut.take().is_some();
        let before = self.files.len();
        self.files.retain(|name, _| names.contains_key(name));
        changed |= self.files.len() != before;
        for (name, way) in names {
            let path = self.folder.join(&name);
            // Before it is read: what is written meanwhile is seen the next time.
            let seen = signature(&path);
            let old = self.files.get(&name);
            if old.is_some_and(|old| old.seen == seen && seen.is_some()) {
                continue;
            }
            let new = Shown::read(&path, &name, way, seen, old);
            // A file that cannot be read is tried each time, and told once.
            changed |=
                old.is_none_or(|old| !Arc::ptr_eq(&old.table, &new.table) || old.trouble != new.trouble);
            self.files.insert(name, new);
        }
        changed
    }

    /// The tables of all files, by name.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &Arc<Table>)> {
        self.files.iter().map(|(name, file)| (name.as_str(), &file.table))
    }

    /// Everything that does not count as it stands.
    pub fn troubles(&self) -> Vec<Trouble> {
        let shut = self.shut.iter().map(|why| Trouble {
            file: "lists".to_owned(),
            what: why.clone(),
            instead: BEFORE,
        });
        shut.chain(self.files.values().filter_map(|file| file.trouble.clone())).collect()
    }
}

impl Shown {
    fn read(path: &Path, name: &str, way: Way, seen: Option<Signature>, old: Option<&Self>) -> Self {
        let before = old.filter(|old| old.whole).map(|old| old.table.clone());
        let trouble = |what: String, instead| Some(Trouble { file: name.to_owned(), what, instead });
        let text = match octets(path) {
            Ok(text) => text,
            Err(error) => {
                let instead = if before.is_some() { BEFORE } else { NOTHING };
                let (whole, table) = (before.is_some(), before.unwrap_or_default());
                return Self {
                    seen: None,
                    table,
                    whole,
                    trouble: trouble(unreadable(path, &error), instead),
                };
            }
        };
        let read = file::read(name, way, &text);
        drop(text);
        let Some(first) = read.faults.first() else {
            return Self { seen, table: Arc::new(Table::new(read.entries)), whole: true, trouble: None };
        };
        let others = if read.faulty > 1 { format!(" (and {} more)", read.faulty - 1) } else { String::new() };
        let what = format!("{first}{others}");
        match before {
            Some(table) => Self { seen, table, whole: true, trouble: trouble(what, BEFORE) },
            // Since the start it was never whole: what can be read of it is better than nothing.
            None => {
                let table = Arc::new(Table::new(read.entries));
                Self { seen, table, whole: false, trouble: trouble(what, GOOD_LINES) }
            }
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "; it must be readable for mailctld: chmod 644",
        _ => "",
    };
    format!("{} cannot be read: {error}{remedy}", path.display())
}

/// The lists in a folder; none where there is no folder yet.
fn names(folder: &Path) -> io::Result<BTreeMap<String, Way>> {
    let mut names = BTreeMap::new();
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        found => found?,
    };
    for entry in found {
        if let Ok(name) = entry?.file_name().into_string()
            && let Some(way) = file::way(&name)
        {
            names.insert(name, way);
        }
    }
    Ok(names)
}

fn signature(path: &Path) -> Option<Signature> {
    let file = fs::metadata(path).ok()?;
    let times = ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
    Some((file.dev(), file.ino(), file.len(), times.0, times.1))
}

fn octets(path: &Path) -> io::Result<Vec<u8>> {
    let file = fs::metadata(path)?;
    if !file.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if file.len() > LARGEST {
        return Err(io::Error::other(format!("it is longer than {} MiB", LARGEST >> 20)));
    }
    fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(shelf: &Shelf) -> Vec<String> {
        shelf.tables().flat_map(|(_, table)| table.entries()).map(ToString::to_string).collect()
    }

    /// Proves: issue 6: a file is read again when it changes; a broken one takes nothing down, itself included.
    #[test]
    fn a_broken_file_leaves_what_was_good() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("lists");
        let mut shelf = Shelf::new(folder.clone());
        assert!(!shelf.look(), "there need not be a folder");
        fs::create_dir(&folder).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("a.block", "192.0.2.0/24 ; one\n");
        write("b.allow", "192.0.2.7\n");
        write("notes.txt", "nonsense");
        write(".c.block", "nonsense");
        assert!(shelf.look() && !shelf.look());
        assert_eq!(
            told(&shelf),
            ["block 192.0.2.0/24 (lists/a.block:1, one)", "allow 192.0.2.7 (lists/b.allow:1)"]
        );

        write("a.block", "198.51.100.0/24\nnonsense\nand more\n");
        assert!(shelf.look() && !shelf.look());
        assert_eq!(told(&shelf)[0], "block 192.0.2.0/24 (lists/a.block:1, one)");
        let [trouble] = &shelf.troubles()[..] else { panic!("{:?}", shelf.troubles()) };
        assert_eq!((trouble.file.as_str(), trouble.instead), ("a.block", BEFORE));
        assert!(trouble.what.starts_with("line 2: \"nonsense\" is no entry"), "{trouble:?}");
        assert!(trouble.what.ends_with("(and 1 more)"), "{trouble:?}");
        // Who comes new has no state before: the good lines are better than nothing.
        let mut fresh = Shelf::new(folder.clone());
        fresh.look();
        assert_eq!(told(&fresh)[0], "block 198.51.100.0/24 (lists/a.block:1)");
        assert_eq!(fresh.troubles()[0].instead, GOOD_LINES);

        write("a.block", "198.51.100.0/24\n");
        assert!(shelf.look() && shelf.troubles().is_empty());
        assert_eq!(told(&shelf)[0], "block 198.51.100.0/24 (lists/a.block:1)");
        fs::remove_file(folder.join("a.block")).unwrap();
        assert!(shelf.look());
        assert_eq!(told(&shelf), ["allow 192.0.2.7 (lists/b.allow:1)"]);
        // A folder in its place cannot be read, whoever tries.
        fs::remove_file(folder.join("b.allow")).unwrap();
        fs::create_dir(folder.join("b.allow")).unwrap();
        assert!(shelf.look() && !shelf.look());
        assert_eq!(told(&shelf), ["allow 192.0.2.7 (lists/b.allow:1)"]);
        assert!(shelf.troubles()[0].what.contains("b.allow cannot be read: it is no file"));
    }
}
