//! Consistent copies of a database that others are using.

use super::{create, fault, migrations};
use crate::{
    error::{Error, codes},
    world::{atomic, io_error, paths::Paths},
};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// Writes the database in `file` as it is in one moment into `copy`, where there must be nothing or an empty file.
/// Never a copy of the file: the newest changes are in its companion. The result is its schema, which may be older
/// or newer than ours.
pub async fn copy(file: &Path, copy: &Path) -> Result<i64, Error> {
    create::inspect(file)?;
    let fault = |e| fault::at(file, e);
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(super::PATIENCE);
    let mut connection = options.connect().await.map_err(fault)?;
    let schema = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await.map_err(fault)?;
    sqlx::query("VACUUM INTO $1")
        .bind(copy.display().to_string())
        .execute(&mut connection)
        .await
        .map_err(fault)?;
    connection.close().await.map_err(fault)?;
    Ok(schema)
}

/// Keeps a copy of the database in the form that it has now, for going back: `state/directory-schema-N.db`. One
/// that is there already is of an upgrade that was taken back, and older than this one.
pub async fn keep(paths: &Paths, schema: i64) -> Result<PathBuf, Error> {
    let kept = paths.database_of_schema(schema);
    let fail = |e: std::io::Error| io_error("write", &kept, &e);
    atomic::sweep(&paths.state());
    let draft = tempfile::Builder::new()
        .prefix(atomic::DRAFT)
        .suffix(".db")
        .tempfile_in(paths.state())
        .map_err(fail)?;
    copy(&paths.database(), draft.path()).await.map_err(|error| {
        Error::new(codes::IO, "the directory is of an older mailctl, and no copy of it could be kept")
            .cause(&error)
            .cause("it was left as it is")
            .hint("make room on the disk, then repeat the command")
    })?;
    File::open(draft.path()).and_then(|file| file.sync_all()).map_err(fail)?;
    draft.persist(&kept).map_err(|e| fail(e.error))?;
    atomic::sync_folder(&paths.state())?;
    Ok(kept)
}

/// Whether a database is so old that this mailctl changes its form.
pub fn is_older(schema: i64) -> bool {
    schema < migrations::SCHEMA
}
