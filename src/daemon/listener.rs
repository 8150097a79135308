//! Unix sockets with limits and deadlines. A protocol is a function from the bytes so far to answers; one
//! session's fault, a panic included, ends that session and no other.

use crate::{error::Error, world::io_error};
use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

/// Sessions at once on one socket. Postfix holds one per process that asks.
const SESSIONS: usize = 4096;
/// Postfix keeps an idle connection for its `max_idle` or `ipc_idle`; longer than that means nobody is there.
const IDLE: Duration = Duration::from_secs(3600);
/// A request that has begun must be whole by then.
const HALF: Duration = Duration::from_secs(10);
/// A reader that does not take its answer by then is gone.
const WRITE: Duration = Duration::from_secs(10);
/// A session's buffer never grows beyond this; the longest request of any protocol fits.
const BUFFER: usize = 128 * 1024;

/// What a protocol made of the bytes so far.
pub enum Progress {
    /// So many bytes were whole requests, and are answered.
    Used(usize),
    /// Never a request: close.
    Close(&'static str),
}

/// Makes the socket; one that a killed daemon left is replaced. Who may connect is its folder's group.
pub fn bind(path: &Path) -> Result<UnixListener, Error> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io_error("replace", path, &e)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(|e| io_error("listen on", path, &e))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))
        .map_err(|e| io_error("open to its group", path, &e))?;
    Ok(listener)
}

/// Serves until `stopped`; then returns when the sessions have ended.
pub async fn serve<P, F>(listener: UnixListener, mut stopped: watch::Receiver<bool>, protocol: F)
where
    P: FnMut(&[u8], &mut Vec<u8>) -> Progress + Send + 'static,
    F: Fn() -> P,
{
    let places = Arc::new(Semaphore::new(SESSIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let session = session(stream, stopped.clone(), protocol());
                tokio::spawn(async move {
                    session.await;
                    drop(place);
                });
            }
            // Out of descriptors, most likely: those who are served go on, newcomers wait.
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    let all = u32::try_from(SESSIONS).unwrap_or(u32::MAX);
    let _ = places.acquire_many(all).await;
}

async fn session<P>(mut stream: UnixStream, mut stopped: watch::Receiver<bool>, mut protocol: P)
where
    P: FnMut(&[u8], &mut Vec<u8>) -> Progress,
{
    let mut buffer = Vec::with_capacity(4096);
    let mut out = Vec::with_capacity(1024);
    loop {
        let patience = if buffer.is_empty() { IDLE } else { HALF };
        let read = tokio::select! {
            read = timeout(patience, stream.read_buf(&mut buffer)) => read,
            _ = stopped.changed(), if buffer.is_empty() => return,
        };
        match read {
            Ok(Ok(count)) if count > 0 => {}
            _ => return,
        }
        match protocol(&buffer, &mut out) {
            Progress::Used(used) => {
                buffer.drain(..used);
            }
            Progress::Close(why) => {
                tracing::warn!(why, "closing a connection that does not speak the protocol");
                // What was whole before the nonsense still gets its answer.
                let _ = timeout(WRITE, stream.write_all(&out)).await;
                return;
            }
        }
        if buffer.len() > BUFFER {
            tracing::warn!("closing a connection that sends without end");
            return;
        }
        if !out.is_empty() {
            match timeout(WRITE, stream.write_all(&out)).await {
                Ok(Ok(())) => out.clear(),
                _ => return,
            }
        }
    }
}
