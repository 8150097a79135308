//! What SQLite says, as an [`Error`] that names the file, the cause and the next command.

use crate::error::{Code, Error, codes};
use sqlx::migrate::MigrateError;
use std::path::Path;

/// A failure of the database in `file`.
pub fn at(file: &Path, error: sqlx::Error) -> Error {
    let (code, what) = kind(&error);
    advise(Error::new(code, format!("{what}: {}", file.display())).cause(plain(&error)))
}

/// The same where the file is not at hand.
pub fn here(error: sqlx::Error) -> Error {
    let (code, what) = kind(&error);
    advise(Error::new(code, what).cause(plain(&error)))
}

/// The file is a database, but not a directory of mailctl's, or one that was emptied.
pub fn not_ours(file: &Path) -> Error {
    advise(
        Error::new(codes::STORE_DAMAGED, format!("the directory database is damaged: {}", file.display()))
            .cause("it is empty, or was not made by mailctl"),
    )
}

/// A row that no mailctl can have written.
pub fn strange(what: impl std::fmt::Display) -> Error {
    advise(Error::new(codes::STORE_DAMAGED, "the directory database is damaged").cause(what))
}

fn advise(error: Error) -> Error {
    match error.code() {
        codes::STORE_DAMAGED => error
            .hint("put a backup in its place; nothing was changed, and the daemon keeps its last good copy"),
        codes::LOCKED => error.hint("repeat the command in a moment"),
        _ => error,
    }
}

fn plain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}

/// SQLite's primary result codes (<https://sqlite.org/rescode.html>) are the low eight bits.
fn kind(error: &sqlx::Error) -> (Code, &'static str) {
    const DAMAGED: (Code, &str) = (codes::STORE_DAMAGED, "the directory database is damaged");
    if let sqlx::Error::Migrate(error) = error
        && let MigrateError::Execute(within) | MigrateError::ExecuteMigration(within, _) = &**error
    {
        return kind(within);
    }
    let status = match error {
        sqlx::Error::Database(error) => error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => return DAMAGED,
        sqlx::Error::Migrate(_) => {
            return (codes::STORE_DAMAGED, "the directory database cannot be brought up to date");
        }
        _ => 0,
    };
    match status & 0xff {
        5 | 6 => (codes::LOCKED, "the directory database is in use"),
        11 | 26 => DAMAGED,
        1 => DAMAGED, // no such table or column: our own texts are tested, so the schema is not what it says
        3 | 8 | 10 | 13 | 14 => (codes::IO, "cannot read or write the directory database"),
        _ => (codes::BUG, "the directory database refused"),
    }
}
