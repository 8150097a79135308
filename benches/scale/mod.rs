//! A directory of the size that the goals name: 100,000 mailboxes and 1,000,000 aliases.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "every bench uses some of it, and panics where it cannot go on"
)]

use mailctl::{
    mail::{
        address::{Address, Domain},
        alias::Source,
    },
    world::{
        paths::Paths,
        store::{Alias, NewMailbox, Store},
    },
};

/// How many mailboxes.
pub const MAILBOXES: usize = 100_000;
/// How many aliases.
pub const ALIASES: usize = 1_000_000;

const FIRST: [&str; 12] =
    ["ann", "ben", "chloe", "david", "elena", "farid", "grace", "henrik", "ines", "jonas", "karin", "leo"];
const LAST: [&str; 10] = [
    "adams",
    "becker",
    "cooper",
    "dubois",
    "eriksson",
    "fernandez",
    "garcia",
    "hoffmann",
    "ivanov",
    "johnson",
];
const WORDS: [&str; 8] = ["info", "sales", "support", "shop", "newsletter", "billing", "jobs", "team"];

/// Served domains: the first is the settings' own, the others are the store's.
pub fn domain(index: usize) -> String {
    match index % 20 {
        0 => "example.org".to_owned(),
        other => format!("customer{other}.example.net"),
    }
}

/// The address of mailbox `index`.
pub fn mailbox(index: usize) -> String {
    format!("{}.{}{index}@{}", FIRST[index % 12], LAST[index / 12 % 10], domain(index))
}

/// The source of alias `index`.
pub fn alias(index: usize) -> String {
    format!("{}-{index}@{}", WORDS[index % 8], domain(index / 8))
}

/// Most lead to one mailbox; some to two, to another alias, or outside.
fn targets(index: usize) -> Vec<String> {
    let there = mailbox(index * 7 % MAILBOXES);
    match index % 50 {
        0 => vec![there, mailbox((index * 7 + 1) % MAILBOXES)],
        1 if index > 50 => vec![alias(index - 50 + 1)],
        2 => vec![format!("someone{index}@elsewhere.example.com")],
        _ => vec![there],
    }
}

/// Fills a new store in `paths`.
pub async fn fill(paths: &Paths) {
    std::fs::create_dir_all(paths.state()).unwrap();
    let store = Store::open(paths).await.unwrap();
    let mut change = store.begin().await.unwrap();
    for index in 1..20 {
        change.add_domain(&Domain::parse(&domain(index)).unwrap(), 0).await.unwrap();
    }
    for index in 0..MAILBOXES {
        let address = Address::parse(&mailbox(index)).unwrap();
        let new = NewMailbox { address: &address, password: "{ARGON2ID}x", quota: None, created_at: 0 };
        change.add_mailbox(&new).await.unwrap();
    }
    let aliases: Vec<Alias> = (0..ALIASES)
        .flat_map(|index| targets(index).into_iter().map(move |target| (index, target)))
        .map(|(index, target)| Alias {
            source: Source::parse(&alias(index)).unwrap(),
            target: Address::parse(&target).unwrap(),
        })
        .collect();
    change.add_aliases(&aliases, 0).await.unwrap();
    change.commit().await.unwrap();
    store.close().await;
}
