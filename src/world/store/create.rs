//! Makes the database once: whole under another name, then linked to its place. A crash in between leaves
//! nothing that could be taken for an empty directory.

use super::{fault, migrations};
use crate::{
    error::Error,
    render::ids,
    world::{atomic, io_error, no_settings, paths::Paths},
};
use sqlx::{
    ConnectOptions, Connection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
};

/// Makes sure that the database is there, with the rights its readers need.
pub async fn ensure(paths: &Paths) -> Result<(), Error> {
    let file = paths.database();
    if !file.try_exists().map_err(|e| io_error("open", &file, &e))? {
        make(paths, &file).await?;
    }
    Ok(())
}

/// Looks at the file's header before SQLite does: SQLite takes an empty file for an empty database, and would
/// make one of it (<https://sqlite.org/fileformat.html#the_database_header>).
pub fn inspect(file: &Path) -> Result<(), Error> {
    let mut header = [0; 72];
    let read = File::open(file).and_then(|mut opened| {
        opened.read_exact(&mut header)?;
        opened.metadata()
    });
    let length = match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(fault::not_ours(file)),
        read => read.map_err(|e| io_error("open", file, &e))?.len(),
    };
    let ours = header.starts_with(b"SQLite format 3\0") && header.ends_with(&migrations::APPLICATION);
    if ours && (length >= promised(&header) || has_log(file)) { Ok(()) } else { Err(fault::not_ours(file)) }
}

/// Octets that the header says are there. SQLite notices a file that was cut short only where a whole page is missing.
fn promised(header: &[u8; 72]) -> u64 {
    let size = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    size * u64::from(pages)
}

/// Whether pages may still be in the write-ahead log: one that was being folded in when the power went.
fn has_log(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

async fn make(paths: &Paths, file: &Path) -> Result<(), Error> {
    if !paths.state().is_dir() {
        return Err(no_settings(paths));
    }
    let folder = paths.db_folder();
    atomic::folder(&folder, atomic::shared(0o750, ids::MAILCTL))?;
    atomic::sweep(&folder);
    let fail = |e: std::io::Error| io_error("make", file, &e);
    let draft =
        tempfile::Builder::new().prefix(atomic::DRAFT).suffix(".db").tempfile_in(&folder).map_err(fail)?;
    let fault = |e| fault::at(file, e);

    let options = SqliteConnectOptions::new().filename(draft.path()).journal_mode(SqliteJournalMode::Delete);
    let pool =
        SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(fault)?;
    migrations::run(&pool, file).await?;
    pool.close().await;
    // The mark "this is a WAL database" is in the file's header; closed in order, no companions stay behind.
    let connection = options.journal_mode(SqliteJournalMode::Wal).connect().await.map_err(fault)?;
    connection.close().await.map_err(fault)?;

    atomic::give(draft.path(), atomic::shared(0o640, ids::MAILCTL))?;
    draft.as_file().sync_all().map_err(fail)?;
    match std::fs::hard_link(draft.path(), file) {
        // Another mailctl was first; its directory is as good as ours, and it may be in use already.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(fail(error)),
        _ => {}
    }
    atomic::sync_folder(&folder)
}
