//! Writing the tar: each file is digested as it passes, the manifest and the seal come last.

use super::{
    Report, Tally,
    seal::{Counted, SealedWriter},
};
use crate::plan::backup::{Entry, HEAD, Head, Kind, MANIFEST, Manifest, SEAL, TREE};
use std::{
    fs::{File, Metadata},
    io::{self, Read, Write},
    os::unix::fs::MetadataExt,
};
use tar::{Builder, EntryType, Header};

/// A backup that is being written.
pub struct Writer<'a, W: Write> {
    tar: Builder<SealedWriter<W>>,
    manifest: Manifest,
    tally: Tally,
    report: Report<'a>,
}

impl<'a, W: Write> Writer<'a, W> {
    /// Begins it.
    pub fn begin(out: W, head: Head, report: Report<'a>) -> io::Result<Self> {
        let mut tar = Builder::new(SealedWriter::new(out));
        plain(&mut tar, HEAD, &serde_json::to_vec_pretty(&head)?)?;
        let manifest = Manifest { head, entries: Vec::new() };
        Ok(Self { tar, manifest, tally: Tally::default(), report })
    }

    /// Adds a file; exactly as many octets as it has now. One that gets shorter meanwhile is an error.
    pub fn file(&mut self, path: &str, file: &mut File) -> io::Result<()> {
        let meta = file.metadata()?;
        self.content(path, meta.len(), file.take(meta.len()), &meta)
    }

    /// Adds a file with this content and the rights of `meta`.
    pub fn bytes(&mut self, path: &str, content: &[u8], meta: &Metadata) -> io::Result<()> {
        self.content(path, content.len() as u64, content, meta)
    }

    fn content(&mut self, path: &str, size: u64, content: impl Read, meta: &Metadata) -> io::Result<()> {
        let mut header = header(EntryType::Regular, meta);
        header.set_size(size);
        let mut counted = Counted::new(content);
        self.tar.append_data(&mut header, format!("{TREE}{path}"), &mut counted)?;
        let (count, sha256) = counted.end();
        if count != size {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"));
        }
        self.tally.files += 1;
        self.tally.octets += size;
        (self.report)(self.tally);
        self.note(path, Kind::File { size, sha256 }, meta);
        Ok(())
    }

    /// Adds a folder, without what is in it.
    pub fn folder(&mut self, path: &str, meta: &Metadata) -> io::Result<()> {
        let mut header = header(EntryType::Directory, meta);
        header.set_size(0);
        self.tar.append_data(&mut header, format!("{TREE}{path}/"), io::empty())?;
        self.note(path, Kind::Folder, meta);
        Ok(())
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, to: &str, meta: &Metadata) -> io::Result<()> {
        let mut header = header(EntryType::Symlink, meta);
        header.set_size(0);
        self.tar.append_link(&mut header, format!("{TREE}{path}"), to)?;
        self.note(path, Kind::Link { to: to.to_owned() }, meta);
        Ok(())
    }

    fn note(&mut self, path: &str, kind: Kind, meta: &Metadata) {
        self.manifest.entries.push(Entry {
            path: path.to_owned(),
            kind,
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            mtime: meta.mtime(),
        });
    }

    /// Writes manifest and seal.
    pub fn finish(mut self) -> io::Result<(W, Manifest)> {
        plain(&mut self.tar, MANIFEST, &serde_json::to_vec(&self.manifest)?)?;
        let digest = super::hex(&self.tar.get_ref().digest());
        plain(&mut self.tar, SEAL, format!("{digest}\n").as_bytes())?;
        let mut out = self.tar.into_inner()?.into_inner();
        out.flush()?;
        Ok((out, self.manifest))
    }
}

fn plain(tar: &mut Builder<impl Write>, name: &str, content: &[u8]) -> io::Result<()> {
    tar.append(&plain_header(name, content.len() as u64)?, content)
}

/// The header of an entry that is no file of the home.
pub(super) fn plain_header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_mode(0o600);
    header.set_size(size);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

fn header(kind: EntryType, meta: &Metadata) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(meta.mode() & 0o7777);
    header.set_uid(meta.uid().into());
    header.set_gid(meta.gid().into());
    header.set_mtime(u64::try_from(meta.mtime()).unwrap_or(0));
    header
}
