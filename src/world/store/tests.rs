use super::*;
use crate::mail::{
    address::{Address, Domain, Selector},
    alias::Source,
    dkim::{Algorithm, Signer},
};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn home() -> (tempfile::TempDir, Paths) {
    let home = tempfile::tempdir().unwrap();
    let paths = Paths::new(home.path().to_owned());
    std::fs::create_dir(paths.state()).unwrap();
    (home, paths)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

async fn add(store: &Store, text: &str) {
    let mut change = store.begin().await.unwrap();
    let new = NewMailbox { address: &address(text), password: "{PLAIN}x", quota: None, created_at: 1 };
    assert!(change.add_mailbox(&new).await.unwrap());
    assert!(!change.add_mailbox(&new).await.unwrap());
    change.commit().await.unwrap();
}

/// Proves: the rules for readers on a read-only mount (companion files stay, with the database's rights).
#[tokio::test]
async fn companion_files_stay_with_the_rights_of_the_database() {
    let (_home, paths) = home();
    let store = Store::open(&paths).await.unwrap();
    add(&store, "ann@example.org").await;
    store.close().await;
    let database = std::fs::metadata(paths.database()).unwrap();
    assert_eq!(database.permissions().mode() & 0o7777, 0o640);
    for companion in ["directory.db-wal", "directory.db-shm"] {
        let companion = std::fs::metadata(paths.db_folder().join(companion)).unwrap();
        assert_eq!(companion.mode(), database.mode());
        assert_eq!((companion.uid(), companion.gid()), (database.uid(), database.gid()));
    }
    let left: Vec<_> =
        std::fs::read_dir(paths.db_folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");

    let reader = Store::read_only(&paths.database()).await.unwrap();
    assert!(reader.mailbox(&address("ann@example.org")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_reader_sees_each_commit_and_what_changed() {
    let (_home, paths) = home();
    let writer = Store::open(&paths).await.unwrap();
    let reader = Store::read_only(&paths.database()).await.unwrap();
    let (before, seen) = (reader.data_version().await.unwrap(), reader.last_change().await.unwrap());
    assert_eq!(reader.data_version().await.unwrap(), before);
    add(&writer, "ann@example.org").await;
    assert_ne!(reader.data_version().await.unwrap(), before);
    let changes = reader.changes_since(seen).await.unwrap().unwrap();
    assert_eq!(changes, [Entry { seq: seen + 1, kind: Kind::Mailbox, key: "ann@example.org".into() }]);
    assert_eq!(reader.changes_since(seen + 1).await.unwrap(), Some(vec![]));
    assert_eq!(reader.changes_since(seen + 2).await.unwrap(), None, "another directory");
}

#[tokio::test]
async fn the_log_is_pruned_and_says_so() {
    let (_home, paths) = home();
    let store = Store::open(&paths).await.unwrap();
    let mut change = store.begin().await.unwrap();
    let source = Source::CatchAll(Domain::parse("example.org").unwrap());
    for number in 0..25_000 {
        let alias = Alias { source: source.clone(), target: address(&format!("u{number}@example.org")) };
        change.add_alias(&alias, 1).await.unwrap();
    }
    change.commit().await.unwrap();
    assert_eq!(store.changes_since(0).await.unwrap(), None);
    assert_eq!(store.changes_since(24_000).await.unwrap().unwrap().len(), 1000);
    let log: i64 = sqlx::query_scalar("SELECT count(*) FROM change").fetch_one(&store.pool).await.unwrap();
    assert_eq!(log, 20_000);
}

#[tokio::test]
async fn an_undone_change_leaves_nothing() {
    let (_home, paths) = home();
    let store = Store::open(&paths).await.unwrap();
    let mut change = store.begin().await.unwrap();
    change.add_domain(&Domain::parse("example.net").unwrap(), 1).await.unwrap();
    change.undo().await.unwrap();
    assert!(store.domains().await.unwrap().is_empty());
    assert_eq!(store.last_change().await.unwrap(), 0);
}

/// Proves: fault 8 (missing, empty, truncated at every page, bit-flipped header, another program's file).
#[tokio::test]
async fn a_damaged_database_is_named_and_left_alone() {
    let (_home, paths) = home();
    let store = Store::open(&paths).await.unwrap();
    add(&store, "ann@example.org").await;
    store.close().await;
    let file = paths.database();
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[3] ^= 0x40;
    let cuts = (0..whole.len()).step_by(997).map(|length| whole[..length].to_vec());
    for damaged in cuts.chain([flipped, b"hello".to_vec(), vec![0; whole.len()]]) {
        for companion in ["directory.db-wal", "directory.db-shm"] {
            let _ = std::fs::remove_file(paths.db_folder().join(companion));
        }
        std::fs::write(&file, &damaged).unwrap();
        let opened = Store::open(&paths).await;
        let Err(error) = opened else { panic!("{} octets were taken for a directory", damaged.len()) };
        assert_eq!(error.code(), codes::STORE_DAMAGED, "{} octets: {error}", damaged.len());
        assert!(std::fs::read(&file).unwrap() == damaged, "{} octets were changed", damaged.len());
    }
}

/// Proves: threat 34 (a newer state is read, not written).
#[tokio::test]
async fn a_newer_state_is_only_read() {
    let (_home, paths) = home();
    let store = Store::open(&paths).await.unwrap();
    add(&store, "ann@example.org").await;
    sqlx::query("PRAGMA user_version = 99").execute(&store.pool).await.unwrap();
    store.close().await;
    let store = Store::open(&paths).await.unwrap();
    assert!(store.mailbox(&address("ann@example.org")).await.unwrap().is_some());
    assert_eq!(store.begin().await.err().unwrap().code(), codes::STORE_NEWER);
}

fn world(paths: &Paths) -> World {
    World { paths: paths.clone(), project: "t".to_owned(), environment: Vec::new(), engine: None }
}

/// Database and log; in `-shm` readers mark what they read.
fn octets(paths: &Paths) -> [Vec<u8>; 2] {
    ["directory.db", "directory.db-wal"].map(|name| std::fs::read(paths.db_folder().join(name)).unwrap())
}

/// Proves: threat 34, fault 29: who only looks writes nothing, whatever the form of the directory is.
#[tokio::test]
async fn looking_leaves_an_older_and_a_newer_state_as_it_is() {
    let (_home, paths) = home();
    let store = Store::open(&paths).await.unwrap();
    add(&store, "ann@example.org").await;
    for (version, readable) in
        [(migrations::SCHEMA - 1, false), (migrations::SCHEMA, true), (migrations::SCHEMA + 1, true)]
    {
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {version}")))
            .execute(&store.pool)
            .await
            .unwrap();
        let before = octets(&paths);
        match world(&paths).store_to_read().await {
            Ok(found) => {
                assert!(readable && found.mailbox(&address("ann@example.org")).await.unwrap().is_some());
                found.close().await;
            }
            Err(error) => assert!(!readable && error.code() == codes::STORE_OLDER, "{version}: {error}"),
        }
        assert!(octets(&paths) == before, "version {version} was written to");
    }
}

/// Proves: fault 29: a directory of the first mailctl is brought up to date with all that is in it.
#[tokio::test]
async fn a_directory_of_the_first_form_is_brought_up_to_date() {
    let (_home, paths) = home();
    std::fs::create_dir_all(paths.db_folder()).unwrap();
    let options = Store::options(&paths.database()).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    migrations::first(&pool).await;
    sqlx::query("INSERT INTO mailbox VALUES ('ann@example.org', '{PLAIN}x', 5, 1)")
        .execute(&pool)
        .await
        .unwrap();
    // The header is what tells whose file it is; it must be in the file and not only in its log.
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&pool).await.unwrap();
    pool.close().await;

    let store = Store::open(&paths).await.unwrap();
    add(&store, "bob@example.org").await;
    store.close().await;
    let store = world(&paths).store_to_read().await.unwrap();
    assert_eq!(store.schema, migrations::SCHEMA);
    assert_eq!(store.mailbox(&address("ann@example.org")).await.unwrap().unwrap().quota, Some(5));
}

#[tokio::test]
async fn looking_at_nothing_makes_nothing() {
    let (_home, paths) = home();
    let store = world(&paths).store_to_read().await.unwrap();
    assert_eq!(store.mailboxes("*", "").await.unwrap().rows().count(), 0);
    assert!(store.domains().await.unwrap().is_empty() && store.last_change().await.unwrap() == 0);
    assert!(!paths.db_folder().exists());
}

#[tokio::test]
async fn a_home_without_settings_is_not_given_a_database() {
    let home = tempfile::tempdir().unwrap();
    let paths = Paths::new(home.path().to_owned());
    assert_eq!(Store::open(&paths).await.err().unwrap().code(), codes::SETTINGS_MISSING);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn two_first_commands_make_one_database() {
    let (_home, paths) = home();
    let opened = futures_util::future::join_all((0..8).map(|_| Store::open(&paths))).await;
    for (number, store) in opened.into_iter().enumerate() {
        add(&store.unwrap(), &format!("u{number}@example.org")).await;
    }
    let store = Store::open(&paths).await.unwrap();
    assert_eq!(store.mailboxes("*", "").await.unwrap().rows().count(), 8);
}

/// Proves: fault 29 (the state of an older mailctl is taken over whole, and newly written afterwards).
#[tokio::test]
async fn a_directory_of_one_selector_for_each_domain_is_taken_over() {
    let (_home, paths) = home();
    std::fs::create_dir(paths.db_folder()).unwrap();
    let options = SqliteConnectOptions::new()
        .filename(paths.database())
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let old = SqlitePool::connect_with(options).await.unwrap();
    migrations::first(&old).await;
    sqlx::query("INSERT INTO signing VALUES ('example.org', 'mail', 7), ('example.net', 'm202611', 8)")
        .execute(&old)
        .await
        .unwrap();
    old.close().await;

    let store = Store::open(&paths).await.unwrap();
    let signer = |domain: &str, algorithm, selector: &str| Signer {
        domain: Domain::parse(domain).unwrap(),
        algorithm,
        selector: Selector::parse(selector).unwrap(),
    };
    let rsa =
        [signer("example.net", Algorithm::Rsa, "m202611"), signer("example.org", Algorithm::Rsa, "mail")];
    assert_eq!(store.signers().await.unwrap(), rsa);

    // One more of another algorithm stands beside it; one of the same takes its place; each is told.
    let seen = store.last_change().await.unwrap();
    let mut change = store.begin().await.unwrap();
    change.sign_with(&signer("example.org", Algorithm::Ed25519, "ed"), 9).await.unwrap();
    change.sign_with(&signer("example.org", Algorithm::Rsa, "next"), 9).await.unwrap();
    change.sign_without(&rsa[0].domain, Algorithm::Ed25519).await.unwrap();
    change.commit().await.unwrap();
    let now = [
        rsa[0].clone(),
        signer("example.org", Algorithm::Ed25519, "ed"),
        signer("example.org", Algorithm::Rsa, "next"),
    ];
    assert_eq!(store.signers().await.unwrap(), now);
    let told = store.changes_since(seen).await.unwrap().unwrap();
    assert!(told.iter().all(|entry| entry.kind == Kind::Signing && entry.key == "example.org"), "{told:?}");
    assert!(!told.is_empty());
    let mut change = store.begin().await.unwrap();
    change.sign_without(&now[1].domain, Algorithm::Ed25519).await.unwrap();
    change.sign_no_more(&rsa[0].domain).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(store.signers().await.unwrap(), now[2..]);
}
