//! Which certificate a port really serves: TLS begun as its protocol has it, and the leaf read. Nothing is believed.

use super::dialogue::{Anchor, Dialogue};
use crate::{
    error::{Error, codes},
    mail::cert::{Certificate, Kind},
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// How TLS begins at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At once (RFC 8314 §3).
    Tls(Protocol),
    /// In clear, until the client asks for it.
    StartTls(Protocol),
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 3207.
    Smtp,
    /// RFC 9051 §6.2.1.
    Imap,
    /// RFC 2595 §4.
    Pop3,
    /// RFC 5804 §2.2.
    Sieve,
    /// RFC 9110.
    Http,
}

impl Begin {
    /// How TLS begins at this port of a container; `None` where there is no TLS.
    pub fn at(port: u16) -> Option<Self> {
        match port {
            25 | 587 => Some(Self::StartTls(Protocol::Smtp)),
            465 => Some(Self::Tls(Protocol::Smtp)),
            143 => Some(Self::StartTls(Protocol::Imap)),
            993 => Some(Self::Tls(Protocol::Imap)),
            110 => Some(Self::StartTls(Protocol::Pop3)),
            995 => Some(Self::Tls(Protocol::Pop3)),
            4190 => Some(Self::StartTls(Protocol::Sieve)),
            443 => Some(Self::Tls(Protocol::Http)),
            _ => None,
        }
    }
}

/// Time for good-byes: what is to be known is known by then.
const FAREWELL: Duration = Duration::from_millis(300);

/// The certificate that `at` serves to who asks for `name` and can do one `kind` of key; `None` = any.
pub async fn leaf(
    at: SocketAddr,
    begin: Begin,
    name: &str,
    kind: Option<Kind>,
    limit: Duration,
) -> Result<Certificate, Error> {
    let silent = || {
        let what = format!("{at} did not show its certificate");
        Error::new(codes::PEER_SILENT, what).cause(format!("no answer within {} s", limit.as_secs_f32()))
    };
    let mut dialogue = timeout(limit, shown(at, begin, name, kind)).await.map_err(|_| silent())??;
    let leaf = dialogue.certificate().and_then(Certificate::read_der);
    // So that the server's log tells of no lost connection.
    let _ = timeout(FAREWELL, farewell(&mut dialogue, begin)).await;
    leaf.ok_or_else(|| Error::new(codes::PEER_SILENT, format!("{at} shows no certificate that can be read")))
}

async fn shown(at: SocketAddr, begin: Begin, name: &str, kind: Option<Kind>) -> Result<Dialogue, Error> {
    let anchor = Anchor::reading(name, kind);
    let mut clear = Dialogue::connect(at).await?;
    if let Begin::StartTls(protocol) = begin {
        agree(&mut clear, protocol).await.and_then(|agreed| match agreed {
            Ok(()) => Ok(()),
            Err(said) => Err(Error::new(codes::PEER_SILENT, format!("{at} offers no TLS")).cause(said)),
        })?;
    }
    clear.into_tls(&anchor).await
}

/// Until the server agrees to begin; the inner error is what it said instead.
async fn agree(clear: &mut Dialogue, protocol: Protocol) -> Result<Result<(), String>, Error> {
    match protocol {
        Protocol::Smtp => {
            for (command, code) in [("", 220), ("EHLO mailctl.invalid", 250), ("STARTTLS", 220)] {
                let reply =
                    if command.is_empty() { clear.smtp_reply().await } else { clear.smtp(command).await }?;
                if reply.code != code {
                    return Ok(Err(reply.one_line()));
                }
            }
            Ok(Ok(()))
        }
        Protocol::Imap => {
            let greeting = clear.line().await?;
            if !greeting.starts_with("* OK") {
                return Ok(Err(greeting));
            }
            let said = clear.imap("a", "STARTTLS").await?.pop().unwrap_or_default();
            Ok(if said.starts_with("a OK") { Ok(()) } else { Err(said) })
        }
        Protocol::Pop3 => {
            let mut said = clear.line().await?;
            if said.starts_with("+OK") {
                said = clear.pop3("STLS").await?;
            }
            Ok(if said.starts_with("+OK") { Ok(()) } else { Err(said) })
        }
        Protocol::Sieve => {
            let mut said = sieve(clear).await?;
            if said.starts_with("OK") {
                clear.send("STARTTLS\r\n").await?;
                said = sieve(clear).await?;
            }
            Ok(if said.starts_with("OK") { Ok(()) } else { Err(said) })
        }
        Protocol::Http => Ok(Err("HTTP has no such step here".to_owned())),
    }
}

/// The line that ends an answer of ManageSieve (RFC 5804 §1.2); capabilities stand in quotes before it.
async fn sieve(clear: &mut Dialogue) -> Result<String, Error> {
    loop {
        let line = clear.line().await?;
        if !line.starts_with('"') {
            return Ok(line);
        }
    }
}

async fn farewell(secure: &mut Dialogue, begin: Begin) -> Result<(), Error> {
    let (protocol, greets) = match begin {
        Begin::Tls(protocol) => (protocol, true),
        Begin::StartTls(protocol) => (protocol, false),
    };
    match protocol {
        Protocol::Smtp => {
            if greets {
                secure.smtp_reply().await?;
            }
            secure.smtp("QUIT").await?;
        }
        Protocol::Imap => {
            secure.imap("b", "LOGOUT").await?;
        }
        Protocol::Pop3 => {
            if greets {
                secure.line().await?;
            }
            secure.pop3("QUIT").await?;
        }
        Protocol::Sieve => {
            // After TLS the capabilities come once more (RFC 5804 §2.2).
            sieve(secure).await?;
            secure.send("LOGOUT\r\n").await?;
            sieve(secure).await?;
        }
        Protocol::Http => {}
    }
    Ok(())
}
