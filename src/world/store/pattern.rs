//! Patterns: sources of forwards that stand for many addresses.

use super::{Change, Store, fault};
use crate::{
    error::Error,
    mail::{
        address::{Address, Domain},
        forward::{Aim, Pattern},
    },
};
use std::collections::HashSet;

impl Store {
    /// Domain, source and target of all patterns, or of those of these domains, sorted.
    pub async fn patterns(&self, domains: Option<&[&str]>) -> Result<Vec<(String, String, String)>, Error> {
        let domains = domains.map(serde_json::to_string).transpose().map_err(fault::strange)?;
        sqlx::query_as(
            "SELECT domain, source, target FROM pattern
             WHERE $1 IS NULL OR domain IN (SELECT value FROM json_each($1)) ORDER BY domain, source, target",
        )
        .bind(domains)
        .fetch_all(&self.pool)
        .await
        .map_err(fault::here)
    }

    /// The patterns that name `target`, sorted.
    pub async fn patterns_to(&self, target: &str) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT source FROM pattern WHERE target = $1 ORDER BY source")
            .bind(target)
            .fetch_all(&self.pool)
            .await
            .map_err(fault::here)
    }
}

impl Change {
    /// Where the pattern `source` leads, sorted; empty where there is none.
    pub async fn aims(&mut self, source: &str) -> Result<Vec<Aim>, Error> {
        let texts: Vec<String> =
            sqlx::query_scalar("SELECT target FROM pattern WHERE source = $1 ORDER BY target")
                .bind(source)
                .fetch_all(&mut *self.transaction)
                .await
                .map_err(fault::here)?;
        texts.iter().map(|text| Aim::parse(text).map_err(fault::strange)).collect()
    }

    /// The sources of all patterns.
    pub async fn pattern_sources(&mut self) -> Result<HashSet<String>, Error> {
        let sources: Vec<String> = sqlx::query_scalar("SELECT DISTINCT source FROM pattern")
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(fault::here)?;
        Ok(sources.into_iter().collect())
    }

    /// How many patterns a domain has: all, or only regular expressions.
    pub async fn count_patterns(&mut self, domain: &Domain, expressions: bool) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(DISTINCT source) FROM pattern WHERE domain = $1 AND (NOT $2 OR source GLOB '/*')",
        )
        .bind(domain.as_str())
        .bind(expressions)
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(fault::here)?;
        Ok(count.unsigned_abs())
    }

    /// Adds one target; `false` where the pattern has it already.
    pub async fn add_pattern(&mut self, source: &Pattern, target: &Aim, now: i64) -> Result<bool, Error> {
        sqlx::query(
            "INSERT INTO pattern (source, target, domain, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(source.to_string())
        .bind(target.to_string())
        .bind(source.domain().as_str())
        .bind(now)
        .execute(&mut *self.transaction)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(fault::here)
    }

    /// Removes one target, or with `None` all of them; how many there were.
    pub async fn remove_pattern(&mut self, source: &str, target: Option<&Aim>) -> Result<u64, Error> {
        sqlx::query("DELETE FROM pattern WHERE source = $1 AND ($2 IS NULL OR target = $2)")
            .bind(source)
            .bind(target.map(ToString::to_string))
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected())
            .map_err(fault::here)
    }

    /// Up to a thousand addresses of `domain` that aliases lead to.
    pub async fn led_into(&mut self, domain: &Domain) -> Result<Vec<Address>, Error> {
        let texts: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT target FROM alias WHERE substr(target, -length($1)) = $1 LIMIT 1000",
        )
        .bind(format!("@{domain}"))
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(fault::here)?;
        texts.iter().map(|text| Address::parse(text).map_err(fault::strange)).collect()
    }
}
