use super::*;
use proptest::prelude::*;
use std::{collections::BTreeMap, convert::Infallible};

#[derive(Default)]
pub struct Table {
    pub mailboxes: Vec<String>,
    pub aliases: BTreeMap<String, Vec<String>>,
    pub granted: BTreeMap<String, Vec<String>>,
    pub patterns: BTreeMap<String, Vec<String>>,
    pub off: BTreeMap<String, Off>,
    pub rules: BTreeMap<String, Vec<Rule>>,
}

impl Table {
    pub fn pattern(&mut self, source: &str, target: &str) {
        self.patterns.entry(source.to_owned()).or_default().push(target.to_owned());
    }
}

fn addresses(map: &BTreeMap<String, Vec<String>>, key: &str) -> Vec<Address> {
    map.get(key).into_iter().flatten().map(|text| Address::parse(text).unwrap()).collect()
}

impl Directory for Table {
    type Error = Infallible;
    fn serves(&self, domain: &str) -> Result<bool, Infallible> {
        Ok(["example.org", "old.example"].contains(&domain))
    }
    fn mailbox(&self, address: &str) -> Result<bool, Infallible> {
        Ok(self.mailboxes.iter().any(|mailbox| mailbox == address))
    }
    fn targets(&self, source: &str) -> Result<Vec<Address>, Infallible> {
        Ok(addresses(&self.aliases, source))
    }
    fn off(&self, source: &str) -> Result<Option<Off>, Infallible> {
        Ok(self.off.get(source).copied())
    }
    fn patterns(&self, domain: &str) -> Result<Option<Arc<Patterns>>, Infallible> {
        let of_domain =
            self.patterns.iter().filter(|(source, _)| source.rsplit_once('@').unwrap().1 == domain);
        let rows: Vec<(&str, &str)> = of_domain
            .flat_map(|(source, targets)| targets.iter().map(|target| (source.as_str(), target.as_str())))
            .collect();
        Ok((!rows.is_empty()).then(|| Arc::new(Patterns::new(rows).unwrap())))
    }
    fn rules(&self, source: &str) -> Result<Option<Arc<[Rule]>>, Infallible> {
        Ok(self.rules.get(source).map(|rules| rules.clone().into()))
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
        ..Table::default()
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

fn many() -> Table {
    let mut table = table(
        &["ann@example.org", "bob@example.org", "sales-own@example.org", "ann@old.example"],
        &[
            ("sales-fix@example.org", &["bob@example.org"]),
            ("@example.org", &["bob@example.org"]),
            ("abuse@example.org", &["bob@example.org"]),
        ],
    );
    for (source, target) in [
        ("s*@example.org", "any@example.net"),
        ("sales-*@example.org", "ann@example.org"),
        ("sales-*@example.org", "$1@example.net"),
        (r"/^ticket-(\d+)$/@example.org", "t+$1@example.net"),
        ("/^abuse|p.*|ann$/@example.org", "any@example.net"),
        ("@old.example", "@example.org"),
    ] {
        table.pattern(source, target);
    }
    table
}

/// Proves: issue 7 (exact, plus address, wildcard, regex, catch-all, domain alias, in that precedence), S0-41.
#[test]
fn what_stands_for_many_is_asked_after_what_stands_for_one() {
    let table = many();
    for (address, targets) in [
        ("sales-fix@example.org", &["bob@example.org"][..]),
        ("sales-fix+t@example.org", &["bob+t@example.org"]),
        ("sales-own@example.org", &["sales-own@example.org"]),
        ("sales-eu@example.org", &["ann@example.org", "eu@example.net"]),
        ("sales-@example.org", &[]),
        ("salad@example.org", &["any@example.net"]),
        ("ticket-17@example.org", &["t+17@example.net"]),
        ("ticket-17+x@example.org", &["t+17@example.net"]),
        ("ticket-x@example.org", &["bob@example.org"]),
        ("postmaster@example.org", &["ann@example.org"]),
        ("ann+x@example.org", &["ann+x@example.org"]),
        ("paul@example.org", &["any@example.net"]),
        ("ticket-17@old.example", &["t+17@example.net"]),
        ("ann@old.example", &["ann@old.example"]),
        ("bob+x@old.example", &["bob+x@example.org"]),
        ("nobody@old.example", &["bob@example.org"]),
        ("abuse@old.example", &["bob@example.org"]),
        ("postmaster@old.example", &["ann@example.org"]),
    ] {
        assert_eq!(route(&table, address), targets, "{address}");
    }
    let Ok(way) = resolve(&table, &place(), &Address::parse("ticket-17@old.example").unwrap());
    let told: Vec<_> =
        way.stops.iter().map(|stop| (stop.why, stop.source.as_deref(), &stop.parts[..])).collect();
    assert_eq!(
        told,
        [
            (Why::Domain, Some("@old.example"), &[][..]),
            (Why::Expression, Some(r"/^ticket-(\d+)$/@example.org"), &["17".to_owned()]),
            (Why::Outside, None, &[]),
        ]
    );
    for (domain, targets) in [("old.example", &["bob@example.org"][..]), ("example.net", &[])] {
        let Ok(rest) = resolve_rest(&table, &place(), &Domain::parse(domain).unwrap());
        assert_eq!(rest.targets.iter().map(|t| t.address().to_string()).collect::<Vec<_>>(), targets);
    }
}

/// Proves: S0-41 (expiry and switch are enforced), and what is off is not taken by what is below it.
#[test]
fn what_is_off_is_refused_but_for_a_mailbox_of_its_name() {
    let mut table = many();
    table.aliases.insert("ann@example.org".to_owned(), vec!["out@example.net".to_owned()]);
    table.aliases.insert("ann+leaked@example.org".to_owned(), vec!["ann@example.org".to_owned()]);
    assert_eq!(route(&table, "ann@example.org"), ["out@example.net"]);
    for source in [
        "ann@example.org",
        "ann+leaked@example.org",
        "sales-fix@example.org",
        "abuse@example.org",
        "sales-*@example.org",
        r"/^ticket-(\d+)$/@example.org",
        "@example.org",
    ] {
        table.off.insert(source.to_owned(), Off::Expired(5));
    }
    for (address, targets) in [
        ("ann@example.org", &["ann@example.org"][..]),
        ("ann+x@example.org", &["ann+x@example.org"]),
        ("ann+leaked@example.org", &[]),
        ("sales-fix@example.org", &[]),
        ("sales-fix+x@example.org", &[]),
        ("abuse@example.org", &["ann@example.org"]),
        ("abuse@old.example", &["ann@example.org"]),
        ("sales-eu@example.org", &[]),
        ("salad@example.org", &["any@example.net"]),
        ("ticket-17@example.org", &[]),
        ("nobody@example.org", &[]),
        ("bob@old.example", &["bob@example.org"]),
    ] {
        assert_eq!(route(&table, address), targets, "{address}");
    }
    let Ok(way) = resolve(&table, &place(), &Address::parse("sales-eu@example.org").unwrap());
    assert_eq!((way.stops[0].why, way.stops[0].off), (Why::Off, Some(Off::Expired(5))));
    table.off.insert("@old.example".to_owned(), Off::Disabled);
    assert_eq!(route(&table, "bob@old.example"), [""; 0]);
    assert_eq!(route(&table, "postmaster@old.example"), ["ann@example.org"]);
    assert_eq!(route(&table, "ann@old.example"), ["ann@old.example"]);
    for domain in ["old.example", "example.org"] {
        let Ok(rest) = resolve_rest(&table, &place(), &Domain::parse(domain).unwrap());
        assert!(rest.targets.is_empty());
    }
}

/// Proves: S0-33, S0-34: each forward on the way asks its own rules, and only while it counts.
#[test]
fn rules_change_the_way_of_the_messages_that_they_match() {
    use crate::mail::rule::{Action, Condition};
    let of = |texts: &[&str]| texts.iter().map(|text| Address::parse(text).unwrap()).collect::<Vec<_>>();
    let rule = |id, subject: &str, action| Rule {
        id,
        priority: 0,
        enabled: true,
        conditions: vec![Condition::SubjectContains(subject.to_owned())],
        action,
    };
    let mut table = many();
    table.aliases.insert("first@example.org".to_owned(), vec!["sales-fix@example.org".to_owned()]);
    table.rules.insert(
        "sales-fix@example.org".to_owned(),
        vec![
            rule(1, "spam", Action::Block("not here".to_owned())),
            rule(2, "else", Action::Redirect(of(&["ann@example.org"]))),
            rule(3, "both", Action::AlsoTo(of(&["x@example.net", "first@example.org"]))),
            rule(4, "self", Action::Redirect(of(&["sales-fix@example.org"]))),
            Rule { enabled: false, ..rule(5, "", Action::Block("never".to_owned())) },
        ],
    );
    for (subject, targets, rule, block) in [
        ("hello", &["bob+t@example.org"][..], None, None),
        ("SPAM", &[], Some(1), Some("not here")),
        ("somewhere else", &["ann@example.org"], Some(2), None),
        ("both", &["bob+t@example.org", "x@example.net", "bob@example.org"], Some(3), None),
        ("self", &[], Some(4), None),
    ] {
        let facts = Facts { subjects: vec![subject.to_owned()], ..Facts::default() };
        let Ok(way) = resolve_for(&table, &place(), &Address::parse("first+t@example.org").unwrap(), &facts);
        let found: Vec<String> = way.targets.iter().map(|target| target.address().to_string()).collect();
        assert_eq!(found, targets, "{subject}");
        assert_eq!((way.stops[1].rule, way.block()), (rule, block), "{subject}");
        assert!(way.ruled() && !way.stops[0].ruled);
    }
    assert_eq!(route(&table, "first@example.org"), ["bob@example.org"], "without a message: as usual");
    table.off.insert("sales-fix@example.org".to_owned(), Off::Disabled);
    let facts = Facts { subjects: vec!["else".to_owned()], ..Facts::default() };
    let Ok(way) = resolve_for(&table, &place(), &Address::parse("first@example.org").unwrap(), &facts);
    assert!(way.targets.is_empty() && !way.ruled());
}

/// Each address makes ten longer ones: without a limit the walk would end after the sun.
#[test]
fn patterns_that_breed_end() {
    let mut table = table(&["bob@example.org"], &[]);
    for number in 0..10 {
        table.pattern("a*@example.org", &format!("a${{1}}{number}@example.org"));
    }
    let Ok(way) = resolve(&table, &place(), &Address::parse("a@example.org").unwrap());
    assert!(way.targets.is_empty() && way.stops.len() <= STOPS + 20 * 10, "{} stops", way.stops.len());
    assert!(way.stops.iter().any(|stop| stop.why == Why::TooFar));
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
        let table = Table { mailboxes, aliases: aliases.into_iter().collect(), ..Table::default() };
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

    /// Proves: issue 7 (expansion always ends), with patterns, domains that lead to each other, and some of them off.
    #[test]
    fn every_walk_through_patterns_ends(
        mailboxes in prop::collection::vec("[a-e]@example\\.org", 0..3),
        aliases in prop::collection::btree_map("[a-e]{1,2}@(example\\.org|old\\.example)",
            prop::collection::vec("[a-e]{1,2}@(example\\.(org|net)|old\\.example)", 1..3), 0..4),
        patterns in prop::collection::btree_map(
            prop_oneof!["[a-e]\\*", "\\*[a-e]", Just("/^([a-c]+)d?$/".to_owned()), Just("/^(.*)$/".to_owned())],
            prop::collection::vec(
                prop_oneof!["[a-e]?\\$1[a-e]?@(example\\.(org|net)|old\\.example)", "[a-e]@example\\.org"], 1..4,
            ), 0..4),
        whole in any::<bool>(), circle in any::<bool>(),
        off in prop::collection::vec(any::<bool>(), 4),
        asked in "[a-e]{1,3}(\\+[xy])?@(example\\.org|old\\.example)",
    ) {
        let mut table = Table { mailboxes, aliases, ..Table::default() };
        for (number, (source, targets)) in patterns.into_iter().enumerate() {
            let source = format!("{source}@{}", ["example.org", "old.example"][number % 2]);
            if off[number] {
                table.off.insert(source.clone(), Off::Disabled);
            }
            table.patterns.insert(source, targets);
        }
        if whole { table.pattern("@old.example", "@example.org"); }
        if circle { table.pattern("@example.org", "@old.example"); }
        let Ok(way) = resolve(&table, &place(), &Address::parse(&asked).unwrap());
        prop_assert!(way.stops.len() <= STOPS + DEPTH * 4);
        for stop in way.stops.iter().filter(|stop| matches!(stop.why, Why::Off | Why::Unfit | Why::Unknown)) {
            prop_assert!(stop.leads_to.is_empty());
        }
        for target in &way.targets {
            let address = target.address();
            let plain = address.untagged('+').unwrap_or(address.clone()).to_string();
            let known = table.mailboxes.contains(&address.to_string()) || table.mailboxes.contains(&plain);
            prop_assert!(known || address.domain().as_str() == "example.net");
        }
    }
}
