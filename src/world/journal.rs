//! `Journal`: what the daemon remembers, on the disk: batches of changes in a SQLite file of its own.
//!
//! A batch is one row, however many changes it holds: a change costs a few octets, not a statement. What the octets
//! mean is the daemon's. Each row carries a sum of itself, for SQLite has none.

use super::io_error;
use crate::error::{Error, codes};
use siphasher::sip::SipHasher13;
use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    fs,
    hash::Hasher,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a statement waits for somebody who looks into the file.
const PATIENCE: Duration = Duration::from_secs(2);
/// Form of the file.
const FORM: i64 = 1;

/// The open file.
pub struct Journal {
    connection: SqliteConnection,
    file: PathBuf,
    secret: [u8; 16],
    octets: usize,
}

/// A file that was found, and what became of it.
pub struct Opened {
    /// The file in use.
    pub journal: Journal,
    /// Where a damaged one was put, and what was wrong with it.
    pub aside: Option<(PathBuf, String)>,
}

impl Journal {
    /// Opens the file or makes it, and gives every batch in it to `take`, the oldest first. A file that cannot be used
    /// is moved aside for a new one, so that damage costs what was remembered and never the service.
    pub async fn open(file: &Path, mut take: impl FnMut(&[u8; 16], &[u8])) -> Result<Opened, Error> {
        let why = match Self::read(file, &mut take).await {
            Ok(journal) => return Ok(Opened { journal, aside: None }),
            Err(error) if !damaged(&error) => return Err(at(file, &error)),
            Err(error) => plain(&error),
        };
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let aside = file.with_extension(format!("damaged-{seconds}"));
        fs::rename(file, &aside).map_err(|e| io_error("move aside", file, &e))?;
        for companion in ["-wal", "-shm"] {
            let mut name = file.as_os_str().to_owned();
            name.push(companion);
            // Those of a damaged file are of no use without it, and would damage the new one.
            let _ = fs::remove_file(name);
        }
        let journal = Self::read(file, &mut take).await.map_err(|error| at(file, &error))?;
        Ok(Opened { journal, aside: Some((aside, why)) })
    }

    async fn read(file: &Path, take: &mut impl FnMut(&[u8; 16], &[u8])) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE);
        let mut connection = options.connect().await?;
        let form: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await?;
        if form == 0 {
            let mut begun = connection.begin().await?;
            for step in [
                "CREATE TABLE IF NOT EXISTS secret (value BLOB NOT NULL)",
                "CREATE TABLE IF NOT EXISTS batch (seq INTEGER PRIMARY KEY AUTOINCREMENT, sum INTEGER NOT NULL, body BLOB NOT NULL)",
                "INSERT INTO secret SELECT randomblob(16) WHERE NOT EXISTS (SELECT 1 FROM secret)",
                "PRAGMA user_version = 1",
            ] {
                sqlx::query(step).execute(&mut *begun).await?;
            }
            begun.commit().await?;
        } else if form != FORM {
            return Err(strange(format!("its form is {form}, this mailctl writes {FORM}")));
        }
        let secret: Vec<u8> =
            sqlx::query_scalar("SELECT value FROM secret").fetch_one(&mut connection).await?;
        let secret =
            <[u8; 16]>::try_from(secret).map_err(|_| strange("its secret is cut short".to_owned()))?;
        let mut journal = Self { connection, file: file.to_owned(), secret, octets: 0 };
        journal.load(take).await?;
        Ok(journal)
    }

    async fn load(&mut self, take: &mut impl FnMut(&[u8; 16], &[u8])) -> Result<(), sqlx::Error> {
        let mut last = 0_i64;
        loop {
            let next = sqlx::query("SELECT seq, sum, body FROM batch WHERE seq > $1 ORDER BY seq LIMIT 1")
                .bind(last)
                .fetch_optional(&mut self.connection)
                .await?;
            let Some(row) = next else { return Ok(()) };
            let (sum, body): (i64, Vec<u8>) = (row.try_get(1)?, row.try_get(2)?);
            last = row.try_get(0)?;
            if sum != self.sum(&body) {
                return Err(strange(format!("batch {last} is not what was written")));
            }
            self.octets += body.len();
            take(&self.secret, &body);
        }
    }

    /// Known to this server only; keys of what is remembered are made with it.
    pub fn secret(&self) -> [u8; 16] {
        self.secret
    }

    /// Octets in all batches.
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// Adds a batch; on the disk when this returns.
    pub async fn append(&mut self, body: &[u8]) -> Result<(), Error> {
        let sum = self.sum(body);
        let done = sqlx::query("INSERT INTO batch (sum, body) VALUES ($1, $2)")
            .bind(sum)
            .bind(body)
            .execute(&mut self.connection)
            .await;
        done.map_err(|error| at(&self.file, &error))?;
        self.octets += body.len();
        Ok(())
    }

    /// Puts `bodies` in the place of all batches, at once.
    pub async fn replace(&mut self, bodies: &[Vec<u8>]) -> Result<(), Error> {
        self.exchange(bodies).await.map_err(|error| at(&self.file, &error))?;
        self.octets = bodies.iter().map(Vec::len).sum();
        Ok(())
    }

    async fn exchange(&mut self, bodies: &[Vec<u8>]) -> Result<(), sqlx::Error> {
        let sums: Vec<i64> = bodies.iter().map(|body| self.sum(body)).collect();
        let mut begun = self.connection.begin().await?;
        sqlx::query("DELETE FROM batch").execute(&mut *begun).await?;
        for (body, sum) in bodies.iter().zip(sums) {
            sqlx::query("INSERT INTO batch (sum, body) VALUES ($1, $2)")
                .bind(sum)
                .bind(body)
                .execute(&mut *begun)
                .await?;
        }
        begun.commit().await
    }

    fn sum(&self, body: &[u8]) -> i64 {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        hasher.write(body);
        hasher.finish().cast_signed()
    }
}

