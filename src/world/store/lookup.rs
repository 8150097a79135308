//! The directory as the resolver sees it: the same walk as in the daemon, over the database itself.

use super::{Change, Store, fault, rules};
use crate::{
    error::Error,
    mail::{
        address::Address,
        directory::Directory,
        forward::{Off, Patterns, Terms},
        rule::Rule,
    },
    settings::Settings,
};
use sqlx::SqliteConnection;
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tokio::{runtime::Handle, task::block_in_place};

/// One connection, asked one question at a time. The resolver does not await, so each question blocks this
/// thread for the few microseconds that it takes.
pub struct Lookup<'a> {
    connection: RefCell<&'a mut SqliteConnection>,
    domains: HashSet<String>,
    /// Compiled once for a walk.
    patterns: RefCell<HashMap<String, Option<Arc<Patterns>>>>,
    /// The moment that counts, in seconds since 1970.
    now: i64,
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
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        Ok(Self { connection: RefCell::new(connection), domains, patterns: RefCell::default(), now })
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

    fn off(&self, source: &str) -> Result<Option<Off>, Error> {
        let mut connection = self.connection.borrow_mut();
        let query = sqlx::query_as("SELECT enabled, until FROM forward WHERE source = $1")
            .bind(source)
            .fetch_optional(&mut **connection);
        let row: Option<(bool, Option<i64>)> =
            block_in_place(|| Handle::current().block_on(query)).map_err(fault::here)?;
        Ok(row.and_then(|(enabled, until)| Terms { enabled, until, note: String::new() }.off(self.now)))
    }

    fn patterns(&self, domain: &str) -> Result<Option<Arc<Patterns>>, Error> {
        if let Some(known) = self.patterns.borrow().get(domain) {
            return Ok(known.clone());
        }
        let rows: Vec<(String, String)> = {
            let mut connection = self.connection.borrow_mut();
            let query = sqlx::query_as(
                "SELECT source, target FROM pattern WHERE domain = $1 ORDER BY source, target",
            )
            .bind(domain)
            .fetch_all(&mut **connection);
            block_in_place(|| Handle::current().block_on(query)).map_err(fault::here)?
        };
        let rows = rows.iter().map(|(source, target)| (source.as_str(), target.as_str()));
        let found = Patterns::new(rows).map_err(fault::strange)?;
        let found = (!found.is_empty()).then(|| Arc::new(found));
        self.patterns.borrow_mut().insert(domain.to_owned(), found.clone());
        Ok(found)
    }

    fn rules(&self, source: &str) -> Result<Option<Arc<[Rule]>>, Error> {
        let rows: Vec<rules::Row> = {
            let mut connection = self.connection.borrow_mut();
            let query = sqlx::query_as(rules::OF_SOURCE).bind(source).fetch_all(&mut **connection);
            block_in_place(|| Handle::current().block_on(query)).map_err(fault::here)?
        };
        let rules = rows.iter().map(rules::read).collect::<Result<Vec<_>, _>>().map_err(fault::strange)?;
        Ok((!rules.is_empty()).then(|| rules.into()))
    }

    fn granted(&self, source: &str) -> Result<Vec<Address>, Error> {
        let texts = self.texts("SELECT login FROM sending_right WHERE source = $1 ORDER BY login", source)?;
        texts.iter().map(|text| Address::parse(text).map_err(fault::strange)).collect()
    }
}
