//! One connection: bytes in, whole requests answered, all replies of one read in one write.
//!
//! An answer that has to wait for something makes only its own connection wait: replies keep the order of the requests.

mod aside;

pub use aside::{Aside, Call};
use futures_util::future::BoxFuture;
use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    task::Poll,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Notify, futures::Notified},
    time::{Instant, timeout},
};

/// A protocol: answers the whole requests at the beginning of a buffer.
pub trait Answer: Send + Sync + 'static {
    /// Appends a reply for each whole request.
    fn answer(&self, buffer: &[u8], replies: &mut Vec<u8>) -> Progress;
}

/// How far an [`Answer`] came.
pub enum Progress {
    /// So many bytes are answered; what follows them is the beginning of a request.
    Used(usize),
    /// So many bytes are taken; the reply to the last request in them comes from this future, and what follows
    /// waits until then. It ends by itself within [`LATEST`].
    Later(usize, BoxFuture<'static, Vec<u8>>),
    /// The client is not understood, and is disconnected after the replies.
    Refused(&'static str),
}

/// What an answer may take at most that has to wait for somebody: Postfix waits no longer than two seconds.
pub const LATEST: Duration = Duration::from_millis(1500);

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Used(used) => write!(f, "Used({used})"),
            Self::Later(used, _) => write!(f, "Later({used})"),
            Self::Refused(why) => write!(f, "Refused({why:?})"),
        }
    }
}

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Between two requests: Postfix keeps its connections.
    pub idle: Duration,
    /// For a whole request from its first byte, and for taking our replies.
    pub request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { idle: Duration::from_secs(3600), request: Duration::from_secs(10) }
    }
}

/// Tells all sessions to end when they have answered what they have read.
#[derive(Default)]
pub struct Drain {
    begun: AtomicBool,
    /// Whoever waits looks at its lock with each request: a few, so that sessions rarely meet at one.
    wake: [Notify; 16],
    next: AtomicUsize,
}

impl Drain {
    /// From now on.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
        self.wake.iter().for_each(Notify::notify_waiters);
    }

    /// Returns when it begins.
    pub async fn waiting(&self) {
        let notified = self.notified();
        if !self.begun() {
            notified.await;
        }
    }

    fn notified(&self) -> Notified<'_> {
        self.wake[self.next.fetch_add(1, Ordering::Relaxed) % self.wake.len()].notified()
    }

    /// Whether it has begun.
    pub fn begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }
}

/// Why a session ended.
#[derive(Debug)]
pub enum End {
    /// The client left, or was idle for too long, or we are stopping.
    Over,
    /// It sent half a request and then nothing, or did not take our replies.
    Slow,
    /// It was not understood.
    Refused(&'static str),
    /// The connection broke.
    Broken(io::Error),
}

/// Serves a connection to its end.
pub async fn serve<S>(stream: S, protocol: &impl Answer, patience: Patience, drain: &Drain) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match talk(stream, protocol, patience, drain).await {
        Ok(end) => end,
        Err(error) => End::Broken(error),
    }
}

/// What a connection costs while it is idle; both grow to the longest request or reply that there is.
const BUFFER: usize = 1024;

async fn talk<S>(mut stream: S, protocol: &impl Answer, patience: Patience, drain: &Drain) -> io::Result<End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer: Vec<u8> = Vec::with_capacity(BUFFER);
    let mut replies: Vec<u8> = Vec::with_capacity(BUFFER);
    let mut last = Instant::now();
    // One timer for the whole session, moved when it fires and not at each request.
    let mut aside = Aside::new(drain, last + patience.idle);
    while !drain.begun() || !buffer.is_empty() {
        let read = match next(&mut stream, &mut buffer, &mut aside, true).await {
            Next::Read(read) => read?,
            Next::Call(Call::Stop) => return Ok(End::Over),
            Next::Call(Call::Late) => {
                let (allowed, end) = if buffer.is_empty() {
                    (patience.idle, End::Over)
                } else {
                    (patience.request, End::Slow)
                };
                if last.elapsed() >= allowed {
                    return Ok(end);
                }
                aside.until(last + allowed);
                continue;
            }
        };
        if read == 0 {
            return Ok(End::Over);
        }
        let began_empty = buffer.len() == read;
        let mut taken = 0;
        let refused = loop {
            match protocol.answer(&buffer, &mut replies) {
                Progress::Used(used) => {
                    buffer.drain(..used);
                    taken += used;
                    break None;
                }
                Progress::Later(used, reply) => {
                    buffer.drain(..used);
                    taken += used;
                    // Who was answered already does not wait with the others.
                    if !send(&mut stream, &mut replies, patience).await? {
                        return Ok(End::Slow);
                    }
                    replies.extend(reply.await);
                }
                Progress::Refused(why) => break Some(why),
            }
        };
        buffer.shrink_to(BUFFER * 8);
        if taken > 0 || began_empty {
            last = Instant::now();
            if !buffer.is_empty() {
                aside.until(last + patience.request);
            }
        }
        if !send(&mut stream, &mut replies, patience).await? {
            return Ok(End::Slow);
        }
        if let Some(why) = refused {
            return Ok(End::Refused(why));
        }
    }
    Ok(End::Over)
}

/// What a session goes on with.
pub enum Next {
    /// So many octets came; none: the client has left.
    Read(io::Result<usize>),
    /// Something else did.
    Call(Call),
}

/// What the client sends goes before everything else. Where `may_stop`, the end of all is heard while nothing of a request
/// is there: nobody is stopped in the middle of one.
pub async fn next<S>(stream: &mut S, buffer: &mut Vec<u8>, aside: &mut Aside<'_>, may_stop: bool) -> Next
where
    S: AsyncRead + Unpin,
{
    poll_fn(|context| {
        if let Poll::Ready(read) = pin!(stream.read_buf(buffer)).poll(context) {
            return Poll::Ready(Next::Read(read));
        }
        aside.poll(context, may_stop && buffer.is_empty()).map(Next::Call)
    })
    .await
}

/// Sends what there is; false: the client does not take it.
async fn send<S>(stream: &mut S, replies: &mut Vec<u8>, patience: Patience) -> io::Result<bool>
where
    S: AsyncWrite + Unpin,
{
    if replies.is_empty() {
        return Ok(true);
    }
    // Nearly always there is room for all of it, and no timer is needed.
    let written = poll_fn(|context| Poll::Ready(Pin::new(&mut *stream).poll_write(context, replies))).await;
    let written = if let Poll::Ready(written) = written { written? } else { 0 };
    if written < replies.len() {
        let rest = stream.write_all(&replies[written..]);
        let Ok(written) = timeout(patience.request, rest).await else { return Ok(false) };
        written?;
    }
    replies.clear();
    replies.shrink_to(BUFFER * 8);
    Ok(true)
}

#[cfg(test)]
mod tests;
