//! A message sent and read again in the running stack, as a mail program does, by a mailbox that is made for it
//! and thrown away: nobody's password is needed and nobody's mail is touched.

use super::{
    demo::{
        self,
        script::{self, Person, Stage},
    },
    live, names,
    scene::Scene,
    user::secret,
};
use crate::{
    error::{Error, codes},
    mail::{
        address::{Address, Domain},
        password,
    },
    ui::Ui,
    world::{World, dialogue::Anchor, mailboxes, store::NewMailbox},
};
use std::time::{Duration, Instant};

/// How the local parts of such mailboxes begin.
const NAME: &str = "mailctl-probe-";
/// Longest time from 250 to the message being in the mailbox.
const DELIVERY: Duration = Duration::from_secs(30);

/// Sends and reads; the caller holds the lock. The result is what was seen. Nothing of it stays.
pub async fn round_trip(world: &World, scene: &Scene, ui: &mut Ui) -> Result<String, Error> {
    sweep(world, &scene.settings.domain).await?;
    let text = format!("{NAME}{:016x}@{}", rand::random::<u64>(), scene.settings.domain);
    let address = Address::parse(&text).map_err(|e| Error::new(codes::BUG, e.to_string()))?;
    let password = password::generate(rand::random());
    let hash = secret::hash(&password).await?;
    let mut change = world.store().await?.begin().await?;
    let new = NewMailbox { address: &address, password: &hash, quota: None, created_at: names::now() };
    change.add_mailbox(&new).await?;
    change.commit().await?;
    live::noticed(world, ui).await?;
    let seen = send_and_read(world, scene, &address, password).await;
    let removed = remove(world, &address).await;
    let seen = seen?;
    removed.map(|()| seen)
}

/// Mailboxes of probes that were killed.
pub async fn sweep(world: &World, domain: &Domain) -> Result<(), Error> {
    let store = world.store().await?;
    let page = store.mailboxes(&format!("{NAME}*@{domain}"), "").await?;
    store.close().await;
    for [address, _] in page.rows() {
        if let Ok(address) = Address::parse(address) {
            remove(world, &address).await?;
        }
    }
    Ok(())
}

async fn remove(world: &World, address: &Address) -> Result<(), Error> {
    let mut change = world.store().await?.begin().await?;
    change.remove_mailbox(address).await?;
    change.commit().await?;
    mailboxes::purge(&world.paths, address).map(|_| ())
}

async fn send_and_read(
    world: &World,
    scene: &Scene,
    address: &Address,
    password: String,
) -> Result<String, Error> {
    let port = |inside| demo::port(&scene.observed.containers, inside);
    let store = world.store_to_read().await?;
    let signers = store.signers().await?;
    store.close().await;
    let stage = Stage {
        smtp: port(25)?,
        submission: port(587)?,
        imaps: port(if scene.settings.protocols.imap { 993 } else { 587 })?,
        pop3s: None,
        hostname: scene.settings.hostname.clone(),
        // Our own containers on this host, whatever name and date their certificate has.
        anchor: Anchor::anyone(),
        sender: Person { address: address.clone(), password: password.clone() },
        recipient: Person { address: address.clone(), password },
        token: format!("probe.{:032x}", rand::random::<u128>()),
        signed: signers.iter().any(|signer| signer.domain == *address.domain()),
    };
    let accepted = script::submit(&stage).await?;
    let read = if scene.settings.protocols.imap {
        script::read_imaps(&stage).await?
    } else {
        delivered(world, address).await?
    };
    Ok(format!("{accepted}; {read}"))
}

/// Where IMAP is not served: the message's file.
async fn delivered(world: &World, address: &Address) -> Result<String, Error> {
    let new = world.paths.mailbox(address).join("Maildir/new");
    let began = Instant::now();
    while began.elapsed() < DELIVERY {
        if std::fs::read_dir(&new).is_ok_and(|mut entries| entries.next().is_some()) {
            return Ok("it is in the mailbox".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Error::new(codes::STACK_UNHEALTHY, "a message was accepted and did not reach its mailbox")
        .hint("mailctl logs postfix")
        .hint("mailctl logs dovecot"))
}
