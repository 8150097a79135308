//! Rules of forwards.

use super::{Change, Store, fault};
use crate::{error::Error, mail::rule::Rule};

/// Source, number, priority, whether it counts, conditions and action as they are kept.
pub type Row = (String, i64, i64, bool, String, String);

/// Those of one source, in the order in which they are asked.
pub(super) const OF_SOURCE: &str =
    "SELECT source, id, priority, enabled, conditions, action FROM forward_rule
     WHERE source = $1 ORDER BY priority, id";

/// The rule of a row; `Err`: why it cannot be read.
pub fn read((_, id, priority, enabled, conditions, action): &Row) -> Result<Rule, String> {
    Rule::read(*id, *priority, *enabled, conditions, action)
}

fn all(rows: &[Row]) -> Result<Vec<Rule>, Error> {
    rows.iter().map(|row| read(row).map_err(fault::strange)).collect()
}

impl Store {
    /// Of all sources, or of these; by source, then in the order in which they are asked.
    pub async fn rules(&self, sources: Option<&[&str]>) -> Result<Vec<Row>, Error> {
        let sources = sources.map(serde_json::to_string).transpose().map_err(fault::strange)?;
        sqlx::query_as(
            "SELECT source, id, priority, enabled, conditions, action FROM forward_rule
             WHERE $1 IS NULL OR source IN (SELECT value FROM json_each($1)) ORDER BY source, priority, id",
        )
        .bind(sources)
        .fetch_all(&self.pool)
        .await
        .map_err(fault::here)
    }
}

impl Change {
    /// Those of `source`, in the order in which they are asked.
    pub async fn rules_of(&mut self, source: &str) -> Result<Vec<Rule>, Error> {
        let rows: Vec<Row> = sqlx::query_as(OF_SOURCE)
            .bind(source)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(fault::here)?;
        all(&rows)
    }

    /// The rule of this number, and its source.
    pub async fn rule(&mut self, id: i64) -> Result<Option<(String, Rule)>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT source, id, priority, enabled, conditions, action FROM forward_rule WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *self.transaction)
        .await
        .map_err(fault::here)?;
        row.map(|row| Ok((row.0.clone(), read(&row).map_err(fault::strange)?))).transpose()
    }

    /// Adds it; the number that it gets.
    pub async fn add_rule(&mut self, source: &str, rule: &Rule, now: i64) -> Result<i64, Error> {
        let (conditions, action) = rule.stored().map_err(fault::strange)?;
        sqlx::query_scalar(
            "INSERT INTO forward_rule (source, priority, enabled, conditions, action, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        )
        .bind(source)
        .bind(i64::from(rule.priority))
        .bind(rule.enabled)
        .bind(conditions)
        .bind(action)
        .bind(now)
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(fault::here)
    }

    /// Gives it this priority, and switches it.
    pub async fn set_rule(&mut self, id: i64, priority: u16, enabled: bool) -> Result<(), Error> {
        sqlx::query("UPDATE forward_rule SET priority = $2, enabled = $3 WHERE id = $1")
            .bind(id)
            .bind(i64::from(priority))
            .bind(enabled)
            .execute(&mut *self.transaction)
            .await
            .map(drop)
            .map_err(fault::here)
    }

    /// Removes it.
    pub async fn remove_rule(&mut self, id: i64) -> Result<(), Error> {
        sqlx::query("DELETE FROM forward_rule WHERE id = $1")
            .bind(id)
            .execute(&mut *self.transaction)
            .await
            .map(drop)
            .map_err(fault::here)
    }
}
