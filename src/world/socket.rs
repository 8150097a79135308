//! Whether somebody listens on a unix socket, asked without ever waiting for long.

use std::{io, path::Path, time::Duration};
use tokio::{
    net::UnixStream,
    time::{sleep, timeout},
};

/// Longest wait for a place in the queue of a listener.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Connects and hangs up. A frozen program takes connections until its queue is full, and from then on a plain
/// connect waits for ever (unix(7)): here it is [`io::ErrorKind::TimedOut`].
pub async fn accepts(path: &Path) -> io::Result<()> {
    let tries = async {
        loop {
            match UnixStream::connect(path).await {
                Err(full) if full.kind() == io::ErrorKind::WouldBlock => sleep(PAUSE).await,
                other => return other.map(drop),
            }
        }
    };
    timeout(PATIENCE, tries).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
