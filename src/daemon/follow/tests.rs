use super::*;
use crate::{
    daemon::config::Config,
    mail::{
        address::{Address, Domain},
        alias::Source,
    },
    world::{
        paths::Paths,
        store::{Alias, Change, NewMailbox},
    },
};
use std::{future::Future, time::Instant};

struct Home {
    folder: tempfile::TempDir,
    state: Arc<State>,
    again: Arc<Notify>,
}

impl Home {
    /// An empty home, and a daemon's follower that already looks for a database in it.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        let text = "hostname='mail.example.org'\nadmin='ann@example.org'\ndomains=['example.org']\n\
                    delimiter='+'\ndatabase='/x'\nsocketmap='/x'\npolicy='/x'";
        let home = Self {
            folder,
            state: Arc::new(State::new(&toml::from_str::<Config>(text).unwrap())),
            again: Arc::new(Notify::new()),
        };
        tokio::spawn(follow(home.state.clone(), home.paths().database(), home.again.clone()));
        home
    }

    fn paths(&self) -> Paths {
        Paths::new(self.folder.path().to_owned())
    }

    fn holds(&self, wanted: impl Fn(&Snapshot) -> bool) -> bool {
        self.state.read().snapshot.as_ref().is_some_and(wanted)
    }

    async fn until(&self, wanted: impl Fn(&Snapshot) -> bool) {
        let began = Instant::now();
        while !self.holds(&wanted) {
            assert!(began.elapsed() < Duration::from_secs(5), "it never came");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn write<F: Future<Output = Change>>(store: &Store, change: impl FnOnce(Change) -> F) {
    change(store.begin().await.unwrap()).await.commit().await.unwrap();
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

async fn add(store: &Store, text: &str) {
    write(store, async |mut change: Change| {
        let new = NewMailbox { address: &address(text), password: "{PLAIN}x", quota: None, created_at: 1 };
        change.add_mailbox(&new).await.unwrap();
        change
    })
    .await;
}

fn alias(source: &str, target: &str) -> Alias {
    Alias { source: Source::parse(source).unwrap(), target: address(target) }
}

/// Proves: S4-2 (a change is live within one second, no reload).
#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_change_arrives() {
    let home = Home::new();
    sleep(Duration::from_millis(50)).await;
    assert!(home.state.read().directory().is_none());
    let store = Store::open(&home.paths()).await.unwrap();
    add(&store, "ann@example.org").await;
    home.until(|s| s.get("ann@example.org").mailbox).await;
    write(&store, async |mut change: Change| {
        change.add_alias(&alias("info@example.org", "x@example.net"), 1).await.unwrap();
        change.add_alias(&alias("info@example.org", "ann@example.org"), 1).await.unwrap();
        change.add_alias(&alias("@example.org", "ann@example.org"), 1).await.unwrap();
        change.add_domain(&Domain::parse("second.test").unwrap(), 1).await.unwrap();
        change
    })
    .await;
    home.until(|s| s.has_domain("second.test")).await;
    assert!(home.holds(|s| s.get("info@example.org").targets == "ann@example.org,x@example.net"));
    assert!(home.holds(|s| s.get("@example.org").targets == "ann@example.org"));
    write(&store, async |mut change: Change| {
        change.remove_alias(&Source::parse("info@example.org").unwrap(), None).await.unwrap();
        change.remove_mailbox(&address("ann@example.org")).await.unwrap();
        change.remove_domain(&Domain::parse("second.test").unwrap()).await.unwrap();
        change
    })
    .await;
    home.until(|s| s.counts() == (0, 1) && !s.has_domain("second.test")).await;
}

/// Proves: fault 8 (the last good snapshot is kept; a mended or replaced database is taken up).
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_database_empties_nothing() {
    let home = Home::new();
    let database = home.paths().database();
    let store = Store::open(&home.paths()).await.unwrap();
    add(&store, "ann@example.org").await;
    home.until(|s| s.get("ann@example.org").mailbox).await;
    store.close().await;
    let good = fs::read(&database).unwrap();
    for broken in
        [&b""[..], b"rubbish, and enough of it to be more than the header of a database is ...... end"]
    {
        let draft = database.with_extension("draft");
        fs::write(&draft, broken).unwrap();
        fs::rename(&draft, &database).unwrap();
        home.again.notify_one();
        sleep(Duration::from_millis(700)).await;
        assert!(home.holds(|s| s.get("ann@example.org").mailbox));
    }
    fs::remove_file(&database).unwrap();
    sleep(Duration::from_millis(700)).await;
    assert!(home.holds(|s| s.get("ann@example.org").mailbox));
    fs::write(&database, good).unwrap();
    let store = Store::open(&home.paths()).await.unwrap();
    add(&store, "bob@example.org").await;
    home.until(|s| s.get("bob@example.org").mailbox && s.get("ann@example.org").mailbox).await;
}

/// More changes at once than the log keeps: everything is read anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_pruned_is_no_trouble() {
    let home = Home::new();
    let store = Store::open(&home.paths()).await.unwrap();
    add(&store, "ann@example.org").await;
    home.until(|s| s.get("ann@example.org").mailbox).await;
    let many: Vec<Alias> =
        (0..45_000).map(|n| alias(&format!("a{n}@example.org"), "ann@example.org")).collect();
    write(&store, async |mut change: Change| {
        change.add_aliases(&many, 1).await.unwrap();
        change
    })
    .await;
    home.until(|s| s.counts() == (1, 45_000)).await;
}

/// Proves: issue 6: an entry by command is live at once, and over by itself.
#[tokio::test(flavor = "multi_thread")]
async fn entries_of_lists_arrive_and_end() {
    use crate::{mail::list::Way, world::store::Listed};
    let home = Home::new();
    let store = Store::open(&home.paths()).await.unwrap();
    let count = || home.state.read().lists.counts();
    let until = async |wanted: (usize, usize)| {
        let began = Instant::now();
        while count() != wanted {
            assert!(began.elapsed() < Duration::from_secs(5), "{:?} and not {wanted:?}", count());
            sleep(Duration::from_millis(10)).await;
        }
    };
    let list = async |way, key: &str, until: Option<i64>| {
        let new = Listed { way, key: key.parse().unwrap(), comment: String::new(), until };
        write(&store, async |mut change: Change| {
            change.list(&new, i64::from(unix_now())).await.unwrap();
            change
        })
        .await;
    };
    list(Way::Block, "192.0.2.0/24", None).await;
    until((0, 1)).await;
    list(Way::Allow, "192.0.2.7", Some(i64::from(unix_now()) + 2)).await;
    until((1, 1)).await;
    until((0, 1)).await;
    write(&store, async |mut change: Change| {
        assert!(change.unlist(Way::Block, &"192.0.2.0/24".parse().unwrap()).await.unwrap());
        change
    })
    .await;
    until((0, 0)).await;
}

/// Proves: issue 7: patterns and terms are live at once, at the start and afterwards, and go with what they belong to.
#[tokio::test(flavor = "multi_thread")]
async fn forwards_arrive_and_go() {
    use crate::mail::{
        forward::{Aim, Off, Pattern, Terms},
        rule::{Action, Rule},
    };
    let home = Home::new();
    let store = Store::open(&home.paths()).await.unwrap();
    let info = Source::parse("info@example.org").unwrap();
    let whole = Pattern::Domain(Domain::parse("old.test").unwrap());
    let off = Terms { enabled: false, ..Terms::default() };
    write(&store, async |mut change: Change| {
        change.add_alias(&alias("info@example.org", "x@example.net"), 1).await.unwrap();
        change.set_terms("info@example.org", &off, 1).await.unwrap();
        let block = Action::Block("no".to_owned());
        let rule = Rule { id: 0, priority: 1, enabled: true, conditions: Vec::new(), action: block };
        change.add_rule("info@example.org", &rule, 1).await.unwrap();
        change.add_pattern(&whole, &Aim::parse("@example.org").unwrap(), 1).await.unwrap();
        change
    })
    .await;
    let led = |s: &Snapshot| s.forwards.patterns("old.test").unwrap().is_some();
    let is_off = |s: &Snapshot| s.forwards.off("info@example.org", 9) == Some(Off::Disabled);
    let ruled =
        |s: &Snapshot| s.forwards.rules("info@example.org").unwrap().is_some_and(|rules| rules.len() == 1);
    home.until(|s| led(s) && is_off(s) && ruled(s)).await;
    home.again.notify_one();
    sleep(Duration::from_millis(300)).await;
    assert!(home.holds(|s| led(s) && is_off(s) && ruled(s)), "read anew");
    write(&store, async |mut change: Change| {
        assert_eq!(change.remove_alias(&info, None).await.unwrap(), 1);
        assert_eq!(change.remove_pattern("@old.test", None).await.unwrap(), 1);
        change
    })
    .await;
    home.until(|s| !led(s) && !is_off(s) && !ruled(s)).await;
    assert_eq!(
        store.terms("info@example.org").await.unwrap(),
        None,
        "whoever adds it again begins with nothing"
    );
}
