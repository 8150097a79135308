//! Listings of forwards: aliases and patterns alike, a row for each source.

use super::{Page, Store, fault};
use crate::error::Error;

/// Which are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// `@example.org`; "" = all.
    pub suffix: String,
    /// In lower case, in the source, a target or the note; "" = all.
    pub search: String,
    /// Those that are over; with `disabled`, either.
    pub expired: bool,
    /// Those that are switched off.
    pub disabled: bool,
    /// Exactly this source; "" = all.
    pub source: String,
    /// The moment that counts, in seconds since 1970.
    pub now: i64,
}

/// Source, targets with commas, 1 where it is on, the end or "", the note, how many rules.
pub type Forwards = Page<6>;

/// Rows of `$table`, one for each source after `$1`.
macro_rules! query {
    ($table:literal) => {
        concat!(
            "SELECT group_concat(source || '\t' || targets || '\t' || enabled || '\t' || until || '\t' || note
                || '\t' || rules, '\n')
             FROM (SELECT a.source AS source, group_concat(a.target) AS targets, coalesce(f.enabled, 1) AS enabled,
                          coalesce(f.until, '') AS until, coalesce(f.note, '') AS note,
                          (SELECT count(*) FROM forward_rule r WHERE r.source = a.source) AS rules
                   FROM ",
            $table,
            " a LEFT JOIN forward f ON f.source = a.source
                   WHERE a.source > $1 AND ($2 = '' OR a.source = $2)
                     AND ($3 = '' OR substr(a.source, -length($3)) = $3)
                     AND (NOT ($5 OR $6) OR ($5 AND f.until <= $7) OR ($6 AND f.enabled = 0))
                   GROUP BY a.source
                   HAVING $4 = '' OR instr(lower(a.source || ',' || group_concat(a.target) || ',' ||
                                                 coalesce(f.note, '')), $4)
                   ORDER BY a.source LIMIT $8)"
        )
    };
}

impl Store {
    /// The next page of aliases after the source `after`, sorted.
    pub async fn forwards_of_aliases(&self, filter: &Filter, after: &str) -> Result<Forwards, Error> {
        self.listed_forwards(query!("alias"), filter, after).await
    }

    /// The next page of patterns after the source `after`, sorted.
    pub async fn forwards_of_patterns(&self, filter: &Filter, after: &str) -> Result<Forwards, Error> {
        self.listed_forwards(query!("pattern"), filter, after).await
    }

    async fn listed_forwards(
        &self,
        sql: &'static str,
        filter: &Filter,
        after: &str,
    ) -> Result<Forwards, Error> {
        let text: Option<String> = sqlx::query_scalar(sql)
            .bind(after)
            .bind(&filter.source)
            .bind(&filter.suffix)
            .bind(&filter.search)
            .bind(filter.expired)
            .bind(filter.disabled)
            .bind(filter.now)
            .bind(Forwards::SIZE)
            .fetch_one(&self.pool)
            .await
            .map_err(fault::here)?;
        Ok(Page::new(text))
    }
}
