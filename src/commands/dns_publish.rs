//! `mailctl dns-publish`.

mod difference;
mod send;
mod spf;

use super::{dns::Resolver, names};
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        dkim,
        dns::{Data, Name},
        record::{self, Need, Record, merge::Change},
    },
    settings::Settings,
    ui::Ui,
    world::{World, dns::Dns, keys::dkim::Key},
};
use difference::Difference;
use std::time::Duration;

/// Publish the records of a domain: shows the difference, asks, and sends it as a signed dynamic update
///
/// Only what is ours is changed: an SPF record that is there gets what it lacks, other records of other people stay
/// and are named. Needs dns.update_key_file in mailctl.toml.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Domain whose records to publish
    #[arg(value_name = "DOMAIN")]
    domain: String,
    /// Also the records for special cases
    #[arg(long)]
    all: bool,
    /// Show the difference, send nothing
    #[arg(long)]
    dry_run: bool,
    /// Wait up to so many seconds for every name server to answer with it
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    wait: u64,
    #[command(flatten)]
    resolver: Resolver,
}

/// Publishes; exit status 75 when it was sent and is not seen everywhere in time.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let domain = names::domain(&args.domain, ui)?;
    let mut records = wanted(world, &settings, &domain).await?;
    records.retain(|record| args.all || record.need != Need::Optional);
    let dns = args.resolver.dns(&settings)?;
    let (unsure, difference) = {
        let progress = ui.progress();
        progress.phase("asking DNS");
        let unsure = spf::fit(&dns, &world.server(&settings), &domain, &mut records).await?;
        (unsure, Difference::find(&dns, &settings, &domain, &records).await?)
    };
    unsure.iter().for_each(|note| ui.warn(note));
    let pending: Vec<&Change> = difference.changes.iter().filter(|change| !change.is_empty()).collect();
    let document = |sent: bool, everywhere: bool| {
        serde_json::json!({
            "domain": domain, "zone": difference.zone.apex, "server": difference.server,
            "changes": pending, "notes": difference.notes(), "sent": sent, "everywhere": everywhere,
        })
    };
    if !ui.manner().json {
        difference.show(ui);
    }
    if pending.is_empty() || args.dry_run {
        if ui.manner().json {
            ui.json(&document(false, pending.is_empty()));
        } else if pending.is_empty() {
            ui.say(format!("everything is published; whether all is right: mailctl dns-check {domain}"));
        } else {
            ui.say("nothing was sent");
        }
        return Ok(());
    }
    ui.confirm(&format!("Send this to {}?", difference.server))?;
    send::send(&dns, &settings, &difference).await?;
    let seen = send::wait(&dns, &difference, Duration::from_secs(args.wait), ui).await;
    if ui.manner().json {
        ui.json(&document(true, seen.is_ok()));
    }
    seen?;
    ui.say(format!("published, and every name server answers with it; next: mailctl dns-check {domain}"));
    Ok(())
}

/// All records of the domain, and those of the host: they are published where they lie in the same zone.
async fn wanted(world: &World, settings: &Settings, domain: &Domain) -> Result<Vec<Record>, Error> {
    let store = world.store_to_read().await?;
    names::known(&names::domains(settings, &store).await?, domain)?;
    let served = world.served(settings, &store, domain).await?;
    store.close().await;
    let server = world.server(settings);
    let mut records = record::for_host(&server, &settings.dns.wishes);
    records.extend(record::for_domain(&server, &served, &settings.dns.wishes));
    Ok(records)
}

/// Publishes the record of a DKIM key without asking, for a rotation that was asked for; `false` where the settings
/// name no key for it, so that a person has to. Returns when it is sent. Nobody is asked, so what stands under the name
/// and is not this key is another server's, and stays.
pub async fn key(dns: &Dns, settings: &Settings, key: &Key, retired: bool) -> Result<bool, Error> {
    if settings.dns.update_key_file.is_none() {
        return Ok(false);
    }
    let malformed =
        |error: crate::mail::address::Malformed| Error::new(codes::NAME_MALFORMED, error.to_string());
    let record = Record {
        name: Name::parse(&dkim::Record::name(&key.domain, &key.selector)).map_err(malformed)?,
        data: record::txt(&if retired { dkim::RETIRED.to_owned() } else { key.record.text() }),
        ttl: settings.dns.wishes.ttl,
        need: Need::Required,
        purpose: "DKIM",
    };
    let difference = Difference::find(dns, settings, &key.domain, &[record]).await?;
    let ours = key.record.text();
    let pending = difference.changes.iter().filter(|change| !change.is_empty());
    let before: Vec<&Data> = pending.flat_map(|change| &change.before).collect();
    let is_ours = |data: &&Data| data.text().as_deref() == Some(&ours);
    if let Some(foreign) = before.iter().copied().find(|data| !is_ours(data)) {
        if retired && !before.iter().any(is_ours) {
            // Nothing of ours is left to withdraw.
            return Ok(true);
        }
        return Err(occupied(key, foreign));
    }
    if difference.changes.iter().any(|change| !change.is_empty()) {
        send::send(dns, settings, &difference).await?;
    }
    match difference.notes().first() {
        Some(note) => {
            Err(Error::new(codes::DNS_REFUSED, format!("the key of {} cannot be published", key.domain))
                .cause(note))
        }
        None => Ok(true),
    }
}

fn occupied(key: &Key, foreign: &Data) -> Error {
    let (domain, selector) = (&key.domain, &key.selector);
    Error::new(codes::DNS_REFUSED, format!("{selector} of {domain} is another key's name in DNS"))
        .cause(format!("it says {foreign}, which is not ours and stays"))
        .hint(format!("mailctl dkim rotate {domain} --abort"))
        .hint(format!("mailctl dkim rotate {domain} --selector NAME"))
}
