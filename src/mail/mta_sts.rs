//! MTA-STS: records and policies (RFC 8461 §3).

use super::{dns::Name, tags};

/// Whether a text at `_mta-sts` counts; others are passed over (RFC 8461 §3.1).
pub fn is_one(text: &str) -> bool {
    text.split(';').next().is_some_and(|first| first.trim_end_matches([' ', '\t']) == "v=STSv1")
        && text.contains(';')
}

/// The `id` of a record; the error says what is wrong with it.
pub fn id(text: &str) -> Result<String, String> {
    let tags = tags::parse(text).map_err(|part| format!("cannot be read at {part:?}"))?;
    let id = tags.iter().find(|tag| tag.name == "id").ok_or("it has no id=")?;
    if (1..=32).contains(&id.value.len()) && id.value.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(id.value.to_owned())
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
        let mode = match mode {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            Some(other) => return Err(format!("mode must be enforce, testing or none, not {other:?}")),
            None => return Err("it has no mode".to_owned()),
        };
        let max_age = max_age.ok_or("it has no max_age")?;
        let max_age = max_age.parse::<u32>().ok().filter(|age| *age <= YEAR);
        let max_age = max_age.ok_or("max_age must be a number of seconds, at most 31557600")?;
        if hosts.is_empty() && mode != Mode::None {
            return Err("it has no mx".to_owned());
        }
        Ok(Self { mode, hosts, max_age })
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
        for bad in ["v=STSv1;", "v=STSv1; id=", "v=STSv1; id=2020-01-01", "v=STSv1; id"] {
            assert!(id(bad).is_err(), "{bad}");
        }
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
