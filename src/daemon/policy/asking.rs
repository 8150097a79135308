//! Which rules are asked about a message, and in which order ([`super`] has the table).

use super::{
    Admitted, Dnsbl, Facts, Found, Lately, Missing, Recall, Tally, Unknown,
    measure::{NEXT, domain, load, lower},
    recall::Whose,
    rights, sender, tell,
};
use crate::{
    daemon::{letters::Letters, state::Known},
    mail::{
        address::Address,
        directory::Directory,
        dnsbl::{Act, Listing, judge as listed},
        greylist::{self, Mode},
        limit::{Limits, Load, Verdict},
        list::{Entry, Kind, Subject, Way},
        notice,
        policy::{Action, Decision, Rule, blocked, bounce_only, frozen, greylisted, limited, login},
        spf::{Evaluation, Verdict as Spf, rule},
        srs::is_srs,
    },
    wire::policy::{PolicyRequest, Stage, encode},
};
use std::{net::IpAddr, sync::Arc};

/// Everything that a decision is made from.
pub(super) struct Asking<'a> {
    pub(super) known: &'a Known,
    pub(super) recall: &'a Recall,
    pub(super) facts: &'a Arc<Facts>,
    pub(super) dnsbl: &'a Dnsbl,
    pub(super) tally: &'a Tally,
    pub(super) letters: &'a Letters,
    pub(super) lately: &'a Lately,
    pub(super) admitted: &'a Admitted,
    pub(super) now: u32,
}

/// What SPF says; and why, where that refuses the message.
struct Proof {
    verdict: Spf,
    why: Option<Arc<Evaluation>>,
}

/// Stops at the first rule that objects.
macro_rules! ask {
    ($decision:expr) => {
        let decision = $decision;
        if !decision.goes_on() {
            return decision;
        }
    };
}

