//! `Store`: the directory database (SQLite), what commands change and mailctld and Dovecot read.
//!
//! The rules that keep three kinds of readers happy (`mailctl help directory`):
//! - WAL with PERSIST_WAL: `-wal` and `-shm` stay when the last writer leaves, for a reader on a read-only
//!   mount cannot make them. They take mode and owner of the database: 0640 root:mailctl, in its own folder.
//! - `synchronous=FULL`: what a person was told is done survives a power cut.
//! - The file is never replaced: readers would keep the old one open. It is made once, under another name.

mod alias;
mod changelog;
mod copy;
mod create;
mod domain;
mod fault;
mod forward;
mod forwards;
mod listed;
mod lookup;
mod mailbox;
mod migrations;
mod page;
mod pattern;
mod persist;
mod right;
pub mod rules;
mod signing;
mod stage;
mod whole;

pub use alias::Alias;
pub use changelog::{Entry, Kind};
pub use copy::copy;
pub use forwards::{Filter, Forwards};
pub use listed::{Listed, Put};
pub use lookup::Lookup;
pub use mailbox::{Mailbox, NewMailbox};
pub use migrations::SCHEMA;
pub use page::Page;
pub use whole::Row;

use super::{World, io_error, no_settings, paths::Paths};
use crate::error::{Error, codes};
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// How long a statement waits for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(10);
/// Rows travel to us over a channel; listings are fetched in pages of thousands.
const ROWS: usize = 1024;

/// The open directory database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    /// The database's schema; more than [`migrations::SCHEMA`] when a newer mailctl made it.
    schema: i64,
}

impl World {
    /// Opens the directory database; makes it or brings it to this version's schema where needed.
    pub async fn store(&self) -> Result<Store, Error> {
        Store::open(&self.paths).await
    }

    /// For commands that only look: makes nothing and brings nothing up to date. Where there is no directory
    /// yet, an empty one.
    pub async fn store_to_read(&self) -> Result<Store, Error> {
        let file = self.paths.database();
        if file.try_exists().map_err(|e| io_error("open", &file, &e))? {
            Store::read_only(&file).await
        } else if self.paths.state().is_dir() {
            Store::empty().await
        } else {
            Err(no_settings(&self.paths))
        }
    }
}

impl Store {
    /// For commands: reads and writes.
    pub async fn open(paths: &Paths) -> Result<Self, Error> {
        let file = paths.database();
        create::ensure(paths).await?;
        let store = Self::connect(&file, Self::options(&file)).await?;
        if copy::is_older(store.schema) {
            copy::keep(paths, store.schema).await?;
            migrations::run(&store.pool, &file).await?;
            return Ok(Self { schema: migrations::SCHEMA, ..store });
        }
        Ok(store)
    }

    /// For the daemon, on a mount that can only be read, and for commands that only look.
    pub async fn read_only(file: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            .busy_timeout(PATIENCE)
            .row_buffer_size(ROWS);
        let store = Self::connect(file, options).await?;
        if store.schema < migrations::SCHEMA {
            return Err(Error::new(codes::STORE_OLDER, format!("{} is of an older mailctl", file.display()))
                .cause(format!(
                    "its schema is {}, this mailctl works with {}",
                    store.schema,
                    migrations::SCHEMA
                ))
                .cause("looking changes nothing, so it was left as it is")
                .hint("mailctl up     (brings it up to date and the stack with it)"));
        }
        Ok(store)
    }

    /// A directory with nothing in it, in memory.
    async fn empty() -> Result<Self, Error> {
        let nowhere = Path::new(":memory:");
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await
            .map_err(|e| fault::at(nowhere, e))?;
        migrations::run(&pool, nowhere).await?;
        Ok(Self { pool, schema: migrations::SCHEMA })
    }

    fn options(file: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(false)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE)
            // A log that stays keeps its size, and the first to open it reads all of it: after an import of a
            // million aliases every command took 60 ms more. With a limit it is cut at the last close.
            .pragma("journal_size_limit", "4194304")
            .row_buffer_size(ROWS)
    }

    async fn connect(file: &Path, options: SqliteConnectOptions) -> Result<Self, Error> {
        let fault = |e| fault::at(file, e);
        create::inspect(file)?;
        let pool = SqlitePoolOptions::new()
            // One: `PRAGMA data_version` and an open transaction both belong to a connection.
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(persist::keep_companions(connection)))
            .connect_with(options)
            .await
            .map_err(fault)?;
        let schema = sqlx::query_scalar("PRAGMA user_version").fetch_one(&pool).await.map_err(fault)?;
        Ok(Self { pool, schema })
    }

    /// Begins the one transaction of a command that changes something; refuses on a newer mailctl's state.
    pub async fn begin(&self) -> Result<Change, Error> {
        if self.schema > migrations::SCHEMA {
            let what = "the directory was made by a newer mailctl, so this one only reads it";
            return Err(Error::new(codes::STORE_NEWER, what)
                .cause(format!("its schema is {}, this mailctl knows {}", self.schema, migrations::SCHEMA))
                .hint("install the newer mailctl again, then repeat the command"));
        }
        Ok(Change { transaction: self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(fault::here)? })
    }

    /// Closes the connection in order: the write-ahead log is folded into the database.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// A transaction: everything in it is done, or nothing. Dropped without [`Change::commit`], nothing.
pub struct Change {
    transaction: Transaction<'static, Sqlite>,
}

impl Change {
    /// Makes it lasting; returns after the disk has it.
    pub async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await.map_err(fault::here)
    }

    /// Leaves everything as it was (`--dry-run`).
    pub async fn undo(self) -> Result<(), Error> {
        self.transaction.rollback().await.map_err(fault::here)
    }
}

#[cfg(test)]
mod tests;
