//! Port 443: TLS, and in it either HTTP/1.1 or the proof of a name to a validator of ACME, which is the handshake
//! alone (RFC 8737 §4).

use super::{
    Way, Web,
    certificate::{ACME, Live, proof},
    challenge,
    exchange::exchange,
    routes,
};
use crate::daemon::{
    listener::Speak,
    session::{Drain, End},
};
use rustls::{ServerConfig, server::Acceptor};
use std::{sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

/// For the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The door.
pub struct Secure {
    /// What requests are answered from.
    pub web: Arc<Web>,
    /// What is shown.
    pub certificates: Arc<Live>,
}

/// What a client came for.
enum Wish {
    Web(Option<String>),
    Proof,
}

impl Speak<TcpStream> for Secure {
    async fn speak(&self, stream: TcpStream, drain: &Drain) -> End {
        let Ok(peer) = stream.peer_addr() else { return End::Over };
        let Some(_place) = self.web.sources.take(peer.ip()) else { return End::Over };
        let greeted = tokio::select! {
            greeted = timeout(HANDSHAKE, self.greet(stream)) => greeted,
            () = drain.waiting() => return End::Over,
        };
        match greeted {
            Ok(Some((Wish::Web(name), stream))) => {
                let way = Way::Tls(name);
                exchange(stream, drain, |request| routes::answer(&self.web, &way, request)).await;
            }
            // Nothing else is ever said on such a connection.
            Ok(Some((Wish::Proof, mut stream))) => {
                let _ = timeout(HANDSHAKE, stream.shutdown()).await;
            }
            Ok(None) | Err(_) => {}
        }
        End::Over
    }
}

impl Secure {
    /// The handshake; `None` where it fails.
    async fn greet(&self, stream: TcpStream) -> Option<(Wish, TlsStream<TcpStream>)> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.ok()?;
        let (name, validator) = {
            let hello = start.client_hello();
            // RFC 8737 §3: a validator offers this protocol and no other.
            let validator = hello.alpn().is_some_and(|offered| offered.eq([ACME]));
            (hello.server_name().map(str::to_ascii_lowercase), validator)
        };
        let (wish, config): (_, Arc<ServerConfig>) = if validator {
            let pem = challenge::certificate(&self.web.challenges, &name?).await?;
            (Wish::Proof, proof(&pem)?)
        } else {
            (Wish::Web(name), self.certificates.config()?)
        };
        start.into_stream(config).await.ok().map(|stream| (wish, stream))
    }
}
