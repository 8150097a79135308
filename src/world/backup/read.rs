//! Reading a backup wholly, and believing it only then.

use super::{
    Key, Report, Tally, cipher, damaged,
    seal::{Counted, SealedReader},
    write::plain_header,
};
use crate::{
    error::{Error, codes},
    plan::backup::{Entry, FORMAT, HEAD, Head, Kind, MANIFEST, Manifest, SEAL, TREE},
    world::{io_error, store},
};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};
use tar::{Archive, EntryType};

/// A head is a few hundred octets; a manifest at most a few hundred for each file.
const LONGEST_HEAD: u64 = 1 << 20;
const LONGEST_MANIFEST: u64 = 4 << 30;

/// Whether a key is needed to read it.
pub fn is_encrypted(file: &Path) -> Result<bool, Error> {
    let mut start = vec![0; cipher::MAGIC.len()];
    match File::open(file).and_then(|mut opened| opened.read_exact(&mut start)) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| start == cipher::MAGIC).map_err(|e| io_error("read", file, &e)),
    }
}

/// The tar in `file`.
pub(super) fn open(file: &Path, key: Option<&Key>) -> Result<Box<dyn Read>, Error> {
    let opened = File::open(file).map_err(|e| io_error("read", file, &e))?;
    let input = BufReader::with_capacity(256 * 1024, opened);
    match (is_encrypted(file)?, key) {
        (false, _) => Ok(Box::new(input)),
        (true, Some(key)) => Ok(Box::new(key.open(input, file)?)),
        (true, None) => Err(Error::new(codes::BACKUP_LOCKED, format!("{} is encrypted", file.display()))
            .hint(
                "give the private key with --identity FILE, or the passphrase with --passphrase-file FILE",
            )),
    }
}

/// Reads all of it. What comes back holds in every octet: seal, manifest and files agree.
pub fn check(file: &Path, key: Option<&Key>, report: Report<'_>) -> Result<Manifest, Error> {
    let mut input = SealedReader::new(open(file, key)?);
    let manifest = read(&mut input, file, report)?;
    let bad = |why: &dyn std::fmt::Display| damaged(file, why);
    let mut rest = [0; 4096];
    loop {
        match input.read(&mut rest).map_err(|e| bad(&e))? {
            0 => break,
            count if rest[..count].iter().all(|octet| *octet == 0) => {}
            _ => return Err(bad(&"something follows its end")),
        }
    }
    match manifest.fault() {
        Some(why) => Err(bad(&why)),
        None => Ok(manifest),
    }
}

fn read(input: &mut SealedReader<Box<dyn Read>>, file: &Path, report: Report<'_>) -> Result<Manifest, Error> {
    let bad = |why: &dyn std::fmt::Display| damaged(file, why);
    let mut tally = Tally::default();
    let mut found: Vec<(String, Kind)> = Vec::new();
    let mut head: Option<Head> = None;
    let mut manifest: Option<Manifest> = None;
    // The archive borrows its reader for good, but the seal is to be asked in between.
    let shared = std::cell::RefCell::new(input);
    let mut archive = Archive::new(Shared(&shared));
    for entry in archive.entries().map_err(|e| bad(&e))? {
        let mut entry = entry.map_err(|e| bad(&e))?;
        let path = String::from_utf8(entry.path_bytes().into_owned()).map_err(|e| bad(&e))?;
        let kind = entry.header().entry_type();
        match (path.as_str(), &head, &manifest) {
            (HEAD, None, _) => head = Some(header(&mut entry, file)?),
            (_, None, _) => return Err(bad(&"it was not made by mailctl")),
            (MANIFEST, Some(_), None) => {
                let text = limited(&mut entry, LONGEST_MANIFEST).map_err(|e| bad(&e))?;
                manifest = Some(serde_json::from_slice(&text).map_err(|e| bad(&e))?);
            }
            (SEAL, Some(head), Some(manifest)) => {
                let digest = super::hex(&shared.borrow().digest());
                // The one header that the seal does not cover.
                let wanted = plain_header(SEAL, digest.len() as u64 + 1).map_err(|e| bad(&e))?;
                let same = entry.header().as_bytes() == wanted.as_bytes();
                let text = limited(&mut entry, 1024).map_err(|e| bad(&e))?;
                if !same || text != format!("{digest}\n").as_bytes() {
                    return Err(bad(&"its seal does not hold: it was changed after it was made"));
                }
                return agreed(head, manifest, &found).map_err(|why| bad(&why));
            }
            (path, Some(_), None) if path.starts_with(TREE) => {
                let path = path[TREE.len()..].trim_end_matches('/').to_owned();
                found.push((path, of_kind(&mut entry, kind).map_err(|e| bad(&e))?));
                if let Some((_, Kind::File { size, .. })) = found.last() {
                    tally.files += 1;
                    tally.octets += size;
                    report(tally);
                }
            }
            (path, ..) => return Err(bad(&format!("nobody knows what {path:?} is in it"))),
        }
    }
    Err(bad(&"it ends before its end"))
}

