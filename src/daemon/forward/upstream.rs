//! The one before us: Postfix over LMTP (RFC 2033), or a neighbour over SMTP.

use super::{Desk, message, route};
use crate::{
    daemon::session::{Aside, Call, Drain, End, Next, next},
    wire::smtp::{Command, Decoded, Dialect, Reply, decode_command},
};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout},
};

/// Between two commands (RFC 5321 §4.5.3.2.7), and for a piece of a message.
pub const IDLE: Duration = Duration::from_secs(300);
/// For taking our replies.
const TAKING: Duration = Duration::from_secs(60);
/// Recipients of one message over LMTP; Postfix sends fifty at most. Each is a connection to the next server.
const RECIPIENTS: usize = 50;
/// What a connection costs while it is idle.
const BUFFER: usize = 1024;

const BYE: Reply = Reply::fixed(221, (2, 0, 0), "bye");
const CLOSING: Reply = Reply::fixed(421, (4, 3, 2), "closing: this server is stopped for now");
const IDLED: Reply = Reply::fixed(421, (4, 4, 2), "nothing came for five minutes");
const OK: Reply = Reply::fixed(250, (2, 0, 0), "ok");
const SENDER: Reply = Reply::fixed(250, (2, 1, 0), "ok");
const RECIPIENT: Reply = Reply::fixed(250, (2, 1, 5), "ok");
const MAIL_FIRST: Reply = Reply::fixed(503, (5, 5, 1), "say MAIL first");
const NESTED: Reply = Reply::fixed(503, (5, 5, 1), "there is a MAIL already: end it, or say RSET");
const HELLO_FIRST: Reply = Reply::fixed(503, (5, 5, 1), "say hello first");
const NOBODY: Reply = Reply::fixed(503, (5, 5, 1), "there is no recipient");
// RFC 5321 §4.5.3.1.10: the others are sent in another transaction.
const TOO_MANY: Reply = Reply::fixed(452, (4, 5, 3), "too many recipients for one message");
const VRFY: Reply = Reply::fixed(252, (2, 0, 0), "send something, and see");
const NOT_HERE: Reply = Reply::fixed(502, (5, 5, 1), "this is not offered here");

/// What is known of the message that comes next.
pub struct Letter {
    /// The MAIL command, whole.
    pub mail: Vec<u8>,
    /// The sender, without brackets.
    pub sender: String,
    /// RCPT commands that were taken, whole, and where they lead.
    pub to: Vec<(Vec<u8>, route::Way)>,
}

/// A connection of the one before us.
pub struct Upstream<'a, S> {
    pub stream: S,
    /// What came and was not used yet.
    pub buffer: Vec<u8>,
    pub out: Vec<u8>,
    pub aside: Aside<'a>,
    /// When something came last.
    pub last: Instant,
    /// What he calls himself.
    pub name: String,
    pub dialect: Dialect,
}

/// Serves it to its end.
pub async fn serve<S>(stream: S, dialect: Dialect, desk: &Desk, drain: &Drain) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let last = Instant::now();
    let (buffer, out) = (Vec::with_capacity(BUFFER), Vec::with_capacity(BUFFER));
    let aside = Aside::new(drain, last + IDLE);
    let upstream = Upstream { stream, buffer, out, aside, last, name: String::new(), dialect };
    match upstream.talk(desk).await {
        Ok(end) => end,
        // Whoever only looked whether somebody is there does not wait for our name.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => End::Over,
        Err(error) => End::Broken(error),
    }
}

