//! What mailctld holds in memory: everything at its start, and afterwards each thing that changed.

use super::{Store, fault};
use crate::error::Error;

/// One row of the directory, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row<'a> {
    /// A mailbox's address.
    Mailbox(&'a str),
    /// One target of an alias; those of one source follow each other.
    Alias {
        /// Address or `@domain`.
        source: &'a str,
        /// Address.
        target: &'a str,
    },
}

impl Store {
    /// Hands out every mailbox and every alias. Other processes may write in the meantime: take
    /// [`Store::last_change`] first, and afterwards read anew what changed since.
    pub async fn read_all(&self, mut take: impl FnMut(Row<'_>) + Send) -> Result<(), Error> {
        let mut last = String::new();
        loop {
            let page = self.mailboxes("*", &last).await?;
            let Some([end, ..]) = page.rows().last() else { break };
            end.clone_into(&mut last);
            page.rows().for_each(|[address, ..]| take(Row::Mailbox(address)));
        }
        let mut last = (String::new(), String::new());
        loop {
            let page = self.aliases("*", (&last.0, &last.1)).await?;
            let Some([source, target]) = page.rows().last() else { break };
            last = (source.to_owned(), target.to_owned());
            page.rows().for_each(|[source, target]| take(Row::Alias { source, target }));
        }
        Ok(())
    }

    /// Which of these addresses have a mailbox.
    pub async fn mailboxes_among(&self, addresses: &[&str]) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT address FROM mailbox WHERE address IN (SELECT value FROM json_each($1))")
            .bind(serde_json::to_string(addresses).map_err(fault::strange)?)
            .fetch_all(&self.pool)
            .await
            .map_err(fault::here)
    }

    /// Source and target of the aliases with one of these sources, sorted.
    pub async fn aliases_among(&self, sources: &[&str]) -> Result<Vec<(String, String)>, Error> {
        sqlx::query_as(
            "SELECT source, target FROM alias WHERE source IN (SELECT value FROM json_each($1))
             ORDER BY source, target",
        )
        .bind(serde_json::to_string(sources).map_err(fault::strange)?)
        .fetch_all(&self.pool)
        .await
        .map_err(fault::here)
    }
}
