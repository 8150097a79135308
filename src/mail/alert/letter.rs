//! An alert as a message (RFC 5322) and as JSON.

use super::Entry;
use crate::mail::address::{Address, Domain};

/// Who speaks to whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The server's own name.
    pub host: &'a Domain,
    /// The first served domain: what is sent from there is signed.
    pub domain: &'a Domain,
    /// Who gets it.
    pub to: &'a Address,
    /// The date, as RFC 5322 §3.3 writes it.
    pub date: &'a str,
    /// Tells this message from others of the server.
    pub id: &'a str,
}

impl Letter<'_> {
    /// The envelope's sender: what cannot be delivered comes back to the administrator.
    pub fn sender(&self) -> String {
        format!("postmaster@{}", self.domain)
    }

    /// The whole message, with the line ends of the host: for `sendmail`.
    pub fn message(&self, entry: &Entry) -> String {
        let alert = &entry.alert;
        let text = if entry.solved.is_some() {
            format!("This is no longer so:\n\n    {}\n", flat(&alert.what))
        } else {
            format!("{}\n\nTo do:\n\n    {}\n", flat(&alert.what), flat(&alert.remedy))
        };
        let footer = format!(
            "mailctl on {} ({} {}). You hear of this once; `mailctl status` tells what stands.",
            self.host,
            ascii(&alert.kind),
            ascii(&alert.about)
        );
        self.compose(&entry.line(), &text, &footer)
    }

    /// A message with this subject (one line, whatever it holds), text (lines of ours) and last line.
    pub fn compose(&self, subject: &str, text: &str, footer: &str) -> String {
        let subject = ascii(&format!("[{}] {subject}", self.host));
        format!(
            "From: mailctl <{}>\nTo: <{}>\nSubject: {subject}\nDate: {}\nMessage-ID: <{}@{}>\n\
             Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\n\n{text}\n-- \n{footer}\n",
            self.sender(),
            self.to,
            self.date,
            self.id,
            self.host,
        )
    }
}

impl Entry {
    /// For a webhook. `text` is what chat servers show (Slack, Mattermost, Rocket.Chat).
    pub fn payload(&self, host: &Domain) -> serde_json::Value {
        let alert = &self.alert;
        let state = if self.solved.is_some() { "solved" } else { "standing" };
        serde_json::json!({
            "text": format!("{host}: {}", flat(&self.line())), "host": host, "state": state, "kind": alert.kind,
            "about": alert.about, "step": alert.step, "what": alert.what, "remedy": alert.remedy,
            "since": self.since, "solved": self.solved,
        })
    }
}

/// One line: what servers and programs said may hold anything, also what would begin another header.
pub fn flat(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// For headers, which hold nothing else without encoding; RFC 5322 §2.1.1 wants at most 998 octets.
fn ascii(text: &str) -> String {
    flat(text).chars().take(200).map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::alert::{Alert, Book, Look, Way};

    /// Proves: threats 11 (no text from outside begins a header).
    #[test]
    fn a_message_has_the_headers_that_we_wrote_and_no_others() {
        let alert = Alert {
            kind: "renewal.fails".to_owned(),
            about: "mail.example.org".to_owned(),
            rank: 1,
            step: "2".to_owned(),
            what: "the server said: no\r\nBcc: all@example.net\n\n.\nQUIT — ü".to_owned(),
            remedy: "mailctl status".to_owned(),
        };
        let mut look = Look::default();
        look.add("renewal.fails", [alert]);
        let mut book = Book::default();
        book.note(&look, 7);
        let entry = book.owed(Way::Mail).remove(0);
        let domain = Domain::parse("example.org").unwrap();
        let host = Domain::parse("mail.example.org").unwrap();
        let to = Address::parse("admin@example.org").unwrap();
        let date = "Sat, 21 Nov 2026 12:00:00 +0000";
        let message = Letter { host: &host, domain: &domain, to: &to, date, id: "a1" }.message(&entry);
        let (head, body) = message.split_once("\n\n").unwrap();
        let names: Vec<&str> = head.lines().map(|line| line.split(':').next().unwrap()).collect();
        let wanted = "From To Subject Date Message-ID Auto-Submitted MIME-Version Content-Type \
                      Content-Transfer-Encoding";
        assert_eq!(names.join(" "), wanted);
        assert!(head.is_ascii() && head.contains("Subject: [mail.example.org] the server said: no  Bcc:"));
        assert!(body.contains("QUIT — ü") && !body.lines().any(|line| line == "."), "{body}");
        let payload = entry.payload(&host);
        assert_eq!((payload["state"].as_str(), payload["since"].as_i64()), (Some("standing"), Some(7)));
    }
}
