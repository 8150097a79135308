//! Which DKIM selector signs for a domain now, one for each algorithm. The keys themselves are files
//! (`world::keys`).

use super::{Change, Store, fault};
use crate::{
    error::Error,
    mail::{
        address::{Domain, Selector},
        dkim::{Algorithm, Signer},
    },
};
use sqlx::SqliteExecutor;

impl Store {
    /// What was chosen to sign, sorted by domain; of a domain at most one of each algorithm.
    pub async fn signers(&self) -> Result<Vec<Signer>, Error> {
        all(&self.pool).await
    }
}

async fn all(database: impl SqliteExecutor<'_>) -> Result<Vec<Signer>, Error> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT domain, algorithm, selector FROM signing ORDER BY domain, algorithm")
            .fetch_all(database)
            .await
            .map_err(fault::here)?;
    rows.iter().map(|(domain, algorithm, selector)| signer(domain, algorithm, selector)).collect()
}

fn signer(domain: &str, algorithm: &str, selector: &str) -> Result<Signer, Error> {
    Ok(Signer {
        domain: Domain::parse(domain).map_err(fault::strange)?,
        algorithm: Algorithm::parse(algorithm)
            .ok_or_else(|| fault::strange(format!("{domain} signs with the unknown {algorithm:?}")))?,
        selector: Selector::parse(selector).map_err(fault::strange)?,
    })
}

impl Change {
    /// What was chosen to sign, as this transaction sees it.
    pub async fn signers(&mut self) -> Result<Vec<Signer>, Error> {
        all(&mut *self.transaction).await
    }

    /// Lets a key sign from now on, in the place of the one of its algorithm. `now`: seconds since 1970.
    pub async fn sign_with(&mut self, signer: &Signer, now: i64) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO signing (domain, algorithm, selector, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (domain, algorithm)
             DO UPDATE SET selector = excluded.selector, created_at = excluded.created_at",
        )
        .bind(signer.domain.as_str())
        .bind(signer.algorithm.as_str())
        .bind(signer.selector.as_str())
        .bind(now)
        .execute(&mut *self.transaction)
        .await
        .map(drop)
        .map_err(fault::here)
    }

    /// Nothing of one algorithm signs for `domain` any more.
    pub async fn sign_without(&mut self, domain: &Domain, algorithm: Algorithm) -> Result<(), Error> {
        sqlx::query("DELETE FROM signing WHERE domain = $1 AND algorithm = $2")
            .bind(domain.as_str())
            .bind(algorithm.as_str())
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
