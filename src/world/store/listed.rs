//! Entries of the block and allow lists that commands made.

use super::{Change, Store, fault};
use crate::{
    error::Error,
    mail::list::{Entry, Key, Origin, Way},
};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it does.
    pub way: Way,
    /// Whom it is on.
    pub key: Key,
    /// Beside it; "" = nothing.
    pub comment: String,
    /// The first second since 1970 at which it counts no more; `None` = it stays.
    pub until: Option<i64>,
}

/// What became of one that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is new.
    Added,
    /// It has another comment or another end now.
    Changed,
    /// It was there just so.
    Same,
}

impl Listed {
    /// For looking up.
    pub fn entry(&self) -> Entry {
        Entry {
            way: self.way,
            key: self.key.clone(),
            origin: Origin::Command,
            comment: self.comment.as_str().into(),
        }
    }
}

type Row = (String, String, String, Option<i64>);

fn listed((entry, way, comment, until): Row) -> Result<Listed, Error> {
    let key = entry.parse().map_err(fault::strange)?;
    Ok(Listed { way: way.parse().map_err(fault::strange)?, key, comment, until })
}

impl Store {
    /// All that count at `now`, in seconds since 1970, sorted.
    pub async fn listed(&self, now: i64) -> Result<Vec<Listed>, Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT entry, way, comment, until FROM list_entry WHERE until IS NULL OR until > $1
             ORDER BY way, entry",
        )
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(fault::here)?;
        rows.into_iter().map(listed).collect()
    }
}

impl Change {
    /// The entry on this, if it counts at `now`.
    pub async fn listed(&mut self, way: Way, key: &Key, now: i64) -> Result<Option<Listed>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT entry, way, comment, until FROM list_entry
             WHERE entry = $1 AND way = $2 AND (until IS NULL OR until > $3)",
        )
        .bind(key.to_string())
        .bind(way.name())
        .bind(now)
        .fetch_optional(&mut *self.transaction)
        .await
        .map_err(fault::here)?;
        row.map(listed).transpose()
    }

    /// Adds it, or gives it another comment and another end. Those that are over go.
    pub async fn list(&mut self, new: &Listed, now: i64) -> Result<Put, Error> {
        sqlx::query("DELETE FROM list_entry WHERE until <= $1")
            .bind(now)
            .execute(&mut *self.transaction)
            .await
            .map_err(fault::here)?;
        let before = self.listed(new.way, &new.key, now).await?;
        if before.as_ref() == Some(new) {
            return Ok(Put::Same);
        }
        sqlx::query(
            "INSERT INTO list_entry (entry, way, comment, until, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (entry, way) DO UPDATE SET comment = excluded.comment, until = excluded.until",
        )
        .bind(new.key.to_string())
        .bind(new.way.name())
        .bind(&new.comment)
        .bind(new.until)
        .bind(now)
        .execute(&mut *self.transaction)
        .await
        .map_err(fault::here)?;
        Ok(if before.is_some() { Put::Changed } else { Put::Added })
    }

    /// Removes it; `false` where it was not there.
    pub async fn unlist(&mut self, way: Way, key: &Key) -> Result<bool, Error> {
        sqlx::query("DELETE FROM list_entry WHERE entry = $1 AND way = $2")
            .bind(key.to_string())
            .bind(way.name())
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(fault::here)
    }
}
