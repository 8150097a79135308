//! Whether a service does its work, asked from inside its container in its own protocol.

use super::dialogue::{Anchor, Dialogue, SmtpReply};
use crate::{
    error::{Error, codes},
    plan::service::Service,
    render,
    wire::milter::ask as milter,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

const SOCKETS: &str = "/run/mailctl";
const CONFIG: &str = "/etc/mailctl/current";
const SPOOL: &str = "/var/spool/postfix";
const MAIL: &str = "/mail";
/// Percent of a disk in use from which mail is in danger (S0-10).
const DISK_FULL: u64 = 90;
/// Messages waiting from which something must be wrong.
const QUEUE_LONG: usize = 5000;
const QUEUES: &[&str] = &["maildrop", "incoming", "active", "deferred", "hold"];

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Whether Dovecot serves IMAP at all.
    pub imap: bool,
    /// Whether mailctld serves HTTP and HTTPS.
    pub web: bool,
    /// Only whether it answers, not how full queue and disk are.
    pub ready: bool,
}

/// No answer within so long is a bad answer. Shorter than the engine's own limit, which would end the check
/// without a word of what hangs.
const DEADLINE: Duration = Duration::from_secs(4);

/// One line that says how `service` does.
pub async fn check(service: Service, scope: Scope) -> Result<String, Error> {
    let asked = async {
        match service {
            Service::Postfix => postfix(scope).await,
            Service::Dovecot => dovecot(scope).await,
            Service::Opendkim => opendkim().await,
            Service::Mailctld => mailctld(scope).await,
        }
    };
    let answer = tokio::time::timeout(DEADLINE, asked).await;
    answer.unwrap_or_else(|_| {
        Err(Error::new(codes::PEER_SILENT, format!("no answer within {} s", DEADLINE.as_secs())))
    })
}

async fn postfix(scope: Scope) -> Result<String, Error> {
    // First its peers: an smtpd that cannot reach them dies, and master waits before it starts another.
    for socket in ["dovecot/auth", "mailctld/socketmap"].into_iter().chain(milters()) {
        Dialogue::connect_unix(&Path::new(SOCKETS).join(socket)).await?;
    }
    let mut smtp = Dialogue::connect(loopback(25)).await?;
    expect(&smtp.smtp_reply().await?, 220)?;
    expect(&smtp.smtp("EHLO localhost").await?, 250)?;
    let _ = smtp.smtp("QUIT").await;

    let mut submission = Dialogue::connect(loopback(587)).await?;
    expect(&submission.smtp_reply().await?, 220)?;
    expect(&submission.smtp("EHLO localhost").await?, 250)?;
    expect(&submission.smtp("STARTTLS").await?, 220)?;
    let submission = submission.into_tls(&Anchor::anyone()).await;
    let mut submission = submission.map_err(|error| unwell(error.to_string()))?;
    let hello = submission.smtp("EHLO localhost").await?;
    expect(&hello, 250)?;
    if !hello.offers("AUTH") {
        return Err(unwell("587 offers no login after STARTTLS: does Dovecot answer?"));
    }
    let _ = submission.smtp("QUIT").await;

    if scope.ready {
        return Ok("25 and 587 answer".to_owned());
    }
    let disk = disk_use(Path::new(SPOOL))?;
    let queue = queue_length(Path::new(SPOOL));
    if queue >= QUEUE_LONG {
        return Err(unwell(format!("{queue} messages wait in the queue")));
    }
    Ok(format!("25 and 587 answer, {queue} in the queue, disk {disk} % used"))
}

/// Messages in Postfix's queue under `spool`.
pub fn queue_length(spool: &Path) -> usize {
    QUEUES.iter().map(|name| files_below(&spool.join(name))).sum()
}

async fn dovecot(scope: Scope) -> Result<String, Error> {
    let mut lmtp = Dialogue::connect_unix(&Path::new(SOCKETS).join("dovecot/lmtp")).await?;
    expect(&lmtp.smtp_reply().await?, 220)?;
    expect(&lmtp.smtp("LHLO localhost").await?, 250)?;
    let _ = lmtp.smtp("QUIT").await;
    for socket in ["dovecot/auth", "dovecot/quota"] {
        Dialogue::connect_unix(&Path::new(SOCKETS).join(socket)).await?;
    }
    if scope.imap {
        let mut imap = Dialogue::connect(loopback(143)).await?;
        let greeting = imap.line().await?;
        if !greeting.starts_with("* OK") {
            return Err(unwell(format!("IMAP greets with {greeting:?}")));
        }
        let _ = imap.imap("a", "LOGOUT").await;
    }
    let answering = if scope.imap { "LMTP, SASL and IMAP answer" } else { "LMTP and SASL answer" };
    if scope.ready {
        return Ok(answering.to_owned());
    }
    let disk = disk_use(Path::new(MAIL))?;
    Ok(format!("{answering}, disk {disk} % used"))
}

