//! Port 80: whoever comes is answered in clear.

use super::{Way, Web, exchange::exchange, routes};
use crate::daemon::{
    listener::Speak,
    session::{Drain, End},
};
use std::sync::Arc;
use tokio::net::TcpStream;

/// The door.
pub struct Plain(pub Arc<Web>);

impl Speak<TcpStream> for Plain {
    async fn speak(&self, stream: TcpStream, drain: &Drain) -> End {
        let Ok(peer) = stream.peer_addr() else { return End::Over };
        let Some(_place) = self.0.sources.take(peer.ip()) else { return End::Over };
        exchange(stream, drain, |request| routes::answer(&self.0, &Way::Plain, request)).await;
        End::Over
    }
}
