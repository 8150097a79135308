//! What becomes of a message, rule by rule: the walk of `mailctl explain` through Postfix's restriction lists as they
//! were rendered, with the same functions that answer Postfix.
//!
//! What cannot be known beforehand (what a service of the operator's says, what came in the last minute) is told as such.

mod dnsbl;
mod listed;
mod lists;
mod question;

pub use dnsbl::{Heard, hear};
pub use lists::{List, lists};
pub use question::{Called, Proof, Question, Words};

use super::{
    directory::{Directory, Place, Stop, Why, resolve},
    header::author::HeaderFrom,
    list::Way,
    policy::{Action, Rule},
    rights::{Right, right},
};
use std::net::IpAddr;

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The next rule is asked.
    Next,
    /// The rest of this list is not asked.
    Permit,
    /// The message is refused.
    Refuse,
    /// It depends on what is not known here.
    Open,
}

/// One rule that was asked.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Step {
    /// The list: a parameter of Postfix.
    pub list: &'static str,
    /// The rule: a restriction of Postfix.
    pub rule: String,
    /// What it says.
    pub verdict: Verdict,
    /// Why.
    pub why: String,
    /// What clients are told, where it refuses.
    pub reply: Option<String>,
    /// The setting behind it.
    pub setting: Option<&'static str>,
    /// Commands that change it.
    pub remedies: Vec<String>,
}

/// Walks the lists of a door up to the first rule that refuses.
pub fn walk<D: Directory>(
    all: &[List],
    question: &Question,
    directory: &D,
    place: &Place,
    words: Words<'_>,
) -> Result<Vec<Step>, D::Error> {
    let asked = Asked { question, directory, place, words };
    let mut steps = Vec::new();
    if let Some(refused) = asked.login()? {
        return Ok(vec![refused]);
    }
    for list in all {
        for (rule, given) in &list.rules {
            let step = asked.rule(list.name, rule, given.as_deref())?;
            let mailctld = given.as_deref().is_some_and(|service| service.contains("mailctld/policy"));
            // It hears the lists before it looks at what came before.
            if mailctld
                && step.verdict == Verdict::Open
                && let Some(heard) = asked.heard(list.name)
            {
                let refuses = heard.verdict == Verdict::Refuse;
                steps.push(heard);
                if refuses {
                    return Ok(steps);
                }
            }
            let verdict = step.verdict;
            steps.push(step);
            match verdict {
                Verdict::Refuse => return Ok(steps),
                Verdict::Permit => break,
                Verdict::Next | Verdict::Open => {}
            }
        }
    }
    steps.extend(asked.header());
    Ok(steps)
}

struct Asked<'a, D> {
    question: &'a Question,
    directory: &'a D,
    place: &'a Place,
    words: Words<'a>,
}

