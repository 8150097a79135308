//! `mailctl restore --verify`: the backup as a stack of its own, beside the live one, read and taken down again.

mod trial;

use super::Opened;
use crate::{
    commands::{scene::Scene, up, user},
    error::{Error, codes},
    mail::{address::Address, password},
    plan::{Service, backup::Part, observed::Container},
    ui::{Manner, Ui},
    world::{
        World, backup,
        dialogue::{Anchor, Dialogue},
    },
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};
use trial::Trial;

/// From so many mailboxes a message is read over IMAP; from those with most of them.
const READ: usize = 5;

/// What was found.
#[derive(Debug, Default)]
struct Seen {
    mailboxes: u64,
    messages: u64,
    read: u64,
    /// Mail that no login leads to.
    kept: Vec<String>,
    wrong: Vec<String>,
}

/// Brings it up on trial, looks, takes it down; the status says whether all held.
pub async fn run(opened: &Opened<'_>, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let parts = &opened.manifest.head.parts;
    if let Some(part) =
        [Part::Settings, Part::State, Part::Keys].into_iter().find(|part| !parts.contains(part))
    {
        return Err(Error::new(codes::ABSENT, format!("there is no {part} in {}", opened.file.display())));
    }
    backup::readable_state(&opened.manifest.head, opened.file)?;
    for left in Trial::left(world) {
        ui.say(format!("taking down a trial that was interrupted: {}", left.world.paths.home().display()));
        left.end().await?;
    }
    let trial = Trial::make(world)?;
    let result = look(opened, &trial, ui).await;
    let ended = trial.end().await;
    let seen = result?;
    ended?;
    tell(opened, &seen, ui)
}

async fn look(opened: &Opened<'_>, trial: &Trial, ui: &Ui) -> Result<Seen, Error> {
    opened.extract(&|_| true, trial.world.paths.home(), ui)?;
    trial.settle()?;
    let progress = ui.progress();
    progress.phase("bringing it up beside the live server");
    let mut aside = Ui::new(Manner { quiet: true, json: false, yes: true });
    up::run(up::Args::default(), &trial.world, &mut aside).await.map_err(|error| {
        let outer = Error::new(codes::RESTORE_WANTING, "the stack of the backup does not come up");
        error.causes().iter().fold(outer.cause(error.what()), Error::cause)
    })?;
    let scene = Scene::look(&trial.world).await?;
    let mut seen = Seen::default();
    let messages = opened.manifest.messages();
    for (mailbox, folders) in &messages {
        progress.phase(&format!("counting the mail of {mailbox}"));
        count(&scene, trial, mailbox, folders, &mut seen).await?;
    }
    let mut largest: Vec<(&String, &BTreeMap<String, u64>)> =
        messages.iter().filter(|(mailbox, _)| !seen.kept.contains(mailbox)).collect();
    largest.sort_by_key(|(_, folders)| std::cmp::Reverse(folders.values().sum::<u64>()));
    largest.truncate(READ);
    progress.phase("reading messages over IMAP");
    read(&scene, trial, &largest, &mut seen).await?;
    Ok(seen)
}

/// Dovecot's own count of each folder, against the files that the backup has.
async fn count(
    scene: &Scene,
    trial: &Trial,
    mailbox: &str,
    folders: &BTreeMap<String, u64>,
    seen: &mut Seen,
) -> Result<(), Error> {
    let address = Address::parse(mailbox);
    let store = trial.world.store_to_read().await?;
    let login = match &address {
        Ok(address) => store.mailbox(address).await?.is_some(),
        Err(_) => false,
    };
    store.close().await;
    if !login {
        seen.kept.push(mailbox.to_owned());
        return Ok(());
    }
    let dovecot = scene.running(Service::Dovecot)?;
    let command = ["doveadm", "-f", "tab", "mailbox", "status", "-u", mailbox, "messages", "*"];
    let outcome = scene.engine.exec(&dovecot.id, &command, Duration::from_secs(120)).await?;
    if outcome.status != 0 {
        seen.wrong.push(format!("{mailbox}: {}", outcome.output.trim()));
        return Ok(());
    }
    let counts: BTreeMap<&str, u64> = outcome
        .output
        .lines()
        .filter_map(|line| line.trim_end().split_once('\t'))
        .filter_map(|(folder, count)| Some((folder, count.parse().ok()?)))
        .collect();
    let (wanted, found): (u64, u64) = (folders.values().sum(), counts.values().sum());
    if wanted != found {
        seen.wrong.push(format!("{mailbox}: {wanted} messages are in the backup, Dovecot finds {found}"));
    }
    // Other names stand on the disk in modified UTF-7 (RFC 9051 §5.1), which the sum covers.
    for (folder, wanted) in folders.iter().filter(|(folder, _)| !folder.contains('&')) {
        let found = counts.get(folder.as_str()).copied().unwrap_or_default();
        if *wanted != found {
            seen.wrong.push(format!("{mailbox} {folder}: {wanted} in the backup, Dovecot finds {found}"));
        }
    }
    seen.mailboxes += 1;
    seen.messages += found;
    Ok(())
}

