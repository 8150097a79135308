//! Sockets: binds them, accepts, and keeps one session's trouble from the others.

mod behind;

pub use behind::Behind;

use super::{
    session::{Answer, Drain, End, Patience, serve},
    traffic::Traffic,
};
use crate::error::{Error, codes};
use std::{
    fs::File,
    future::Future,
    io,
    net::SocketAddr,
    os::unix::fs::{PermissionsExt, chown},
    os::unix::net::UnixStream as BlockingStream,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Something that connections come from.
pub trait Door: Send + Sync + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// The next one.
    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Door for UnixListener {
    type Stream = UnixStream;
    async fn next(&self) -> io::Result<UnixStream> {
        self.accept().await.map(|(stream, _)| stream)
    }
}

impl Door for TcpListener {
    type Stream = TcpStream;
    async fn next(&self) -> io::Result<TcpStream> {
        let (stream, _) = self.accept().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Binds a unix socket that `group` may connect to. See [`bind_for`].
pub fn bind(path: &Path, group: Option<u32>) -> Result<UnixListener, Error> {
    bind_for(path, group, 0o660)
}

/// Binds a unix socket with these rights. A socket that a dead process left is replaced; one that
/// somebody answers on is not.
pub fn bind_for(path: &Path, group: Option<u32>, mode: u32) -> Result<UnixListener, Error> {
    if BlockingStream::connect(path).is_ok() {
        return Err(Error::new(codes::DAEMON_RUNS, format!("{} is served already", path.display()))
            .hint("end the other mailctl daemon first; a stack runs one by itself"));
    }
    let fail = |e: io::Error| Error::new(codes::IO, format!("cannot listen on {}", path.display())).cause(e);
    // Under another name until its rights are right: nobody ever meets it half made.
    let draft = path.with_extension("new");
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&draft).map_err(fail)?;
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(mode)).map_err(fail)?;
    if group.is_some() {
        chown(&draft, None, group).map_err(fail)?;
    }
    std::fs::rename(&draft, path).map_err(fail)?;
    Ok(listener)
}

/// What is spoken on the connections of a door.
pub trait Speak<S>: Send + Sync + 'static {
    /// Serves one to its end.
    fn speak(&self, stream: S, drain: &Drain) -> impl Future<Output = End> + Send;
}

impl<A: Answer, S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Speak<S> for A {
    async fn speak(&self, stream: S, drain: &Drain) -> End {
        serve(stream, self, Patience::default(), drain).await
    }
}

/// Binds a TCP port. The address as it is then: with port 0 the kernel chose one.
pub async fn bind_tcp(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let fail = |e: io::Error| Error::new(codes::IO, format!("cannot listen on {address}")).cause(e);
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, bound))
}

/// Which service, and how much of it.
#[derive(Clone, Debug)]
pub struct Service {
    /// For the log and the metrics.
    pub name: &'static str,
    /// Sessions at a time.
    pub most: usize,
    /// What came and went.
    pub traffic: Arc<Traffic>,
}

/// Serves until `drain` begins, and then until the last session has ended.
pub async fn listen<D: Door>(
    door: D,
    protocol: Arc<impl Speak<D::Stream>>,
    service: Service,
    drain: Arc<Drain>,
) {
    let name = service.name;
    let mut sessions: JoinSet<End> = JoinSet::new();
    let stopping = drain.waiting();
    tokio::pin!(stopping);
    let mut spare = Spare::new();
    // Told once, not for each of those who come in a crowd.
    let mut crowded = false;
    loop {
        tokio::select! {
            accepted = door.next() => match accepted {
                // Closing at once tells a client more than letting it wait.
                Ok(_) if sessions.len() >= service.most => {
                    service.traffic.refused();
                    if !crowded {
                        tracing::warn!(service = name, sessions = sessions.len(), "too many connections, refused");
                    }
                    crowded = true;
                }
                Ok(stream) => {
                    crowded = false;
                    let (protocol, drain, open) = (protocol.clone(), drain.clone(), service.traffic.opened());
                    sessions.spawn(async move {
                        let end = protocol.speak(stream, &drain).await;
                        drop(open);
                        end
                    });
                }
                Err(error) => {
                    // Out of files: sessions that end give some back.
                    tracing::error!(service = name, %error, "cannot accept a connection");
                    if !spare.turn_away(&door).await {
                        sleep(Duration::from_millis(100)).await;
                    }
                }
            },
            Some(ended) = sessions.join_next() => note(&service, ended),
            () = &mut stopping => break,
        }
    }
    drop(door);
    while let Some(ended) = sessions.join_next().await {
        note(&service, ended);
    }
}

