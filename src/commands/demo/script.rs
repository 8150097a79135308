//! What the demonstration shows: each act speaks to the running stack as a mail program would.

use crate::{
    error::{Error, codes},
    mail::address::{Address, Domain},
    world::dialogue::{Anchor, Dialogue, SmtpReply},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Longest time from 250 to the message being in the mailbox.
const DELIVERY: Duration = Duration::from_secs(30);

/// A person with a mailbox in the demonstration.
pub struct Person {
    /// Login and address.
    pub address: Address,
    /// Generated for this run.
    pub password: String,
}

/// Where the stack is reached from this host.
pub struct Stage {
    /// Port 25.
    pub smtp: SocketAddr,
    /// Port 587.
    pub submission: SocketAddr,
    /// Port 993.
    pub imaps: SocketAddr,
    /// Port 995, where POP3 is served.
    pub pop3s: Option<SocketAddr>,
    /// Name of the server.
    pub hostname: Domain,
    /// The stack's own certificate.
    pub anchor: Anchor,
    /// Sends.
    pub sender: Person,
    /// Receives.
    pub recipient: Person,
    /// In the `Message-ID`, so that an old message is never taken for the new one.
    pub token: String,
    /// Whether the sender's domain has a key.
    pub signed: bool,
}

/// What an act showed.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Shown {
    /// What was tried, and what should happen.
    pub act: &'static str,
    /// Whether it happened.
    pub held: bool,
    /// What the server said.
    pub evidence: String,
}

/// The acts, in the order in which they are played.
pub const ACTS: &[&str] = &[
    "submit a message on 587 with STARTTLS and a login",
    "read it back over IMAPS, signed by OpenDKIM, delivered by LMTP",
    "read it back over POP3S",
    "a wrong password is refused",
    "a sender address of somebody else is refused",
    "relaying for a stranger is refused",
    "an unknown recipient is refused",
];

/// Plays act number `act` of [`ACTS`].
pub async fn play(stage: &Stage, act: usize) -> Shown {
    let result = match act {
        0 => submit(stage).await,
        1 => read_imaps(stage).await,
        2 => read_pop3s(stage).await,
        3 => wrong_password(stage).await,
        4 => foreign_sender(stage).await,
        5 => relay(stage).await,
        _ => unknown_recipient(stage).await,
    };
    match result {
        Ok(evidence) => Shown { act: ACTS[act], held: true, evidence },
        Err(error) => Shown { act: ACTS[act], held: false, evidence: error.to_string() },
    }
}

/// Sends one message, as a mail program does.
pub async fn submit(stage: &Stage) -> Result<String, Error> {
    let mut smtp = open_submission(stage).await?;
    expect(&login(&mut smtp, &stage.sender.address, &stage.sender.password).await?, 235)?;
    expect(&smtp.smtp(&format!("MAIL FROM:<{}>", stage.sender.address)).await?, 250)?;
    expect(&smtp.smtp(&format!("RCPT TO:<{}>", stage.recipient.address)).await?, 250)?;
    expect(&smtp.smtp("DATA").await?, 354)?;
    let message = format!(
        "From: Ann <{from}>\r\nTo: Bob <{to}>\r\nSubject: It works\r\nMessage-ID: {id}\r\n\
         Date: {date}\r\n\r\nSent by the demonstration.\r\n.",
        from = stage.sender.address,
        to = stage.recipient.address,
        id = message_id(stage),
        date = time::OffsetDateTime::now_utc()
            .format(&time::format_description::well_known::Rfc2822)
            .unwrap_or_default(),
    );
    let accepted = expect(&smtp.smtp(&message).await?, 250)?;
    let _ = smtp.smtp("QUIT").await;
    Ok(accepted)
}

