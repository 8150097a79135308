//! A message on its way: read in pieces, looked at, and written to the next server as it came.

use super::{
    Desk,
    pool::Lent,
    report::Report,
    route::{self, Way},
    upstream::{Letter, More, Upstream},
};
use crate::{
    daemon::{memory::unix_now, session::End},
    mail::{
        address::Domain,
        onward::{Trace, head_end},
        status::EnhancedStatus,
    },
    wire::smtp::{
        Command, DataScanner, Decoded, Dialect, Fault, Kind, MailFrom, Path, RcptTo, Reply, Scanned,
        decode_command,
    },
};
use futures_util::future::join_all;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

const GO_ON: Reply = Reply::fixed(354, (2, 0, 0), "the message, and a dot alone at its end");
const LOOPS: Reply = Reply::fixed(554, (5, 4, 6), "this message was here before: it goes round in a circle");

/// The most octets of a header that are looked at; what is behind them goes on all the same.
const HEAD: usize = 128 * 1024;
/// The most octets of a message that are held at a time.
const PIECE: usize = 32 * 1024;

/// One recipient's message.
struct Passage<'a> {
    way: &'a Way,
    /// Its number in the log.
    id: String,
    state: State<'a>,
}

enum State<'a> {
    /// The next server takes it; the targets that it refused.
    Open(Box<Lent<'a>>, Vec<(usize, Reply)>),
    /// It is over: this is answered.
    Ended(Reply),
}

/// Reads a message and passes it on, and answers for each recipient. `Some`: the connection ends.
pub async fn pass<S>(
    upstream: &mut Upstream<'_, S>,
    letter: &Letter,
    desk: &Desk,
    host: &str,
) -> io::Result<Option<End>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    GO_ON.encode(&mut upstream.out);
    upstream.flush().await?;
    let mut source = Source { scanner: DataScanner::new(), seen: 0, ended: false };
    let head = match source.head(upstream).await? {
        Step::Came => head_end(&upstream.buffer[..source.seen], 0).unwrap_or(source.seen),
        Step::Over(end) => return Ok(Some(end)),
        Step::Wrong(fault) => return refuse(upstream, letter, fault).await,
    };
    let head = upstream.buffer[..head].to_vec();
    let mut passages = open(letter, desk, &head, (&upstream.name, upstream.dialect)).await;
    while !source.ended {
        let piece = &upstream.buffer[..source.seen];
        join_all(passages.iter_mut().map(|passage| passage.piece(piece, desk))).await;
        match source.next(upstream).await? {
            Step::Came => {}
            Step::Over(end) => return Ok(Some(end)),
            // Those who have a part of it get no end of it.
            Step::Wrong(fault) => return refuse(upstream, letter, fault).await,
        }
    }
    let last = &upstream.buffer[..source.seen];
    let size = source.scanner.size();
    let about = About { letter, head: &head, host: &Domain::parse(host).ok(), size };
    let replies = join_all(passages.into_iter().map(|passage| passage.end(last, desk, &about))).await;
    upstream.buffer.drain(..source.seen);
    replies.iter().for_each(|reply| reply.encode(&mut upstream.out));
    upstream.flush().await?;
    Ok(None)
}

/// What all recipients of a message have in common.
struct About<'a> {
    letter: &'a Letter,
    head: &'a [u8],
    host: &'a Option<Domain>,
    size: u64,
}

/// Takes a message out of a connection's buffer, as far as it belongs to it.
struct Source {
    scanner: DataScanner,
    /// Octets of the buffer that belong to it.
    seen: usize,
    ended: bool,
}

enum Step {
    Came,
    Over(End),
    Wrong(Fault),
}

impl Source {
    /// Reads until the whole header is there, or as much of it as is looked at.
    async fn head<S>(&mut self, upstream: &mut Upstream<'_, S>) -> io::Result<Step>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let before = self.seen;
            if let Some(step) = self.look(&upstream.buffer) {
                return Ok(step);
            }
            if self.ended || self.seen >= HEAD || head_end(&upstream.buffer[..self.seen], before).is_some() {
                return Ok(Step::Came);
            }
            if let Some(step) = self.read(upstream).await? {
                return Ok(step);
            }
        }
    }

    /// Forgets the piece that was there, and reads the next one.
    async fn next<S>(&mut self, upstream: &mut Upstream<'_, S>) -> io::Result<Step>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        upstream.buffer.drain(..self.seen);
        upstream.buffer.shrink_to(PIECE);
        self.seen = 0;
        if let Some(step) = self.read(upstream).await? {
            return Ok(step);
        }
        Ok(self.look(&upstream.buffer).unwrap_or(Step::Came))
    }

    async fn read<S>(&mut self, upstream: &mut Upstream<'_, S>) -> io::Result<Option<Step>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        upstream.buffer.reserve(PIECE - upstream.buffer.len().min(PIECE / 2));
        Ok(match upstream.more(false).await? {
            More::Came => None,
            // Who leaves in the middle has sent nothing: those who have a part of it get no end of it.
            More::Left | More::Stop => Some(Step::Over(End::Over)),
            More::Late => Some(Step::Over(End::Slow)),
        })
    }

    fn look(&mut self, buffer: &[u8]) -> Option<Step> {
        match self.scanner.feed(&buffer[self.seen..]) {
            Ok(Scanned::Goes) => self.seen = buffer.len(),
            Ok(Scanned::Ends(length)) => {
                self.seen += length;
                self.ended = true;
            }
            Err(fault) => return Some(Step::Wrong(fault)),
        }
        None
    }
}

