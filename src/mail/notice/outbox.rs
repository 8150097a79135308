//! What is still to be told, to whom, and when: one letter to a person at a time, with all that came up meanwhile.

use super::{Line, Notice};
use crate::mail::{
    address::{Address, Domain},
    alert::Letter,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Seconds between two letters to one person; and where one of them is urgent.
const PAUSE: u32 = 15 * 60;
const URGENT: u32 = 60;
/// Lines in a letter at most; what is more is counted.
const LINES: usize = 50;
/// People with a letter under way at most, the administrator left aside.
const PEOPLE: usize = 500;
/// Seconds after which a letter that nobody takes is given up; Postfix keeps mail as long.
const KEPT: u32 = 5 * 86_400;
/// Seconds to the first and to the last further attempts.
const RETRY: (u32, u32) = (2, 300);

/// All of it; kept in `letters.json` beside what mailctld remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    pending: BTreeMap<String, Pending>,
    /// When somebody got the last letter.
    last: BTreeMap<String, u32>,
    made: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    number: u64,
    since: u32,
    urgent: bool,
    lines: Vec<Line>,
    more: u32,
    tries: u32,
    not_before: u32,
}

/// One letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// To whom.
    pub to: Address,
    number: u64,
    since: u32,
    lines: Vec<Line>,
    more: u32,
}

impl Outbox {
    /// Takes in a notice for the administrator and the login.
    pub fn add(&mut self, notice: &Notice, admin: &Address, now: u32) {
        self.tell(admin, &notice.to_admin, notice.urgent, true, now);
        if let Some(login) = notice.login.as_ref().filter(|login| *login != admin) {
            self.tell(login, &notice.to_login, notice.urgent, false, now);
        }
    }

    fn tell(&mut self, to: &Address, line: &Line, urgent: bool, admin: bool, now: u32) {
        let to = to.to_string();
        if !admin && !self.pending.contains_key(&to) && self.pending.len() > PEOPLE {
            return;
        }
        let pending = self.pending.entry(to).or_insert_with(|| {
            self.made += 1;
            let number = self.made;
            Pending { number, since: now, urgent, lines: Vec::new(), more: 0, tries: 0, not_before: 0 }
        });
        pending.urgent |= urgent;
        if pending.lines.contains(line) {
            return;
        }
        if pending.lines.len() < LINES {
            pending.lines.push(line.clone());
        } else {
            pending.more = pending.more.saturating_add(1);
        }
    }

    fn when(&self, to: &str, pending: &Pending) -> u32 {
        let pause = if pending.urgent { URGENT } else { PAUSE };
        let last = self.last.get(to).map_or(0, |last| last.saturating_add(pause));
        last.max(pending.not_before)
    }

    /// When the next letter is to be sent; `None` = there is none.
    pub fn next(&self) -> Option<u32> {
        self.pending.iter().map(|(to, pending)| self.when(to, pending)).min()
    }

    /// The letters that are to be sent now.
    pub fn due(&self, now: u32) -> Vec<Parcel> {
        let due = self.pending.iter().filter(|(to, pending)| self.when(to, pending) <= now);
        due.filter_map(|(to, pending)| {
            let Pending { number, since, lines, more, .. } = pending.clone();
            Some(Parcel { to: Address::parse(to).ok()?, number, since, lines, more })
        })
        .collect()
    }

    /// How many letters were begun so far; it only grows.
    pub fn begun(&self) -> u64 {
        self.made
    }

    /// How many letters nobody has taken yet.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Postfix has it, or will never take it. What came up since then goes with the next one.
    pub fn done(&mut self, parcel: &Parcel, now: u32) {
        let to = parcel.to.to_string();
        self.last.retain(|_, last| now.saturating_sub(*last) <= PAUSE && *last <= now);
        self.last.insert(to.clone(), now);
        let Some(pending) = self.pending.get_mut(&to) else { return };
        pending.lines.drain(..parcel.lines.len().min(pending.lines.len()));
        pending.more = pending.more.saturating_sub(parcel.more);
        if pending.lines.is_empty() && pending.more == 0 {
            self.pending.remove(&to);
        } else {
            self.made += 1;
            (pending.number, pending.since, pending.tries, pending.not_before) = (self.made, now, 0, 0);
        }
    }

    /// Not now; whether it is given up.
    pub fn failed(&mut self, parcel: &Parcel, now: u32) -> bool {
        let to = parcel.to.to_string();
        let Some(pending) = self.pending.get_mut(&to) else { return false };
        if now.saturating_sub(pending.since) > KEPT {
            self.pending.remove(&to);
            return true;
        }
        let wait = RETRY.0.saturating_mul(1 << pending.tries.min(10)).min(RETRY.1);
        pending.tries = pending.tries.saturating_add(1);
        pending.not_before = now.saturating_add(wait);
        false
    }

    /// What another process left, with what came up since then.
    pub fn join(&mut self, older: Self) {
        let newer = std::mem::replace(self, older);
        self.made = self.made.max(newer.made);
        for (to, pending) in newer.pending {
            if let Ok(to) = Address::parse(&to) {
                pending
                    .lines
                    .iter()
                    .for_each(|line| self.tell(&to, line, pending.urgent, true, pending.since));
            }
        }
    }
}