/// Waits for it in the recipient's mailbox.
pub async fn read_imaps(stage: &Stage) -> Result<String, Error> {
    let mut imap = Dialogue::connect_tls(stage.imaps, &stage.anchor).await?;
    imap.line().await?;
    let Person { address, password } = &stage.recipient;
    imap_ok(imap.imap("a1", &format!("LOGIN {address} \"{password}\"")).await?)?;
    let began = Instant::now();
    let number = loop {
        imap_ok(imap.imap("a2", "SELECT INBOX").await?)?;
        let found =
            imap_ok(imap.imap("a3", &format!("SEARCH HEADER Message-ID \"{}\"", message_id(stage))).await?)?;
        let number = found.iter().find_map(|line| line.strip_prefix("* SEARCH ")).map(str::trim);
        if let Some(number) = number.filter(|number| !number.is_empty()) {
            break number.to_owned();
        }
        if began.elapsed() > DELIVERY {
            return Err(not_held("the message is not in the mailbox", &found.join(" / ")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let message = imap_ok(imap.imap("a4", &format!("FETCH {number} BODY[]")).await?)?;
    let _ = imap.imap("a5", "LOGOUT").await;
    let has = |text: &str| message.iter().any(|line| line.contains(text));
    if !stage.signed {
        return Ok(format!("read {:.1} s after it was accepted", began.elapsed().as_secs_f32()));
    }
    if !message.iter().any(|line| line.starts_with("DKIM-Signature:")) {
        return Err(not_held("the message carries no DKIM signature", &message.join(" / ")));
    }
    if !has(&format!("d={}", stage.sender.address.domain())) {
        return Err(not_held("the signature is not by the sender's domain", &message.join(" / ")));
    }
    if !has("with LMTP") {
        return Err(not_held("the message was not delivered by LMTP", &message.join(" / ")));
    }
    Ok(format!(
        "DKIM-Signature: d={}; Received: … with LMTP; {:.1} s after it was accepted",
        stage.sender.address.domain(),
        began.elapsed().as_secs_f32()
    ))
}

async fn read_pop3s(stage: &Stage) -> Result<String, Error> {
    let served = stage.pop3s.ok_or_else(|| not_held("POP3 is not served", ""))?;
    let mut pop3 = Dialogue::connect_tls(served, &stage.anchor).await?;
    let ok = |line: String| {
        if line.starts_with("+OK") { Ok(line) } else { Err(not_held("POP3 was refused", &line)) }
    };
    ok(pop3.line().await?)?;
    ok(pop3.pop3(&format!("USER {}", stage.recipient.address)).await?)?;
    ok(pop3.pop3(&format!("PASS {}", stage.recipient.password)).await?)?;
    ok(pop3.pop3("LIST").await?)?;
    let messages = pop3.pop3_body().await?.len();
    for number in (1..=messages).rev() {
        ok(pop3.pop3(&format!("RETR {number}")).await?)?;
        if pop3.pop3_body().await?.iter().any(|line| line.contains(&message_id(stage))) {
            let _ = pop3.pop3("QUIT").await;
            return Ok(format!("+OK message {number} of {messages}"));
        }
    }
    Err(not_held("the message is not there", &format!("{messages} messages")))
}

async fn wrong_password(stage: &Stage) -> Result<String, Error> {
    let mut smtp = open_submission(stage).await?;
    expect(&login(&mut smtp, &stage.sender.address, "not-the-password").await?, 535)
}

async fn foreign_sender(stage: &Stage) -> Result<String, Error> {
    let mut smtp = open_submission(stage).await?;
    expect(&login(&mut smtp, &stage.sender.address, &stage.sender.password).await?, 235)?;
    let mail = smtp.smtp(&format!("MAIL FROM:<{}>", stage.recipient.address)).await?;
    if mail.code >= 500 {
        return expect(&mail, 553);
    }
    expect(&smtp.smtp(&format!("RCPT TO:<{}>", stage.recipient.address)).await?, 553)
}

async fn relay(stage: &Stage) -> Result<String, Error> {
    let mut smtp = open_smtp(stage).await?;
    expect(&smtp.smtp("MAIL FROM:<stranger@example.net>").await?, 250)?;
    expect(&smtp.smtp("RCPT TO:<victim@example.com>").await?, 554)
}

async fn unknown_recipient(stage: &Stage) -> Result<String, Error> {
    let mut smtp = open_smtp(stage).await?;
    expect(&smtp.smtp("MAIL FROM:<stranger@example.net>").await?, 250)?;
    expect(&smtp.smtp(&format!("RCPT TO:<nobody@{}>", stage.sender.address.domain())).await?, 550)
}

async fn open_smtp(stage: &Stage) -> Result<Dialogue, Error> {
    let mut smtp = Dialogue::connect(stage.smtp).await?;
    expect(&smtp.smtp_reply().await?, 220)?;
    expect(&smtp.smtp("EHLO demo.example.net").await?, 250)?;
    Ok(smtp)
}

/// Up to and including the EHLO after STARTTLS; holds that no login is offered before TLS.
async fn open_submission(stage: &Stage) -> Result<Dialogue, Error> {
    let mut smtp = Dialogue::connect(stage.submission).await?;
    expect(&smtp.smtp_reply().await?, 220)?;
    let hello = smtp.smtp("EHLO demo.example.net").await?;
    if hello.offers("AUTH") || !hello.offers("STARTTLS") {
        return Err(not_held("587 must offer STARTTLS, and no login before it", &hello.one_line()));
    }
    expect(&smtp.smtp("STARTTLS").await?, 220)?;
    let mut smtp = smtp.into_tls(&stage.anchor).await?;
    expect(&smtp.smtp("EHLO demo.example.net").await?, 250)?;
    Ok(smtp)
}

async fn login(smtp: &mut Dialogue, address: &Address, password: &str) -> Result<SmtpReply, Error> {
    smtp.smtp(&format!("AUTH PLAIN {}", BASE64.encode(format!("\0{address}\0{password}")))).await
}

fn message_id(stage: &Stage) -> String {
    format!("<{}@{}>", stage.token, stage.hostname)
}

fn expect(reply: &SmtpReply, code: u16) -> Result<String, Error> {
    if reply.code == code {
        Ok(reply.one_line())
    } else {
        Err(not_held(&format!("expected {code}"), &reply.one_line()))
    }
}

fn imap_ok(lines: Vec<String>) -> Result<Vec<String>, Error> {
    match lines.last().and_then(|last| last.split(' ').nth(1)) {
        Some("OK") => Ok(lines),
        _ => Err(not_held("IMAP was refused", &lines.join(" / "))),
    }
}

fn not_held(what: &str, said: &str) -> Error {
    Error::new(codes::DEMO_FAILED, what.to_owned()).cause(said.chars().take(600).collect::<String>())
}
