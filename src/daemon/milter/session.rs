//! One connection of Postfix's: it has one for each client of its own, with any number of messages on it.

use super::{Milter, Outcome, message::Message};
use crate::{
    daemon::session::{Drain, End, Patience},
    mail::policy::Action,
    wire::milter::{Command, Decoded, LONGEST, Reply, Stage, actions, decode, steps},
};
use std::{io, net::IpAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

/// What a connection costs while it is idle.
const BUFFER: usize = 4096;

/// The macros that we want, and no others.
const MACROS: [(Stage, &str); 7] = [
    (Stage::Connect, ""),
    (Stage::Helo, ""),
    (Stage::Mail, "{auth_authen}"),
    (Stage::Recipient, ""),
    (Stage::Data, ""),
    (Stage::EndOfMessage, "i"),
    (Stage::EndOfHeaders, ""),
];

/// Serves it to its end.
pub async fn serve(stream: UnixStream, milter: &Milter, drain: &Drain) -> End {
    let session = Session {
        milter,
        client: None,
        helo: Vec::new(),
        login: Vec::new(),
        host: String::new(),
        message: None,
    };
    match session.talk(stream, Patience::default(), drain).await {
        Ok(end) => end,
        Err(error) => End::Broken(error),
    }
}

struct Session<'a> {
    milter: &'a Milter,
    client: Option<IpAddr>,
    helo: Vec<u8>,
    /// Told before the sender.
    login: Vec<u8>,
    /// The name that forged results bear.
    host: String,
    message: Option<Message>,
}

/// What is to be done after a packet.
enum Next {
    Read,
    End(End),
}

impl Session<'_> {
    async fn talk(mut self, mut stream: UnixStream, patience: Patience, drain: &Drain) -> io::Result<End> {
        let mut buffer: Vec<u8> = Vec::with_capacity(BUFFER);
        let mut replies = Vec::new();
        loop {
            // Between two messages nothing is lost: the client is told 451, and comes again.
            let idle = buffer.is_empty() && self.message.is_none();
            let patience_now = if buffer.is_empty() { patience.idle } else { patience.request };
            let read = tokio::select! {
                biased;
                read = timeout(patience_now, stream.read_buf(&mut buffer)) => read,
                () = drain.waiting(), if idle => return Ok(End::Over),
            };
            match read {
                Ok(read) => {
                    if read? == 0 {
                        return Ok(End::Over);
                    }
                }
                Err(_) if buffer.is_empty() => return Ok(End::Over),
                Err(_) => return Ok(End::Slow),
            }
            let mut used = 0;
            let next = loop {
                match decode(&buffer[used..]) {
                    Decoded::Command(command, length) => {
                        used += length;
                        if let Next::End(end) = self.answer(&command, &mut replies).await {
                            break Some(end);
                        }
                    }
                    Decoded::More(wanted) => {
                        buffer.reserve(wanted.min(4 + LONGEST).saturating_sub(buffer.len() - used));
                        break None;
                    }
                    // Says nothing: Postfix acts by its own default.
                    Decoded::Malformed(why) => break Some(End::Refused(why)),
                }
            };
            buffer.drain(..used);
            if buffer.is_empty() {
                buffer.shrink_to(BUFFER);
            }
            if !replies.is_empty() {
                match timeout(patience.request, stream.write_all(&replies)).await {
                    Ok(written) => written?,
                    Err(_) => return Ok(End::Slow),
                }
                replies.clear();
            }
            if let Some(end) = next {
                return Ok(end);
            }
        }
    }

    async fn answer(&mut self, command: &Command<'_>, replies: &mut Vec<u8>) -> Next {
        match command {
            Command::Negotiate(offer) => {
                let wanted = actions::ADD_HEADERS | actions::CHANGE_HEADERS;
                if offer.version < 6 || !offer.holds(wanted, steps::HEADERS_ONLY) {
                    return Next::End(End::Refused("a mail server that cannot do what we need"));
                }
                offer.answer(wanted, steps::HEADERS_ONLY, &MACROS, replies);
            }
            Command::Connect { .. } => {
                self.client = command.client();
                (self.message, self.helo) = (None, Vec::new());
            }
            Command::Helo(name) => self.helo = name.to_vec(),
            Command::Macros(b'M', macros) => {
                self.login = macros.get("{auth_authen}").unwrap_or_default().to_vec();
            }
            Command::Mail(sender) => {
                let login = std::mem::take(&mut self.login);
                self.host = self.milter.host();
                self.message = Some(Message::begun(login, sender));
            }
            Command::Header { name, value } => {
                if let Some(message) = &mut self.message {
                    message.take(name, value, &self.host);
                }
            }
            Command::Macros(b'E', macros) => {
                if let Some(message) = &mut self.message {
                    message.queue_id = macros.get("i").unwrap_or_default().to_vec();
                }
            }
            Command::EndOfMessage(_) => {
                let Some(message) = self.message.take() else {
                    return Next::End(End::Refused("the end of a message without a beginning"));
                };
                write(&self.milter.judge(&message, self.client, &self.helo).await, replies);
            }
            Command::Abort => (self.message, self.login) = (None, Vec::new()),
            Command::QuitClient => {
                (self.message, self.login, self.client) = (None, Vec::new(), None);
            }
            Command::Quit => return Next::End(End::Over),
            // Not asked for; a server that sends it gets the answer that costs nothing.
            Command::Recipient(_)
            | Command::Data
            | Command::EndOfHeaders
            | Command::Body(_)
            | Command::Unknown(_) => Reply::Continue.encode(replies),
            Command::Macros(..) => {}
        }
        Next::Read
    }
}

fn write(outcome: &Outcome, replies: &mut Vec<u8>) {
    for (name, number) in &outcome.remove {
        Reply::Change(*number, name, "").encode(replies);
    }
    for (name, value) in &outcome.insert {
        Reply::Insert(0, name, value).encode(replies);
    }
    match &outcome.action {
        Action::Dunno => Reply::Continue.encode(replies),
        Action::Reject(text) | Action::Refuse(text) => Reply::Code(&format!("550 {text}")).encode(replies),
        Action::Defer(text) => Reply::Code(&format!("451 {text}")).encode(replies),
    }
}
