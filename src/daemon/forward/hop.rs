//! One connection to the next server, and one message after another on it.

use crate::wire::smtp::{
    Answer, Capabilities, DecodedAnswer, Dialect, Kind, MailFrom, RcptTo, Reply, decode_answer, say,
};
use serde::Deserialize;
use std::{fmt, io, path::PathBuf, str::FromStr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

/// For a connection and its greeting.
const OPENING: Duration = Duration::from_secs(30);
/// For an answer before the message (RFC 5321 §4.5.3.2 has five minutes; Postfix waits three for us to go on).
const ANSWER: Duration = Duration::from_secs(90);
/// For the next server to take a piece of the message.
const PIECE: Duration = Duration::from_secs(150);
/// For the answer to the whole message: Postfix, which waits for ours, gives us 600 seconds.
const TAKEN: Duration = Duration::from_secs(570);

/// What waits of an answer at most.
const BUFFER: usize = 1024;

/// Where messages go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hop {
    /// A unix socket.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

impl FromStr for Hop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        let place = text.strip_prefix("smtp:").filter(|place| place.contains(':'));
        place.map(|place| Self::Tcp(place.to_owned())).ok_or_else(|| {
            format!("{text:?} is no next hop; write it like unix:/path/to/socket or smtp:host:25")
        })
    }
}

impl<'de> Deserialize<'de> for Hop {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(place) => write!(f, "smtp:{place}"),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// An open one.
pub struct Connection {
    stream: Box<dyn Stream>,
    /// What came and was not read yet.
    buffer: Vec<u8>,
    /// What is said next.
    out: Vec<u8>,
    offered: Capabilities,
    /// Messages so far.
    pub messages: u32,
    /// In the middle of something: not to be used for another message.
    torn: bool,
}

/// Why a message is not there yet.
#[derive(Debug)]
pub enum Failure {
    /// The connection ended before anything was answered. One that was idle may have been closed by the other side.
    Unheard(String),
    /// It broke, or took too long.
    Broken(String),
}

impl Failure {
    /// What the one before us is told: to come again.
    pub fn reply(&self, hop: &Hop) -> Reply {
        let (Self::Unheard(why) | Self::Broken(why)) = self;
        let status = crate::mail::status::EnhancedStatus::new(4, 4, 2);
        Reply::new(451, status, format!("the next server ({hop}) cannot be talked to now: {why}"))
    }
}

/// What became of an envelope.
pub enum Begun {
    /// The message may come. These recipients are refused for good: their number, and what was said.
    Ready(Vec<(usize, Reply)>),
    /// It may not.
    Refused(Reply),
}

impl Connection {
    /// Connects and says hello as `name`.
    pub async fn open(hop: &Hop, name: &str) -> Result<Self, Failure> {
        let opened = timeout(OPENING, Self::opened(hop, name)).await;
        opened.unwrap_or_else(|_| Err(Failure::Broken("no greeting in time".to_owned())))
    }

