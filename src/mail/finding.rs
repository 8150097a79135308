//! `Finding`: what a check says of one subject, with the remedy.

use super::dns::Entry;
use std::fmt;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, and could be better or will break.
    Warning,
    /// No answer that counts, so neither right nor wrong.
    CouldNotCheck,
    /// Wrong: mail is lost, refused or believed less.
    Error,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::CouldNotCheck => "could not check",
            Self::Error => "error",
        })
    }
}

/// What a whole check of a domain came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proven {
    /// DNS says of it what this server needs.
    Verified,
    /// Something is wrong.
    Failed,
}

impl Proven {
    /// Of a domain's findings. Where it can be seen who takes its mail, who may send it and how it is signed, it is
    /// verified; what else could not be checked does not count. `None` where those were not looked at, or there was
    /// no answer.
    pub fn of(findings: &[Finding]) -> Option<Self> {
        if findings.iter().any(|finding| finding.verdict == Verdict::Error) {
            return Some(Self::Failed);
        }
        let seen = |subject: Subject| {
            let mut of_it = findings.iter().filter(|finding| finding.subject == subject).peekable();
            of_it.peek().is_some() && of_it.all(|finding| finding.verdict != Verdict::CouldNotCheck)
        };
        [Subject::Mx, Subject::Spf, Subject::Dkim, Subject::Dmarc]
            .into_iter()
            .all(seen)
            .then_some(Self::Verified)
    }

    /// As people and programs read it; a domain that was never checked is pending.
    pub fn name(of: Option<Self>) -> &'static str {
        match of {
            Some(Self::Verified) => "verified",
            Some(Self::Failed) => "failed",
            None => "pending",
        }
    }
}

/// The same, and when it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Standing {
    /// What was found.
    pub proven: Proven,
    /// Seconds since 1970.
    pub checked: i64,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A and AAAA of the host name.
    Address,
    /// PTR of the host's addresses, and back.
    Reverse,
    /// The name in the greeting.
    Helo,
    /// NS agreement and lame servers.
    NameServers,
    /// DNSSEC of the zone.
    Dnssec,
    /// MX.
    Mx,
    /// SPF.
    Spf,
    /// DKIM, one finding per key.
    Dkim,
    /// DMARC.
    Dmarc,
    /// MTA-STS.
    MtaSts,
    /// TLS-RPT.
    TlsRpt,
    /// TLSA.
    Tlsa,
    /// CAA.
    Caa,
    /// SRV records and names that mail programs look for.
    Autoconfig,
    /// Wildcard records that answer for names that should not exist.
    Wildcard,
    /// Blocklists.
    Blocklist,
}

impl Subject {
    /// In the order in which they are shown.
    pub const ALL: [Self; 16] = [
        Self::Address,
        Self::Reverse,
        Self::Helo,
        Self::Tlsa,
        Self::Caa,
        Self::NameServers,
        Self::Dnssec,
        Self::Mx,
        Self::Spf,
        Self::Dkim,
        Self::Dmarc,
        Self::MtaSts,
        Self::TlsRpt,
        Self::Autoconfig,
        Self::Wildcard,
        Self::Blocklist,
    ];

    /// As on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Reverse => "reverse",
            Self::Helo => "helo",
            Self::NameServers => "name-servers",
            Self::Dnssec => "dnssec",
            Self::Mx => "mx",
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::MtaSts => "mta-sts",
            Self::TlsRpt => "tls-rpt",
            Self::Tlsa => "tlsa",
            Self::Caa => "caa",
            Self::Autoconfig => "autoconfig",
            Self::Wildcard => "wildcard",
            Self::Blocklist => "blocklist",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The domain, host name or address that it is about.
    pub about: String,
    /// What was checked.
    pub subject: Subject,
    /// How it stands.
    pub verdict: Verdict,
    /// Stable: `dns.spf.missing`; of what is right `dns.spf.ok`.
    pub code: &'static str,
    /// In one line.
    pub summary: String,
    /// What DNS says, a record or a fact per line.
    pub found: Vec<String>,
    /// What it should say.
    pub expected: Vec<String>,
    /// What to do: a command to type, or what to change where.
    pub remedy: Vec<String>,
    /// Records to publish, in place of those of the same kind that are wrong.
    pub publish: Vec<Entry>,
}

impl Finding {
    /// Without details.
    pub fn new(
        about: impl fmt::Display,
        subject: Subject,
        verdict: Verdict,
        code: &'static str,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            about: about.to_string(),
            subject,
            verdict,
            code,
            summary: summary.into(),
            found: Vec::new(),
            expected: Vec::new(),
            remedy: Vec::new(),
            publish: Vec::new(),
        }
    }

    /// Adds what DNS says.
    #[must_use]
    pub fn found(mut self, found: impl fmt::Display) -> Self {
        self.found.push(found.to_string());
        self
    }

    /// Adds what it should say.
    #[must_use]
    pub fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected.push(expected.to_string());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy.push(remedy.into());
        self
    }

    /// Adds a record to publish; it is also what DNS should say.
    #[must_use]
    pub fn publish(mut self, entry: Entry) -> Self {
        self.expected.push(entry.to_string());
        self.publish.push(entry);
        self
    }
}