impl<D: Directory> Asked<'_, D> {
    fn rule(&self, list: &'static str, rule: &str, given: Option<&str>) -> Result<Step, D::Error> {
        let name = given.map_or_else(|| rule.to_owned(), |given| format!("{rule} {given}"));
        let step = |verdict, why: &str| Step {
            list,
            rule: name.clone(),
            verdict,
            why: why.to_owned(),
            reply: None,
            setting: None,
            remedies: Vec::new(),
        };
        let asked = self.question;
        Ok(match rule {
            "permit" => step(Verdict::Permit, "everything is permitted"),
            "reject" => step(Verdict::Refuse, "everything is refused").reply("554 5.7.1 Access denied"),
            "permit_mynetworks" => match (asked.trusted, asked.client) {
                (true, _) => step(Verdict::Permit, "the client's network is trusted").of("TRUSTED_NETWORKS"),
                (false, None) => step(Verdict::Next, "no client is named, so it is no trusted one"),
                (false, Some(_)) => {
                    step(Verdict::Next, "the client's network is not trusted").of("TRUSTED_NETWORKS")
                }
            },
            "permit_sasl_authenticated" => match &asked.login {
                Some(login) => step(Verdict::Permit, &format!("{login} has logged in")),
                None => step(Verdict::Next, "nobody has logged in"),
            },
            "reject_invalid_helo_hostname" => match asked.helo.as_deref().filter(|name| !hostname(name)) {
                Some(helo) => step(Verdict::Refuse, &format!("{helo:?} cannot be a host's name"))
                    .reply(&format!("501 5.5.2 <{helo}>: Helo command rejected: Invalid name")),
                None => step(Verdict::Next, "the client's name can be one"),
            },
            "reject_non_fqdn_sender" | "reject_non_fqdn_recipient" => {
                step(Verdict::Next, "the address has a whole domain")
            }
            "reject_sender_login_mismatch" => self.sender(&step)?,
            "reject_unauth_destination" => self.destination(&step)?,
            "reject_unlisted_recipient" => self.recipient(&step)?,
            "check_policy_service" if list == "smtpd_client_restrictions" => step(
                Verdict::Next,
                "asked before anybody has said who he is: only whether it answers counts, else 451",
            ),
            "check_policy_service" => self.policy(&step, given.unwrap_or_default())?,
            _ => step(
                Verdict::Open,
                "it stands in the settings or in a template of your own, and is not judged here",
            )
            .of("[postfix.main]"),
        })
    }

    /// Who has no mailbox does not come as far as the lists.
    fn login(&self) -> Result<Option<Step>, D::Error> {
        let Some(login) = &self.question.login else { return Ok(None) };
        if self.directory.mailbox(&login.to_string())? {
            return Ok(None);
        }
        let step = Step {
            list: "smtpd_sasl_auth_enable",
            rule: "login".to_owned(),
            verdict: Verdict::Refuse,
            why: format!("there is no mailbox {login}"),
            reply: None,
            setting: None,
            remedies: Vec::new(),
        };
        let remedy = format!("mailctl user add {login}");
        Ok(Some(step.reply("535 5.7.8 Error: authentication failed").remedy(remedy)))
    }

    fn sender(&self, step: &dyn Fn(Verdict, &str) -> Step) -> Result<Step, D::Error> {
        let asked = self.question;
        let (Some(login), Some(from)) = (&asked.login, &asked.from) else {
            return Ok(step(Verdict::Next, "there is no sender to own"));
        };
        let found = right(self.directory, self.place, self.words.restriction, login, from)?;
        Ok(match found {
            Some(Right::Own) => step(Verdict::Next, "the sender is the login's own address"),
            Some(Right::Leads) => step(Verdict::Next, "mail for the sender ends in the login's mailbox"),
            Some(Right::Granted(source)) => step(Verdict::Next, &format!("the login was given {source}")),
            Some(Right::Served) => {
                step(Verdict::Next, "the sender's domain is served here").of("SENDER_RESTRICTIONS")
            }
            None => step(Verdict::Refuse, &format!("{login} may not send as {from}"))
                .of("SENDER_RESTRICTIONS")
                .reply(&format!("553 5.7.1 <{from}>: Sender address rejected: not owned by user {login}"))
                .remedy(format!("mailctl user allow {login} {from}")),
        })
    }

    /// What a login may not say in the message itself, when it is there.
    fn header(&self) -> Option<Step> {
        let login = self.question.login.as_ref()?;
        let (verdict, why) = match self.words.header_from {
            HeaderFrom::Own => (
                Verdict::Open,
                format!(
                    "every address in From and Sender of the message must be one that {login} may send as"
                ),
            ),
            HeaderFrom::Any => (Verdict::Next, "From and Sender of the message may be anything".to_owned()),
        };
        let step = Step {
            list: "smtpd_milters",
            rule: "header From".to_owned(),
            verdict,
            why,
            reply: None,
            setting: None,
            remedies: Vec::new(),
        };
        Some(step.of("submission.header_from"))
    }

    fn destination(&self, step: &dyn Fn(Verdict, &str) -> Step) -> Result<Step, D::Error> {
        let to = &self.question.to;
        if to.domain() == &self.place.hostname || self.directory.serves(to.domain().as_str())? {
            return Ok(step(Verdict::Next, &format!("{} is served here", to.domain())));
        }
        let refused =
            step(Verdict::Refuse, &format!("{} is not served here, and nobody may relay", to.domain()))
                .reply(&format!("554 5.7.1 <{to}>: Relay access denied"));
        let (network, login) = (self.words.mode.network(), self.words.mode.login());
        Ok(match &self.question.login {
            Some(_) => refused
                .of("RELAY_MODE")
                .remedy("set RELAY_MODE=ALLOW_SASLAUTH_NODOMAIN, then: mailctl up".into()),
            None if self.question.trusted && !network => refused
                .of("RELAY_MODE")
                .remedy("set RELAY_MODE=ALLOW_NETAUTH_NODOMAIN, then: mailctl up".into()),
            None => {
                let refused = refused.of("TRUSTED_NETWORKS");
                let hint = "log in on port 465 or 587: mailctl explain send --user LOGIN …";
                let refused = if login { refused.remedy(hint.into()) } else { refused };
                refused.remedy(format!("mailctl domain add {}     (if its mail belongs here)", to.domain()))
            }
        })
    }

    fn recipient(&self, step: &dyn Fn(Verdict, &str) -> Step) -> Result<Step, D::Error> {
        let to = &self.question.to;
        if to.domain() != &self.place.hostname && !self.directory.serves(to.domain().as_str())? {
            return Ok(step(Verdict::Next, "it is for the recipient's own server to know"));
        }
        let route = resolve(self.directory, self.place, to)?;
        let off = route.stops.iter().find(|stop| stop.why == Why::Off);
        Ok(match route.targets.as_slice() {
            [] if off.is_some() => self.switched_off(step, off),
            [] => step(Verdict::Refuse, &format!("{to} is neither a mailbox nor an alias"))
                .reply(&format!("550 5.1.1 <{to}>: Recipient address rejected: User unknown"))
                .remedy(format!("mailctl user add {to}"))
                .remedy(format!("mailctl alias add {to} TARGET")),
            [one] => step(Verdict::Next, &format!("mail for it goes to {}", one.address())),
            more => step(Verdict::Next, &format!("mail for it goes to {} addresses", more.len())),
        })
    }

    fn switched_off(&self, step: &dyn Fn(Verdict, &str) -> Step, off: Option<&Stop>) -> Step {
        let to = &self.question.to;
        let source = off.and_then(|stop| stop.source.as_deref()).unwrap_or_default();
        step(Verdict::Refuse, &format!("the forward {source} is switched off or over"))
            .reply(&format!("550 5.1.1 <{to}>: Recipient address rejected: User unknown"))
            .remedy(format!("mailctl forward show '{source}'"))
    }

    fn policy(&self, step: &dyn Fn(Verdict, &str) -> Step, service: &str) -> Result<Step, D::Error> {
        if service.contains("dovecot/quota") {
            let local = resolve(self.directory, self.place, &self.question.to)?.targets;
            let address =
                local.first().map_or_else(|| self.question.to.to_string(), |to| to.address().to_string());
            return Ok(step(
                Verdict::Open,
                "Dovecot tells whether the mailbox has room; a full one is refused with 552",
            )
            .of("MAILBOX_SIZE_LIMIT")
            .remedy(format!("mailctl user show {address}")));
        }
        if !service.contains("mailctld/policy") {
            return Ok(
                step(Verdict::Open, "a service of your own, which is not asked here").of("[postfix.main]")
            );
        }
        match self.listed() {
            Some(entry) if entry.way == Way::Block => return Ok(self.blocked(step, entry)),
            Some(entry) if self.stranger() => {
                let why = format!("{entry}: limits, SPF, lists on the network and greylisting are not asked");
                return Ok(step(Verdict::Next, &why).remedy(entry.remedy()));
            }
            _ => {}
        }
        if self.question.login.is_none() {
            return Ok(self.unknown(step));
        }
        let right = self.sender(step)?;
        Ok(match right.verdict {
            Verdict::Refuse => {
                let reply = right.why.clone();
                right.reply(&format!("554 5.7.1 {reply}"))
            }
            _ => step(
                Verdict::Open,
                "mailctld knows the login and its right; it also looks at the limits (mailctl help policy)",
            ),
        })
    }

    fn unknown(&self, step: &dyn Fn(Verdict, &str) -> Step) -> Step {
        let asked = "mailctld looks at what came before: limits, greylisting (mailctl help policy)";
        let Some(proof) = self.question.spf.as_ref().filter(|_| !self.question.trusted) else {
            return step(Verdict::Open, asked);
        };
        let reply = match &proof.action {
            Action::Dunno => return step(Verdict::Open, &format!("SPF is {}; then {asked}", proof.says)),
            Action::Reject(text) => format!("554 {text}"),
            Action::Refuse(text) => format!("550 {text}"),
            Action::Defer(text) => format!("451 {text}"),
        };
        let rule = Rule::Spf;
        step(Verdict::Refuse, &format!("SPF is {}", proof.says))
            .of(rule.setting())
            .reply(&reply)
            .remedy(rule.remedy().to_owned())
    }
}

impl Step {
    fn of(mut self, setting: &'static str) -> Self {
        self.setting = Some(setting);
        self
    }

    fn reply(mut self, reply: &str) -> Self {
        self.reply = Some(reply.to_owned());
        self
    }

    fn remedy(mut self, command: String) -> Self {
        self.remedies.push(command);
        self
    }
}

/// As Postfix's `valid_hostname`: labels of letters, digits, `-` and `_`; or an address in brackets.
fn hostname(name: &str) -> bool {
    if let Some(literal) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        let literal = literal.strip_prefix("IPv6:").unwrap_or(literal);
        return literal.parse::<IpAddr>().is_ok();
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (1..=255).contains(&name.len())
        && name.strip_suffix('.').unwrap_or(name).split('.').all(label)
        && !name.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests;