    async fn opened(hop: &Hop, name: &str) -> Result<Self, Failure> {
        let stream: Box<dyn Stream> = match hop {
            Hop::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(broken)?),
            Hop::Tcp(place) => {
                let stream = TcpStream::connect(place).await.map_err(broken)?;
                stream.set_nodelay(true).map_err(broken)?;
                Box::new(stream)
            }
        };
        let (buffer, out) = (Vec::with_capacity(BUFFER), Vec::with_capacity(BUFFER));
        let offered = Capabilities::default();
        let mut open = Self { stream, buffer, out, offered, messages: 0, torn: false };
        let welcome = |answer: Answer<'_>| match answer.kind() {
            Kind::Done => Ok(()),
            _ => Err(Failure::Broken(format!("it said {answer}"))),
        };
        open.answer(OPENING, welcome).await??;
        say::hello(Dialect::Smtp, name, &mut open.out)
            .map_err(|why| Failure::Broken(format!("{name} {why}")))?;
        open.say().await?;
        open.offered =
            open.answer(OPENING, |answer| welcome(answer).map(|()| Capabilities::read(answer))).await??;
        Ok(open)
    }

    /// Whether it can be used for another message.
    pub fn whole(&self) -> bool {
        !self.torn
    }

    /// Sends an envelope. Where the message may not come, the next server has nothing of it.
    pub async fn begin(&mut self, from: &MailFrom<'_>, to: &[RcptTo<'_>]) -> Result<Begun, Failure> {
        self.torn = true;
        if let Err(why) = say::mail(from, &self.offered, &mut self.out) {
            self.out.clear();
            self.torn = false;
            let status = crate::mail::status::EnhancedStatus::new(5, 3, 4);
            return Ok(Begun::Refused(Reply::new(552, status, why.to_string())));
        }
        if !self.offered.pipelining {
            return self.begin_slowly(to).await;
        }
        for to in to {
            say::rcpt(to, &self.offered, &mut self.out);
        }
        say::data(&mut self.out);
        let mail = self.first().await?;
        let mut envelope = Envelope::default();
        for at in 0..to.len() {
            envelope.heard(at, self.verdict(ANSWER).await?);
        }
        let data = self.verdict(ANSWER).await?;
        // RFC 2920 §3.1: it may want the message though there is nobody for it.
        let wants = data.as_ref().is_some_and(|reply| reply.kind() == Kind::GoOn);
        self.torn = wants;
        let refused = mail.or_else(|| envelope.refusal(to.len())).or(data.filter(|_| !wants));
        Ok(refused.map_or(Begun::Ready(envelope.refused), Begun::Refused))
    }

    async fn begin_slowly(&mut self, to: &[RcptTo<'_>]) -> Result<Begun, Failure> {
        if let Some(refused) = self.first().await? {
            self.torn = false;
            return Ok(Begun::Refused(refused));
        }
        let mut envelope = Envelope::default();
        for (at, to) in to.iter().enumerate() {
            say::rcpt(to, &self.offered, &mut self.out);
            self.say().await?;
            envelope.heard(at, self.verdict(ANSWER).await?);
        }
        if let Some(refused) = envelope.refusal(to.len()) {
            say::rset(&mut self.out);
            self.say().await?;
            self.verdict(ANSWER).await?;
            self.torn = false;
            return Ok(Begun::Refused(refused));
        }
        say::data(&mut self.out);
        self.say().await?;
        match self.verdict(ANSWER).await? {
            Some(reply) if reply.kind() == Kind::GoOn => Ok(Begun::Ready(envelope.refused)),
            Some(reply) => {
                self.torn = false;
                Ok(Begun::Refused(reply))
            }
            None => Err(Failure::Broken("it took a message before there was one".to_owned())),
        }
    }

    /// Goes before the next piece, in one write with it.
    pub fn put(&mut self, lines: &[u8]) {
        self.out.extend_from_slice(lines);
    }

    /// Sends a part of the message, as it came: dot-stuffed.
    pub async fn piece(&mut self, piece: &[u8]) -> Result<(), Failure> {
        let written = if self.out.is_empty() {
            timeout(PIECE, self.stream.write_all(piece)).await
        } else {
            self.out.extend_from_slice(piece);
            let written = timeout(PIECE, self.stream.write_all(&self.out)).await;
            self.out.clear();
            self.out.shrink_to(BUFFER);
            written
        };
        written.map_err(|_| Failure::Broken("it took the message too slowly".to_owned()))?.map_err(broken)
    }

    /// Waits for the answer to a whole message.
    pub async fn taken(&mut self) -> Result<Reply, Failure> {
        let reply = self.answer(TAKEN, |answer| answer.reply()).await?;
        self.messages += 1;
        self.torn = false;
        Ok(reply)
    }

    /// Whether the other side has closed it or said something unasked; asked of a connection that was idle.
    pub fn gone(&mut self) -> bool {
        use futures_util::FutureExt;
        !self.buffer.is_empty() || self.stream.read_buf(&mut self.buffer).now_or_never().is_some()
    }

    async fn say(&mut self) -> Result<(), Failure> {
        let written = timeout(PIECE, self.stream.write_all(&self.out)).await;
        self.out.clear();
        written.map_err(|_| Failure::Broken("it reads nothing".to_owned()))?.map_err(broken)
    }

    /// Says MAIL, and what goes with it. `None` = yes.
    async fn first(&mut self) -> Result<Option<Reply>, Failure> {
        let answered = match self.say().await {
            Ok(()) => self.verdict(ANSWER).await,
            Err(failure) => Err(failure),
        };
        answered.map_err(|failure| match failure {
            Failure::Broken(why) if self.messages > 0 && self.buffer.is_empty() => Failure::Unheard(why),
            other => other,
        })
    }

    /// `None` = done; any other reply.
    async fn verdict(&mut self, patience: Duration) -> Result<Option<Reply>, Failure> {
        self.answer(patience, |answer| (answer.kind() != Kind::Done).then(|| answer.reply())).await
    }

    async fn answer<T>(&mut self, patience: Duration, read: impl Fn(Answer<'_>) -> T) -> Result<T, Failure> {
        loop {
            match decode_answer(&self.buffer) {
                DecodedAnswer::Answer(answer, used) => {
                    let told = read(answer);
                    self.buffer.drain(..used);
                    return Ok(told);
                }
                DecodedAnswer::Malformed(why) => return Err(Failure::Broken(format!("it sent {why}"))),
                DecodedAnswer::More => {
                    let came = timeout(patience, self.stream.read_buf(&mut self.buffer)).await;
                    let came = came.map_err(|_| Failure::Broken("no answer in time".to_owned()))?;
                    if came.map_err(broken)? == 0 {
                        return Err(Failure::Broken("it closed the connection".to_owned()));
                    }
                }
            }
        }
    }
}

/// What was said to the recipients of one envelope.
#[derive(Default)]
struct Envelope {
    refused: Vec<(usize, Reply)>,
    later: Option<Reply>,
}

impl Envelope {
    fn heard(&mut self, at: usize, verdict: Option<Reply>) {
        match verdict {
            Some(reply) if reply.kind() == Kind::Never => self.refused.push((at, reply)),
            Some(reply) => self.later = self.later.take().or(Some(reply)),
            None => {}
        }
    }

    /// Nothing is sent where one of them is to be tried later: it would come twice to the others then.
    fn refusal(&self, recipients: usize) -> Option<Reply> {
        let all = || self.refused.first().filter(|_| self.refused.len() == recipients);
        self.later.clone().or_else(|| all().map(|(_, reply)| reply.clone()))
    }
}

fn broken(error: io::Error) -> Failure {
    Failure::Broken(error.to_string())
}
