//! Copying all of a home but its mail. The caller holds the lock, so no command changes anything meanwhile.

use super::Writer;
use crate::{
    error::Error,
    plan::backup::{self, Part},
    world::{io_error, paths::Paths},
};
use std::{
    fs::{self, File, Metadata},
    io::{ErrorKind, Write},
    path::Path,
};

/// What a copy of the small parts needs to know.
pub struct Source<'a> {
    /// The home.
    pub paths: &'a Paths,
    /// A consistent copy of the database; `None` where there is none.
    pub database: Option<&'a Path>,
    /// The folder that backups are written to: not taken in itself.
    pub target: &'a Path,
}

/// Copies settings, state and keys; the result are things that were left out, and why.
pub fn gather<W: Write>(source: &Source, writer: &mut Writer<'_, W>) -> Result<Vec<String>, Error> {
    let mut left_out = Vec::new();
    walk(source, "", writer, &mut left_out)?;
    Ok(left_out)
}

fn walk<W: Write>(
    source: &Source,
    folder: &str,
    writer: &mut Writer<'_, W>,
    left_out: &mut Vec<String>,
) -> Result<(), Error> {
    let home = source.paths.home();
    let at = home.join(folder);
    let fail = |e: std::io::Error| io_error("read", &at, &e);
    let mut names = Vec::new();
    for entry in fs::read_dir(&at).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        match name.into_string() {
            Ok(name) => names.push(name),
            Err(name) => left_out.push(format!("{}: its name is no UTF-8", at.join(name).display())),
        }
    }
    names.sort();
    for name in names {
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if backup::part_of(&path).is_none_or(|part| part == Part::Mail) || home.join(&path) == source.target {
            continue;
        }
        let full = home.join(&path);
        let meta = match fs::symlink_metadata(&full) {
            // Written under another name and renamed: it is there under its own.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            meta => meta.map_err(|e| io_error("read", &full, &e))?,
        };
        if meta.is_dir() {
            writer.folder(&path, &meta).map_err(|e| failed(&full, &e))?;
            walk(source, &path, writer, left_out)?;
        } else if meta.is_symlink() {
            link(&full, &path, &meta, writer, left_out)?;
        } else if meta.is_file() {
            copy(source, &full, &path, &meta, writer)?;
        } else {
            left_out.push(format!("{}: neither file nor folder", full.display()));
        }
    }
    Ok(())
}

fn copy<W: Write>(
    source: &Source,
    full: &Path,
    path: &str,
    meta: &Metadata,
    writer: &mut Writer<'_, W>,
) -> Result<(), Error> {
    if path == backup::DATABASE {
        let Some(database) = source.database else { return Ok(()) };
        let content = fs::read(database).map_err(|e| io_error("read", database, &e))?;
        return writer.bytes(path, &content, meta).map_err(|e| failed(full, &e));
    }
    let mut file = File::open(full).map_err(|e| io_error("read", full, &e))?;
    writer.file(path, &mut file).map_err(|e| failed(full, &e))
}

/// A link within the home stays one. For one that leads elsewhere its file is taken: on another host there is no
/// elsewhere.
fn link<W: Write>(
    full: &Path,
    path: &str,
    meta: &Metadata,
    writer: &mut Writer<'_, W>,
    left_out: &mut Vec<String>,
) -> Result<(), Error> {
    let to = fs::read_link(full).map_err(|e| io_error("read", full, &e))?;
    if let Some(text) = to.to_str().filter(|text| backup::stays_inside(path, text)) {
        return writer.link(path, text, meta).map_err(|e| failed(full, &e));
    }
    match File::open(full).and_then(|file| Ok((file.metadata()?, file))) {
        Ok((there, mut file)) if there.is_file() => {
            writer.file(path, &mut file).map_err(|e| failed(full, &e))?;
        }
        _ => left_out.push(format!("{}: a link that leads to no file of the home", full.display())),
    }
    Ok(())
}

/// Reading and writing fail in the same call; the file that was read is named either way.
pub fn failed(file: &Path, error: &std::io::Error) -> Error {
    io_error("back up", file, error)
}
