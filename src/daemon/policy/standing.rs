//! How limits and greylisting stand, for who asks by command: the same tables and functions, and nothing is counted.

use super::{
    Lately,
    lately::Name,
    measure::lower,
    recall::{Recall, Whose},
};
use crate::{
    daemon::state::Known,
    mail::{
        greylist::{self, Mode, Verdict},
        limit::Limits,
        policy::Rule,
    },
    wire::control::{Ask, Close, Grey, Near, Standing, Used},
};

/// What is `asked` at the second `now`.
pub fn standing(known: &Known, recall: &Recall, asked: &Ask, now: u32) -> Standing {
    let rates = &known.rules.rates;
    let login = asked.login.as_deref();
    let trusted = asked.client.is_some_and(|client| known.trusted.holds(client.to_canonical()));
    let mut limits = Vec::new();
    let mut tell = |rule: Rule, whose: Whose<'_>, of: &Limits| {
        limits.extend(used(recall, rule, whose, of, (0, now)));
    };
    if let Some(login) = login {
        tell(Rule::LoginRate, Whose::Login(login), &rates.login);
    }
    if let Some(client) = asked.client.filter(|_| !trusted) {
        tell(Rule::ClientRate, Whose::Client(client.to_canonical()), &rates.client);
    }
    if let Some(domain) = &asked.sender_domain {
        tell(Rule::SenderRate, Whose::Sender(domain.as_bytes()), &rates.sender_domain);
    }
    if let Some(domain) = asked.recipient_domain.as_ref().filter(|domain| !known.serves(domain)) {
        tell(Rule::RecipientRate, Whose::Recipient(domain.as_bytes()), &rates.recipient_domain);
    }
    let frozen = login.is_some_and(|login| recall.frozen(login, now));
    Standing { limits, frozen, trusted, greylist: grey(known, recall, asked, now) }
}

/// The limits of which `percent` hundredths are used up at the second `now`.
fn used(
    recall: &Recall,
    rule: Rule,
    whose: Whose<'_>,
    of: &Limits,
    (percent, now): (u32, u32),
) -> impl Iterator<Item = Used> {
    let stands = recall.counts(whose, now).standing(of, now).into_iter();
    let near = move |used: u32, most: u32| u64::from(used) * 100 >= u64::from(most) * u64::from(percent);
    stands.filter(move |(limit, used, _)| near(*used, limit.most)).map(move |(limit, used, until)| Used {
        setting: rule.setting().to_owned(),
        of: whose.to_string(),
        limit: limit.to_string(),
        used,
        most: limit.most,
        until,
    })
}

/// Who of those that are asked about is near a limit, or frozen.
pub fn near(known: &Known, recall: &Recall, lately: &Lately, asked: &Near, now: u32) -> Vec<Close> {
    let (rates, at) = (&known.rules.rates, (asked.percent, now));
    let of_login = asked.logins.iter().map(|login| Close {
        kind: "login".to_owned(),
        whose: login.clone(),
        frozen: recall.frozen(login, now),
        limits: used(recall, Rule::LoginRate, Whose::Login(login), &rates.login, at).collect(),
    });
    let names = if asked.others { lately.names() } else { Vec::new() };
    let of_name = names.iter().map(|name| {
        let (kind, rule, limits, shown) = match name {
            Name::Client(client) => ("client", Rule::ClientRate, &rates.client, client.to_string()),
            Name::Sender(domain) => ("sender_domain", Rule::SenderRate, &rates.sender_domain, shown(domain)),
            Name::Recipient(domain) => {
                ("recipient_domain", Rule::RecipientRate, &rates.recipient_domain, shown(domain))
            }
        };
        let limits = used(recall, rule, name.whose(), limits, at).collect();
        Close { kind: kind.to_owned(), whose: shown, frozen: false, limits }
    });
    of_login.chain(of_name).filter(|close| close.frozen || !close.limits.is_empty()).collect()
}

fn shown(domain: &[u8]) -> String {
    format!("@{}", String::from_utf8_lossy(domain))
}

/// A client whose name nobody has looked up is told as one that stands alone, and not as one of a pool of servers.
fn grey(known: &Known, recall: &Recall, asked: &Ask, now: u32) -> Option<Grey> {
    let ((sender, recipient), client) = (asked.triplet.as_ref()?, asked.client?);
    let rule = &known.rules.greylist;
    let proven = rule.mode == Mode::Unproven && asked.proven;
    if rule.mode == Mode::Off || proven || known.trusted.holds(client.to_canonical()) {
        return Some(Grey::Off);
    }
    let network = greylist::network(rule, client);
    let (mut room, mut second) = ([0; greylist::SENDER], [0; greylist::SENDER]);
    let name = asked.client_name.as_deref().unwrap_or_default();
    let triplet = (
        greylist::pool(client, name).map_or(&network[..], str::as_bytes),
        greylist::likeness(sender.as_bytes(), &mut room),
        lower(recipient.as_bytes(), &mut second),
    );
    Some(match recall.foretell(rule, &network, triplet, now) {
        (Verdict::Wait(seconds), true) => Grey::New { seconds },
        (Verdict::Wait(seconds), false) => Grey::Waits { seconds },
        (Verdict::Known | Verdict::Learnt, _) => Grey::Known,
    })
}
