//! The ways to a person, beside the log.

use crate::{
    commands::{dns::Resolver, scene::Scene},
    error::{Error, codes},
    mail::alert::{Entry, Letter},
    plan::Service,
    settings::Settings,
    world::{World, webhook},
};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Longest wait for Postfix to take a message into its queue.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message to ADMIN_EMAIL, given to our own Postfix as any program of its host would: it is routed, signed and
/// queued like other mail, wherever that address leads.
pub async fn by_mail(world: &World, settings: &Settings, entry: &Entry) -> Result<(), Error> {
    let scene = Scene::look(world).await.map_err(|error| unheard("by mail", error))?;
    let container = scene.running(Service::Postfix).map_err(|error| unheard("by mail", error))?;
    let now = OffsetDateTime::now_utc();
    let date = now.format(&Rfc2822).unwrap_or_default();
    // The same for the same news: whoever gets it twice sees it once.
    let news = format!("{} {} {} {:?}", entry.alert.kind, entry.alert.about, entry.alert.step, entry.solved);
    let id = format!("alert.{}.{}", entry.since, crate::plan::spec::digest(&news));
    let letter = Letter {
        host: &settings.hostname,
        domain: &settings.domain,
        to: &settings.admin,
        date: &date,
        id: &id,
    };
    let (sender, to) = (letter.sender(), settings.admin.to_string());
    let command = ["sendmail", "-i", "-B8BITMIME", "-f", &sender, "--", &to];
    let message = letter.message(entry);
    let outcome = scene.engine.exec_fed(&container.id, &command, message.as_bytes(), PATIENCE).await;
    let outcome = outcome.map_err(|error| unheard("by mail", error))?;
    if outcome.status == 0 {
        return Ok(());
    }
    Err(unheard("by mail", outcome.output.trim()))
}

/// A request to ALERT_WEBHOOK.
pub async fn by_webhook(settings: &Settings, entry: &Entry) -> Result<(), Error> {
    let Some(to) = &settings.webhook else { return Ok(()) };
    let dns = Resolver::default().dns(settings)?;
    let payload = entry.payload(&settings.hostname);
    webhook::post(&dns, to, &payload).await.map_err(|error| unheard("to ALERT_WEBHOOK", error))
}

fn unheard(way: &str, cause: impl std::fmt::Display) -> Error {
    Error::new(codes::ALERT_UNHEARD, format!("an alert could not be told {way}")).cause(cause)
}