/// Where the message ends is not sure, so nothing that follows can be understood.
async fn refuse<S>(upstream: &mut Upstream<'_, S>, letter: &Letter, fault: Fault) -> io::Result<Option<End>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    letter.to.iter().for_each(|_| fault.reply().encode(&mut upstream.out));
    upstream.flush().await?;
    Ok(Some(End::Refused("a message with CR or LF alone")))
}

/// Asks the next server for each recipient, all at once.
async fn open<'a>(
    letter: &'a Letter,
    desk: &'a Desk,
    head: &[u8],
    (client, dialect): (&str, Dialect),
) -> Vec<Passage<'a>> {
    let header = crate::mail::onward::Way::of(head);
    let opened = letter.to.iter().map(|(line, way)| {
        let looped = header.loops(&way.address);
        async move {
            let id = format!("{:012x}", rand::random::<u64>() >> 16);
            let state = if looped {
                State::Ended(LOOPS)
            } else {
                match begin(letter, line, way, desk, (&id, client, dialect)).await {
                    Ok((lent, refused)) => State::Open(Box::new(lent), refused),
                    Err(reply) => State::Ended(reply),
                }
            };
            Passage { way, id, state }
        }
    });
    join_all(opened).await
}

/// Sends the envelope, and what is put on top.
async fn begin<'a>(
    letter: &Letter,
    line: &[u8],
    way: &Way,
    desk: &'a Desk,
    (id, client, dialect): (&str, &str, Dialect),
) -> Result<(Lent<'a>, Vec<(usize, Reply)>), Reply> {
    let now = i64::from(unix_now());
    let (sender, lines) = {
        let known = desk.state.read();
        let sender = route::sender(&known, &letter.sender, way, now)?;
        let with = if dialect == Dialect::Lmtp { "LMTP" } else { "ESMTP" };
        let host = &known.place.hostname;
        let trace = Trace { host, client, with, id, recipient: &way.address, now, tell: known.tell };
        (sender, trace.lines())
    };
    tracing::debug!(id, from = letter.sender, to = %way.address, sender, "forwarding");
    let broken = |what: &str| {
        Reply::new(451, EnhancedStatus::new(4, 3, 0), format!("{what} was not understood again"))
    };
    // Read once before, when they came.
    let Decoded::Command(Command::Mail(from), _) = decode_command(&letter.mail, dialect) else {
        return Err(broken("MAIL"));
    };
    let Decoded::Command(Command::Rcpt(to), _) = decode_command(line, dialect) else {
        return Err(broken("RCPT"));
    };
    let path = Path::parse(&sender).map_err(broken)?;
    let size = from.size.map(|size| size.saturating_add(lines.len() as u64));
    let from = MailFrom { path, size, ..from };
    let targets: Vec<String> = way.targets.iter().map(ToString::to_string).collect();
    let to: Vec<RcptTo<'_>> = targets
        .iter()
        .filter_map(|target| Some(RcptTo { path: Path::parse(target).ok()?, ..to.clone() }))
        .collect();
    if to.len() < targets.len() {
        return Err(broken("a target"));
    }
    let (mut lent, refused) = desk.pool.begin(&from, &to).await?;
    lent.connection.put(lines.as_bytes());
    Ok((lent, refused))
}

impl Passage<'_> {
    /// Passes a piece on.
    async fn piece(&mut self, piece: &[u8], desk: &Desk) {
        let State::Open(lent, _) = &mut self.state else { return };
        if let Err(failure) = lent.connection.piece(piece).await {
            self.state = State::Ended(failure.reply(desk.pool.hop()));
        }
    }

    /// Passes the last piece on, and says what became of the whole.
    async fn end(self, last: &[u8], desk: &Desk, about: &About<'_>) -> Reply {
        let Self { way, id, state } = self;
        let reply = match state {
            State::Ended(reply) => reply,
            State::Open(lent, refused) => finish(*lent, &refused, (way, &id), last, desk, about).await,
        };
        desk.counts.ended(reply.kind(), about.size);
        tell(way, &id, &reply, about);
        reply
    }
}

async fn finish(
    mut lent: Lent<'_>,
    refused: &[(usize, Reply)],
    (way, id): (&Way, &str),
    last: &[u8],
    desk: &Desk,
    about: &About<'_>,
) -> Reply {
    // Before the message itself: once that is taken, there is nobody who would try the report again. A bounce is never
    // answered with another one.
    if !refused.is_empty()
        && !about.letter.sender.is_empty()
        && let Some(host) = about.host
    {
        let refused = refused.iter().filter_map(|(at, reply)| Some((way.targets.get(*at)?, reply))).collect();
        let report =
            Report { host, address: &way.address, id, refused, head: about.head, now: unix_now().into() };
        if let Err(reply) = report.send(&about.letter.sender, &desk.pool).await {
            return Reply::new(
                451,
                EnhancedStatus::new(4, 3, 0),
                format!("the sender cannot be told now: {reply}"),
            );
        }
        desk.counts.reported();
    }
    let taken = match lent.connection.piece(last).await {
        Ok(()) => lent.connection.taken().await,
        Err(failure) => Err(failure),
    };
    match taken {
        Ok(reply) => {
            desk.pool.done(lent);
            reply
        }
        Err(failure) => failure.reply(desk.pool.hop()),
    }
}

/// One line for each message and address.
fn tell(way: &Way, id: &str, reply: &Reply, about: &About<'_>) {
    let targets = way.targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let (from, size) = (&about.letter.sender, about.size);
    let result = match reply.kind() {
        Kind::Done => "sent",
        Kind::GoOn | Kind::Later => "deferred",
        Kind::Never => "refused",
    };
    tracing::info!(id, from, to = %way.address, targets, size, result, said = %reply, "forward");
}