/// A file that is kept for the time when there are no more: who waits to be accepted then waits for ever, and one that is
/// let in and sent away at once is told so, and tries again.
struct Spare(Option<File>);

impl Spare {
    fn new() -> Self {
        Self(File::open("/dev/null").ok())
    }

    /// Whether somebody was sent away.
    async fn turn_away(&mut self, door: &impl Door) -> bool {
        drop(self.0.take());
        // Whoever waited may have left meanwhile.
        let sent = matches!(timeout(Duration::from_millis(10), door.next()).await, Ok(Ok(_)));
        *self = Self::new();
        sent
    }
}

fn note(service: &Service, ended: Result<End, tokio::task::JoinError>) {
    let name = service.name;
    match ended {
        Ok(End::Over) => {}
        Ok(End::Slow) => tracing::warn!(service = name, "client too slow, disconnected"),
        Ok(End::Refused(why)) => tracing::warn!(service = name, why, "client not understood, disconnected"),
        Ok(End::Broken(error)) => tracing::info!(service = name, %error, "connection broke"),
        // The panic itself was told when it happened.
        Err(error) => {
            service.traffic.failed();
            tracing::error!(service = name, %error, "a session failed, the others go on");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::Progress;
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Answers every byte with itself; panics at `x`.
    struct Echo;

    impl Answer for Echo {
        fn answer(&self, buffer: &[u8], replies: &mut Vec<u8>) -> Progress {
            assert!(!buffer.contains(&b'x'), "as the test wants it");
            replies.extend(buffer);
            Progress::Used(buffer.len())
        }
    }

    async fn echoes(client: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> bool {
        let mut got = [0];
        client.write_all(b"a").await.is_ok() && client.read_exact(&mut got).await.is_ok()
    }

    fn service(most: usize) -> Service {
        Service { name: "test", most, traffic: Arc::default() }
    }

    /// Proves: fault 4 (a panic in one session's task), threats 20 (too many connections).
    #[tokio::test]
    async fn one_sessions_trouble_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let drain = Arc::new(Drain::default());
        let door = bind(&path, None).unwrap();
        let service = service(2);
        let traffic = service.traffic.clone();
        let server = tokio::spawn(listen(door, Arc::new(Echo), service, drain.clone()));
        let mut first = UnixStream::connect(&path).await.unwrap();
        assert!(echoes(&mut first).await);
        let mut second = UnixStream::connect(&path).await.unwrap();
        assert!(echoes(&mut second).await);
        assert!(!echoes(&mut UnixStream::connect(&path).await.unwrap()).await);
        second.write_all(b"x").await.unwrap();
        assert_eq!(second.read(&mut [0]).await.unwrap_or(0), 0);
        assert!(echoes(&mut first).await);
        assert!(bind(&path, None).is_err(), "a live socket was taken");
        drain.begin();
        server.await.unwrap();
        assert_eq!(traffic.counts(), [2, 1, 0, 1], "taken, turned away, open, failed");
        bind(&path, None).unwrap();
    }

    #[tokio::test]
    async fn tcp_is_served_alike() {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = door.local_addr().unwrap();
        let drain = Arc::new(Drain::default());
        let server = tokio::spawn(listen(door, Arc::new(Echo), service(2), drain.clone()));
        assert!(echoes(&mut TcpStream::connect(address).await.unwrap()).await);
        drain.begin();
        server.await.unwrap();
    }
}
