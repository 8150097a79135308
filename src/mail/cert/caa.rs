//! CAA: whether an authority may issue for a name, to this account, by this way of proving it (RFC 8659, RFC 8657).
//! Pure: DNS is asked by whoever settles the inquiry.

use crate::mail::dns::{Data, Entry, Inquiry, Kind, Name, Question, Silence};

/// Tags that authorities know (RFC 8659 §4, RFC 9495, and the registry of IANA).
const KNOWN: [&str; 7] =
    ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuevmc", "issuemail"];

/// Who is to issue, for whom, and how.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The names by which the authority knows itself (`caaIdentities` of its directory).
    pub authorities: &'a [String],
    /// Our account there.
    pub account: Account<'a>,
    /// The ways of proving that will do: `http-01`, `tls-alpn-01`, `dns-01`.
    pub methods: &'a [String],
}

/// What is known of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account<'a> {
    /// Somebody else has the certificate issued: any may be named.
    Any,
    /// There is none yet, so nothing can name it.
    None,
    /// Its URL.
    Is(&'a str),
}

/// What the CAA records nearest to a name say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nearest {
    /// There are none: every authority may issue.
    Nothing,
    /// These.
    Found(Found),
    /// A question got no answer that counts, so no authority will issue either (RFC 8659 §3).
    Silent(Question, Silence),
}

/// Records, and what follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where they stand.
    pub at: Name,
    /// All of them.
    pub records: Vec<Data>,
    /// What they mean for us.
    pub verdict: Verdict,
}

/// What records mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They forbid nobody.
    Free,
    /// They let us.
    Allowed,
    /// This critical tag, which authorities do not know, stops every one of them (RFC 8659 §4.1).
    Critical(String),
    /// Only these authorities may.
    Others(Vec<String>),
    /// Our authority may, but not to our account. In the place of its record belongs this one.
    Account(Entry),
    /// Our authority may, but not by our way of proving. In the place of its record belongs this one.
    Method(Entry),
}

/// Judges the nearest CAA records at or above `name`; `None` = an answer is missing.
pub fn judge(inquiry: &Inquiry<'_>, name: &Name, wish: &Wish<'_>) -> Option<Nearest> {
    // RFC 8659 §3: up the tree, without the root; all questions at once.
    let above: Vec<Name> =
        std::iter::successors(Some(name.clone()), Name::parent).take_while(|name| !name.is_root()).collect();
    let answers: Vec<_> = above.iter().map(|name| inquiry.ask(Question::new(name, Kind::Caa))).collect();
    for (at, answer) in above.iter().zip(answers) {
        match answer?.records() {
            Ok([]) => {}
            Ok(records) => {
                let (at, records, verdict) = (at.clone(), records.to_vec(), weigh(at, records, wish));
                return Some(Nearest::Found(Found { at, records, verdict }));
            }
            Err(why) => return Some(Nearest::Silent(Question::new(at, Kind::Caa), why.clone())),
        }
    }
    Some(Nearest::Nothing)
}

/// The record that lets an authority issue.
pub fn entry(at: &Name, value: &str) -> Entry {
    Entry::new(at, Data::Caa { critical: false, tag: "issue".to_owned(), value: value.to_owned() })
}

fn weigh(at: &Name, records: &[Data], wish: &Wish<'_>) -> Verdict {
    let mut issuers = Vec::new();
    for data in records {
        let Data::Caa { critical, tag, value } = data else { continue };
        let tag = tag.to_ascii_lowercase();
        if *critical && !KNOWN.contains(&tag.as_str()) {
            return Verdict::Critical(tag);
        }
        if tag == "issue" {
            issuers.push(Issuer::parse(value));
        }
    }
    if issuers.is_empty() {
        return Verdict::Free;
    }
    let ours = |issuer: &&Issuer| wish.authorities.iter().any(|one| one.eq_ignore_ascii_case(&issuer.domain));
    let named: Vec<&Issuer> = issuers.iter().filter(ours).collect();
    let Some(first) = named.first() else {
        return Verdict::Others(issuers.into_iter().map(|issuer| issuer.domain).collect());
    };
    if named.iter().any(|issuer| issuer.account(wish) && issuer.method(wish)) {
        return Verdict::Allowed;
    }
    // Best mended is the one that is only bound to another account.
    match named.iter().find(|issuer| issuer.method(wish)) {
        Some(issuer) => Verdict::Account(entry(at, &issuer.for_us(wish))),
        None => Verdict::Method(entry(at, &first.for_us(wish))),
    }
}

/// The value of an `issue` tag: `letsencrypt.org; accounturi=…; validationmethods=http-01,dns-01`.
struct Issuer {
    domain: String,
    parameters: Vec<(String, String)>,
}