struct Shared<'a, R>(&'a std::cell::RefCell<&'a mut R>);

impl<R: Read> Read for Shared<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

fn of_kind(entry: &mut tar::Entry<'_, impl Read>, kind: EntryType) -> io::Result<Kind> {
    match kind {
        EntryType::Regular => {
            let mut counted = Counted::new(entry);
            io::copy(&mut counted, &mut io::sink())?;
            let (size, sha256) = counted.end();
            Ok(Kind::File { size, sha256 })
        }
        EntryType::Directory => Ok(Kind::Folder),
        EntryType::Symlink => {
            let to = entry.link_name_bytes().unwrap_or_default().into_owned();
            Ok(Kind::Link { to: String::from_utf8(to).map_err(io::Error::other)? })
        }
        _ => Err(io::Error::other("it holds something that is neither file, folder nor link")),
    }
}

/// The head says whether the rest can be understood.
fn header(entry: &mut impl Read, file: &Path) -> Result<Head, Error> {
    let text = limited(entry, LONGEST_HEAD).map_err(|e| damaged(file, e))?;
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|e| damaged(file, e))?;
    let format = value["format"].as_u64().unwrap_or_default();
    let version = value["mailctl"].as_str().unwrap_or("?");
    if format > u64::from(FORMAT) {
        let made = format!("{} was made by mailctl {version}, in a newer form", file.display());
        return Err(Error::new(codes::BACKUP_NEWER, made)
            .cause(format!("its form is {format}, this mailctl reads up to {FORMAT}"))
            .hint("install a newer mailctl, then repeat the command"));
    }
    let head: Head = serde_json::from_value(value).map_err(|e| damaged(file, e))?;
    Ok(head)
}

/// Refuses a state that this mailctl would not write to.
pub fn readable_state(head: &Head, file: &Path) -> Result<(), Error> {
    match head.schema {
        Some(schema) if schema > store::SCHEMA => Err(Error::new(
            codes::STORE_NEWER,
            format!("{} holds the state of a newer mailctl", file.display()),
        )
        .cause(format!(
            "it was made by mailctl {}; its schema is {schema}, this mailctl knows {}",
            head.mailctl,
            store::SCHEMA
        ))
        .hint("install that mailctl or a newer one, then repeat the command")),
        _ => Ok(()),
    }
}

fn limited(entry: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let count = entry.take(most + 1).read_to_end(&mut content)?;
    if count as u64 > most { Err(io::Error::other("a part of it is too long")) } else { Ok(content) }
}

/// Head, manifest and what was found must be one and the same.
fn agreed(head: &Head, manifest: &Manifest, found: &[(String, Kind)]) -> Result<Manifest, String> {
    if *head != manifest.head {
        return Err("its two descriptions differ".to_owned());
    }
    if manifest.entries.len() != found.len() {
        return Err(format!("{} entries were listed, {} are there", manifest.entries.len(), found.len()));
    }
    let differs =
        |(wanted, (path, kind)): &(&Entry, &(String, Kind))| wanted.path != *path || wanted.kind != *kind;
    match manifest.entries.iter().zip(found).find(differs) {
        Some((wanted, _)) => Err(format!("{} is not as it was", wanted.path)),
        None => Ok(manifest.clone()),
    }
}