fn strange(what: String) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// Whether the file itself is what is wrong (<https://sqlite.org/rescode.html>), and not the way to it or the disk.
fn damaged(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
            matches!(code & 0xff, 1 | 11 | 26)
        }
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::RowNotFound => true,
        _ => false,
    }
}

fn plain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Decode(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn at(file: &Path, error: &sqlx::Error) -> Error {
    Error::new(codes::IO, format!("cannot read or write {}", file.display())).cause(plain(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(file: &Path) -> (Vec<Vec<u8>>, Opened) {
        let mut found = Vec::new();
        let opened = Journal::open(file, |_, body| found.push(body.to_owned())).await.unwrap();
        (found, opened)
    }

    #[tokio::test]
    async fn batches_come_back_in_order_until_they_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.db");
        let (found, opened) = all(&file).await;
        assert!(found.is_empty() && opened.aside.is_none());
        let mut journal = opened.journal;
        for body in [b"one".as_slice(), b"", b"three"] {
            journal.append(body).await.unwrap();
        }
        let secret = journal.secret();
        drop(journal);
        let (found, opened) = all(&file).await;
        assert_eq!(found, [b"one".to_vec(), Vec::new(), b"three".to_vec()]);
        let mut journal = opened.journal;
        assert_eq!((journal.secret(), journal.octets()), (secret, 8));
        journal.replace(&[b"all".to_vec()]).await.unwrap();
        drop(journal);
        assert_eq!(all(&file).await.0, [b"all".to_vec()]);
    }

    /// Proves: fault 8 (empty, truncated, changed): the file is moved aside, and remembering goes on.
    #[tokio::test]
    async fn a_damaged_file_is_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.db");
        let (_, opened) = all(&file).await;
        let mut journal = opened.journal;
        journal.append(&[7; 9000]).await.unwrap();
        journal.connection.close().await.unwrap();
        let good = fs::read(&file).unwrap();
        let mut flipped = good.clone();
        let at = good.windows(64).rposition(|octets| octets == [7; 64]).unwrap();
        flipped[at] ^= 1;
        for (number, bad) in
            [b"nonsense".repeat(200), good[..good.len() / 2].to_vec(), flipped].iter().enumerate()
        {
            fs::write(&file, bad).unwrap();
            let (_, opened) = all(&file).await;
            let (aside, why) = opened.aside.unwrap_or_else(|| panic!("damage {number} was not seen"));
            assert!(aside.exists() && !why.is_empty());
            let mut journal = opened.journal;
            journal.append(b"on").await.unwrap();
            journal.connection.close().await.unwrap();
            assert_eq!(all(&file).await.0, [b"on".to_vec()]);
            fs::remove_file(&aside).unwrap();
        }
        // Empty is new, not damaged.
        fs::write(&file, b"").unwrap();
        assert!(all(&file).await.1.aside.is_none());
    }

    /// Proves: fault 9: a file that cannot be written is an error and not a damage.
    #[tokio::test]
    async fn no_way_to_the_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("missing/policy.db");
        assert!(Journal::open(&file, |_, _| {}).await.is_err());
    }
}
