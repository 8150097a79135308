//! What blocklists in DNS say to a message, asked and judged as mailctld does it.

use super::{Asked, Step, Verdict};
use crate::mail::{
    dns::Inquiry,
    dnsbl::{Act, Listing, Zone, ask, decisive, fit, judge},
    policy::{Action, Rule},
};
use std::net::IpAddr;

/// What the lists of the settings say.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// What they have of the client and the names.
    pub listings: Vec<Listing>,
    /// Those that answered.
    pub asked: Vec<String>,
    /// Those that mailctld does not ask at this moment, and why.
    pub left_out: Vec<(String, String)>,
    /// Those that do not pass their test from here, or gave no answer that counts, and why.
    pub doubtful: Vec<(String, String)>,
}

/// Tests these lists, and asks those that pass about the client, the sender and the name in the greeting; `None` =
/// answers are missing.
pub fn hear(
    inquiry: &Inquiry<'_>,
    zones: &[Zone],
    client: IpAddr,
    sender: &str,
    helo: &str,
) -> Option<Heard> {
    // All tests go out before one is waited for.
    let tested: Vec<_> = zones.iter().map(|zone| fit(inquiry, zone)).collect();
    let tested: Vec<_> = tested.into_iter().collect::<Option<_>>()?;
    let mut heard = Heard::default();
    let mut asked = Vec::new();
    for (zone, passed) in zones.iter().zip(tested) {
        match passed {
            Ok(()) => asked.push(zone),
            Err(why) => heard.doubtful.push((zone.shown().to_owned(), why.to_string())),
        }
    }
    let (listings, doubts) = ask(inquiry, &asked, client, sender, helo);
    for (at, zone) in asked.iter().enumerate() {
        let shown = zone.shown().to_owned();
        match doubts.iter().find(|(of, _)| *of == at) {
            Some((_, why)) => heard.doubtful.push((shown, why.to_string())),
            None => heard.asked.push(shown),
        }
    }
    Some(Heard { listings, ..heard })
}

impl<D> Asked<'_, D> {
    /// The step of the lists; `None` where none is asked.
    pub(super) fn heard(&self, list: &'static str) -> Option<Step> {
        let heard = self.question.heard.as_ref()?;
        let step = |verdict, why: String| {
            Step {
                list,
                rule: Rule::Dnsbl.name().to_owned(),
                verdict,
                why,
                reply: None,
                setting: None,
                remedies: Vec::new(),
            }
            .of(Rule::Dnsbl.setting())
        };
        let Some(listing) = decisive(&heard.listings) else {
            let open = !heard.doubtful.is_empty();
            return Some(step(if open { Verdict::Open } else { Verdict::Next }, summary(heard)));
        };
        let to = &self.question.to;
        let (code, text) = match judge(&heard.listings).action {
            Action::Defer(text) => ("451", text),
            Action::Reject(text) | Action::Refuse(text) => ("554", text),
            Action::Dunno => return None,
        };
        let (status, told) = text.split_once(' ').unwrap_or_default();
        let mut step = step(Verdict::Refuse, listing.to_string())
            .reply(&format!("{code} {status} <{to}>: Recipient address rejected: {told}"));
        if let Some(client) = self.question.client {
            step = step.remedy(format!("mailctl allow add {client}     (takes everything from this client)"));
        }
        let of_sender = |domain: &&str| listing.what == format!("sender domain [{domain}]");
        let domain = self.question.from.as_ref().map(|from| from.domain().as_str());
        if let Some(domain) = domain.filter(of_sender) {
            step = step.remedy(format!("mailctl allow add sender:{domain}     (whoever names this domain)"));
        }
        let zone = &listing.zone;
        Some(step.remedy(format!(
            "{zone} takes off what is listed by mistake; or take it out of dnsbl.zones in mailctl.toml, then: mailctl up"
        )))
    }
}

/// What does not refuse.
fn summary(heard: &Heard) -> String {
    let mut told = Vec::new();
    for listing in heard.listings.iter().filter(|listing| listing.act == Act::Log) {
        told.push(format!("{listing}, which is only told in the log"));
    }
    let clean = |zone: &&String| !heard.listings.iter().any(|listing| listing.zone == **zone);
    let clean: Vec<&str> = heard.asked.iter().filter(clean).map(String::as_str).collect();
    if !clean.is_empty() {
        told.push(format!("not on {}", clean.join(", ")));
    }
    for (zone, why) in &heard.left_out {
        told.push(format!("mailctld does not ask {zone}: {why}"));
    }
    for (zone, why) in &heard.doubtful {
        told.push(format!("{zone} is not believed here: {why}"));
    }
    told.join("; ")
}
