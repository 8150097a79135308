use super::{super::directory::tests::*, *};
use proptest::prelude::*;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn of(table: &Table, restriction: Restriction, login: &str, sender: &str) -> Option<Right> {
    let Ok(found) = right(table, &place(), restriction, &address(login), &address(sender));
    found
}

fn may_send(table: &Table, sender: &str) -> Vec<String> {
    let Ok(owners) = owners(table, &place(), &address(sender));
    owners.iter().map(ToString::to_string).collect()
}

/// Proves: issue text "sender must be one of the user's own addresses or aliases".
#[test]
fn owners_are_those_who_get_the_mail() {
    let table = table(
        &["ann@example.org", "bob@example.org"],
        &[("info@example.org", &["bob@example.org"]), ("@example.org", &["ann@example.org"])],
    );
    assert_eq!(may_send(&table, "bob@example.org"), ["bob@example.org"]);
    assert_eq!(may_send(&table, "bob+x@example.org"), ["bob@example.org"]);
    assert_eq!(may_send(&table, "info@example.org"), ["bob@example.org"]);
    assert_eq!(may_send(&table, "free@example.org"), ["ann@example.org"]);
    assert!(may_send(&table, "someone@example.net").is_empty());
}

#[test]
fn a_mailbox_that_shares_its_name_with_an_alias_is_shared() {
    let both: &[&str] = &["ann@example.org", "bob@example.org"];
    let table = table(both, &[("ann@example.org", both)]);
    assert_eq!(may_send(&table, "ann@example.org"), ["ann@example.org", "bob@example.org"]);
}

/// Proves: S2-19 (`a@d`, `@d`), S2-16 (`domain`, `email`), issue 6 ("sending rights").
#[test]
fn every_reason_is_told() {
    use Restriction::{Domain, Email};
    let mut table =
        table(&["ann@example.org", "bob@example.org"], &[("info@example.org", &["bob@example.org"])]);
    table.granted.insert("shop@example.net".to_owned(), vec!["bob@example.org".to_owned()]);
    table.granted.insert("@example.com".to_owned(), vec!["bob@example.org".to_owned()]);
    let granted = |text: &str| Some(Right::Granted(Source::parse(text).unwrap()));
    for (login, sender, email, domain) in [
        ("bob@example.org", "bob@example.org", Some(Right::Own), Some(Right::Own)),
        ("bob+work@example.org", "bob@example.org", Some(Right::Own), Some(Right::Own)),
        ("bob@example.org", "bob+x@example.org", Some(Right::Own), Some(Right::Own)),
        ("bob@example.org", "info@example.org", Some(Right::Leads), Some(Right::Leads)),
        ("bob@example.org", "info+x@example.org", Some(Right::Leads), Some(Right::Leads)),
        ("bob@example.org", "shop@example.net", granted("shop@example.net"), granted("shop@example.net")),
        ("bob@example.org", "shop+x@example.net", granted("shop@example.net"), granted("shop@example.net")),
        ("bob@example.org", "other@example.net", None, None),
        ("bob@example.org", "any@example.com", granted("@example.com"), granted("@example.com")),
        ("bob@example.org", "any@sub.example.com", None, None),
        ("bob@example.org", "ann@example.org", None, Some(Right::Served)),
        ("ann@example.org", "postmaster@example.org", Some(Right::Leads), Some(Right::Leads)),
        ("ann@example.org", "shop@example.net", None, None),
        // A login whose mailbox is gone owns nothing; that it may not send at all is told elsewhere.
        ("eve@example.org", "eve@example.org", None, Some(Right::Served)),
    ] {
        assert_eq!(of(&table, Email, login, sender), email, "{login} as {sender}");
        assert_eq!(of(&table, Domain, login, sender), domain, "{login} as {sender}");
    }
    assert_eq!(may_send(&table, "shop@example.net"), ["bob@example.org"]);
    let within = |restriction, domain| {
        let domain = super::Domain::parse(domain).unwrap();
        let Ok(found) = right_in(&table, &place(), restriction, &address("bob@example.org"), &domain);
        found
    };
    assert_eq!(within(Email, "example.com"), granted("@example.com"));
    assert_eq!(within(Email, "example.org"), None);
    assert_eq!(within(Domain, "example.org"), Some(Right::Served));
    assert_eq!(within(Domain, "example.net"), None);
}

/// Proves: issue 6 and 7: wildcard, expression, catch-all and domain alias give the right that an alias gives, while they
/// count.
#[test]
fn what_leads_to_a_login_gives_the_right_to_send_as_it() {
    use crate::mail::forward::Off;
    let mut table = table(&["ann@example.org", "bob@example.org"], &[("@example.org", &["bob@example.org"])]);
    table.pattern("sales-*@example.org", "ann@example.org");
    table.pattern(r"/^t-(\d+)$/@example.org", "ann+$1@example.org");
    table.pattern("@old.example", "@example.org");
    for (sender, owner) in [
        ("sales-eu@example.org", "ann@example.org"),
        ("t-17@example.org", "ann@example.org"),
        ("t-17@old.example", "ann@example.org"),
        ("bob@old.example", "bob@example.org"),
        ("free@example.org", "bob@example.org"),
    ] {
        assert_eq!(may_send(&table, sender), [owner], "{sender}");
    }
    for source in ["sales-*@example.org", r"/^t-(\d+)$/@example.org", "@example.org", "@old.example"] {
        table.off.insert(source.to_owned(), Off::Disabled);
    }
    for sender in ["sales-eu@example.org", "t-17@example.org", "bob@old.example", "free@example.org"] {
        assert!(may_send(&table, sender).is_empty(), "{sender}");
    }
}

proptest! {
    /// What Postfix is told and what a person is told can never differ.
    #[test]
    fn the_owners_are_exactly_those_with_a_right(
        mailboxes in prop::collection::btree_set("[a-d]@example\\.org", 0..4),
        aliases in prop::collection::btree_map(
            "([a-e](\\+[xy])?)?@example\\.org", prop::collection::vec("[a-e](\\+[xy])?@example\\.(org|net)", 1..3), 0..6),
        granted in prop::collection::btree_map(
            "([a-e](\\+[xy])?)?@example\\.(org|net)", prop::collection::vec("[a-d]@example\\.org", 1..3), 0..4),
        sender in "[a-e](\\+[xy])?@example\\.(org|net)",
    ) {
        let table = Table { mailboxes: mailboxes.into_iter().collect(), aliases, granted, ..Table::default() };
        let owners = may_send(&table, &sender);
        for login in ["a", "b", "c", "d"].map(|name| format!("{name}@example.org")) {
            let told = of(&table, Restriction::Email, &login, &sender).is_some();
            prop_assert_eq!(owners.contains(&login), told, "{} as {}", login, sender);
        }
    }
}