impl Parcel {
    /// The whole message, and the envelope's sender.
    pub fn message(&self, host: &Domain, domain: &Domain, now: u32) -> (String, String) {
        let date = OffsetDateTime::from_unix_timestamp(i64::from(now)).ok();
        let date = date.and_then(|date| date.format(&Rfc2822).ok()).unwrap_or_default();
        // The same at each attempt: whoever gets it twice sees it once.
        let id = format!("notice.{}.{}", self.since, self.number);
        let letter = Letter { host, domain, to: &self.to, date: &date, id: &id };
        let subject = match self.lines.as_slice() {
            [one] if self.more == 0 => one.what.clone(),
            lines => format!("{} warnings", lines.len() + self.more as usize),
        };
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(&format!("{}\n\n    {}\n\n", line.what, line.remedy));
        }
        if self.more > 0 {
            text.push_str(&format!("And {} more, which stand in: mailctl logs mailctld\n\n", self.more));
        }
        let footer = format!("mailctl on {host}. `mailctl help policy` explains limits and frozen logins.");
        (letter.compose(&subject, text.trim_end(), &footer), letter.sender())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{notice::*, policy::Rule};

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn about(login: &str) -> Notice {
        near(login, Some(address(login)), "200 messages an hour", Rule::LoginRate)
    }

    /// Proves: issue 6 ("warnings to the user and the admin"): at once, then together with what came up, and never lost
    /// before somebody took it.
    #[test]
    fn a_storm_is_one_letter() {
        let admin = address("admin@example.org");
        let mut outbox = Outbox::default();
        outbox.add(&about("ann@example.org"), &admin, 1000);
        let first = outbox.due(1000);
        assert_eq!(
            first.iter().map(|parcel| parcel.to.to_string()).collect::<Vec<_>>(),
            ["admin@example.org", "ann@example.org"]
        );
        assert!(!outbox.failed(&first[0], 1000));
        assert_eq!((outbox.due(1001).len(), outbox.next()), (1, Some(0)));
        assert_eq!(outbox.due(1002).len(), 2);
        outbox.done(&first[0], 1002);
        outbox.done(&first[1], 1002);
        assert_eq!(outbox.next(), None);
        for number in 0..200 {
            outbox.add(
                &near(&format!("192.0.2.{number}"), None, "3 messages a day", Rule::ClientRate),
                &admin,
                1003,
            );
        }
        assert!(outbox.due(1002 + PAUSE - 1).is_empty());
        let storm = outbox.due(1002 + PAUSE);
        assert_eq!((storm.len(), storm[0].lines.len(), storm[0].more), (1, LINES, 150));
        // A frozen login does not wait so long.
        outbox.add(&frozen("bob@example.org"), &admin, 1010);
        assert_eq!(outbox.due(1002 + URGENT).len(), 2);
        let text = serde_json::to_string(&outbox).unwrap();
        assert_eq!(serde_json::from_str::<Outbox>(&text).unwrap(), outbox);
        // Taken, but for what came up while it was under way.
        outbox.add(&about("eve@example.org"), &admin, 1011);
        outbox.done(&storm[0], 1100);
        assert_eq!(
            outbox.pending["admin@example.org"].lines.len() as u32 + outbox.pending["admin@example.org"].more,
            2
        );
    }

    #[test]
    fn what_nobody_takes_is_given_up_in_the_end() {
        let admin = address("admin@example.org");
        let mut outbox = Outbox::default();
        outbox.add(&frozen("admin@example.org"), &admin, 10);
        assert_eq!(outbox.due(10).len(), 1, "one letter where the login is the administrator");
        let (mut now, mut tries) = (10, 0);
        while let Some(parcel) = outbox.due(now).pop() {
            tries += 1;
            if outbox.failed(&parcel, now) {
                break;
            }
            now = outbox.next().unwrap();
        }
        assert!(now > KEPT && tries > 1000 && outbox.next().is_none(), "{now} {tries}");
        let mut other = Outbox::default();
        other.add(&about("ann@example.org"), &admin, 5);
        outbox.add(&about("bob@example.org"), &admin, 6);
        outbox.join(other);
        assert_eq!(outbox.due(7).len(), 3);
        assert_eq!(outbox.due(7)[0].lines.len(), 2);
    }

    /// Proves: threats 11 (what strangers are called begins no header).
    #[test]
    fn a_letter_says_what_to_do() {
        let (host, domain) =
            (Domain::parse("mail.example.org").unwrap(), Domain::parse("example.org").unwrap());
        let mut outbox = Outbox::default();
        outbox.add(&frozen("bob@example.org"), &address("admin@example.org"), 10);
        let (message, sender) = outbox.due(10)[1].message(&host, &domain, 1_795_269_800);
        assert_eq!(sender, "postmaster@example.org");
        assert!(message.contains("mailctl user unfreeze bob@example.org"), "{message}");
        assert!(message.contains("Subject: [mail.example.org] bob@example.org: sending is stopped"));
        assert!(
            message.contains("Message-ID: <notice.10.2@mail.example.org>")
                && message.contains("Auto-Submitted:")
        );
        let mut outbox = Outbox::default();
        let whose = "from @x\r\nBcc: all@example.net";
        outbox.add(&near(whose, None, "1 message a day", Rule::SenderRate), &address("a@example.org"), 10);
        let (message, _) = outbox.due(10)[0].message(&host, &domain, 10);
        assert!(!message.contains("\nBcc") && !message.contains('\r'), "{message}");
    }
}