/// Logs in as mail programs do. Nobody's password is known, so these mailboxes get another one: in the trial's own
/// directory, which is thrown away with it.
async fn read(
    scene: &Scene,
    trial: &Trial,
    mailboxes: &[(&String, &BTreeMap<String, u64>)],
    seen: &mut Seen,
) -> Result<(), Error> {
    if mailboxes.is_empty() {
        return Ok(());
    }
    let password = password::generate(rand::random());
    let hash = user::secret::hash(&password).await?;
    let mut change = trial.world.store().await?.begin().await?;
    for address in mailboxes.iter().filter_map(|(mailbox, _)| Address::parse(mailbox).ok()) {
        change.set_password(&address, &hash).await?;
    }
    change.commit().await?;
    let imaps = port(&scene.observed.containers, 993)?;
    for (mailbox, folders) in mailboxes {
        let Some(folder) = folders.keys().find(|folder| !folder.contains('&')) else { continue };
        match newest(imaps, mailbox, &password, folder).await {
            Ok(message) if lies_there(trial, mailbox, folder, &message) => seen.read += 1,
            Ok(_) => seen.wrong.push(format!(
                "{mailbox} {folder}: the message that IMAP shows is not the one in the backup"
            )),
            Err(error) => seen.wrong.push(format!("{mailbox} {folder}: {error}")),
        }
    }
    Ok(())
}

/// The newest message of a folder, as IMAP shows it.
async fn newest(imaps: SocketAddr, mailbox: &str, password: &str, folder: &str) -> Result<Vec<u8>, Error> {
    let refused = |said: &str| Error::new(codes::RESTORE_WANTING, "IMAP was refused").cause(said);
    // Our own container on this host, whatever name and date its certificate has.
    let mut imap = Dialogue::connect_tls(imaps, &Anchor::anyone()).await?;
    imap.line().await?;
    for (tag, command) in
        [("a1", format!("LOGIN {mailbox} \"{password}\"")), ("a2", format!("EXAMINE \"{folder}\""))]
    {
        let said = imap.imap(tag, &command).await?.pop().unwrap_or_default();
        if said.split(' ').nth(1) != Some("OK") {
            return Err(refused(&said));
        }
    }
    imap.send("a3 FETCH * (BODY.PEEK[])\r\n").await?;
    let line = imap.line().await?;
    let size =
        line.strip_suffix('}').and_then(|line| line.rsplit_once('{')).and_then(|(_, size)| size.parse().ok());
    let message = imap.take(size.ok_or_else(|| refused(&line))?).await?;
    imap.line().await?;
    imap.line().await?;
    let _ = imap.imap("a4", "LOGOUT").await;
    Ok(message)
}

/// Whether one of the folder's files is this message; their lines end otherwise than on the wire.
fn lies_there(trial: &Trial, mailbox: &str, folder: &str, message: &[u8]) -> bool {
    let Ok(address) = Address::parse(mailbox) else { return false };
    let maildir = trial.world.paths.mailbox(&address).join("Maildir");
    let maildir = match folder {
        "INBOX" => maildir,
        other => maildir.join(format!(".{}", other.replace('/', "."))),
    };
    let plain = |bytes: &[u8]| bytes.iter().copied().filter(|octet| *octet != b'\r').collect::<Vec<u8>>();
    let wanted = plain(message);
    let files = |state: &str| std::fs::read_dir(maildir.join(state)).into_iter().flatten().flatten();
    let same = |file: &Path| std::fs::read(file).is_ok_and(|content| plain(&content) == wanted);
    ["new", "cur"].iter().flat_map(|state| files(state)).any(|entry| same(&entry.path()))
}

/// Where this host reaches a container's port.
fn port(containers: &[Container], inside: u16) -> Result<SocketAddr, Error> {
    let published = containers.iter().flat_map(|found| &found.ports).find(|(port, _)| *port == inside);
    let (_, on) = published.ok_or_else(|| {
        Error::new(codes::STACK_DOWN, format!("port {inside} of the trial is not published"))
    })?;
    let address = if on.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { on.ip() };
    Ok(SocketAddr::new(address, on.port()))
}

fn tell(opened: &Opened<'_>, seen: &Seen, ui: &mut Ui) -> Result<(), Error> {
    let held = seen.wrong.is_empty();
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "held": held, "from": opened.manifest.head, "mailboxes": seen.mailboxes, "messages": seen.messages,
            "read": seen.read, "without_login": seen.kept, "wrong": seen.wrong,
        }));
    } else {
        ui.say(format!(
            "the backup of {} came up: {} messages of {} mailboxes counted by Dovecot, {} read over IMAP",
            opened.manifest.head.created, seen.messages, seen.mailboxes, seen.read
        ));
        if !opened.manifest.head.parts.contains(&Part::Mail) {
            ui.say("it holds no mail, so none was read");
        }
        for mailbox in &seen.kept {
            ui.say(format!("mail of {mailbox} is in it, and no such mailbox: mailctl user add {mailbox}"));
        }
        ui.say("taken down again; the live server was not touched");
    }
    if held {
        return Ok(());
    }
    let error = Error::new(codes::RESTORE_WANTING, "not everything in the backup was found again");
    Err(seen
        .wrong
        .iter()
        .take(20)
        .fold(error, Error::cause)
        .hint("take another backup: mailctl backup DIR/ --mail"))
}
