//! DMARC policy records (RFC 7489 §6).

use super::{
    address::Domain,
    dns::Name,
    tags::{self, Tag},
};
use std::fmt;

/// What receivers are asked to do with mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Deliver, and report.
    None,
    /// Deliver to the folder for junk.
    Quarantine,
    /// Refuse.
    Reject,
}

impl Request {
    fn parse(text: &str) -> Option<Self> {
        // RFC 7489 §6.4: ABNF strings, so case does not count.
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|request| text.eq_ignore_ascii_case(request.as_str()))
    }

    /// As in `p=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A policy record that receivers take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `p=`.
    pub request: Request,
    /// `sp=`: for subdomains, where it is set.
    pub subdomains: Option<Request>,
    /// `adkim=s`: the signature's domain must be the same, not only of the same organisation.
    pub strict_dkim: bool,
    /// `aspf=s`.
    pub strict_spf: bool,
    /// `pct=`: share of failing mail that `p=` is applied to, 0 to 100.
    pub percent: u8,
    /// `rua=`: where aggregate reports go.
    pub aggregate: Vec<String>,
    /// `ruf=`: where failure reports go.
    pub failure: Vec<String>,
    /// What receivers pass over, a sentence each.
    pub passed_over: Vec<String>,
}

/// Why receivers take a record for none at all (RFC 7489 §6.6.3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not begin with `v=DMARC1`.
    #[error("v=DMARC1 must be its first tag, written so")]
    Version,
    /// Not a list of tags.
    #[error("cannot be read at {0:?}")]
    Syntax(String),
    /// No `p=`.
    #[error("it has no p= with the policy")]
    NoPolicy,
    /// `p=` or `sp=` with another word.
    #[error("{0}= must be none, quarantine or reject, not {1:?}")]
    Policy(&'static str, String),
}

/// Whether a text at `_dmarc` is meant as a DMARC record, well or badly written.
pub fn is_meant(text: &str) -> bool {
    text.to_ascii_lowercase().contains("dmarc1")
}

/// Whether receivers take it for a DMARC record at all: others at the same name are passed over.
pub fn is_one(text: &str) -> bool {
    // RFC 7489 §6.6.3 step 2: it begins with the version, so no blank stands before it.
    let blanks = |rest: &str| rest.trim_start_matches([' ', '\t']).to_owned();
    let rest = text.strip_prefix('v').map(blanks).and_then(|rest| rest.strip_prefix('=').map(blanks));
    let rest = rest.and_then(|rest| rest.strip_prefix("DMARC1").map(blanks));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(';'))
}

impl Policy {
    /// Reads a record.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if !is_one(text) {
            return Err(Fault::Version);
        }
        let tags = tags::parse(text).map_err(Fault::Syntax)?;
        let mut notes = Vec::new();
        if let Some(name) = tags::doubled(&tags) {
            return Err(Fault::Syntax(format!("{name}= for the second time")));
        }
        let value = |name: &str| tags.iter().find(|tag| tag.name == name).map(|tag| tag.value);
        let aggregate = destinations("rua", value("rua"), &mut notes);
        let failure = destinations("ruf", value("ruf"), &mut notes);
        let request = match request("p", value("p")) {
            // RFC 7489 §6.6.3: with somewhere to report to it counts as p=none.
            Err(fault) if !aggregate.is_empty() => {
                notes.push(format!("{fault}; receivers take it for p=none"));
                Request::None
            }
            Ok(None) if !aggregate.is_empty() => {
                notes.push(format!("{}; receivers take it for p=none", Fault::NoPolicy));
                Request::None
            }
            Err(fault) => return Err(fault),
            Ok(None) => return Err(Fault::NoPolicy),
            Ok(Some(request)) => request,
        };
        let (request, subdomains) = match (self::request("sp", value("sp")), aggregate.is_empty()) {
            (Ok(subdomains), _) => (request, subdomains),
            // RFC 7489 §6.6.3 step 6: the whole record counts as p=none then.
            (Err(fault), false) => {
                notes.push(format!("{fault}; receivers take the whole record for p=none"));
                (Request::None, None)
            }
            (Err(fault), true) => return Err(fault),
        };
        if value("p").is_some() && tags.get(1).is_none_or(|tag| tag.name != "p") {
            notes.push("p= should be the second tag, after v= (RFC 7489 §6.4)".to_owned());
        }
        tags.iter().skip(1).filter_map(note).for_each(|note| notes.push(note));
        Ok(Self {
            request,
            subdomains,
            strict_dkim: value("adkim").is_some_and(|value| value.eq_ignore_ascii_case("s")),
            strict_spf: value("aspf").is_some_and(|value| value.eq_ignore_ascii_case("s")),
            percent: value("pct").and_then(|value| value.parse().ok()).filter(|n| *n <= 100).unwrap_or(100),
            aggregate,
            failure,
            passed_over: notes,
        })
    }

    /// What holds for a subdomain without a record of its own.
    pub fn for_subdomains(&self) -> Request {
        self.subdomains.unwrap_or(self.request)
    }
}