impl Issuer {
    fn parse(value: &str) -> Self {
        let mut parts = value.split(';').map(str::trim);
        let domain = parts.next().unwrap_or_default().trim_end_matches('.').to_owned();
        // RFC 8659 §4.2: blanks may stand around the `=`.
        let parameters = parts.filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        });
        Self { domain, parameters: parameters.collect() }
    }

    /// RFC 8657 §3: every account that is named must be ours.
    fn account(&self, wish: &Wish<'_>) -> bool {
        let mut named = self.parameters.iter().filter(|(name, _)| name == "accounturi");
        named.all(|(_, uri)| match wish.account {
            Account::Any => true,
            Account::None => false,
            Account::Is(ours) => uri == ours,
        })
    }

    /// RFC 8657 §4.
    fn method(&self, wish: &Wish<'_>) -> bool {
        let mut named = self.parameters.iter().filter(|(name, _)| name == "validationmethods");
        named.all(|(_, list)| {
            list.split(',').any(|method| wish.methods.iter().any(|one| one == method.trim()))
        })
    }

    /// The same, where it is bound to anything, bound to what we have.
    fn for_us(&self, wish: &Wish<'_>) -> String {
        let bound = self.parameters.iter().filter_map(|(name, value)| match (name.as_str(), wish.account) {
            ("accounturi", Account::Is(ours)) => Some(format!("; accounturi={ours}")),
            ("accounturi", Account::Any) => Some(format!("; accounturi={value}")),
            ("validationmethods", _) => Some(format!("; validationmethods={}", wish.methods.join(","))),
            _ => None,
        });
        self.domain.clone() + &bound.collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::dns::{Answer, Known, Outcome};

    fn judged(records: &[(&str, bool, &str, &str)]) -> Option<Verdict> {
        let mut known = Known::default();
        for at in ["mail.example.org", "example.org", "org"] {
            let name = Name::parse(at).unwrap();
            let nothing = Answer::new(Outcome::Nothing { exists: true });
            known.answers.insert(Question::new(&name, Kind::Caa), nothing);
            for (_, critical, tag, value) in records.iter().filter(|record| record.0 == at) {
                let data =
                    Data::Caa { critical: *critical, tag: (*tag).to_owned(), value: (*value).to_owned() };
                known.add(&name, data);
            }
        }
        let inquiry = Inquiry::new(&known);
        let authorities = ["letsencrypt.org".to_owned()];
        let account = Account::Is("https://ca.example/acct/1");
        let wish = Wish { authorities: &authorities, account, methods: &["http-01".to_owned()] };
        match judge(&inquiry, &Name::parse("mail.example.org").unwrap(), &wish).unwrap() {
            Nearest::Found(found) => Some(found.verdict),
            Nearest::Nothing => None,
            Nearest::Silent(question, why) => panic!("{question:?}: {why}"),
        }
    }

    /// Proves: RFC 8659 §3, §4, RFC 8657 §3, §4: the nearest records count, and each parameter in them.
    #[test]
    fn each_record_lets_or_stops_us() {
        let yes = Some(Verdict::Allowed);
        for (value, allowed) in [
            ("letsencrypt.org", true),
            ("LetsEncrypt.org.", true),
            ("letsencrypt.org; validationmethods=dns-01,http-01", true),
            ("letsencrypt.org; validationmethods=dns-01", false),
            ("letsencrypt.org; accounturi=https://ca.example/acct/1", true),
            ("letsencrypt.org; AccountURI = https://ca.example/acct/2", false),
            ("letsencrypt.org; accounturi=https://ca.example/acct/1; validationmethods=dns-01", false),
            ("other.example", false),
            (";", false),
            ("", false),
        ] {
            let verdict = judged(&[("example.org", false, "issue", value)]);
            assert_eq!(verdict == yes, allowed, "{value:?}: {verdict:?}");
        }
        let nearest = [
            ("mail.example.org", false, "issue", "letsencrypt.org"),
            ("example.org", false, "issue", "other.example"),
        ];
        assert_eq!(judged(&nearest), yes);
        assert_eq!(judged(&[]), None);
        assert_eq!(judged(&[("example.org", false, "issuewild", ";")]), Some(Verdict::Free));
        assert_eq!(judged(&[("example.org", false, "new", "x")]), Some(Verdict::Free));
        let critical =
            judged(&[("example.org", true, "new", "x"), ("example.org", false, "issue", "letsencrypt.org")]);
        assert_eq!(critical, Some(Verdict::Critical("new".to_owned())));
        for (value, should) in [
            ("letsencrypt.org; validationmethods=dns-01", "letsencrypt.org; validationmethods=http-01"),
            (
                "letsencrypt.org; accounturi=https://ca.example/acct/2; validationmethods=dns-01",
                "letsencrypt.org; accounturi=https://ca.example/acct/1; validationmethods=http-01",
            ),
        ] {
            let at = Name::parse("example.org").unwrap();
            let verdict = judged(&[("example.org", false, "issue", value)]);
            assert_eq!(verdict, Some(Verdict::Method(entry(&at, should))));
        }
        let both = [
            ("example.org", false, "issue", "letsencrypt.org; validationmethods=dns-01"),
            ("example.org", false, "issue", "letsencrypt.org; accounturi=https://ca.example/acct/2"),
        ];
        assert!(matches!(judged(&both), Some(Verdict::Account(_))));
    }

    /// Proves: RFC 8657 §3: an account can only be named where there is one; whose it is does not count for others.
    #[test]
    fn an_account_that_is_not_there_yet_cannot_be_named() {
        let issuer = Issuer::parse("letsencrypt.org; accounturi=https://ca.example/acct/2");
        for (account, lets) in [(Account::None, false), (Account::Any, true)] {
            let wish = Wish { authorities: &[], account, methods: &[] };
            assert_eq!(issuer.account(&wish), lets);
        }
    }

    #[test]
    fn silence_is_no_permission() {
        let mut known = Known::default();
        for at in ["mail.example.org", "example.org", "org"] {
            known.silence(&Name::parse(at).unwrap(), Kind::Caa, Silence::Timeout);
        }
        let wish = Wish { authorities: &[], account: Account::None, methods: &[] };
        let inquiry = Inquiry::new(&known);
        let verdict = judge(&inquiry, &Name::parse("mail.example.org").unwrap(), &wish);
        assert!(matches!(verdict, Some(Nearest::Silent(..))));
    }
}
