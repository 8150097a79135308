//! Domains that are served beside those of the settings.

use super::{Change, Store, fault};
use crate::{error::Error, mail::address::Domain};
use sqlx::SqliteExecutor;

async fn all(database: impl SqliteExecutor<'_>) -> Result<Vec<Domain>, Error> {
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM domain ORDER BY name")
        .fetch_all(database)
        .await
        .map_err(fault::here)?;
    names.iter().map(|name| Domain::parse(name).map_err(fault::strange)).collect()
}

impl Store {
    /// The domains of the store, sorted.
    pub async fn domains(&self) -> Result<Vec<Domain>, Error> {
        all(&self.pool).await
    }
}

impl Change {
    /// The domains of the store, as this transaction sees them.
    pub async fn domains(&mut self) -> Result<Vec<Domain>, Error> {
        all(&mut *self.transaction).await
    }

    /// Serves one more domain; `false` where it is served already.
    pub async fn add_domain(&mut self, name: &Domain, now: i64) -> Result<bool, Error> {
        sqlx::query("INSERT INTO domain (name, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(name.as_str())
            .bind(now)
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(fault::here)
    }

    /// Serves one domain less; `false` where it is not in the store.
    pub async fn remove_domain(&mut self, name: &Domain) -> Result<bool, Error> {
        sqlx::query("DELETE FROM domain WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(fault::here)
    }
}
