//! The log of changes, as mailctld follows it.

use super::{Store, fault};
use crate::error::Error;

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Key: the domain's name.
    Domain,
    /// Key: the mailbox's address.
    Mailbox,
    /// Key: the alias's source.
    Alias,
    /// Key: the domain whose signing selector changed.
    Signing,
    /// Key: the source that logins may send as.
    Right,
    /// Key: the entry of a block or allow list.
    List,
    /// Key: the domain whose patterns changed.
    Pattern,
    /// Key: the source of an alias or pattern beside which something else is set.
    Forward,
    /// Key: the source whose rules changed.
    Rule,
}

/// One change: read the thing of this key anew; where it is no more, it was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Grows by one with every change; never used twice.
    pub seq: i64,
    /// What kind of thing.
    pub kind: Kind,
    /// Which one.
    pub key: String,
}

impl Store {
    /// Differs from the last answer of this same store when any process has committed since.
    pub async fn data_version(&self) -> Result<i64, Error> {
        sqlx::query_scalar("PRAGMA data_version").fetch_one(&self.pool).await.map_err(fault::here)
    }

    /// The number of the newest change; 0 in a new directory.
    pub async fn last_change(&self) -> Result<i64, Error> {
        sqlx::query_scalar("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)")
            .fetch_one(&self.pool)
            .await
            .map_err(fault::here)
    }

    /// Everything after change number `seen`, oldest first; `None` where the log does not reach back that
    /// far, or the directory is another one: read all of it anew.
    pub async fn changes_since(&self, seen: i64) -> Result<Option<Vec<Entry>>, Error> {
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT seq, kind, key FROM change WHERE seq > $1 ORDER BY seq")
                .bind(seen)
                .fetch_all(&self.pool)
                .await
                .map_err(fault::here)?;
        let complete = match rows.first() {
            Some((first, ..)) => *first == seen + 1,
            None => self.last_change().await? == seen,
        };
        if !complete {
            return Ok(None);
        }
        let entry = |(seq, kind, key): (i64, String, String)| {
            let kind = match kind.as_str() {
                "domain" => Kind::Domain,
                "mailbox" => Kind::Mailbox,
                "alias" => Kind::Alias,
                "signing" => Kind::Signing,
                "right" => Kind::Right,
                "list" => Kind::List,
                "pattern" => Kind::Pattern,
                "forward" => Kind::Forward,
                "rule" => Kind::Rule,
                _ => return Err(fault::strange(format!("change {seq} is of no known kind"))),
            };
            Ok(Entry { seq, kind, key })
        };
        rows.into_iter().map(entry).collect::<Result<_, _>>().map(Some)
    }
}
