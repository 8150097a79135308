use super::*;
use proptest::prelude::*;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Notify;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Number(u32);

impl Value for Number {
    const KIND: u8 = 200;
    const OCTETS: usize = 4;
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_le_bytes());
    }
    fn read(octets: &[u8]) -> Option<Self> {
        Some(Self(u32::from_le_bytes(octets.try_into().ok()?)))
    }
}

const FAR: u32 = u32::MAX;

fn add(table: &Table<Number>, key: Key) -> u32 {
    table.update(key, 1, |found| {
        let next = found.map_or(1, |Number(number)| number + 1);
        (Keep::Put(Number(next), FAR), next)
    })
}

async fn opened(file: &Path) -> (Memory, Arc<Table<Number>>) {
    let mut memory = Memory::open(Some(file)).await;
    let table = memory.table(1_000_000);
    (memory, table)
}

#[test]
fn parts_of_a_key_do_not_run_into_each_other() {
    let keys = Keys([1; 16]);
    assert_ne!(keys.of(&[b"ab", b"c"]), keys.of(&[b"a", b"bc"]));
    assert_ne!(keys.of(&[b"ab"]), keys.of(&[b"ab", b""]));
    assert_ne!(keys.of(&[b"ab"]), Keys([2; 16]).of(&[b"ab"]));
}

#[tokio::test]
async fn what_is_over_is_not_remembered() {
    let mut memory = Memory::open(None).await;
    let table: Arc<Table<Number>> = memory.table(100);
    let key = memory.keys().of(&[b"x"]);
    table.update(key, 10, |_| (Keep::Put(Number(1), 20), ()));
    assert_eq!((table.get(key, 19), table.get(key, 20)), (Some(Number(1)), None));
    assert_eq!(table.update(key, 20, |found| (Keep::AsIs, found)), None);
}

/// Proves: issue 6: what was remembered half a second ago survives kill -9 (here: nothing is said at the end).
#[tokio::test]
async fn it_is_on_the_disk_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.db");
    let (memory, table) = opened(&file).await;
    let keys = memory.keys();
    let keeper = tokio::spawn(memory.begin(1).keep(Arc::new(Notify::new())));
    for number in 0..5000_u32 {
        add(&table, keys.of(&[&number.to_le_bytes()]));
    }
    let gone = keys.of(&[&7_u32.to_le_bytes()]);
    table.update(gone, 1, |_| (Keep::Forget, ()));
    // Another reader sees it: no end was needed.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let (memory, again) = opened(&file).await;
        let keys = memory.keys();
        drop(memory.begin(1));
        if again.len() == 4999 {
            assert_eq!(again.get(keys.of(&[&8_u32.to_le_bytes()]), 1), Some(Number(1)));
            assert_eq!(again.get(gone, 1), None);
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{} entries", again.len());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    keeper.abort();
}

#[tokio::test]
async fn the_end_writes_what_is_left_and_the_whole_replaces_the_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.db");
    for round in 1..4 {
        let (memory, table) = opened(&file).await;
        let keys = memory.keys();
        let keeper = memory.begin(1);
        let stop = Arc::new(Notify::new());
        for number in 0..100_u32 {
            assert_eq!(add(&table, keys.of(&[&number.to_le_bytes()])), round);
        }
        stop.notify_one();
        keeper.keep(stop).await;
    }
}

/// Proves: fault 9 (no room on the disk): memory goes on, and the disk has everything once there is room.
#[tokio::test]
async fn a_disk_that_takes_nothing_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.db");
    let (memory, table) = opened(&file).await;
    let keys = memory.keys();
    let mut keeper = memory.begin(1);
    let standing = keeper.standing();
    // Another writer holds the file for longer than we wait, as a full disk refuses each write.
    let mut other = rival(&file).await;
    add(&table, keys.of(&[b"a"]));
    assert!(!keeper.write().await && !standing.well());
    assert_eq!(add(&table, keys.of(&[b"a"])), 2);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(keeper.write().await && standing.well());
    drop((keeper, other));
    let (memory, table) = opened(&file).await;
    let keys = memory.keys();
    drop(memory.begin(1));
    assert_eq!(table.get(keys.of(&[b"a"]), 1), Some(Number(2)));
}

async fn rival(file: &Path) -> sqlx::SqliteConnection {
    use sqlx::ConnectOptions;
    let mut other = sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    other
}

#[tokio::test]
async fn a_full_table_makes_room() {
    let mut memory = Memory::open(None).await;
    let table: Arc<Table<Number>> = memory.table(6400);
    let keys = memory.keys();
    for number in 0..20_000_u32 {
        let key = keys.of(&[&number.to_le_bytes()]);
        table.update(key, 1, |_| (Keep::Put(Number(number), 100 + number), ()));
        assert_eq!(table.get(key, 1), Some(Number(number)), "the newest is always remembered");
    }
    assert!(table.len() <= 6400 && table.displaced() >= 13_600);
}

proptest! {
    #[test]
    fn it_holds_what_a_map_holds(steps in prop::collection::vec((0_u8..20, 0_u8..4, 0_u32..50), 0..200)) {
        let keys = Keys([3; 16]);
        let (table, again) = (Table::<Number>::new(1000), Table::<Number>::new(1000));
        let mut model: HashMap<u8, (u32, u32)> = HashMap::new();
        let mut disk = Vec::new();
        for (name, what, number) in steps {
            let key = keys.of(&[&[name]]);
            match what {
                0 => { table.update(key, 10, |_| (Keep::Forget, ())); model.remove(&name); }
                1 => {
                    table.update(key, 10, |_| (Keep::Put(Number(number), 1 + number), ()));
                    model.insert(name, (number, 1 + number));
                }
                2 => table.changes(&mut disk),
                _ => {
                    let kept = table.sweep(10);
                    prop_assert!(kept >= model.values().filter(|(_, until)| *until > 10).count());
                }
            }
            for name in 0..20 {
                let wanted = model.get(&name).filter(|(_, until)| *until > 10).map(|(number, _)| Number(*number));
                prop_assert_eq!(table.get(keys.of(&[&[name]]), 10), wanted);
            }
        }
        table.changes(&mut disk);
        for entry in disk.chunks(super::table::HEAD + 4) {
            let key = [1, 9].map(|at| u64::from_le_bytes(entry[at..at + 8].try_into().unwrap()));
            again.restore(key, u32::from_le_bytes(entry[17..21].try_into().unwrap()), &entry[21..]);
        }
        for name in 0..20 {
            let key = keys.of(&[&[name]]);
            prop_assert_eq!(table.get(key, 10), again.get(key, 10));
        }
    }
}
