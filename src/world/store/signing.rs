//! Which DKIM selector signs for a domain now. The keys themselves are files (`world::keys`).

use super::{Change, Store, fault};
use crate::{
    error::Error,
    mail::address::{Domain, Selector},
};

impl Store {
    /// Every domain's signing selector, sorted by domain.
    pub async fn selectors(&self) -> Result<Vec<(Domain, Selector)>, Error> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT domain, selector FROM signing ORDER BY domain")
                .fetch_all(&self.pool)
                .await
                .map_err(fault::here)?;
        rows.iter()
            .map(|(domain, selector)| Ok((Domain::parse(domain)?, Selector::parse(selector)?)))
            .collect::<Result<_, crate::mail::address::Malformed>>()
            .map_err(fault::strange)
    }
}

impl Change {
    /// The domain's signing selector, as this transaction sees it.
    pub async fn selector(&mut self, domain: &Domain) -> Result<Option<Selector>, Error> {
        let text: Option<String> = sqlx::query_scalar("SELECT selector FROM signing WHERE domain = $1")
            .bind(domain.as_str())
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(fault::here)?;
        text.map(|text| Selector::parse(&text)).transpose().map_err(fault::strange)
    }

    /// Lets `selector` sign for `domain` from now on.
    pub async fn sign_with(&mut self, domain: &Domain, selector: &Selector, now: i64) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO signing (domain, selector, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (domain) DO UPDATE SET selector = excluded.selector, created_at = excluded.created_at",
        )
        .bind(domain.as_str())
        .bind(selector.as_str())
        .bind(now)
        .execute(&mut *self.transaction)
        .await
        .map(drop)
        .map_err(fault::here)
    }

    /// Nothing signs for `domain` any more.
    pub async fn sign_no_more(&mut self, domain: &Domain) -> Result<(), Error> {
        sqlx::query("DELETE FROM signing WHERE domain = $1")
            .bind(domain.as_str())
            .execute(&mut *self.transaction)
            .await
            .map(drop)
            .map_err(fault::here)
    }
}