fn request(tag: &'static str, value: Option<&str>) -> Result<Option<Request>, Fault> {
    match value {
        None => Ok(None),
        Some(text) => match Request::parse(text) {
            Some(request) => Ok(Some(request)),
            None => Err(Fault::Policy(tag, text.to_owned())),
        },
    }
}

/// The record with other values: `None` takes a tag out, and one that is not there comes behind `p=`, or behind the
/// version.
pub fn edited(text: &str, changes: &[(&str, Option<&str>)]) -> Option<String> {
    let mut tags: Vec<(String, String)> =
        tags::parse(text).ok()?.iter().map(|tag| (tag.name.to_owned(), tag.value.to_owned())).collect();
    for (name, value) in changes {
        match (value, tags.iter().position(|(other, _)| other == name)) {
            (None, _) => tags.retain(|(other, _)| other != name),
            (Some(value), Some(at)) => tags[at].1 = (*value).to_owned(),
            (Some(value), None) => {
                let behind = usize::from(tags.get(1).is_some_and(|(name, _)| name == "p"));
                tags.insert((1 + behind).min(tags.len()), ((*name).to_owned(), (*value).to_owned()));
            }
        }
    }
    Some(tags.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; "))
}

/// The record without what receivers pass over.
pub fn tidied(text: &str) -> Option<String> {
    let tags = tags::parse(text).ok()?;
    let mut wrong: Vec<(&str, Option<String>)> =
        tags.iter().skip(1).filter(|tag| note(tag).is_some()).map(|tag| (tag.name, None)).collect();
    for tag in tags.iter().filter(|tag| ["rua", "ruf"].contains(&tag.name)) {
        let good: Vec<&str> =
            tag.value.split(',').map(str::trim).filter(|uri| destination(uri).is_some()).collect();
        wrong.push((tag.name, (!good.is_empty()).then(|| good.join(","))));
    }
    for tag in tags.iter().filter(|tag| ["p", "sp"].contains(&tag.name)) {
        if Request::parse(tag.value).is_none() {
            wrong.push((tag.name, (tag.name == "p").then(|| Request::None.to_string())));
        }
    }
    let p = tags.iter().find(|tag| tag.name == "p").map_or("none", |tag| tag.value);
    let p = Request::parse(p).unwrap_or(Request::None);
    // RFC 7489 §6.4: behind the version.
    let first: Vec<(&str, Option<&str>)> = vec![("p", None)];
    let again = [("p", Some(p.as_str()))];
    let changes: Vec<(&str, Option<&str>)> =
        wrong.iter().map(|(name, value)| (*name, value.as_deref())).chain(first).chain(again).collect();
    edited(text, &changes)
}

/// What is wrong with one tag; receivers pass it over (RFC 7489 §6.3).
fn note(tag: &Tag<'_>) -> Option<String> {
    let Tag { name, value } = *tag;
    let one_of = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    let wrong = match name {
        "v" | "p" | "sp" | "rua" | "ruf" => false,
        // DMARCbis, RFC 9091.
        "np" | "psd" | "t" => false,
        "adkim" | "aspf" => !one_of(&["r", "s"]),
        "fo" => value.split(':').any(|part| !["0", "1", "d", "s"].contains(&part.trim())),
        "pct" => value.parse::<u8>().map_or(true, |percent| percent > 100),
        "rf" => value.split(':').any(|part| !part.trim().eq_ignore_ascii_case("afrf")),
        "ri" => value.parse::<u32>().is_err(),
        _ => return Some(format!("the tag {name}= is not known")),
    };
    wrong.then(|| format!("{name}={value} is not one of its values"))
}

/// The addresses of `rua=` or `ruf=` (RFC 7489 §6.2); others than `mailto:` are noted.
fn destinations(tag: &str, value: Option<&str>, notes: &mut Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    for uri in value.into_iter().flat_map(|value| value.split(',')).map(str::trim) {
        match destination(uri) {
            Some(path) => found.push(path.to_owned()),
            None => notes.push(format!("{tag}={uri} is no mailto:ADDRESS, so no report goes there")),
        }
    }
    found
}

/// The address of `mailto:ADDRESS`, perhaps with a size behind it.
fn destination(uri: &str) -> Option<&str> {
    let (address, size) = uri.split_once('!').map_or((uri, None), |(address, size)| (address, Some(size)));
    let path =
        address.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).map(|_| &address[7..]);
    path.filter(|path| domain_of(path).is_some() && size.is_none_or(is_size))
}

