//! One request and its response. Then the connection ends: nobody who comes here asks often, and where there is no
//! second request none can be smuggled in behind the first.

use super::respond::Reply;
use crate::daemon::session::Drain;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, pin::pin, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

/// For the head of a request, from the first moment on.
const HEAD: Duration = Duration::from_secs(10);
/// For request and response together, whatever the client does.
const WHOLE: Duration = Duration::from_secs(30);
/// The head of a request may have so many octets; no client comes near.
const BUFFER: usize = 16 << 10;
/// And so many lines.
const LINES: usize = 64;

/// Answers what comes on `stream`. What goes wrong on the way is the client's affair: who is too slow, or does not
/// speak HTTP/1, is disconnected.
pub async fn exchange<S, F, R>(stream: S, drain: &Drain, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Request<Incoming>) -> R,
    R: Future<Output = Reply>,
{
    let service = service_fn(|request| {
        let reply = answer(request);
        async move { Ok::<_, Infallible>(reply.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .keep_alive(false)
        // Who has said all and waits for the answer is still there.
        .half_close(true)
        .max_headers(LINES)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let whole = async {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = drain.waiting() => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    };
    if let Ok(Err(error)) = timeout(WHOLE, whole).await {
        tracing::debug!(%error, "an exchange over HTTP failed");
    }
}
