//! Where DKIM keys stand that do not sign now. Which ones sign is in `signing`.

use super::{Change, Store, fault};
use crate::{
    error::Error,
    mail::{
        address::{Domain, Selector},
        rotation::Staged,
        server::Stage,
    },
};
use sqlx::SqliteExecutor;

impl Store {
    /// Of one domain, the longest there first.
    pub async fn stages(&self, domain: &Domain) -> Result<Vec<Staged>, Error> {
        of(&self.pool, domain).await
    }
}

impl Store {
    /// The domains with a change of keys under way: a key that is to sign, or one that signs no more.
    pub async fn rotating(&self) -> Result<Vec<Domain>, Error> {
        let query =
            "SELECT DISTINCT domain FROM dkim_stage WHERE stage IN ('pending', 'leaving') ORDER BY domain";
        let rows: Vec<(String,)> = sqlx::query_as(query).fetch_all(&self.pool).await.map_err(fault::here)?;
        rows.iter().map(|(domain,)| Domain::parse(domain).map_err(fault::strange)).collect()
    }
}

impl Change {
    /// The same, as this transaction sees it.
    pub async fn stages(&mut self, domain: &Domain) -> Result<Vec<Staged>, Error> {
        of(&mut *self.transaction, domain).await
    }

    /// Puts a key on a stage; `None` = on none. `now`: seconds since 1970. Active and idle keys have no line.
    pub async fn stage(
        &mut self,
        domain: &Domain,
        selector: &Selector,
        stage: Option<Stage>,
        now: i64,
    ) -> Result<(), Error> {
        let query = match stage.and_then(word) {
            Some(word) => sqlx::query(
                "INSERT INTO dkim_stage (domain, selector, stage, since) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (domain, selector) DO UPDATE SET stage = excluded.stage, since = excluded.since",
            )
            .bind(domain.as_str())
            .bind(selector.as_str())
            .bind(word)
            .bind(now),
            None => sqlx::query("DELETE FROM dkim_stage WHERE domain = $1 AND selector = $2")
                .bind(domain.as_str())
                .bind(selector.as_str()),
        };
        query.execute(&mut *self.transaction).await.map(drop).map_err(fault::here)
    }
}

async fn of(database: impl SqliteExecutor<'_>, domain: &Domain) -> Result<Vec<Staged>, Error> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT selector, stage, since FROM dkim_stage WHERE domain = $1 ORDER BY since, selector",
    )
    .bind(domain.as_str())
    .fetch_all(database)
    .await
    .map_err(fault::here)?;
    rows.iter().map(|(selector, stage, since)| staged(selector, stage, *since)).collect()
}

fn staged(selector: &str, stage: &str, since: i64) -> Result<Staged, Error> {
    let all = [Stage::Pending, Stage::Leaving, Stage::Retired];
    let stage = all
        .into_iter()
        .find(|known| word(*known) == Some(stage))
        .ok_or_else(|| fault::strange(format!("the key {selector} is {stage:?}")))?;
    Ok(Staged { selector: Selector::parse(selector).map_err(fault::strange)?, stage, since })
}

fn word(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Pending => Some("pending"),
        Stage::Leaving => Some("leaving"),
        Stage::Retired => Some("retired"),
        Stage::Active | Stage::Idle => None,
    }
}
