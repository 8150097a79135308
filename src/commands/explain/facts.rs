//! What DNS says of a message's client and its sender, asked as mailctld asks it.

use crate::{
    commands::dns::Resolver,
    error::{Error, codes},
    mail::{
        check::confirmed,
        dnsbl::Zone,
        explain::{Called, Heard, Proof, Question, hear},
        greylist::Mode,
        spf::{self, rule},
    },
    settings::Settings,
    world::{
        World,
        dns::{Dns, settle},
    },
};
use std::net::IpAddr;

/// Completes the question about a stranger whose address is known; mailctld asks DNS about nobody else.
pub async fn gather(question: &mut Question, settings: &Settings, world: &World) -> Result<(), Error> {
    let (None, Some(client), false) = (&question.login, question.client, question.trusted) else {
        return Ok(());
    };
    let spf =
        settings.policies.spf.mode != rule::Mode::Off && (question.from.is_some() || question.helo.is_some());
    let (lists, grey) = (!settings.dnsbl.is_empty(), settings.policies.greylist.mode != Mode::Off);
    if !spf && !lists && !grey {
        return Ok(());
    }
    let dns = Resolver::default().dns(settings)?;
    let spf = async { if spf { proof(question, client, settings, &dns).await.map(Some) } else { Ok(None) } };
    let heard = async {
        if lists { heard(question, client, settings, world, &dns).await.map(Some) } else { Ok(None) }
    };
    let called = async { if grey { called(client, &dns).await.map(Some) } else { Ok(None) } };
    let (spf, heard, called) = tokio::try_join!(spf, heard, called)?;
    (question.spf, question.heard, question.called) = (spf, heard, called);
    Ok(())
}

/// What the sender's domain says of the client.
async fn proof(question: &Question, client: IpAddr, settings: &Settings, dns: &Dns) -> Result<Proof, Error> {
    let sender = sender(question);
    let request = spf::Request {
        receiver: settings.hostname.as_str(),
        ..spf::Request::mail_from(client, &sender, question.helo.as_deref().unwrap_or("unknown"))
    };
    let found = settle(dns, |inquiry| spf::check_host(inquiry, &request)).await;
    let found = found.map_err(|why| endless("SPF", why))?.verdict;
    let action = rule::judge(&settings.policies.spf, &request, &found);
    Ok(Proof { says: found.to_string(), action })
}

/// What the lists of the settings have of it. Those that the running mailctld does not ask are left alone here too.
async fn heard(
    question: &Question,
    client: IpAddr,
    settings: &Settings,
    world: &World,
    dns: &Dns,
) -> Result<Heard, Error> {
    let live = world.lists_live().await.map(|lists| lists.zones).unwrap_or_default();
    let rests = |zone: &Zone| {
        let told = live.iter().find(|told| told.zone == zone.shown())?;
        told.unfit.clone()
    };
    let (mut asked, mut left_out) = (Vec::new(), Vec::new());
    for zone in &settings.dnsbl {
        match rests(zone) {
            Some(why) => left_out.push((zone.shown().to_owned(), why)),
            None => asked.push(zone.clone()),
        }
    }
    let (sender, helo) = (sender(question), question.helo.as_deref().unwrap_or_default());
    let found = settle(dns, |inquiry| hear(inquiry, &asked, client, &sender, helo)).await;
    let found = found.map_err(|why| endless("asking blocklists", why))?.verdict;
    Ok(Heard { left_out, ..found })
}

/// What the client is called, as Postfix would tell mailctld.
async fn called(client: IpAddr, dns: &Dns) -> Result<Called, Error> {
    let found = settle(dns, |inquiry| confirmed(inquiry, client)).await;
    let found = found.map_err(|why| endless("looking for the client's name", why))?.verdict;
    Ok(match found {
        Ok(Some(name)) => Called::By(name.to_string()),
        Ok(None) => Called::Nobody,
        Err(why) => Called::Unknown(why.to_string()),
    })
}

fn sender(question: &Question) -> String {
    question.from.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn endless(what: &str, why: String) -> Error {
    Error::new(codes::BUG, format!("{what} came to no end")).cause(why)
}
