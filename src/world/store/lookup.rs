//! The directory as the resolver sees it: the same walk as in the daemon, over the database itself.

use super::{Change, Store, fault};
use crate::{
    error::Error,
    mail::{address::Address, directory::Directory},
    settings::Settings,
};
use sqlx::SqliteConnection;
use std::{cell::RefCell, collections::HashSet};
use tokio::{runtime::Handle, task::block_in_place};

/// One connection, asked one question at a time. The resolver does not await, so each question blocks this
/// thread for the few microseconds that it takes.
pub struct Lookup<'a> {
    connection: RefCell<&'a mut SqliteConnection>,
    domains: HashSet<String>,
}

impl Store {
    /// Lets `walk` look things up in what is committed now.
    pub async fn look_up<T>(
        &self,
        settings: &Settings,
        walk: impl FnOnce(&Lookup<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut connection = self.pool.acquire().await.map_err(fault::here)?;
        walk(&Lookup::new(&mut connection, settings).await?)
    }
}

impl Change {
    /// Lets `walk` look things up as this transaction leaves them.
    pub async fn look_up<T>(
        &mut self,
        settings: &Settings,
        walk: impl FnOnce(&Lookup<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        walk(&Lookup::new(&mut self.transaction, settings).await?)
    }
}

impl<'a> Lookup<'a> {
    async fn new(connection: &'a mut SqliteConnection, settings: &Settings) -> Result<Self, Error> {
        let stored: Vec<String> = sqlx::query_scalar("SELECT name FROM domain")
            .fetch_all(&mut *connection)
            .await
            .map_err(fault::here)?;
        let domains = settings.domains().map(ToString::to_string).chain(stored).collect();
        Ok(Self { connection: RefCell::new(connection), domains })
    }

    fn texts(&self, sql: &'static str, key: &str) -> Result<Vec<String>, Error> {
        let mut connection = self.connection.borrow_mut();
        let query = sqlx::query_scalar(sql).bind(key).fetch_all(&mut **connection);
        block_in_place(|| Handle::current().block_on(query)).map_err(fault::here)
    }
}

impl Directory for Lookup<'_> {
    type Error = Error;

    fn serves(&self, domain: &str) -> Result<bool, Error> {
        Ok(self.domains.contains(domain))
    }

    fn mailbox(&self, address: &str) -> Result<bool, Error> {
        Ok(!self.texts("SELECT address FROM mailbox WHERE address = $1", address)?.is_empty())
    }

    fn targets(&self, source: &str) -> Result<Vec<Address>, Error> {
        let texts = self.texts("SELECT target FROM alias WHERE source = $1 ORDER BY target", source)?;
        texts.iter().map(|text| Address::parse(text).map_err(fault::strange)).collect()
    }

    fn granted(&self, source: &str) -> Result<Vec<Address>, Error> {
        let texts = self.texts("SELECT login FROM sending_right WHERE source = $1 ORDER BY login", source)?;
        texts.iter().map(|text| Address::parse(text).map_err(fault::strange)).collect()
    }
}