/// RFC 7489 §6.2: digits and one unit.
fn is_size(text: &str) -> bool {
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G', 't', 'T']);
    text.len() - digits.len() <= 1 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// What stands after the `@`.
pub fn domain_of(address: &str) -> Option<Domain> {
    let (local, domain) = address.split('?').next()?.rsplit_once('@')?;
    if local.is_empty() { None } else { Domain::parse(domain).ok() }
}

/// The organisational domain (RFC 7489 §3.2): one label below the public suffix, as the list that is compiled in
/// has it; a name that is a public suffix is its own.
pub fn organisation(name: &str) -> String {
    match psl::domain_str(name) {
        Some(domain) => domain.to_owned(),
        None => name.to_owned(),
    }
}

/// Where a policy stands.
pub fn place(domain: &str) -> Option<Name> {
    Name::parse(&format!("_dmarc.{domain}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S4-12, S4-32: records without `sp`, `fo`, `rua` and `ruf` are right, as is the long one.
    #[test]
    fn short_and_long_records_are_right() {
        for text in [
            "v=DMARC1; p=none",
            "v=DMARC1;p=reject;",
            "v = DMARC1 ; p = quarantine ; rua = mailto:a@example.org!10m , mailto:b@example.net",
            "v=DMARC1;p=quarantine;sp=quarantine;pct=100;adkim=r;aspf=r;rua=mailto:a@example.org;ruf=mailto:a@example.org;ri=1800;fo=1",
            "v=DMARC1; p=Reject; np=reject; t=n; psd=n; rf=afrf; fo=0:d:s",
        ] {
            assert_eq!(Policy::parse(text).unwrap().passed_over, Vec::<String>::new(), "{text}");
        }
        let policy = Policy::parse("v=DMARC1; p=reject; sp=none; adkim=s; pct=20").unwrap();
        assert_eq!((policy.request, policy.for_subdomains()), (Request::Reject, Request::None));
        assert!(policy.strict_dkim && !policy.strict_spf && policy.percent == 20);
    }

    /// Proves: RFC 7489 §6.6.3: what receivers take for no record.
    #[test]
    fn broken_records_are_none() {
        for (text, fault) in [
            ("p=none; v=DMARC1", Fault::Version),
            ("v=DMARC1p=none", Fault::Version),
            ("v=dmarc1; p=none", Fault::Version),
            ("v=DMARC1", Fault::NoPolicy),
            ("v=DMARC1; rua=a@example.org", Fault::NoPolicy),
            (" v=DMARC1; p=none", Fault::Version),
            ("v=DMARC1; p=block", Fault::Policy("p", "block".to_owned())),
            ("v=DMARC1; p=none; sp=all", Fault::Policy("sp", "all".to_owned())),
            ("v=DMARC1; p=none; p=reject", Fault::Syntax("p= for the second time".to_owned())),
        ] {
            assert_eq!(Policy::parse(text), Err(fault), "{text}");
        }
        let saved = Policy::parse("v=DMARC1; p=block; rua=mailto:a@example.org").unwrap();
        assert_eq!((saved.request, saved.passed_over.len()), (Request::None, 1));
        let saved = Policy::parse("v=DMARC1; rua=mailto:a@example.org").unwrap();
        assert_eq!((saved.request, saved.passed_over.len()), (Request::None, 1));
    }

    /// Proves: RFC 7489 §6.6.3 step 6: a wrong `sp` makes p=none of the whole record, however strict it reads.
    #[test]
    fn a_wrong_word_for_subdomains_voids_the_policy() {
        let saved = Policy::parse("v=DMARC1; p=reject; sp=all; rua=mailto:a@example.org").unwrap();
        assert_eq!((saved.request, saved.for_subdomains()), (Request::None, Request::None));
        assert!(!is_one("v\u{a0}=DMARC1; p=none"), "only blanks and tabs are blanks");
    }

    /// Proves: issue 4 (the finished record as a remedy): what is passed over is taken out, and nothing else.
    #[test]
    fn records_are_tidied_and_edited() {
        for (text, tidy) in [
            ("v=DMARC1; p=none; x=y; pct=200", "v=DMARC1; p=none"),
            ("v=DMARC1; adkim=s; p=reject", "v=DMARC1; p=reject; adkim=s"),
            ("v=DMARC1;p=block;rua=a@b.org,mailto:a@b.org", "v=DMARC1; p=none; rua=mailto:a@b.org"),
            ("v=DMARC1; p=reject; sp=all; ruf=x", "v=DMARC1; p=reject"),
        ] {
            assert_eq!(tidied(text).as_deref(), Some(tidy), "{text}");
            assert_eq!(Policy::parse(tidy).unwrap().passed_over, Vec::<String>::new());
        }
        assert_eq!(edited("v=DMARC1", &[("p", Some("none"))]).as_deref(), Some("v=DMARC1; p=none"));
        assert_eq!(tidied("no tags"), None);
    }

    /// Proves: RFC 7489 §6.3: what is not understood is passed over.
    #[test]
    fn what_is_passed_over_is_named() {
        for (text, word) in [
            ("v=DMARC1; p=none; x=y", "x="),
            ("v=DMARC1; p=none; adkim=strict", "adkim"),
            ("v=DMARC1; p=none; pct=200", "pct"),
            ("v=DMARC1; p=none; fo=2", "fo"),
            ("v=DMARC1; p=none; ri=daily", "ri"),
            ("v=DMARC1; p=none; rf=iodef", "rf"),
            ("v=DMARC1; p=none; rua=a@example.org", "rua"),
            ("v=DMARC1; p=none; rua=mailto:a@example.org;ruf=https://example.org", "ruf"),
            ("v=DMARC1; p=none; rua=mailto:a@example.org!tenmegs", "rua"),
            ("v=DMARC1; adkim=r; p=none", "second"),
        ] {
            let notes = Policy::parse(text).unwrap().passed_over;
            assert!(notes.len() == 1 && notes[0].contains(word), "{text}: {notes:?}");
        }
    }

    /// Proves: RFC 7489 §3.2.
    #[test]
    fn an_organisation_is_below_its_public_suffix() {
        for (name, organisation_of) in [
            ("example.org", "example.org"),
            ("a.b.example.org", "example.org"),
            ("a.example.co.uk", "example.co.uk"),
            ("x.y.github.io", "y.github.io"),
            ("mail.example.test", "example.test"),
        ] {
            assert_eq!(organisation(name), organisation_of);
        }
    }
}
