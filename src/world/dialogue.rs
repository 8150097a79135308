//! A line-by-line conversation with a mail server, in clear or in TLS, as a mail program has it.
//!
//! For looking at a stack from outside (`mailctl demo`); mail itself never goes this way.

use super::anyone::Anyone;
use crate::{
    error::{Error, codes},
    mail::cert::Kind,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Whom a client believes, and under which name it expects the server.
#[derive(Clone)]
pub struct Anchor {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Anchor {
    /// Believes the certificates in the PEM file `file`, for the host `name`.
    pub fn from_pem(file: &Path, name: &str) -> Result<Self, Error> {
        let unusable = |cause: String| {
            Error::new(codes::TLS_UNUSABLE, format!("cannot use the certificate in {}", file.display()))
                .cause(cause)
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file).map_err(|e| unusable(e.to_string()))? {
            let certificate = certificate.map_err(|e| unusable(e.to_string()))?;
            roots.add(certificate).map_err(|e| unusable(e.to_string()))?;
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).map_err(|e| unusable(e.to_string()))?;
        Ok(Self { config: Arc::new(config), name })
    }

    /// Believes anybody; only for a check on the loopback of the server's own container.
    pub fn anyone() -> Self {
        Self::unverified(Anyone::new(), ServerName::IpAddress(Ipv4Addr::LOCALHOST.into()))
    }

    /// Believes anybody: for reading which certificate is served to who asks for `name` (nobody, where that is no
    /// name) and can do one kind of key only. Nothing is said to such a server that is not for everyone.
    pub fn reading(name: &str, kind: Option<Kind>) -> Self {
        let nameless = ServerName::IpAddress(Ipv4Addr::LOCALHOST.into());
        let name = ServerName::try_from(name.to_owned()).unwrap_or(nameless);
        Self::unverified(kind.map_or_else(Anyone::new, Anyone::only), name)
    }

    fn unverified(anyone: Anyone, name: ServerName<'static>) -> Self {
        let config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(anyone))
            .with_no_client_auth();
        Self { config: Arc::new(config), name }
    }
}

/// An open conversation.
pub struct Dialogue {
    peer: String,
    /// In TLS: the peer's own certificate, in DER form.
    certificate: Option<Vec<u8>>,
    stream: BufReader<Box<dyn Stream>>,
}

/// An SMTP reply (RFC 5321 §4.2).
#[derive(Clone, Debug)]
pub struct SmtpReply {
    /// Three digits; 0 where the server said something else.
    pub code: u16,
    /// The lines without their codes.
    pub lines: Vec<String>,
}

impl SmtpReply {
    /// `250 2.0.0 Ok` as one line.
    pub fn one_line(&self) -> String {
        format!("{} {}", self.code, self.lines.join(" / "))
    }

    /// Whether one of the lines begins with `word` (EHLO keywords).
    pub fn offers(&self, word: &str) -> bool {
        self.lines.iter().any(|line| line.split(' ').next() == Some(word))
    }
}

impl Dialogue {
    /// Connects in clear; says nothing yet.
    pub async fn connect(peer: SocketAddr) -> Result<Self, Error> {
        let peer_name = peer.to_string();
        let tcp = within(&peer_name, "connect", TcpStream::connect(peer)).await?;
        let _ = tcp.set_nodelay(true);
        Ok(Self { peer: peer_name, certificate: None, stream: BufReader::new(Box::new(tcp)) })
    }

    /// Connects to a unix socket.
    pub async fn connect_unix(path: &Path) -> Result<Self, Error> {
        let peer = path.display().to_string();
        let socket = within(&peer, "connect", UnixStream::connect(path)).await?;
        Ok(Self { peer, certificate: None, stream: BufReader::new(Box::new(socket)) })
    }

    /// Connects with implicit TLS.
    pub async fn connect_tls(peer: SocketAddr, anchor: &Anchor) -> Result<Self, Error> {
        Self::connect(peer).await?.into_tls(anchor).await
    }

    /// Goes on in TLS; for after the server agreed to STARTTLS.
    pub async fn into_tls(self, anchor: &Anchor) -> Result<Self, Error> {
        let connector = TlsConnector::from(anchor.config.clone());
        let tls = within(
            &self.peer,
            "agree on TLS",
            connector.connect(anchor.name.clone(), self.stream.into_inner()),
        )
        .await?;
        let chain = tls.get_ref().1.peer_certificates();
        let certificate = chain.and_then(|chain| chain.first()).map(|leaf| leaf.as_ref().to_vec());
        Ok(Self { peer: self.peer, certificate, stream: BufReader::new(Box::new(tls)) })
    }

    /// The certificate that the peer showed, in DER form; `None` in clear.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// The next line without its line end.
    pub async fn line(&mut self) -> Result<String, Error> {
        let mut bytes = Vec::new();
        let count = within(&self.peer, "read", self.stream.read_until(b'\n', &mut bytes)).await?;
        if count == 0 {
            return Err(Error::new(codes::PEER_SILENT, format!("{} closed the connection", self.peer)));
        }
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// Sends `text` as it is.
    pub async fn send(&mut self, text: &str) -> Result<(), Error> {
        self.send_bytes(text.as_bytes()).await
    }

    /// Sends `bytes` as they are.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        within(&self.peer, "write", async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await
    }

    /// Reads exactly `count` bytes.
    pub async fn take(&mut self, count: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; count];
        within(&self.peer, "read", self.stream.read_exact(&mut bytes)).await?;
        Ok(bytes)
    }

    /// Asks a socketmap server one question (`MAP SP KEY`); the answer as it says it, `OK 1` or `NOTFOUND `.
    pub async fn socketmap(&mut self, question: &str) -> Result<String, Error> {
        self.send(&format!("{}:{question},", question.len())).await?;
        let mut answer = String::new();
        while !answer.ends_with(',') {
            answer.push(char::from(self.take(1).await?[0]));
        }
        let text = answer.split_once(':').map_or("", |(_, text)| text);
        Ok(text.trim_end_matches(',').to_owned())
    }

    /// Reads one SMTP reply.
    pub async fn smtp_reply(&mut self) -> Result<SmtpReply, Error> {
        let mut reply = SmtpReply { code: 0, lines: Vec::new() };
        loop {
            let line = self.line().await?;
            reply.code = line.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            reply.lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(reply);
            }
        }
    }

    /// Sends one SMTP command and reads its reply.
    pub async fn smtp(&mut self, command: &str) -> Result<SmtpReply, Error> {
        self.send(&format!("{command}\r\n")).await?;
        self.smtp_reply().await
    }

    /// Sends one IMAP command (RFC 9051) and reads up to its tagged result, which is the last line.
    pub async fn imap(&mut self, tag: &str, command: &str) -> Result<Vec<String>, Error> {
        self.send(&format!("{tag} {command}\r\n")).await?;
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            let last = line.strip_prefix(tag).is_some_and(|rest| rest.starts_with(' '));
            lines.push(line);
            if last {
                return Ok(lines);
            }
        }
    }

    /// Asks for `path` over HTTP (RFC 9112), as nobody in particular; the status and the body.
    pub async fn http(&mut self, path: &str) -> Result<(u16, String), Error> {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await?;
        let first = self.line().await?;
        let code =
            first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
        let Some(code) = code else {
            return Err(Error::new(codes::PEER_SILENT, format!("{} does not speak HTTP/1.1", self.peer)));
        };
        let mut length = 0;
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                // Only our own daemon is asked this way.
                length = value.trim().parse::<usize>().unwrap_or(0).min(1 << 20);
            }
        }
        let body = self.take(length).await?;
        Ok((code, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Sends one POP3 command (RFC 1939) and reads its one line.
    pub async fn pop3(&mut self, command: &str) -> Result<String, Error> {
        self.send(&format!("{command}\r\n")).await?;
        self.line().await
    }

    /// Reads a POP3 multi-line answer up to its final dot.
    pub async fn pop3_body(&mut self) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                return Ok(lines);
            }
            lines.push(line.strip_prefix('.').unwrap_or(&line).to_owned());
        }
    }
}

async fn within<T>(
    peer: &str,
    doing: &str,
    work: impl Future<Output = std::io::Result<T>>,
) -> Result<T, Error> {
    let fail = || Error::new(codes::PEER_SILENT, format!("cannot {doing} at {peer}"));
    match timeout(PATIENCE, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(fail().cause(error)),
        Err(_) => Err(fail().cause(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}