/// OpenDKIM's sockets: a second one while a domain signs with Ed25519 as well.
fn milters() -> impl Iterator<Item = &'static str> {
    let second = Path::new(CONFIG).join(render::ED25519_CONF).exists();
    std::iter::once("opendkim/milter").chain(second.then_some("opendkim/milter-ed25519"))
}

async fn opendkim() -> Result<String, Error> {
    let mut answers = Vec::new();
    for socket in milters() {
        let version = milter(&Path::new(SOCKETS).join(socket)).await?;
        answers.push(format!("{socket}: milter protocol {version} agreed"));
    }
    Ok(answers.join(", "))
}

async fn milter(socket: &Path) -> Result<u32, Error> {
    let mut filter = Dialogue::connect_unix(socket).await?;
    filter.send_bytes(&milter::offer()).await?;
    let head = filter.take(4).await?;
    let size = head.try_into().ok().and_then(milter::answer_size);
    let answer = filter.take(size.ok_or_else(|| unwell("this is no milter"))?).await?;
    let version = milter::agreed(&answer).ok_or_else(|| unwell("the milter refuses to negotiate"))?;
    filter.send_bytes(&milter::quit()).await?;
    Ok(version)
}

async fn mailctld(scope: Scope) -> Result<String, Error> {
    let mut map = Dialogue::connect_unix(&Path::new(SOCKETS).join("mailctld/socketmap")).await?;
    // A name that can never be served (RFC 2606): the answer must be "not found", not "try later".
    let answer = map.socketmap("domains health.invalid").await?;
    if !answer.contains("NOTFOUND") {
        return Err(unwell(format!("the directory answers {answer:?}")));
    }
    milter(&Path::new(SOCKETS).join("mailctld/milter")).await?;
    let mut status = Dialogue::connect(loopback(render::mailctld::STATUS_PORT)).await?;
    let (code, says) = status.http("/health").await?;
    if code != 200 {
        return Err(unwell(says.trim_end()));
    }
    if !scope.web {
        return Ok("the directory answers".to_owned());
    }
    // No name of ours is asked for: any answer shows that somebody is there.
    Dialogue::connect(loopback(80)).await?.http("/").await?;
    let secure = Dialogue::connect_tls(loopback(443), &Anchor::anyone()).await;
    secure.map_err(|error| unwell(error.to_string()))?.http("/").await?;
    Ok("the directory, HTTP and HTTPS answer".to_owned())
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn expect(reply: &SmtpReply, code: u16) -> Result<(), Error> {
    if reply.code == code {
        Ok(())
    } else {
        Err(unwell(format!("expected {code}, got {}", reply.one_line())))
    }
}

fn unwell(why: impl Into<String>) -> Error {
    Error::new(codes::STACK_UNHEALTHY, why.into())
}

/// Percent in use, of octets or of inodes, whichever is more.
fn disk_use(path: &Path) -> Result<u64, Error> {
    let stat = rustix::fs::statvfs(path).map_err(|e| super::io_error("look at", path, &e.into()))?;
    // As df counts: what only root may use is neither used nor free.
    let share = |all: u64, free: u64, available: u64| {
        let used = all.saturating_sub(free);
        used.saturating_mul(100).checked_div(used.saturating_add(available)).unwrap_or(0)
    };
    let percent = share(stat.f_blocks, stat.f_bfree, stat.f_bavail).max(share(
        stat.f_files,
        stat.f_ffree,
        stat.f_favail,
    ));
    if percent >= DISK_FULL {
        return Err(unwell(format!("the disk under {} is {percent} % full", path.display())));
    }
    Ok(percent)
}

/// Queue files in a folder and its hash folders.
fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path()),
            Ok(kind) if kind.is_file() => 1,
            _ => 0,
        })
        .sum()
}
