//! What an SPF verdict means for a message: the settings, and what the client is told.

use super::{Evaluation, Request, Verdict};
use crate::mail::policy::Action;
use std::str::FromStr;

/// What becomes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// How much SPF may decide.
    pub mode: Mode,
    /// In mode `reject`: what a DNS without an answer does.
    pub temperror: Broken,
    /// In mode `reject`: what a record does that cannot be evaluated.
    pub permerror: Lasting,
}

impl Rule {
    /// Whether this verdict refuses or delays a message.
    pub fn objects(&self, verdict: Verdict) -> bool {
        self.mode == Mode::Reject
            && match verdict {
                Verdict::Fail => true,
                Verdict::TempError => self.temperror != Broken::Mark,
                Verdict::PermError => self.permerror != Lasting::Mark,
                Verdict::None | Verdict::Neutral | Verdict::Pass | Verdict::SoftFail => false,
            }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $all:literal: $($(#[$about:meta])* $id:ident = $word:literal),*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$about])* $id),* }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$id),)*
                    other => Err(format!("{other:?} is not {}", $all)),
                }
            }
        }
    };
}

words! {
    /// How much SPF may decide.
    Mode, "off, mark or reject":
    /// Nobody asks.
    Off = "off",
    /// The verdict is written into the message, and refuses nothing.
    #[default]
    Mark = "mark",
    /// A fail is refused as well.
    Reject = "reject"
}

words! {
    /// What a passing trouble does.
    Broken, "mark or defer":
    /// It is written into the message.
    Mark = "mark",
    /// The client is asked to come again (RFC 7208 §8.6).
    #[default]
    Defer = "defer"
}

words! {
    /// What a lasting trouble does.
    Lasting, "mark, defer or reject":
    /// It is written into the message.
    #[default]
    Mark = "mark",
    /// The client is asked to come again: the sender's domain may have mended its record until then.
    Defer = "defer",
    /// Refused (RFC 7208 §8.7).
    Reject = "reject"
}

/// What Postfix is told. The codes are those of RFC 7372 §3.2; what the sender's domain says about a fail is a
/// stranger's text, and told as such (RFC 7208 §8.4).
pub fn judge(rule: &Rule, request: &Request<'_>, found: &Evaluation) -> Action {
    if !rule.objects(found.verdict) {
        return Action::Dunno;
    }
    let (client, domain) = (request.client, printable(request.domain));
    match (found.verdict, rule.temperror, rule.permerror) {
        (Verdict::Fail, ..) => {
            let told = found.explanation.as_deref().filter(|text| !text.is_empty());
            let told = told.map(|text| format!("; {domain} explains: {}", printable(text)));
            let by = found.decided().map(|place| format!(" ({})", printable(&place.to_string())));
            Action::Refuse(format!(
                "5.7.23 SPF: {domain} does not let {client} send{}{}",
                by.unwrap_or_default(),
                told.unwrap_or_default()
            ))
        }
        (Verdict::TempError, Broken::Defer, _) => {
            Action::Defer(format!("4.7.24 SPF: DNS gave no answer about {domain}, try again later"))
        }
        (Verdict::PermError, _, Lasting::Defer) => {
            Action::Defer(format!("4.7.24 {}", broken(&domain, found)))
        }
        (Verdict::PermError, _, Lasting::Reject) => {
            Action::Refuse(format!("5.7.24 {}", broken(&domain, found)))
        }
        _ => Action::Dunno,
    }
}

fn broken(domain: &str, found: &Evaluation) -> String {
    let why = found.trouble.as_ref().map(|trouble| printable(&trouble.to_string())).unwrap_or_default();
    format!("SPF: the record of {domain} cannot be used: {why}")
}

/// Words of strangers, in a line that Postfix hands on.
fn printable(text: &str) -> String {
    let show = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(200).map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::spf::Trouble;

    fn found(verdict: Verdict) -> Evaluation {
        Evaluation { verdict, path: Vec::new(), trouble: None, explanation: None, lookups: 0, voids: 0 }
    }

    fn told(rule: &Rule, found: &Evaluation) -> String {
        let request = Request::mail_from("192.0.2.1".parse().unwrap(), "ann@example.org", "mx.example.net");
        judge(rule, &request, found).to_string()
    }

    #[test]
    fn only_reject_decides_anything() {
        let all = [
            Verdict::None,
            Verdict::Neutral,
            Verdict::Pass,
            Verdict::Fail,
            Verdict::SoftFail,
            Verdict::TempError,
            Verdict::PermError,
        ];
        let strict = Rule { mode: Mode::Reject, temperror: Broken::Defer, permerror: Lasting::Reject };
        for verdict in all {
            for mode in [Mode::Off, Mode::Mark] {
                assert_eq!(told(&Rule { mode, ..strict }, &found(verdict)), "DUNNO", "{verdict}");
            }
        }
        let objects: Vec<&str> = all
            .iter()
            .filter(|verdict| told(&strict, &found(**verdict)) != "DUNNO")
            .map(|verdict| verdict.as_str())
            .collect();
        assert_eq!(objects, ["fail", "temperror", "permerror"]);
        let mild = Rule { temperror: Broken::Mark, permerror: Lasting::Mark, ..strict };
        assert_eq!(told(&mild, &found(Verdict::TempError)), "DUNNO");
        assert_eq!(told(&mild, &found(Verdict::PermError)), "DUNNO");
    }

    #[test]
    fn the_answer_says_who_objects() {
        let rule = Rule { mode: Mode::Reject, ..Rule::default() };
        let mut fail = found(Verdict::Fail);
        fail.explanation = Some("ask\nus".to_owned());
        assert_eq!(
            told(&rule, &fail),
            "550 5.7.23 SPF: example.org does not let 192.0.2.1 send; example.org explains: ask?us"
        );
        assert_eq!(
            told(&rule, &found(Verdict::TempError)),
            "451 4.7.24 SPF: DNS gave no answer about example.org, try again later"
        );
        let mut broken = found(Verdict::PermError);
        broken.trouble = Some(Trouble::LookupLimit);
        let reject = Rule { permerror: Lasting::Reject, ..rule };
        assert_eq!(
            told(&reject, &broken),
            "550 5.7.24 SPF: the record of example.org cannot be used: more than 10 terms ask DNS"
        );
        assert!(told(&Rule { permerror: Lasting::Defer, ..rule }, &broken).starts_with("451 4.7.24 "));
    }
}
