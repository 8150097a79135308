//! One forward as it is listed, for people and machines.

use crate::{
    commands::names,
    error::{Error, codes},
    mail::{
        forward::{Aim, Pattern, Source},
        rule::Rule,
    },
    world::store::{Filter, Store, rules},
};
use std::collections::BTreeMap;

/// For a machine.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row<'a> {
    /// Left side.
    pub source: &'a str,
    /// Right side.
    pub targets: Vec<&'a str>,
    /// address, catch_all, wildcard, expression or domain.
    pub kind: &'static str,
    /// Nobody switched it off.
    pub enabled: bool,
    /// When it ends.
    pub until: Option<i64>,
    /// It is over.
    pub expired: bool,
    /// For people.
    pub note: &'a str,
    /// How many rules it has.
    #[serde(rename = "rule_count")]
    pub rules: u32,
}

/// For a machine, with its rules.
#[derive(serde::Serialize)]
pub struct Full<'a> {
    /// Everything else.
    #[serde(flatten)]
    pub row: &'a Row<'a>,
    /// In the order in which they are asked.
    pub rules: &'a [Rule],
}

/// The rules of all sources, or of one.
pub async fn rules(store: &Store, source: Option<&str>) -> Result<BTreeMap<String, Vec<Rule>>, Error> {
    let only = source.map(|source| [source]);
    let mut found: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for row in store.rules(only.as_ref().map(<[&str; 1]>::as_slice)).await? {
        let rule = rules::read(&row).map_err(|what| Error::new(codes::STORE_DAMAGED, what))?;
        found.entry(row.0).or_default().push(rule);
    }
    Ok(found)
}

impl<'a> Row<'a> {
    /// From the fields of a listing.
    pub fn new([source, targets, enabled, until, note, rules]: [&'a str; 6], now: i64) -> Self {
        let until = until.parse().ok();
        let targets: Vec<&str> = targets.split(',').collect();
        Self {
            kind: kind(source, &targets),
            source,
            targets,
            enabled: enabled == "1",
            expired: until.is_some_and(|until: i64| until <= now),
            until,
            note,
            rules: rules.parse().unwrap_or(0),
        }
    }

    /// `sales-*@example.org -> ann@example.org, bob@example.org   [until …; off] # note`
    pub fn line(&self) -> String {
        let mut line = format!("{} -> {}", self.source, self.targets.join(", "));
        let mut said = Vec::new();
        if !self.enabled {
            said.push("switched off".to_owned());
        }
        match self.until {
            Some(until) if self.expired => said.push(format!("over since {}", names::moment(until))),
            Some(until) => said.push(format!("until {}", names::moment(until))),
            None => {}
        }
        match self.rules {
            0 => {}
            1 => said.push("1 rule".to_owned()),
            more => said.push(format!("{more} rules")),
        }
        if !said.is_empty() {
            line.push_str(&format!("  [{}]", said.join("; ")));
        }
        if !self.note.is_empty() {
            line.push_str(&format!("  # {}", self.note));
        }
        line
    }
}

fn kind(source: &str, targets: &[&str]) -> &'static str {
    let aims: Vec<Aim> = targets.iter().filter_map(|target| Aim::parse(target).ok()).collect();
    match Source::towards(source, &aims) {
        Ok(Source::Pattern(Pattern::Wildcard(_))) => "wildcard",
        Ok(Source::Pattern(Pattern::Expression(_))) => "expression",
        Ok(Source::Pattern(Pattern::Domain(_))) => "domain",
        Ok(Source::Alias(crate::mail::alias::Source::CatchAll(_))) => "catch_all",
        _ => "address",
    }
}

/// Hands every forward that `filter` lets through to `take`, patterns first, until it says `false`.
pub async fn each(
    store: &Store,
    filter: &Filter,
    mut take: impl FnMut(Row<'_>) -> bool,
) -> Result<(), Error> {
    for patterns in [true, false] {
        // The next page is read on SQLite's thread while this one is handed out.
        let page = |after: &str| {
            let (store, filter, after) = (store.clone(), filter.clone(), after.to_owned());
            tokio::spawn(async move {
                match patterns {
                    true => store.forwards_of_patterns(&filter, &after).await,
                    false => store.forwards_of_aliases(&filter, &after).await,
                }
            })
        };
        let mut coming = page("");
        loop {
            let here = names::joined_task(coming.await)?;
            let Some([last, ..]) = here.rows().next_back() else { break };
            coming = page(last);
            for fields in here.rows() {
                if !take(Row::new(fields, filter.now)) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}
