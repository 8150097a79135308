//! A delivery report (RFC 3464): which targets of a forwarded message were refused for good, while others got it.

use super::pool::Pool;
use crate::{
    mail::address::{Address, Domain},
    wire::smtp::{Kind, MailFrom, Path, RcptTo, Reply, clean},
};
use std::fmt::Write;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// What it tells.
pub struct Report<'a> {
    /// Our name.
    pub host: &'a Domain,
    /// The address here that the sender wrote to.
    pub address: &'a Address,
    /// What we call this transaction in the log.
    pub id: &'a str,
    /// Targets, and what was said to them.
    pub refused: Vec<(&'a Address, &'a Reply)>,
    /// The header of the message, dot-stuffed as it came.
    pub head: &'a [u8],
    /// In Unix time.
    pub now: i64,
}

impl Report<'_> {
    /// Sends it to `sender`; the message itself may go on only then.
    pub async fn send(&self, sender: &str, pool: &Pool) -> Result<(), Reply> {
        let Ok(to) = Path::parse(sender) else { return Ok(()) };
        let from = MailFrom { path: Path::NULL, size: None, body: None, ret: None, envid: None };
        let (mut lent, refused) =
            pool.begin(&from, &[RcptTo { path: to, notify: None, orcpt: None }]).await?;
        let failed = |failure: super::hop::Failure| failure.reply(pool.hop());
        debug_assert!(refused.is_empty(), "one recipient, and he was not refused");
        lent.connection.piece(&self.text(sender)).await.map_err(failed)?;
        let reply = lent.connection.taken().await.map_err(failed)?;
        pool.done(lent);
        if reply.kind() == Kind::Done { Ok(()) } else { Err(reply) }
    }

    /// Dot-stuffed, with its end.
    fn text(&self, sender: &str) -> Vec<u8> {
        let (host, id) = (self.host, self.id);
        let date = OffsetDateTime::from_unix_timestamp(self.now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let date = date.format(&Rfc2822).unwrap_or_default();
        let mut text = format!(
            "From: Mail Delivery System <MAILER-DAEMON@{host}>\r\nTo: <{sender}>\r\nSubject: Not delivered to everybody\r\n\
             Date: {date}\r\nMessage-ID: <{id}@{host}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"{id}\"\r\n\r\n\
             --{id}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
             Your message to {0} was forwarded, but not to everybody whom it should have reached.\r\n\
             The servers of these said:\r\n\r\n",
            self.address
        );
        for (target, reply) in &self.refused {
            let _ = write!(text, "    {target}: {reply}\r\n");
        }
        let _ = write!(
            text,
            "\r\n--{id}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {host}\r\nArrival-Date: {date}\r\n"
        );
        for (target, reply) in &self.refused {
            let status = reply.status().map_or_else(|| "5.0.0".to_owned(), |status| status.to_string());
            let said = reply.to_string();
            let _ = write!(
                text,
                "\r\nOriginal-Recipient: rfc822; {}\r\nFinal-Recipient: rfc822; {target}\r\nAction: failed\r\nStatus: {status}\r\n\
                 Diagnostic-Code: smtp; {}\r\n",
                self.address,
                clean(said.as_bytes())
            );
        }
        let _ = write!(text, "\r\n--{id}\r\nContent-Type: text/rfc822-headers\r\n\r\n");
        let mut text = text.into_bytes();
        text.extend_from_slice(self.head);
        if !text.ends_with(b"\r\n") {
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(format!("\r\n--{id}--\r\n.\r\n").as_bytes());
        text
    }
}
