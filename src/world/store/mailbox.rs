//! Mailboxes: who can log in and has mail here.

use super::{Change, Page, Store, fault};
use crate::{error::Error, mail::address::Address};
use sqlx::SqliteExecutor;

/// A mailbox as a command sees it; its password's hash stays in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Login and address.
    pub address: Address,
    /// Octets; `None` = `MAILBOX_SIZE_LIMIT` of the settings.
    pub quota: Option<u64>,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// A mailbox to be.
#[derive(Clone, Debug)]
pub struct NewMailbox<'a> {
    /// Login and address.
    pub address: &'a Address,
    /// `{SCHEME}hash`.
    pub password: &'a str,
    /// Octets; `None` = `MAILBOX_SIZE_LIMIT` of the settings.
    pub quota: Option<u64>,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// SQLite's numbers have a sign.
fn octets(quota: Option<u64>) -> Option<i64> {
    quota.map(|octets| i64::try_from(octets).unwrap_or(i64::MAX))
}

async fn find(database: impl SqliteExecutor<'_>, address: &Address) -> Result<Option<Mailbox>, Error> {
    let row: Option<(Option<i64>, i64)> =
        sqlx::query_as("SELECT quota_bytes, created_at FROM mailbox WHERE address = $1")
            .bind(address.to_string())
            .fetch_optional(database)
            .await
            .map_err(fault::here)?;
    Ok(row.map(|(quota, created_at)| Mailbox {
        address: address.clone(),
        quota: quota.and_then(|octets| octets.try_into().ok()),
        created_at,
    }))
}

async fn count_in(database: impl SqliteExecutor<'_>, suffix: &str) -> Result<u64, Error> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mailbox WHERE substr(address, -length($1)) = $1")
            .bind(suffix)
            .fetch_one(database)
            .await
            .map_err(fault::here)?;
    Ok(count.unsigned_abs())
}

impl Store {
    /// The mailbox at `address`.
    pub async fn mailbox(&self, address: &Address) -> Result<Option<Mailbox>, Error> {
        find(&self.pool, address).await
    }

    /// The next page of `address`, `quota or nothing`, sorted, of those after `after` that match `glob`
    /// (SQLite's `GLOB`: `*` and `?`). Literal separators: `char(9)` would be computed for every row.
    pub async fn mailboxes(&self, glob: &str, after: &str) -> Result<Page<2>, Error> {
        let text: Option<String> = sqlx::query_scalar(
            "SELECT group_concat(iif(quota_bytes IS NULL, address, address || '\t' || quota_bytes), '\n')
             FROM (SELECT address, quota_bytes FROM mailbox
                   WHERE address > $1 AND ($2 = '*' OR address GLOB $2) ORDER BY address LIMIT $3)",
        )
        .bind(after)
        .bind(glob)
        .bind(Page::<2>::SIZE)
        .fetch_one(&self.pool)
        .await
        .map_err(fault::here)?;
        Ok(Page::new(text))
    }
}

impl Change {
    /// The mailbox at `address`, as this transaction sees it.
    pub async fn mailbox(&mut self, address: &Address) -> Result<Option<Mailbox>, Error> {
        find(&mut *self.transaction, address).await
    }

    /// How many mailboxes end with `suffix`: `@example.org`, or nothing for all.
    pub async fn count_mailboxes(&mut self, suffix: &str) -> Result<u64, Error> {
        count_in(&mut *self.transaction, suffix).await
    }

    /// Adds a mailbox; `false` where there is one already.
    pub async fn add_mailbox(&mut self, new: &NewMailbox<'_>) -> Result<bool, Error> {
        sqlx::query(
            "INSERT INTO mailbox (address, password, quota_bytes, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(new.address.to_string())
        .bind(new.password)
        .bind(octets(new.quota))
        .bind(new.created_at)
        .execute(&mut *self.transaction)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(fault::here)
    }

    /// Replaces the password's hash; `false` where there is no such mailbox.
    pub async fn set_password(&mut self, address: &Address, password: &str) -> Result<bool, Error> {
        sqlx::query("UPDATE mailbox SET password = $2 WHERE address = $1")
            .bind(address.to_string())
            .bind(password)
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(fault::here)
    }

    /// Gives it a limit of its own in octets, or `MAILBOX_SIZE_LIMIT` of the settings; `false` where there is no
    /// such mailbox.
    pub async fn set_quota(&mut self, address: &Address, quota: Option<u64>) -> Result<bool, Error> {
        sqlx::query("UPDATE mailbox SET quota_bytes = $2 WHERE address = $1")
            .bind(address.to_string())
            .bind(octets(quota))
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(fault::here)
    }

    /// Removes the mailbox from the directory; its mail is not touched. `false` where there is none.
    pub async fn remove_mailbox(&mut self, address: &Address) -> Result<bool, Error> {
        sqlx::query("DELETE FROM mailbox WHERE address = $1")
            .bind(address.to_string())
            .execute(&mut *self.transaction)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(fault::here)
    }
}
