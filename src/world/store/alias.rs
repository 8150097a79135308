//! Aliases: where mail goes that has no mailbox of its own.

use super::{Change, Page, Store, fault};
use crate::{
    error::Error,
    mail::{address::Address, alias::Source},
};
use sqlx::SqliteExecutor;

/// One line of the table: a source has as many as it has targets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Alias {
    /// What it stands for.
    pub source: Source,
    /// Where its mail goes: here or elsewhere.
    pub target: Address,
}

async fn texts(
    database: impl SqliteExecutor<'_>,
    sql: &'static str,
    key: String,
) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(sql).bind(key).fetch_all(database).await.map_err(fault::here)
}

fn addresses(texts: Vec<String>) -> Result<Vec<Address>, Error> {
    texts.iter().map(|text| Address::parse(text).map_err(fault::strange)).collect()
}

const TARGETS: &str = "SELECT target FROM alias WHERE source = $1 ORDER BY target";
const SOURCES: &str = "SELECT source FROM alias WHERE target = $1 ORDER BY source";

impl Store {
    /// Where mail for `source` goes, sorted; empty where there is no such alias.
    pub async fn targets(&self, source: &Source) -> Result<Vec<Address>, Error> {
        addresses(texts(&self.pool, TARGETS, source.to_string()).await?)
    }

    /// The aliases that name `target`, sorted.
    pub async fn sources(&self, target: &Address) -> Result<Vec<Source>, Error> {
        let texts = texts(&self.pool, SOURCES, target.to_string()).await?;
        texts.iter().map(|text| Source::parse(text).map_err(fault::strange)).collect()
    }

    /// The next page of `source`, `target`, sorted, of those after `after` where either matches `glob`.
    pub async fn aliases(&self, glob: &str, after: (&str, &str)) -> Result<Page<2>, Error> {
        let text: Option<String> = sqlx::query_scalar(
            "SELECT group_concat(source || '\t' || target, '\n')
             FROM (SELECT source, target FROM alias
                   WHERE (source, target) > ($1, $2) AND ($3 = '*' OR source GLOB $3 OR target GLOB $3)
                   ORDER BY source, target LIMIT $4)",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(glob)
        .bind(Page::<2>::SIZE)
        .fetch_one(&self.pool)
        .await
        .map_err(fault::here)?;
        Ok(Page::new(text))
    }
}

impl Change {
    /// Where mail for `source` goes, as this transaction sees it.
    pub async fn targets(&mut self, source: &Source) -> Result<Vec<Address>, Error> {
        addresses(texts(&mut *self.transaction, TARGETS, source.to_string()).await?)
    }

    /// The same for any text, as texts: a source of a forward may be written like an alias.
    pub async fn alias_targets(&mut self, source: &str) -> Result<Vec<String>, Error> {
        texts(&mut *self.transaction, TARGETS, source.to_owned()).await
    }

    /// How many alias sources end with `suffix`: `@example.org`, or nothing for all.
    pub async fn count_aliases(&mut self, suffix: &str) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(DISTINCT source) FROM alias WHERE substr(source, -length($1)) = $1",
        )
        .bind(suffix)
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(fault::here)?;
        Ok(count.unsigned_abs())
    }

    /// Adds one target; `false` where the alias has it already.
    pub async fn add_alias(&mut self, alias: &Alias, now: i64) -> Result<bool, Error> {
        sqlx::query(
            "INSERT INTO alias (source, target, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(alias.source.to_string())
        .bind(alias.target.to_string())
        .bind(now)
        .execute(&mut *self.transaction)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(fault::here)
    }

    /// Adds many at once; how many were new. One statement takes thousands of them as one JSON text.
    pub async fn add_aliases(&mut self, aliases: &[Alias], now: i64) -> Result<u64, Error> {
        let mut added = 0;
        for portion in aliases.chunks(10_000) {
            let pairs: Vec<(&Source, &Address)> =
                portion.iter().map(|alias| (&alias.source, &alias.target)).collect();
            let json = serde_json::to_string(&pairs).map_err(fault::strange)?;
            added += sqlx::query(
                "INSERT INTO alias (source, target, created_at)
                 SELECT value ->> 0, value ->> 1, $2 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
            )
            .bind(json)
            .bind(now)
            .execute(&mut *self.transaction)
            .await
            .map_err(fault::here)?
            .rows_affected();
        }
        Ok(added)
    }

    /// The aliases whose target is not exactly a mailbox: it is another alias, somewhere else, or nobody.
    pub async fn aliases_without_mailbox(&mut self) -> Result<Vec<Alias>, Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT source, target FROM alias WHERE NOT EXISTS (SELECT 1 FROM mailbox WHERE address = target)",
        )
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(fault::here)?;
        rows.iter()
            .map(|(source, target)| {
                Ok(Alias { source: Source::parse(source)?, target: Address::parse(target)? })
            })
            .collect::<Result<_, crate::mail::address::Malformed>>()
            .map_err(fault::strange)
    }

    /// Removes one target, or with `None` all of them; how many there were.
    pub async fn remove_alias(&mut self, source: &Source, target: Option<&Address>) -> Result<u64, Error> {
        sqlx::query("DELETE FROM alias WHERE source = $1 AND ($2 IS NULL OR target = $2)")
            .bind(source.to_string())
            .bind(target.map(ToString::to_string))
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected())
            .map_err(fault::here)
    }
}
