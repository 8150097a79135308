//! What is set beside the targets of an alias or a pattern: whether it counts, until when, a note.

use super::{Change, Store, fault};
use crate::{error::Error, mail::forward::Terms};
use sqlx::SqliteExecutor;

type Row = (String, bool, Option<i64>, String);

fn terms((source, enabled, until, note): Row) -> (String, Terms) {
    (source, Terms { enabled, until, note })
}

async fn one(database: impl SqliteExecutor<'_>, source: &str) -> Result<Option<Terms>, Error> {
    let row: Option<Row> =
        sqlx::query_as("SELECT source, enabled, until, note FROM forward WHERE source = $1")
            .bind(source)
            .fetch_optional(database)
            .await
            .map_err(fault::here)?;
    Ok(row.map(|row| terms(row).1))
}

impl Store {
    /// What is set beside `source`; `None` = nothing.
    pub async fn terms(&self, source: &str) -> Result<Option<Terms>, Error> {
        one(&self.pool, source).await
    }

    /// All there are, or those of these sources, sorted.
    pub async fn all_terms(&self, sources: Option<&[&str]>) -> Result<Vec<(String, Terms)>, Error> {
        let sources = sources.map(serde_json::to_string).transpose().map_err(fault::strange)?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT source, enabled, until, note FROM forward
             WHERE $1 IS NULL OR source IN (SELECT value FROM json_each($1)) ORDER BY source",
        )
        .bind(sources)
        .fetch_all(&self.pool)
        .await
        .map_err(fault::here)?;
        Ok(rows.into_iter().map(terms).collect())
    }
}

impl Change {
    /// What is set beside `source`, as this transaction sees it.
    pub async fn terms(&mut self, source: &str) -> Result<Option<Terms>, Error> {
        one(&mut *self.transaction, source).await
    }

    /// Sets it; terms that are as if there were none take the line away.
    pub async fn set_terms(&mut self, source: &str, terms: &Terms, now: i64) -> Result<(), Error> {
        let query = if *terms == Terms::default() {
            sqlx::query("DELETE FROM forward WHERE source = $1").bind(source)
        } else {
            sqlx::query(
                "INSERT INTO forward (source, enabled, until, note, changed_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (source) DO UPDATE SET enabled = excluded.enabled, until = excluded.until,
                     note = excluded.note, changed_at = excluded.changed_at",
            )
            .bind(source)
            .bind(terms.enabled)
            .bind(terms.until)
            .bind(&terms.note)
            .bind(now)
        };
        query.execute(&mut *self.transaction).await.map(drop).map_err(fault::here)
    }
}
