//! One message to one server and its answer: UDP with resends, TCP where the answer was cut off.

use hickory_net::proto::op::Message;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::Instant,
};

/// When a question is sent again, in thousandths of its time: a lost packet costs a fraction of the deadline.
const RESENDS: [u32; 4] = [80, 200, 400, 680];

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The answer.
    pub message: Message,
    /// Its octets.
    pub size: usize,
    /// It was late or lost, and asked again.
    pub again: bool,
}

/// Why nothing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The time is over.
    Timeout,
    /// Nobody there, no way there, or an answer that cannot be read.
    Fault(String),
}

impl Failure {
    fn fault(error: impl ToString) -> Self {
        Self::Fault(error.to_string())
    }
}

/// Asks `server` until `deadline`; what was cut off (RFC 1035 §4.2.1, the TC bit) is asked again over TCP.
pub async fn exchange(server: SocketAddr, query: &Message, deadline: Instant) -> Result<Reply, Failure> {
    let bytes = query.to_vec().map_err(Failure::fault)?;
    let reply = within(deadline, udp(server, query, &bytes, deadline)).await?;
    if reply.message.metadata.truncation { tcp(server, query, &bytes, deadline).await } else { Ok(reply) }
}

/// Over TCP from the beginning (RFC 7766).
pub async fn tcp(
    server: SocketAddr,
    query: &Message,
    bytes: &[u8],
    deadline: Instant,
) -> Result<Reply, Failure> {
    let answer = raw_tcp(server, bytes, deadline).await?;
    read(query, &answer).unwrap_or_else(|| Err(Failure::fault("the answer over TCP is to another question")))
}

/// The octets of the answer as they came, for those who must verify them.
pub async fn raw_tcp(server: SocketAddr, bytes: &[u8], deadline: Instant) -> Result<Vec<u8>, Failure> {
    let length = u16::try_from(bytes.len()).map_err(Failure::fault)?;
    let talk = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&[&length.to_be_bytes()[..], bytes].concat()).await?;
        let mut answer = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    within(deadline, async { talk.await.map_err(|e| Failure::Fault(format!("TCP: {e}"))) }).await
}

async fn within<T>(deadline: Instant, doing: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout_at(deadline, doing).await.unwrap_or(Err(Failure::Timeout))
}

/// A socket of its own for every question: a new random port (RFC 5452 §9.2). It is connected, so the kernel drops
/// what comes from elsewhere, and tells when nobody listens there.
async fn udp(server: SocketAddr, query: &Message, bytes: &[u8], deadline: Instant) -> Result<Reply, Failure> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.map_err(Failure::fault)?;
    socket.connect(server).await.map_err(Failure::fault)?;
    let began = Instant::now();
    let patience = deadline.saturating_duration_since(began);
    let mut resends = RESENDS.iter().map(|part| began + patience / 1000 * *part);
    let mut buffer = vec![0; 4096];
    let mut again = false;
    socket.send(bytes).await.map_err(Failure::fault)?;
    loop {
        let resend = resends.next().unwrap_or(deadline + Duration::from_secs(1));
        loop {
            let length = match tokio::time::timeout_at(resend, socket.recv(&mut buffer)).await {
                Err(_) => break,
                Ok(received) => received.map_err(Failure::fault)?,
            };
            // Not the answer to this question: forged, or late for another one. The real one may still come.
            if let Some(reply) = read(query, &buffer[..length]) {
                return reply.map(|reply| Reply { again, ..reply });
            }
        }
        again = true;
        socket.send(bytes).await.map_err(Failure::fault)?;
    }
}

/// `None`: not an answer to this question (RFC 5452 §9.1: same number, same question).
fn read(query: &Message, bytes: &[u8]) -> Option<Result<Reply, Failure>> {
    let id = u16::from_be_bytes(*bytes.first_chunk::<2>()?);
    if id != query.metadata.id || bytes.get(2).is_none_or(|flags| flags & 0x80 == 0) {
        return None;
    }
    match Message::from_vec(bytes) {
        Err(error) => Some(Err(Failure::Fault(format!("the answer cannot be read: {error}")))),
        // Servers that refuse to look at a question may leave it out of their answer.
        Ok(message) if message.queries == query.queries || message.queries.is_empty() => {
            Some(Ok(Reply { message, size: bytes.len(), again: false }))
        }
        Ok(_) => None,
    }
}