impl Asking<'_> {
    pub(super) fn give(&self, decision: &Decision, request: &PolicyRequest<'_>, replies: &mut Vec<u8>) {
        self.tally.decided(decision);
        // Who passes is told once, with the whole message.
        if decision.action != Action::Dunno || request.stage == Stage::EndOfMessage {
            tell(decision, request, self.listed(request));
        }
        encode(&decision.action, replies);
    }

    /// `found` is what was asked for because it was missing.
    pub(super) fn decide(
        &self,
        request: &PolicyRequest<'_>,
        found: Option<&Found>,
    ) -> Result<Decision, Missing> {
        if request.stage == Stage::Recipient && self.bounces_only(request) {
            return Ok(bounce_only());
        }
        if !request.sasl_username.is_empty() {
            return Ok(self.of_login(request));
        }
        if matches!(request.stage, Stage::Other | Stage::Data) {
            return Ok(Decision::NONE);
        }
        // Without an address it is Postfix itself that asks, on behalf of nobody.
        let Some(client) = request.client() else { return Ok(Decision::NONE) };
        // A warning must not count towards what it warns of, nor wait for it.
        if self.known.own == Some(client) {
            return Ok(Decision::NONE);
        }
        if self.known.trusted.holds(client) {
            return Ok(self.of_trusted(request));
        }
        match self.listed(request) {
            Some(entry) if entry.way == Way::Allow => {
                if request.stage == Stage::Recipient && entry.key.kind() == Kind::Recipient {
                    self.admitted.note(request, self.now);
                }
                return Ok(Decision::ALLOWED);
            }
            Some(entry) if request.stage == Stage::Recipient => return Ok(blocked(entry.key.kind())),
            // At its end nobody tells to which recipients a message goes, where they are several.
            _ if request.stage == Stage::EndOfMessage && self.admitted.all(request, self.now) => {
                return Ok(Decision::ALLOWED);
            }
            _ => {}
        }
        if request.stage != Stage::Recipient {
            return Ok(self.of_stranger(request, client, None, &[]));
        }
        let (evaluated, listings) =
            found.map_or((None, None), |found| (found.spf.as_ref(), found.listings.as_ref()));
        let spf = self.spf(request, client, evaluated);
        let idle = self.dnsbl.idle();
        let known = listings.cloned().or_else(|| {
            if idle { None } else { self.dnsbl.known(client, request.helo_name, request.sender) }
        });
        match (spf, known) {
            (Ok(spf), None) if idle => Ok(self.of_stranger(request, client, spf, &[])),
            (Ok(spf), Some(listings)) => Ok(self.of_stranger(request, client, spf, &listings)),
            (spf, listings) => Err(Missing { spf: spf.is_err(), listings: !idle && listings.is_none() }),
        }
    }

    /// Whether somebody writes to an address of ours that is made for bounces (SRS): its hash would carry anybody's mail to
    /// the one whom it stands for.
    fn bounces_only(&self, request: &PolicyRequest<'_>) -> bool {
        let local = |recipient| str::from_utf8(recipient).is_ok_and(is_srs);
        !request.sender.is_empty() && local(request.recipient) && {
            let domain = String::from_utf8_lossy(domain(request.recipient)).to_ascii_lowercase();
            self.known.place.hostname.as_str() == domain || self.known.serves(&domain)
        }
    }

    /// The verdict, where a rule wants to know it now. Where it is only written into the message later, it is asked for
    /// while the client sends that.
    fn spf(
        &self,
        request: &PolicyRequest<'_>,
        client: IpAddr,
        found: Option<&Arc<Evaluation>>,
    ) -> Result<Option<Proof>, Unknown> {
        let rules = &self.known.rules;
        let now = rules.spf.mode == rule::Mode::Reject || rules.greylist.mode == Mode::Unproven;
        if !now && rules.spf.mode == rule::Mode::Off {
            return Ok(None);
        }
        let verdict = match found {
            Some(found) => Some(found.verdict),
            None => self.facts.verdict(client, request.helo_name, request.sender),
        };
        match verdict {
            None if now => Err(Unknown),
            None => {
                let receiver = self.known.place.hostname.as_str();
                self.facts.prepare(sender(request, client), receiver, self.now.into());
                Ok(None)
            }
            // Only who is refused is told why.
            Some(verdict) if rules.spf.objects(verdict) => {
                let why = found.cloned();
                let why = why.or_else(|| self.facts.known(client, request.helo_name, request.sender));
                why.map(|why| Some(Proof { verdict, why: Some(why) })).ok_or(Unknown)
            }
            Some(verdict) => Ok(Some(Proof { verdict, why: None })),
        }
    }

    fn of_login(&self, request: &PolicyRequest<'_>) -> Decision {
        let name = String::from_utf8_lossy(request.sasl_username);
        let address = Address::parse(&name).map(|address| address.to_string());
        let exists = self.known.directory().and_then(|directory| match &address {
            Ok(address) => directory.mailbox(address).ok(),
            Err(_) => Some(false),
        });
        ask!(Decision { action: login(&name, exists), rule: Rule::Login });
        let sender = String::from_utf8_lossy(request.sender);
        ask!(Decision { action: rights::may_send(self.known, &name, &sender), rule: Rule::Rights });
        let name = address.as_deref().unwrap_or(&name);
        if matches!(request.stage, Stage::Other) {
            return Decision::NONE;
        }
        if self.recall.frozen(name, self.now) {
            return frozen(name);
        }
        let rates = &self.known.rules.rates;
        match request.stage {
            Stage::Recipient => {
                ask!(self.judge(Rule::LoginRate, Whose::Login(name), &rates.login, &NEXT, name));
                self.recipient(request)
            }
            Stage::EndOfMessage => {
                let load = load(request);
                ask!(self.judge(Rule::LoginRate, Whose::Login(name), &rates.login, &load, name));
                let (is, new) = self.recall.used(name, &rates.freeze, load.recipients, self.now);
                if new {
                    self.letters.add(&notice::frozen(name), self.now);
                    tracing::error!(
                        login = name,
                        "sending is stopped: far more recipients than usual today; `mailctl help policy` tells what to do"
                    );
                }
                if is {
                    return frozen(name);
                }
                self.count(Rule::LoginRate, Whose::Login(name), &rates.login, &load, name)
            }
            Stage::Data | Stage::Other => Decision::NONE,
        }
    }

    /// The entry of a list that decides. Whoever is known here is asked for the recipient only.
    fn listed(&self, request: &PolicyRequest<'_>) -> Option<&Entry> {
        let (lists, delimiter) = (&self.known.lists, self.known.place.delimiter);
        if lists.is_empty() {
            return None;
        }
        let stranger = request
            .client()
            .filter(|client| request.sasl_username.is_empty() && !self.known.trusted.holds(*client));
        let Some(client) = stranger else { return lists.recipient(request.recipient, delimiter) };
        lists.judge(&Subject {
            client: Some(client),
            helo: request.helo_name,
            sender: request.sender,
            recipient: request.recipient,
            delimiter,
        })
    }

    fn blocked(&self, request: &PolicyRequest<'_>) -> Decision {
        match self.listed(request) {
            Some(entry) if entry.way == Way::Block => blocked(entry.key.kind()),
            _ => Decision::NONE,
        }
    }

    fn of_trusted(&self, request: &PolicyRequest<'_>) -> Decision {
        if request.stage == Stage::Recipient { self.recipient(request) } else { Decision::NONE }
    }

    /// Recipients of other domains are counted one by one: at the end of the message nobody tells them.
    fn recipient(&self, request: &PolicyRequest<'_>) -> Decision {
        ask!(self.blocked(request));
        let limits = &self.known.rules.rates.recipient_domain;
        let domain = domain(request.recipient);
        let name = String::from_utf8_lossy(domain).to_ascii_lowercase();
        if !limits.any() || domain.is_empty() || self.known.serves(&name) {
            return Decision::NONE;
        }
        let one = Load { messages: 0, recipients: 1, kib: 0 };
        let whose = format!("this server to {name}");
        self.count(Rule::RecipientRate, Whose::Recipient(name.as_bytes()), limits, &one, &whose)
    }

    fn of_stranger(
        &self,
        request: &PolicyRequest<'_>,
        client: IpAddr,
        spf: Option<Proof>,
        listings: &[Listing],
    ) -> Decision {
        let proven = spf.as_ref().is_some_and(|proof| proof.verdict == Spf::Pass);
        if let Some(why) = spf.and_then(|proof| proof.why) {
            let sender = sender(request, client);
            let action = rule::judge(&self.known.rules.spf, &sender.request("", 0), &why);
            ask!(Decision { action, rule: Rule::Spf });
        }
        for listing in listings.iter().filter(|listing| listing.act == Act::Log) {
            tracing::info!(rule = Rule::Dnsbl.name(), %listing, %client, "listed, which is only told");
        }
        ask!(listed(listings));
        let rates = &self.known.rules.rates;
        let mut room = [0; greylist::SENDER];
        let domain = lower(domain(request.sender), &mut room);
        let (of_client, of_sender) = (Whose::Client(client), Whose::Sender(domain));
        let by_domain = if domain.is_empty() { &Limits::OFF } else { &rates.sender_domain };
        let load = if request.stage == Stage::Recipient { NEXT } else { load(request) };
        ask!(self.judge(Rule::ClientRate, of_client, &rates.client, &load, "your address"));
        ask!(self.judge(Rule::SenderRate, of_sender, by_domain, &load, "this sender's domain"));
        if request.stage == Stage::Recipient {
            return self.greylist(request, client, proven);
        }
        ask!(self.count(Rule::ClientRate, of_client, &rates.client, &load, "your address"));
        self.count(Rule::SenderRate, of_sender, by_domain, &load, "this sender's domain")
    }

    fn greylist(&self, request: &PolicyRequest<'_>, client: IpAddr, proven: bool) -> Decision {
        let rule = &self.known.rules.greylist;
        if rule.mode == Mode::Off || rule.mode == Mode::Unproven && proven {
            return Decision::NONE;
        }
        let network = greylist::network(rule, client);
        let name = str::from_utf8(request.client_name).unwrap_or_default();
        let origin = greylist::pool(client, name).map_or(&network[..], str::as_bytes);
        let (mut room, mut second) = ([0; greylist::SENDER], [0; greylist::SENDER]);
        let sender = greylist::likeness(request.sender, &mut room);
        let recipient = lower(request.recipient, &mut second);
        greylisted(self.recall.greylist(rule, &network, (origin, sender, recipient), self.now))
    }

    fn judge(&self, rule: Rule, whose: Whose<'_>, limits: &Limits, load: &Load, words: &str) -> Decision {
        match self.recall.judge(whose, limits, load, self.now) {
            Verdict::Within => Decision::NONE,
            verdict => limited(rule, verdict, words, self.now),
        }
    }

    fn count(&self, rule: Rule, whose: Whose<'_>, limits: &Limits, load: &Load, words: &str) -> Decision {
        let (verdict, warnings) = self.recall.count(whose, limits, load, self.now);
        for limit in warnings {
            let login = if let Whose::Login(login) = whose { Address::parse(login).ok() } else { None };
            self.letters.add(&notice::near(&whose.to_string(), login, &limit.to_string(), rule), self.now);
            self.tally.warned();
            self.lately.note(whose);
            tracing::warn!(rule = rule.name(), %whose, %limit, setting = rule.setting(), "four fifths of a limit are used up");
        }
        match verdict {
            Verdict::Within => Decision::NONE,
            verdict => limited(rule, verdict, words, self.now),
        }
    }
}
