//! What we answer when Postfix asks whether a message may go on, and why.
//!
//! Each rule is a plain function over values in a room of its own ([`limit`](super::limit), [`habit`](super::habit),
//! [`greylist`](super::greylist)); here are their settings, and what is said to the client. A [`Decision`] names the
//! [`Rule`] that made it, and the rule its setting and remedy: whoever explains an answer asks no other code.

use super::{
    greylist,
    habit::Freeze,
    header::author::HeaderFrom,
    limit::{self, Limits, Verdict},
    list::Kind,
    spf,
};
use std::fmt;

/// Postfix's own words (access(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// No objection; the next restriction decides.
    Dunno,
    /// Refused for good; the text begins with an enhanced status code (RFC 3463).
    Reject(String),
    /// The same with 550, where an RFC wants just that.
    Refuse(String),
    /// Try again later; the text begins with an enhanced status code.
    Defer(String),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dunno => f.write_str("DUNNO"),
            Self::Reject(text) => write!(f, "REJECT {text}"),
            Self::Refuse(text) => write!(f, "550 {text}"),
            Self::Defer(text) => write!(f, "451 {text}"),
        }
    }
}

/// An answer, and the rule that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What Postfix is told.
    pub action: Action,
    /// By which rule.
    pub rule: Rule,
}

impl Decision {
    /// No rule objects.
    pub const NONE: Self = Self { action: Action::Dunno, rule: Rule::None };

    /// An allow list has the last word.
    pub const ALLOWED: Self = Self { action: Action::Dunno, rule: Rule::Allow };

    /// Whether the next rule is asked.
    pub fn goes_on(&self) -> bool {
        self.action == Action::Dunno
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $setting:literal, $remedy:literal;)*) => {
        /// What can decide.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rule { $($(#[$doc])* $id),* }

        impl Rule {
            /// All of them, in the order in which they are numbered.
            pub const ALL: &[Self] = &[$(Self::$id),*];

            /// For logs and metrics.
            pub fn name(self) -> &'static str {
                match self { $(Self::$id => $name),* }
            }

            /// The key of the setting behind it; "" = there is none.
            pub fn setting(self) -> &'static str {
                match self { $(Self::$id => $setting),* }
            }

            /// What the administrator can do about it.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$id => $remedy),* }
            }
        }
    };
}

rules! {
    /// No rule objected.
    None = "none", "", "";
    /// The login is there no more, or cannot be looked up.
    Login = "login", "", "`mailctl user list` shows the logins there are";
    /// The login may not send as the sender that it names.
    Rights = "rights", "SENDER_RESTRICTIONS", "`mailctl user may-send USER ADDRESS` tells why, and how to allow it";
    /// The login is far above its habit.
    Frozen = "frozen", "rates.freeze_times", "change the password if somebody else has it (`mailctl user passwd LOGIN`), then let it send again: `mailctl user unfreeze LOGIN`";
    /// Too much by one login.
    LoginRate = "rate-login", "rates.login", "raise rates.login in mailctl.toml and run `mailctl up`, or wait for the time in the answer";
    /// Too much by one client.
    ClientRate = "rate-client", "rates.client", "raise rates.client in mailctl.toml, or name the client's network in TRUSTED_NETWORKS if it is yours, and run `mailctl up`";
    /// Too much in the name of one domain.
    SenderRate = "rate-sender-domain", "rates.sender_domain", "raise rates.sender_domain in mailctl.toml and run `mailctl up`";
    /// Too much to one domain.
    RecipientRate = "rate-recipient-domain", "rates.recipient_domain", "raise rates.recipient_domain in mailctl.toml and run `mailctl up`";
    /// An unknown sender, asked to come again.
    Greylist = "greylist", "greylist.mode", "wait: a mail server comes again by itself; greylist.mode = \"off\" in mailctl.toml and `mailctl up` ends it for all";
    /// The sender's domain does not let the client send, or nobody can tell.
    Spf = "spf", "spf.mode", "the sender's domain has to name the client in its SPF record (`mailctl dns-check DOMAIN` tells the record); spf.mode = \"mark\" in mailctl.toml and `mailctl up` ends refusals";
    /// An entry of a block list.
    Block = "block-list", "", "the log line names the entry; `mailctl block del ENTRY` or its line in lists/ ends it, `mailctl allow add ADDRESS` makes an exception";
    /// An entry of an allow list: the rules that ask strangers are left out.
    Allow = "allow-list", "", "the log line names the entry; `mailctl allow del ENTRY` or its line in lists/ ends it";
    /// The message says that it is from somebody whom the login may not send as.
    HeaderFrom = "header-from", "submission.header_from", "`mailctl user may-send USER ADDRESS` tells why, and how to allow it; submission.header_from = \"any\" in mailctl.toml and `mailctl up` ends it for all";
    /// An address that is made for bounces, and somebody who is none.
    BounceOnly = "bounce-only", "", "nobody writes to such an address (SRS): it is there for bounces of forwarded mail, which have no sender; write to the person himself";
    /// A blocklist in DNS.
    Dnsbl = "dns-blocklist", "dnsbl.zones", "the client asks the list that is named to be taken off it; `mailctl allow add ADDRESS` makes an exception; without the zone in dnsbl.zones nobody asks it";
}

