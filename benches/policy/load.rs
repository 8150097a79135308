//! The load generator: one for all servers. Connections that each ask, wait for the answer and ask again.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    process::{Child, Command},
};

const WARM: Duration = Duration::from_millis(50);
const ROUND: Duration = Duration::from_millis(300);

/// Requests as Postfix sends them, whole.
pub type Requests = Arc<Vec<Vec<u8>>>;

/// Where a server is asked.
#[derive(Clone, Debug)]
pub enum Place {
    Unix(PathBuf),
    Tcp(SocketAddr),
    /// A process of its own for each connection, on its standard input and output, as spawn(8) has it.
    Spawn(Vec<String>),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    _process: Option<Child>,
}

impl Place {
    pub async fn connect(&self) -> io::Result<Connection> {
        let (stream, process): (Box<dyn Stream>, _) = match self {
            Self::Unix(path) => (Box::new(UnixStream::connect(path).await?), None),
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                (Box::new(stream), None)
            }
            Self::Spawn(words) => {
                let mut child = Command::new(&words[0])
                    .args(&words[1..])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .kill_on_drop(true)
                    .spawn()?;
                let (stdout, stdin) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
                (Box::new(tokio::io::join(stdout, stdin)), Some(child))
            }
        };
        Ok(Connection { stream, buffer: Vec::with_capacity(4096), _process: process })
    }

    /// Waits until it answers.
    pub async fn ready(&self) {
        let began = Instant::now();
        while self.connect().await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "{self:?} is not served");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Connection {
    /// One question, one whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        while !self.buffer.ends_with(b"\n\n") {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(&self.buffer)
    }

    /// A part of a question.
    pub async fn drip(&mut self, part: &[u8]) -> io::Result<()> {
        self.stream.write_all(part).await
    }
}

/// What Postfix 3.10 sends at RCPT.
pub fn request(number: usize) -> Vec<u8> {
    let (high, low) = (number / 250 % 250, number % 250);
    // Some send to many: ten letters each.
    let who = format!("user{}", number / 9000);
    let (net, shop) = (18 + number / 62_500, number % 9000);
    format!(
        "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=198.{net}.{high}.{low}\n\
         client_name=mx{number}.shop{shop}.example.net\nclient_port=50222\nreverse_client_name=mx{number}.shop{shop}.example.net\n\
         server_address=192.0.2.25\nserver_port=25\nhelo_name=mx{number}.shop{shop}.example.net\nsender=news@shop{shop}.example.net\n\
         recipient={who}@example.org\nrecipient_count=0\nqueue_id=\ninstance=1f2.6740a1b2.{number:x}.0\nsize=14221\netrn_domain=\n\
         stress=\nsasl_method=\nsasl_username=\nsasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\n\
         ccert_pubkey_fingerprint=\nencryption_protocol=TLSv1.3\nencryption_cipher=TLS_AES_256_GCM_SHA384\n\
         encryption_keysize=256\npolicy_context=\ncompatibility_level=3.10\nmail_version=3.10.5\n\n",
    )
    .into_bytes()
}

/// Asks about each once, over ten connections; every answer begins like this.
pub async fn all(place: &Place, requests: &Requests, answer: &'static [u8]) {
    let tasks = (0..10).map(|part| {
        let (place, requests) = (place.clone(), Arc::clone(requests));
        tokio::spawn(async move {
            let mut connection = place.connect().await.unwrap();
            for request in requests.iter().skip(part).step_by(10) {
                let said = connection.ask(request).await.unwrap().to_ascii_lowercase();
                assert!(said.starts_with(answer), "{}", String::from_utf8_lossy(&said));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// Of one round.
pub struct Figures {
    /// Answers per second.
    pub rate: f64,
    pub p99: Duration,
}

/// One round.
pub async fn load(place: &Place, connections: usize, requests: &Requests) -> Figures {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(place.connect().await.unwrap());
    }
    load_on(&mut open, requests).await
}

/// One round on connections that are there already.
pub async fn load_on(open: &mut Vec<Connection>, requests: &Requests) -> Figures {
    let begin = Instant::now() + WARM;
    let end = begin + ROUND;
    let tasks = open.drain(..).enumerate().map(|(number, mut connection)| {
        let requests = Arc::clone(requests);
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(65_536);
            let mut at = number * 7919 % requests.len();
            loop {
                let began = Instant::now();
                if began >= end {
                    return (connection, times);
                }
                connection.ask(&requests[at]).await.unwrap();
                if began >= begin {
                    times.push(began.elapsed());
                }
                at = (at + 1) % requests.len();
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut times = Vec::new();
    for task in tasks {
        let (connection, took) = task.await.unwrap();
        open.push(connection);
        times.extend(took);
    }
    times.sort();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    Figures { rate: times.len() as f64 / ROUND.as_secs_f64(), p99 }
}

/// The middle one; a shared machine has outliers on both sides.
pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
