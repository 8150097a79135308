//! A door behind proxies: each connection begins with a PROXY header, and only proxies that are named are let in.

use super::{End, Speak};
use crate::{daemon::session::Drain, wire::proxy};
use ipnet::IpNet;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};

/// For the header; a proxy sends it at once, with its first packet.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is spoken once the proxy has said for whom.
pub struct Behind<P> {
    /// Who may connect.
    pub proxies: Vec<IpNet>,
    /// What is spoken then.
    pub protocol: P,
}

impl<P: Speak<Begun<TcpStream>>> Speak<TcpStream> for Behind<P> {
    async fn speak(&self, mut stream: TcpStream, drain: &Drain) -> End {
        let peer = match stream.peer_addr() {
            Ok(peer) => peer.ip().to_canonical(),
            Err(error) => return End::Broken(error),
        };
        if !self.proxies.iter().any(|network| network.contains(&peer)) {
            tracing::warn!(%peer, "a connection that comes from none of the proxies, disconnected");
            return End::Over;
        }
        let mut before = Vec::with_capacity(512);
        match timeout(PATIENCE, header(&mut stream, &mut before)).await {
            Err(_) => End::Slow,
            Ok(Err(error)) => End::Broken(error),
            Ok(Ok(Err(why))) => {
                tracing::warn!(%peer, why, "a proxy that is not understood, disconnected");
                End::Over
            }
            Ok(Ok(Ok(client))) => {
                if let proxy::Client::Behind(client) = client {
                    tracing::info!(%peer, %client, "a connection through a proxy");
                }
                self.protocol.speak(Begun { before, stream }, drain).await
            }
        }
    }
}

/// Reads until the header is whole; what came after it stays in `buffer`.
async fn header(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Result<proxy::Client, &'static str>> {
    loop {
        match proxy::decode(buffer) {
            proxy::Decoded::Header(client, used) => {
                buffer.drain(..used);
                return Ok(Ok(client));
            }
            proxy::Decoded::Malformed(why) => return Ok(Err(why)),
            proxy::Decoded::More => {}
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// A connection of which something was read already: that comes first.
pub struct Begun<S> {
    before: Vec<u8>,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.before.len().min(buffer.remaining());
        buffer.put_slice(&self.before[..length]);
        self.before.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