/// The settings of all rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Who a message of a login may say that it is from.
    pub header_from: HeaderFrom,
    /// How much.
    pub rates: Rates,
    /// Who has to come again.
    pub greylist: greylist::Rule,
    /// Who may send for a domain.
    pub spf: spf::rule::Rule,
}

/// How much of one kind may pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// By one login.
    pub login: Limits,
    /// By one client that has not logged in and is not trusted; an IPv6 client is its /64.
    pub client: Limits,
    /// In the name of one domain, by such clients.
    pub sender_domain: Limits,
    /// To one domain elsewhere, by logins and trusted clients. Recipients only.
    pub recipient_domain: Limits,
    /// When a login is frozen.
    pub freeze: Freeze,
}

/// Whether somebody may send: a session that logged in before `user del` outlives the account, and must not
/// send another message. `exists` is `None` where the directory cannot be asked now.
pub fn login(name: &str, exists: Option<bool>) -> Action {
    match exists {
        Some(true) => Action::Dunno,
        Some(false) => Action::Reject(format!("5.7.8 there is no login {name} any more")),
        None => Action::Defer("4.3.0 the directory cannot be read now, try again later".to_owned()),
    }
}

/// What a limit says. `whose` is in words for the client.
pub fn limited(rule: Rule, verdict: Verdict, whose: &str, now: u32) -> Decision {
    let action = match verdict {
        Verdict::Within => Action::Dunno,
        Verdict::Over(limit, again) => Action::Defer(format!(
            "4.7.1 too much from {whose}: no more than {limit}; try again after {}",
            limit::clock(again, now)
        )),
        Verdict::Beyond(limit) => {
            Action::Reject(format!("5.7.1 this message alone is more than {limit} from {whose}"))
        }
    };
    Decision { action, rule }
}

/// What a frozen login is told.
pub fn frozen(name: &str) -> Decision {
    let text = format!(
        "4.7.0 sending is stopped for {name}: far more recipients than usual today; the administrator of this server can free it"
    );
    Decision { action: Action::Defer(text), rule: Rule::Frozen }
}

/// What an entry of a block list says. It tells the client what it knows already, and nothing of the list.
pub fn blocked(kind: Kind) -> Decision {
    let text = match kind {
        Kind::Client => "5.7.1 mail from your address is not taken here",
        Kind::Helo => "5.7.1 mail from a client of your name is not taken here",
        Kind::Sender => "5.7.1 mail from this sender is not taken here",
        Kind::Recipient => "5.7.1 mail for this recipient is not taken here",
    };
    Decision { action: Action::Reject(text.to_owned()), rule: Rule::Block }
}

/// What somebody is told who writes to an address that is made for bounces.
pub fn bounce_only() -> Decision {
    let text = "5.7.1 this address takes bounces only: write to the sender of the message himself";
    Decision { action: Action::Reject(text.to_owned()), rule: Rule::BounceOnly }
}

/// What greylisting says.
pub fn greylisted(verdict: greylist::Verdict) -> Decision {
    let action = match verdict {
        greylist::Verdict::Wait(seconds) => Action::Defer(format!(
            "4.7.1 greylisted: you are not known here yet, try again in {seconds} seconds"
        )),
        greylist::Verdict::Known | greylist::Verdict::Learnt => Action::Dunno,
    };
    Decision { action, rule: Rule::Greylist }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::limit::{Counts, Load};

    #[test]
    fn a_limit_tells_when_to_try_again() {
        let limits: Limits = "messages 1/h".parse().unwrap();
        let one = Load::message(1, 1);
        let now = 1_795_269_800;
        let (counts, _) = Counts::default().add(&limits, &one, now);
        let told = limited(Rule::LoginRate, counts.judge(&limits, &one, now + 1), "ann@example.org", now);
        assert_eq!(
            told.action.to_string(),
            "451 4.7.1 too much from ann@example.org: no more than 1 message an hour; try again after 15:04 UTC"
        );
        assert_eq!(told.rule.setting(), "rates.login");
    }

    #[test]
    fn every_rule_names_itself() {
        let mut names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        for (number, rule) in Rule::ALL.iter().enumerate() {
            assert_eq!(*rule as usize, number);
            assert!(rule.remedy().is_empty() == (*rule == Rule::None), "{rule:?}");
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Rule::ALL.len());
    }
}
