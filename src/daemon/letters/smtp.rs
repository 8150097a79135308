//! One message to our own Postfix (RFC 5321), one command after the other.

use std::{io, net::IpAddr};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// Octets of a reply line at most (RFC 5321 §4.5.3.1.5 says 512).
const LINE: u64 = 4096;

/// Why it is not there.
#[derive(Debug)]
pub enum Failure {
    /// It will never be taken.
    Never(String),
    /// It may be later.
    Later(String),
}

/// A connection.
pub struct Session(BufReader<TcpStream>);

fn broken(error: io::Error) -> Failure {
    Failure::Later(error.to_string())
}

impl Session {
    /// Opens it, and tells our own address there.
    pub async fn open(to: &str) -> Result<(Self, IpAddr), Failure> {
        let stream = TcpStream::connect(to).await.map_err(broken)?;
        let own = stream.local_addr().map_err(broken)?.ip().to_canonical();
        Ok((Self(BufReader::new(stream)), own))
    }

    /// Sends a message whose lines end in line feeds.
    pub async fn send(&mut self, host: &str, from: &str, to: &str, message: &str) -> Result<(), Failure> {
        self.reply(220).await?;
        for (command, wanted) in [
            (format!("EHLO {host}"), 250),
            (format!("MAIL FROM:<{from}> BODY=8BITMIME"), 250),
            (format!("RCPT TO:<{to}>"), 250),
            ("DATA".to_owned(), 354),
        ] {
            self.write(&format!("{command}\r\n")).await?;
            self.reply(wanted).await?;
        }
        let mut text = String::with_capacity(message.len() + 64);
        for line in message.lines() {
            // RFC 5321 §4.5.2
            if line.starts_with('.') {
                text.push('.');
            }
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str(".\r\n");
        self.write(&text).await?;
        self.reply(250).await?;
        // It has it; how the connection ends is of no consequence.
        let _ = self.write("QUIT\r\n").await;
        Ok(())
    }

    async fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.0.write_all(text.as_bytes()).await.map_err(broken)
    }

    async fn reply(&mut self, wanted: u16) -> Result<(), Failure> {
        loop {
            let mut line = String::new();
            if (&mut self.0).take(LINE).read_line(&mut line).await.map_err(broken)? == 0 {
                return Err(Failure::Later("the connection was closed".to_owned()));
            }
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            let code: u16 = line.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            return match code {
                code if code == wanted => Ok(()),
                500..=599 => Err(Failure::Never(line.trim_end().to_owned())),
                _ => Err(Failure::Later(line.trim_end().to_owned())),
            };
        }
    }
}
