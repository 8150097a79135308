use super::*;
use proptest::prelude::*;
use std::{collections::BTreeMap, convert::Infallible};

#[derive(Default)]
pub struct Table {
    pub mailboxes: Vec<String>,
    pub aliases: BTreeMap<String, Vec<String>>,
    pub granted: BTreeMap<String, Vec<String>>,
}

fn addresses(map: &BTreeMap<String, Vec<String>>, key: &str) -> Vec<Address> {
    map.get(key).into_iter().flatten().map(|text| Address::parse(text).unwrap()).collect()
}

impl Directory for Table {
    type Error = Infallible;
    fn serves(&self, domain: &str) -> Result<bool, Infallible> {
        Ok(domain == "example.org")
    }
    fn mailbox(&self, address: &str) -> Result<bool, Infallible> {
        Ok(self.mailboxes.iter().any(|mailbox| mailbox == address))
    }
    fn targets(&self, source: &str) -> Result<Vec<Address>, Infallible> {
        Ok(addresses(&self.aliases, source))
    }
    fn granted(&self, source: &str) -> Result<Vec<Address>, Infallible> {
        Ok(addresses(&self.granted, source))
    }
}

pub fn table(mailboxes: &[&str], aliases: &[(&str, &[&str])]) -> Table {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Table {
        mailboxes: own(mailboxes),
        aliases: aliases.iter().map(|(source, targets)| ((*source).to_owned(), own(targets))).collect(),
        granted: BTreeMap::new(),
    }
}

pub fn place() -> Place {
    Place {
        hostname: Domain::parse("mail.example.org").unwrap(),
        admin: Address::parse("ann@example.org").unwrap(),
        delimiter: '+',
    }
}

fn route(table: &Table, address: &str) -> Vec<String> {
    let Ok(route) = resolve(table, &place(), &Address::parse(address).unwrap());
    route.targets.iter().map(|target| target.address().to_string()).collect()
}

/// Proves: S0-41 (catch-all looked up before exact aliases), S4-20.
#[test]
fn the_nearest_name_wins() {
    let table = table(
        &["ann@example.org", "bob@example.org"],
        &[
            ("info@example.org", &["ann@example.org", "out@example.net"]),
            ("info+vip@example.org", &["bob@example.org"]),
            ("@example.org", &["bob@example.org"]),
        ],
    );
    assert_eq!(route(&table, "ann@example.org"), ["ann@example.org"]);
    assert_eq!(route(&table, "ann+x@example.org"), ["ann+x@example.org"]);
    assert_eq!(route(&table, "info@example.org"), ["ann@example.org", "out@example.net"]);
    assert_eq!(route(&table, "info+x@example.org"), ["ann+x@example.org", "out@example.net"]);
    assert_eq!(route(&table, "info+vip@example.org"), ["bob@example.org"]);
    assert_eq!(route(&table, "anything@example.org"), ["bob@example.org"]);
    assert_eq!(route(&table, "x@example.net"), ["x@example.net"]);
}

/// Proves: S0-28.
#[test]
fn role_addresses_reach_the_administrator_unless_they_have_an_owner() {
    let plain = table(&["ann@example.org"], &[]);
    for role in ROLES {
        assert_eq!(route(&plain, &format!("{role}@example.org")), ["ann@example.org"]);
        assert_eq!(route(&plain, &format!("{role}@mail.example.org")), ["ann@example.org"]);
    }
    assert!(route(&plain, "nobody@example.org").is_empty());
    assert!(route(&plain, "ann@mail.example.org").is_empty());
    let own = table(&["ann@example.org", "abuse@example.org"], &[]);
    assert_eq!(route(&own, "abuse@example.org"), ["abuse@example.org"]);
}

#[test]
fn an_alias_may_keep_a_copy_in_its_own_mailbox() {
    let table = table(
        &["ann@example.org", "bob@example.org"],
        &[("ann@example.org", &["ann@example.org", "bob@example.org"])],
    );
    assert_eq!(route(&table, "ann@example.org"), ["ann@example.org", "bob@example.org"]);
}

/// Proves: threats 8 (cycles end, and are told).
#[test]
fn cycles_end() {
    let table = table(&[], &[("a@example.org", &["b@example.org"]), ("b@example.org", &["a@example.org"])]);
    let Ok(route) = resolve(&table, &place(), &Address::parse("a@example.org").unwrap());
    assert!(route.targets.is_empty());
    assert!(route.stops.iter().any(|stop| stop.loops));
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-e]@example\\.org",
        "[a-e]\\+[xy]@example\\.org",
        Just("@example.org".to_owned()),
        "[ab]@example\\.net"
    ]
}

proptest! {
    #[test]
    fn every_walk_ends_with_each_target_once(
        mailboxes in prop::collection::vec("[a-e]@example\\.org", 0..4),
        aliases in prop::collection::vec((name(), prop::collection::vec("[a-e](\\+[xy])?@example\\.(org|net)", 1..4)), 0..8),
        asked in "[a-e](\\+[xy])?@example\\.org",
    ) {
        let table = Table { mailboxes, aliases: aliases.into_iter().collect(), granted: BTreeMap::new() };
        let mut targets = route(&table, &asked);
        for target in &targets {
            let address = Address::parse(target).unwrap();
            let plain = address.untagged('+').unwrap_or(address.clone()).to_string();
            let known = table.mailboxes.contains(target) || table.mailboxes.contains(&plain);
            prop_assert!(known || address.domain().as_str() == "example.net");
        }
        let all = targets.len();
        targets.sort();
        targets.dedup();
        prop_assert_eq!(all, targets.len());
    }
}
