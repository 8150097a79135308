//! The zones: one domain each, about one subject, the same at every run.

#[path = "dmarc.rs"]
mod dmarc;
#[path = "mail.rs"]
mod mail;
#[path = "spf.rs"]
mod spf;

use crate::common::dns::Zone;

/// One domain.
pub struct Case {
    /// As `--only` has it.
    pub subject: &'static str,
    /// What it is about; what is explained is explained for all cases of a class.
    pub class: &'static str,
    /// The domain.
    pub domain: String,
    /// Where its zone begins.
    origin: String,
    /// The zone; `{own}` is the domain.
    zone: String,
}

impl Case {
    /// Its zone, for people.
    pub fn shown(&self) -> String {
        format!("$ORIGIN {}.\n{}", self.origin, self.text())
    }

    fn text(&self) -> String {
        self.zone.replace("{own}", &self.domain)
    }
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    spf::add(&mut cases);
    dmarc::add(&mut cases);
    mail::add(&mut cases);
    cases
}

/// The zones of these, the root above them, and those who take reports of others.
pub fn zones(cases: &[Case]) -> Vec<Zone> {
    let own = cases.iter().map(|case| Zone::new(&case.origin, &case.text()));
    // Of all zones the root alone answers for names that are in none.
    own.chain([Zone::new(".", ""), taker(), Zone::new("silent.test", "@ MX 10 mx\nmx A 192.0.2.9")]).collect()
}

/// Who takes reports for everybody below it (RFC 7489 §7.1), and can be written to.
fn taker() -> Zone {
    Zone::new("taker.test", "@ MX 10 mx\nmx A 192.0.2.9\n*._report._dmarc TXT \"v=DMARC1\"")
}

/// One more case, numbered within its class.
fn push(cases: &mut Vec<Case>, subject: &'static str, class: &'static str, zone: String) {
    let number = cases.iter().filter(|case| case.subject == subject && case.class == class).count();
    let domain = format!("{subject}-{class}-{number}.test");
    cases.push(Case { subject, class, origin: domain.clone(), domain, zone });
}

/// A TXT record; its text in strings that are short enough with the domain in its place too.
fn txt(name: &str, text: &str) -> String {
    let mut strings = vec![String::new()];
    for word in text.replace('\\', "\\\\").replace('"', "\\\"").split_inclusive(' ') {
        match strings.last_mut().filter(|last| last.len() + word.len() < 90) {
            Some(last) => last.push_str(word),
            None => strings.push(word.to_owned()),
        }
    }
    format!("{name} TXT \"{}\"\n", strings.join("\" \""))
}
