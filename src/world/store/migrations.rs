//! The database's schema, step by step. A step that was released is never edited; a new one is added.

use super::fault;
use crate::error::Error;
use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};
use std::path::Path;

/// `PRAGMA user_version` of this mailctl: the last step below.
pub const SCHEMA: i64 = 6;

/// `PRAGMA application_id`: "mctl".
pub const APPLICATION: [u8; 4] = *b"mctl";

fn steps() -> Migrator {
    let step = |number, title: &'static str, sql: &'static str| {
        Migration::new(number, title.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        step(1, "directory", include_str!("migrations/0001_directory.sql")),
        step(2, "signing by algorithm", include_str!("migrations/0002_signing_by_algorithm.sql")),
        step(3, "stages of DKIM keys", include_str!("migrations/0003_dkim_stage.sql")),
        step(4, "sending rights", include_str!("migrations/0004_sending_rights.sql")),
        step(5, "list entries", include_str!("migrations/0005_list_entries.sql")),
        step(6, "forwards", include_str!("migrations/0006_forwards.sql")),
    ])
}

/// A database as the first mailctl made it.
#[cfg(test)]
pub async fn first(pool: &SqlitePool) {
    let first = steps().iter().next().cloned();
    Migrator::with_migrations(first.into_iter().collect())
        .run(pool)
        .await
        .expect("an empty database takes it");
}

/// Brings the database to [`SCHEMA`]; each step is one transaction.
pub async fn run(pool: &SqlitePool, file: &Path) -> Result<(), Error> {
    let Err(error) = steps().run(pool).await else { return Ok(()) };
    // Another mailctl may have been at it at the same moment: then all is well.
    let schema: Result<i64, _> = sqlx::query_scalar("PRAGMA user_version").fetch_one(pool).await;
    match schema {
        Ok(SCHEMA) => Ok(()),
        _ => Err(fault::at(file, error.into())),
    }
}
