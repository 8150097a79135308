//! `mailctl user show`.

use super::passwd::absent;
use crate::{
    commands::{alias::place, names},
    error::Error,
    mail::{
        address::{Address, Domain},
        alias::Source,
        forward,
        rights::{Restriction, owners},
    },
    settings::Settings,
    ui::Ui,
    world::{World, mailboxes::Sizes, store::Store},
};
use std::collections::BTreeSet;

/// Show one mailbox: size, limit, aliases, what it may send as, and the settings for a mail program
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address of the mailbox
    #[arg(value_name = "ADDRESS")]
    address: String,
}

/// One service of the server, as a mail program needs it.
#[derive(serde::Serialize)]
struct Client {
    service: &'static str,
    host: String,
    /// Host port; 0 = the one that `mailctl status` shows.
    port: u16,
    security: &'static str,
}

/// Prints it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let address = names::address(&args.address, ui)?;
    let settings = world.settings()?.settings;
    let store = world.store_to_read().await?;
    let Some(mailbox) = store.mailbox(&address).await? else { return Err(absent(&address)) };
    let aliases = leading(&store, &address).await?;
    let patterns = patterns(&store, &address, &aliases).await?;
    let size = Sizes::new(&world.paths).of(&address.to_string());
    let limit = mailbox.quota.unwrap_or(settings.mailbox_size_limit);
    let mut senders = senders(&store, &settings, &address, &aliases, &patterns).await?;
    let aliases: Vec<String> =
        aliases.iter().map(ToString::to_string).chain(patterns.iter().map(ToString::to_string)).collect();
    senders.extend(store.rights_of(&address).await?.iter().map(ToString::to_string));
    if settings.sender_restrictions == Restriction::Domain {
        senders.push("every address of the served domains".to_owned());
    }
    let clients = clients(&settings);
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "address": address, "size": size, "limit": limit, "quota": mailbox.quota,
            "created_at": mailbox.created_at, "mail": world.paths.mailbox(&address),
            "aliases": aliases, "senders": senders, "clients": clients, "login": address,
        }));
        return Ok(());
    }
    let list = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    ui.data(format!("address   {address}"));
    ui.data(format!("mail      {}", names::size(size)));
    ui.data(format!("limit     {}", if limit == 0 { "none".to_owned() } else { names::size(limit) }));
    ui.data(format!("folder    {}", world.paths.mailbox(&address).display()));
    ui.data(format!("aliases   {}", list(aliases)));
    ui.data(format!("sends as  {}", list(senders)));
    ui.data(format!("login     {address}, with its password"));
    for Client { service, host, port, security } in clients {
        let port = if port == 0 { "(mailctl status)".to_owned() } else { port.to_string() };
        ui.data(format!("{service:<9} {host} port {port}, {security}"));
    }
    Ok(())
}

/// Every alias from which mail reaches `address`, over any number of steps.
async fn leading(store: &Store, address: &Address) -> Result<Vec<Source>, Error> {
    let mut found = BTreeSet::new();
    let mut open = vec![address.clone()];
    while let Some(target) = open.pop() {
        for source in store.sources(&target).await? {
            if let Source::Address(next) = &source
                && next != address
                && !found.contains(&source)
            {
                open.push(next.clone());
            }
            found.insert(source);
        }
    }
    found.remove(&Source::Address(address.clone()));
    Ok(found.into_iter().collect())
}

/// The patterns that name it or one of its aliases, and the domains that are led to its own.
async fn patterns(
    store: &Store,
    address: &Address,
    aliases: &[Source],
) -> Result<Vec<forward::Source>, Error> {
    let names = aliases.iter().map(ToString::to_string).chain([address.to_string()]);
    let mut found = BTreeSet::new();
    for name in names {
        found.extend(store.patterns_to(&name).await?);
    }
    let domains = store.patterns_to(&format!("@{}", address.domain())).await?;
    let whole = domains.iter().filter_map(|text| Domain::parse(text.trim_start_matches('@')).ok());
    let whole = whole.map(|domain| forward::Source::Pattern(forward::Pattern::Domain(domain)));
    Ok(found.iter().filter_map(|text| forward::Source::parse(text).ok()).chain(whole).collect())
}

/// What it may send as: itself, and each of those aliases whose mail ends in it. Asked of the daemon's code;
/// for a catch-all with a name that nobody has.
async fn senders(
    store: &Store,
    settings: &Settings,
    address: &Address,
    aliases: &[Source],
    patterns: &[forward::Source],
) -> Result<Vec<String>, Error> {
    let place = place(settings);
    let mut senders = vec![address.to_string()];
    store
        .look_up(settings, |directory| {
            for source in aliases {
                let asked = match source {
                    Source::Address(address) => Some(address.clone()),
                    Source::CatchAll(domain) => {
                        Address::parse(&format!("{:032x}@{domain}", rand::random::<u128>())).ok()
                    }
                };
                if let Some(asked) = asked
                    && owners(directory, &place, &asked)?.contains(address)
                {
                    senders.push(source.to_string());
                }
            }
            for source in patterns {
                let local = match source {
                    forward::Source::Pattern(forward::Pattern::Domain(_)) => Some(address.local().clone()),
                    _ => source.samples().into_iter().next(),
                };
                let Some(local) = local else { continue };
                let asked = Address::new(local, source.domain().clone());
                if owners(directory, &place, &asked)?.contains(address) {
                    senders.push(source.to_string());
                }
            }
            Ok(())
        })
        .await?;
    Ok(senders)
}

fn clients(settings: &Settings) -> Vec<Client> {
    const IMPLICIT: &str = "TLS from the start";
    const STARTTLS: &str = "STARTTLS";
    let (ports, on) = (&settings.ports, &settings.protocols);
    let all = [
        (true, "sending", ports.submissions, IMPLICIT),
        (true, "sending", ports.submission, STARTTLS),
        (on.imap, "IMAP", ports.imaps, IMPLICIT),
        (on.imap, "IMAP", ports.imap, STARTTLS),
        (on.pop3, "POP3", ports.pop3s, IMPLICIT),
        (on.pop3, "POP3", ports.pop3, STARTTLS),
        (on.managesieve, "filters", ports.managesieve, STARTTLS),
    ];
    all.into_iter()
        .filter(|(on, ..)| *on)
        .map(|(_, service, port, security)| Client {
            service,
            host: settings.hostname.to_string(),
            port,
            security,
        })
        .collect()
}
