//! How the world stands: what the name servers say, and how old the queue is.

use crate::{
    commands::scene::Scene,
    error::{Error, codes},
    mail::{
        address::Domain,
        dkim::Record,
        dns::{Data, Kind, Name},
        rotation::{Queue, oldest},
        zone::{self, Seen},
    },
    plan::Service,
    world::{
        World,
        dns::{Dns, settle},
        keys::dkim::Key,
    },
};
use std::time::Duration;

/// Whether every name server of the domain has the key's record.
pub async fn seen(dns: &Dns, domain: &Domain, key: &Key) -> Result<Seen, Error> {
    let at = Record::name(domain, &key.selector);
    let name = Name::parse(&at).map_err(|error| Error::new(codes::NAME_MALFORMED, error.to_string()))?;
    let text = key.record.text();
    let holds = |records: &[Data]| matches!(records, [one] if one.text().as_deref() == Some(&text));
    let judged = settle(dns, |inquiry| zone::seen(inquiry, &name, Kind::Txt, holds)).await;
    judged
        .map(|settled| settled.verdict)
        .map_err(|cause| Error::new(codes::BUG, "asking DNS went wrong").cause(cause))
}

/// The age of the queue, as Postfix tells it.
pub async fn queue(world: &World) -> Queue {
    let Ok(scene) = Scene::look(world).await else { return Queue::Unknown };
    let Ok(container) = scene.running(Service::Postfix) else { return Queue::Unknown };
    match scene.engine.exec(&container.id, &["postqueue", "-j"], Duration::from_secs(30)).await {
        Ok(outcome) if outcome.status == 0 => oldest(&outcome.output),
        _ => Queue::Unknown,
    }
}