/// What comes after a command.
enum Then {
    Go,
    Message,
    End(End),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Upstream<'_, S> {
    async fn talk(mut self, desk: &Desk) -> io::Result<End> {
        let host = desk.state.read().place.hostname.to_string();
        let welcome = if self.dialect == Dialect::Lmtp { "LMTP mailctl" } else { "ESMTP mailctl" };
        Reply::bare(220, format!("{host} {welcome}")).encode(&mut self.out);
        let mut letter = None;
        loop {
            let mut used = 0;
            let then = loop {
                match decode_command(&self.buffer[used..], self.dialect) {
                    Decoded::Command(command, length) => {
                        let line = &self.buffer[used..used + length];
                        used += length;
                        let then = answer(
                            &command,
                            line,
                            &mut letter,
                            &mut self.name,
                            &mut self.out,
                            (desk, &host, self.dialect),
                        );
                        if !matches!(then, Then::Go) {
                            break then;
                        }
                    }
                    Decoded::Refused(reply, length) => {
                        used += length;
                        reply.encode(&mut self.out);
                    }
                    Decoded::More => break Then::Go,
                    Decoded::Malformed(reply) => {
                        reply.encode(&mut self.out);
                        break Then::End(End::Refused("no mail is spoken there"));
                    }
                }
            };
            self.buffer.drain(..used);
            self.flush().await?;
            match (then, letter.take()) {
                (Then::End(end), _) => return Ok(end),
                (Then::Message, Some(whole)) => {
                    if let Some(end) = message::pass(&mut self, &whole, desk, &host).await? {
                        return Ok(end);
                    }
                    // What came behind it is looked at before anything is waited for.
                    if !self.buffer.is_empty() {
                        continue;
                    }
                }
                (_, kept) => letter = kept,
            }
            self.buffer.shrink_to(BUFFER * 8);
            // In the middle of an envelope nothing is lost either, but the one before us would call it our fault.
            match self.more(letter.is_none()).await? {
                More::Came => {}
                More::Left => return Ok(End::Over),
                More::Late => {
                    IDLED.encode(&mut self.out);
                    self.flush().await?;
                    return Ok(End::Slow);
                }
                More::Stop => {
                    CLOSING.encode(&mut self.out);
                    self.flush().await?;
                    return Ok(End::Over);
                }
            }
        }
    }

    /// Reads on.
    pub async fn more(&mut self, may_stop: bool) -> io::Result<More> {
        self.buffer.reserve(BUFFER);
        loop {
            match next(&mut self.stream, &mut self.buffer, &mut self.aside, may_stop).await {
                Next::Read(read) => {
                    if read? == 0 {
                        return Ok(More::Left);
                    }
                    self.last = Instant::now();
                    return Ok(More::Came);
                }
                Next::Call(Call::Stop) => return Ok(More::Stop),
                Next::Call(Call::Late) => {
                    if self.last.elapsed() >= IDLE {
                        return Ok(More::Late);
                    }
                    self.aside.until(self.last + IDLE);
                }
            }
        }
    }

    /// Sends what there is to say.
    pub async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = timeout(TAKING, self.stream.write_all(&self.out)).await;
        self.out.clear();
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// What reading on brought.
pub enum More {
    /// Something.
    Came,
    /// The client has left.
    Left,
    /// Nothing, for too long.
    Late,
    /// All sessions are to end.
    Stop,
}

fn answer(
    command: &Command<'_>,
    line: &[u8],
    letter: &mut Option<Letter>,
    name: &mut String,
    out: &mut Vec<u8>,
    (desk, host, dialect): (&Desk, &str, Dialect),
) -> Then {
    let reply = match command {
        Command::Hello(told) => {
            *name = (*told).to_owned();
            *letter = None;
            Reply::offer(host, &["PIPELINING", "8BITMIME", "SIZE", "ENHANCEDSTATUSCODES", "DSN"])
        }
        Command::Helo(told) => {
            *name = (*told).to_owned();
            *letter = None;
            Reply::bare(250, host.to_owned())
        }
        Command::Mail(_) if name.is_empty() => HELLO_FIRST,
        Command::Mail(_) if letter.is_some() => NESTED,
        Command::Mail(from) => {
            let sender = from.path.as_str().to_owned();
            *letter = Some(Letter { mail: line.to_owned(), sender, to: Vec::new() });
            SENDER
        }
        Command::Rcpt(to) => match letter {
            None => MAIL_FIRST,
            // Over SMTP there is one reply for all: one who is to be tried later would be so for the others too.
            Some(letter) if letter.to.len() >= if dialect == Dialect::Lmtp { RECIPIENTS } else { 1 } => {
                TOO_MANY
            }
            Some(letter) => match route::way(&desk.state.read(), to.path) {
                Ok(way) => {
                    letter.to.push((line.to_owned(), way));
                    RECIPIENT
                }
                Err(reply) => reply,
            },
        },
        Command::Data => match letter {
            None => MAIL_FIRST,
            Some(letter) if letter.to.is_empty() => NOBODY,
            Some(_) => return Then::Message,
        },
        Command::Rset => {
            *letter = None;
            OK
        }
        Command::Noop => OK,
        Command::Vrfy(_) => VRFY,
        Command::Quit => {
            BYE.encode(out);
            return Then::End(End::Over);
        }
        Command::StartTls | Command::Xforward(_) | Command::Xclient(_) | Command::Unknown(_) => NOT_HERE,
    };
    reply.encode(out);
    Then::Go
}
