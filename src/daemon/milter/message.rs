//! What is kept of a message while its header comes in: little, whatever it holds.

use crate::mail::header::{author::Author, forged};

/// Header fields that a message may have. Real ones have some dozens, much forwarded ones some hundreds.
const FIELDS: u32 = 10_000;

/// Fields of one message that bear our name falsely and are removed, at most; nobody honest has any.
const FORGED: usize = 100;

/// RFC 7208 §9.1
pub const RECEIVED_SPF: &str = "Received-SPF";
/// RFC 8601 §2
pub const RESULTS: &str = "Authentication-Results";

/// One message.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Who logged in; empty = nobody.
    pub login: Vec<u8>,
    /// `MAIL FROM`, in `<>` as it came.
    pub sender: Vec<u8>,
    /// Postfix's number for it.
    pub queue_id: Vec<u8>,
    /// Who it says that it is from.
    pub author: Author,
    fields: u32,
    /// How many fields of each kind there were.
    seen: [u32; 2],
    forged: Vec<(&'static str, u32)>,
}

impl Message {
    /// Of this login, under this sender.
    pub fn begun(login: Vec<u8>, sender: &[u8]) -> Self {
        Self { login, sender: sender.to_vec(), ..Self::default() }
    }

    /// Looks at one field; `host` is the name that only we bear.
    pub fn take(&mut self, name: &[u8], value: &[u8], host: &str) {
        self.fields = self.fields.saturating_add(1);
        self.author.take(name, value);
        let name = name.trim_ascii();
        for (at, kind) in [RECEIVED_SPF, RESULTS].into_iter().enumerate() {
            if !name.eq_ignore_ascii_case(kind.as_bytes()) {
                continue;
            }
            self.seen[at] = self.seen[at].saturating_add(1);
            let ours =
                if at == 0 { forged::received_spf(value, host) } else { forged::spf_result(value, host) };
            if ours && self.forged.len() <= FORGED {
                self.forged.push((kind, self.seen[at]));
            }
        }
    }

    /// What is too much in it.
    pub fn excess(&self) -> Option<String> {
        if self.fields > FIELDS {
            Some(format!("more than {FIELDS} header fields"))
        } else if self.forged.len() > FORGED {
            Some(format!("more than {FORGED} header fields bear the name of this server falsely"))
        } else {
            None
        }
    }

    /// Fields to remove by name and number, the last ones first.
    pub fn forged(&self) -> Vec<(&'static str, u32)> {
        self.forged.iter().rev().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forged_fields_are_numbered_by_their_name_and_bounded() {
        let mut message = Message::default();
        let ours: &[u8] = b"pass receiver=mail.example.org";
        let fields: [(&str, &[u8]); 6] = [
            ("Received-SPF", b"pass receiver=mx.example.net"),
            ("received-spf ", ours),
            ("Authentication-Results", b"mail.example.org; dkim=none"),
            ("AUTHENTICATION-RESULTS", b"mail.example.org; spf=pass"),
            ("X-Received-SPF", ours),
            ("Received-SPF", ours),
        ];
        for (name, value) in fields {
            message.take(name.as_bytes(), value, "mail.example.org");
        }
        let wanted = [("Received-SPF", 3), ("Authentication-Results", 2), ("Received-SPF", 2)];
        assert_eq!(message.forged(), wanted);
        for _ in 0..98 {
            assert_eq!(message.excess(), None);
            message.take(b"Received-SPF", ours, "mail.example.org");
        }
        for _ in 0..1000 {
            message.take(b"Received-SPF", ours, "mail.example.org");
        }
        assert!(message.excess().unwrap().contains("falsely") && message.forged.len() == FORGED + 1);
        let mut long = Message::default();
        for _ in 0..=FIELDS {
            long.take(b"X", b"y", "mail.example.org");
        }
        assert!(long.excess().unwrap().contains("header fields"));
    }
}
