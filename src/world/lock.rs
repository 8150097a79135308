//! One `flock` around every command that changes something; freed by the kernel when its holder dies.

use super::{io_error, paths::Paths};
use crate::error::{Error, codes};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, Instant},
};

/// How long a command waits for another one to finish.
const PATIENCE: Duration = Duration::from_secs(30);

/// Held while a command changes the home.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, never read")] File);

impl Lock {
    /// Waits up to 30 s; the error names the process that holds it.
    pub fn take(paths: &Paths) -> Result<Self, Error> {
        Self::on(paths, &paths.lock())
    }

    /// The same, on a file of its own for what does not change the home and takes long.
    pub fn on(paths: &Paths, path: &Path) -> Result<Self, Error> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => super::no_settings(paths),
                _ => io_error("open", path, &e),
            })?;
        let began = Instant::now();
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(io_error("lock", path, &error.into()));
            }
            if began.elapsed() > PATIENCE {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(Error::new(codes::LOCKED, format!("{} is in use", paths.home().display()))
                    .cause(format!("process {} is changing it", holder.trim()))
                    .hint(format!("ps -fp {}", holder.trim())));
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        // Who holds it, for the one that waits; best effort, the lock itself is the kernel's.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self(file))
    }
}
