//! MTA-STS: records and policies (RFC 8461 §3).

use super::dns::Name;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// Whether a text at `_mta-sts` counts; others are passed over (RFC 8461 §3.1).
pub fn is_one(text: &str) -> bool {
    text.split(';').next().is_some_and(|first| first.trim_end_matches([' ', '\t']) == "v=STSv1")
        && text.contains(';')
}

/// The `id` of a record; the error says what is wrong with it.
pub fn id(text: &str) -> Result<String, String> {
    let blank = [' ', '\t'];
    let mut fields: Vec<&str> = text.split(';').map(|field| field.trim_matches(blank)).collect();
    if fields.last().is_some_and(|field| field.is_empty()) {
        fields.pop();
    }
    let mut id = None;
    for field in fields {
        // Names may have dots and hyphens here, other than in the records of DKIM and DMARC.
        let (name, value) = field
            .split_once('=')
            .ok_or_else(|| format!("cannot be read at {:?}", field.chars().take(60).collect::<String>()))?;
        if name.trim_end_matches(blank) == "id" {
            id = id.or(Some(value.trim_start_matches(blank)));
        }
    }
    let id = id.ok_or("it has no id=")?;
    if (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(id.to_owned())
    } else {
        Err("id= must be 1 to 32 letters and digits".to_owned())
    }
}

/// What senders do where the policy does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They keep the mail.
    Enforce,
    /// They deliver, and report.
    Testing,
    /// There is no policy (any more).
    None,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        })
    }
}

impl FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "enforce" => Ok(Self::Enforce),
            "testing" => Ok(Self::Testing),
            "none" => Ok(Self::None),
            other => Err(format!("mode must be enforce, testing or none, not {other:?}")),
        }
    }
}

/// A policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What happens.
    pub mode: Mode,
    /// The servers, as `mail.example.org` or `*.example.org`.
    pub hosts: Vec<String>,
    /// Seconds for which it is kept, at most 31557600.
    pub max_age: u32,
}

/// One year, the most that is taken (RFC 8461 §3.2).
const YEAR: u32 = 31_557_600;

impl Policy {
    /// Reads a file; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut version, mut mode, mut max_age, mut hosts) = (None, None, None, Vec::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (key, value) = line.split_once(':').ok_or_else(|| {
                format!("the line {:?} is no \"key: value\"", line.chars().take(60).collect::<String>())
            })?;
            let value = value.trim();
            match key.trim() {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" => hosts.push(value.trim_end_matches('.').to_ascii_lowercase()),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err("it has no line \"version: STSv1\"".to_owned());
        }
        let mode: Mode = mode.ok_or("it has no mode")?.parse()?;
        let max_age = max_age.ok_or("it has no max_age")?;
        let max_age = max_age.parse::<u32>().ok().filter(|age| *age <= YEAR);
        let max_age = max_age.ok_or("max_age must be a number of seconds, at most 31557600")?;
        if hosts.is_empty() && mode != Mode::None {
            return Err("it has no mx".to_owned());
        }
        Ok(Self { mode, hosts, max_age })
    }

    /// The file (RFC 8461 §3.2).
    pub fn text(&self) -> String {
        let hosts: String = self.hosts.iter().map(|host| format!("mx: {host}\r\n")).collect();
        format!("version: STSv1\r\nmode: {}\r\n{hosts}max_age: {}\r\n", self.mode, self.max_age)
    }

    /// What the record says of it: another text, another id, so that senders notice (RFC 8461 §3.1).
    pub fn id(&self) -> String {
        Sha256::digest(self.text()).iter().take(10).map(|octet| format!("{octet:02x}")).collect()
    }

    /// The record.
    pub fn record(&self) -> String {
        format!("v=STSv1; id={}", self.id())
    }

    /// Whether it names this server; `*.` stands for exactly one label (RFC 8461 §4.1).
    pub fn names(&self, host: &Name) -> bool {
        self.hosts.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => host.parent().is_some_and(|above| above.as_str() == parent),
            None => host.as_str() == pattern,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: RFC 8461 §3.1.
    #[test]
    fn records_have_a_version_and_an_id() {
        assert!(is_one("v=STSv1; id=20160831085700Z;") && is_one("v=STSv1;id=1"));
        assert!(!is_one("v=STSv2; id=1") && !is_one("id=1; v=STSv1"));
        assert_eq!(id("v=STSv1; id=abc1;").unwrap(), "abc1");
        assert_eq!(id("v=STSv1; x-more.v2=a; id=abc1").unwrap(), "abc1", "sts-ext-name");
        for bad in ["v=STSv1;", "v=STSv1; id=", "v=STSv1; id=2020-01-01", "v=STSv1; id"] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    /// Proves: RFC 8461 §3.1, §3.2: what is written is read, and the id follows it.
    #[test]
    fn a_policy_comes_back_and_its_id_follows_it() {
        let policy =
            Policy { mode: Mode::Testing, hosts: vec!["mail.example.org".to_owned()], max_age: 86_400 };
        assert_eq!(Policy::parse(&policy.text()), Ok(policy.clone()));
        let record = policy.record();
        assert!(is_one(&record) && id(&record) == Ok(policy.id()), "{record}");
        let enforced = Policy { mode: Mode::Enforce, ..policy.clone() };
        assert_eq!(enforced.id(), enforced.clone().id());
        assert_ne!(enforced.id(), policy.id());
    }

    /// Proves: RFC 8461 §3.2, §4.1.
    #[test]
    fn policies_are_read_line_by_line() {
        let text = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmx: *.example.net\r\nmax_age: 604800\r\n";
        let policy = Policy::parse(text).unwrap();
        assert_eq!((policy.mode, policy.max_age), (Mode::Enforce, 604_800));
        let names = |host: &str| policy.names(&Name::parse(host).unwrap());
        assert!(names("mail.example.org") && names("a.example.net"));
        assert!(!names("example.net") && !names("a.b.example.net") && !names("x.example.org"));
        assert!(Policy::parse("version: STSv1\nmode: none\nmax_age: 1").is_ok());
        for bad in [
            "mode: enforce\nmx: a\nmax_age: 1",
            "version: STSv1\nmx: a\nmax_age: 1",
            "version: STSv1\nmode: on\nmx: a\nmax_age: 1",
            "version: STSv1\nmode: enforce\nmax_age: 1",
            "version: STSv1\nmode: enforce\nmx: a",
            "version: STSv1\nmode: enforce\nmx: a\nmax_age: 99999999",
            "<html>",
        ] {
            assert!(Policy::parse(bad).is_err(), "{bad}");
        }
    }
}
