//! Sending rights: what logins may send as beside their own addresses.

use super::{Change, Store, fault};
use crate::{
    error::Error,
    mail::{address::Address, alias::Source},
};

impl Store {
    /// What was granted to a login, sorted.
    pub async fn rights_of(&self, login: &Address) -> Result<Vec<Source>, Error> {
        let texts: Vec<String> =
            sqlx::query_scalar("SELECT source FROM sending_right WHERE login = $1 ORDER BY source")
                .bind(login.to_string())
                .fetch_all(&self.pool)
                .await
                .map_err(fault::here)?;
        texts.iter().map(|text| Source::parse(text).map_err(fault::strange)).collect()
    }

    /// Every right, as source and login, sorted.
    pub async fn rights(&self) -> Result<Vec<(String, String)>, Error> {
        sqlx::query_as("SELECT source, login FROM sending_right ORDER BY source, login")
            .fetch_all(&self.pool)
            .await
            .map_err(fault::here)
    }
}

impl Change {
    /// Grants it; `false` where it is granted already.
    pub async fn grant(&mut self, login: &Address, source: &Source, created_at: i64) -> Result<bool, Error> {
        sqlx::query(
            "INSERT INTO sending_right (source, login, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(source.to_string())
        .bind(login.to_string())
        .bind(created_at)
        .execute(&mut *self.transaction)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(fault::here)
    }

    /// Takes it back; `false` where it was not granted.
    pub async fn revoke(&mut self, login: &Address, source: &Source) -> Result<bool, Error> {
        sqlx::query("DELETE FROM sending_right WHERE source = $1 AND login = $2")
            .bind(source.to_string())
            .bind(login.to_string())
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(fault::here)
    }
}
