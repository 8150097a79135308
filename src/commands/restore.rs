//! `mailctl restore`.

mod listing;
mod verify;

use super::{
    backup::{Told, stamp},
    names,
};
use crate::{
    error::{Error, Exit, codes},
    mail::address::Address,
    plan::{
        backup::{Entry, Manifest, Part, part_of},
        observed::State,
    },
    ui::Ui,
    world::{
        World,
        backup::{self, Key},
        mailboxes,
        restore::Restore,
        socket,
    },
};
use std::path::{Path, PathBuf};

/// Bring back what a backup holds
///
/// The backup is read wholly before anything is touched; then old and new change places in one step, which the
/// next command finishes if this one is killed. What was there is kept beside the home. Mail and queue that the
/// backup does not hold stay where they are.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Private key of age for an encrypted backup, as age-keygen writes it
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    /// The passphrase of an encrypted backup
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Check the backup and show what it holds
    #[arg(long, conflicts_with_all = ["verify", "force", "only", "mailbox"])]
    list: bool,
    /// Bring it up beside the live server, on other ports, read mail from it, and take it down
    #[arg(long, conflicts_with_all = ["force", "only", "mailbox"])]
    verify: bool,
    /// Only these parts: settings, state, keys, mail; with commas or repeated
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = clap::value_parser!(Part))]
    only: Vec<Part>,
    /// Only the mail of this mailbox; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "only")]
    mailbox: Vec<String>,
    /// Replace what is there; it is kept beside the home
    #[arg(long)]
    force: bool,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Checks the backup, then does what was asked.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let key = match (&args.identity, &args.passphrase_file) {
        (Some(file), _) => Some(Key::from_identity_file(file)?),
        (None, Some(file)) => Some(Key::from_passphrase_file(file)?),
        (None, None) => None,
    };
    let progress = ui.progress();
    progress.phase("checking the backup");
    let manifest = tokio::task::block_in_place(|| {
        let mut told = Told::new(&progress);
        backup::check(&args.file, key.as_ref(), &mut |tally| told.tally(tally))
    })?;
    drop(progress);
    if args.list {
        listing::print(&args.file, &manifest, ui);
        return Ok(());
    }
    let opened = Opened { file: &args.file, key: key.as_ref(), manifest: &manifest };
    if args.verify {
        return verify::run(&opened, world, ui).await;
    }
    let choice = Choice::of(&args, &manifest, ui)?;
    if choice.parts.contains(&Part::State) {
        backup::readable_state(&manifest.head, &args.file)?;
    }
    bring_back(&args, &opened, &choice, world, ui).await
}

/// A backup that was checked.
struct Opened<'a> {
    file: &'a Path,
    key: Option<&'a Key>,
    manifest: &'a Manifest,
}

impl Opened<'_> {
    fn extract(&self, wanted: &dyn Fn(&Entry) -> bool, to: &Path, ui: &Ui) -> Result<(), Error> {
        let progress = ui.progress();
        progress.phase("unpacking");
        tokio::task::block_in_place(|| {
            let mut told = Told::new(&progress);
            let mut report = |tally| told.tally(tally);
            backup::extract(self.file, self.key, self.manifest, wanted, to, &mut report)
        })
    }
}

/// What of it is wanted.
struct Choice {
    parts: Vec<Part>,
    mailboxes: Vec<Address>,
}

impl Choice {
    fn of(args: &Args, manifest: &Manifest, ui: &mut Ui) -> Result<Self, Error> {
        let there = &manifest.head.parts;
        let lacking = |what: &str| {
            Error::new(codes::ABSENT, format!("there is no {what} in {}", args.file.display()))
                .hint(format!("mailctl restore {} --list", args.file.display()))
        };
        let mailboxes: Vec<Address> =
            args.mailbox.iter().map(|text| names::address(text, ui)).collect::<Result<_, _>>()?;
        for address in &mailboxes {
            let folder = mail_folder(address);
            if !manifest.entries.iter().any(|entry| entry.path == folder) {
                return Err(lacking(&format!("mail of {address}")));
            }
        }
        if let Some(part) = args.only.iter().find(|part| !there.contains(part)) {
            return Err(lacking(part.name()));
        }
        let mut parts = match (args.only.is_empty(), mailboxes.is_empty()) {
            (true, true) => there.clone(),
            (true, false) => Vec::new(),
            (false, _) => args.only.clone(),
        };
        parts.sort_unstable();
        parts.dedup();
        Ok(Self { parts, mailboxes })
    }

    fn wants(&self, entry: &Entry) -> bool {
        let path = entry.path.as_str();
        let within = |folder: String| path == folder || path.starts_with(&format!("{folder}/"));
        // The folders above a mailbox tell whose they are to be.
        let above = |address: &Address| path == "mail" || path == format!("mail/{}", address.domain());
        part_of(path).is_some_and(|part| self.parts.contains(&part))
            || self.mailboxes.iter().any(|address| within(mail_folder(address)) || above(address))
    }

    /// What changes places, below the home.
    fn targets(&self, manifest: &Manifest) -> Vec<String> {
        let known = self.parts.iter().flat_map(|part| part.tops().iter().copied());
        let own = manifest.own_tops().into_iter().filter(|_| self.parts.contains(&Part::Settings));
        let mut targets: Vec<String> = known.chain(own).map(str::to_owned).collect();
        targets.extend(self.mailboxes.iter().map(mail_folder));
        targets
    }
}

fn mail_folder(address: &Address) -> String {
    format!("mail/{}/{}", address.domain(), address.local())
}

async fn bring_back(
    args: &Args,
    opened: &Opened<'_>,
    choice: &Choice,
    world: &World,
    ui: &mut Ui,
) -> Result<(), Error> {
    let targets = choice.targets(opened.manifest);
    let replaced = Restore::replaced(&world.paths, &targets);
    if args.dry_run {
        return would(opened, choice, &replaced, ui);
    }
    stopped(world).await?;
    if let (Some(first), false) = (replaced.first(), args.force) {
        let more =
            if replaced.len() > 1 { format!(" and {} more", replaced.len() - 1) } else { String::new() };
        let home = world.paths.home().display();
        return Err(Error::new(codes::RESTORE_OCCUPIED, format!("{home} is not empty"))
            .cause(format!("{first}{more} would be replaced"))
            .hint("repeat the command with --force; what is there now is kept beside the home")
            .hint("or restore into another home: mailctl --home DIR restore …"));
    }
    // Held until the new state, whose own lock is held as well, is in place.
    let _lock = if world.paths.state().is_dir() { Some(world.lock()?) } else { None };
    let mut restore = Restore::begin(&world.paths)?;
    opened.extract(&|entry| choice.wants(entry), &restore.staged(), ui)?;
    if choice.parts.contains(&Part::State) {
        restore.hold_state()?;
    }
    let before = restore.commit(&targets, &stamp())?;
    tell(opened, choice, before.as_deref(), world, ui);
    Ok(())
}

/// Refuses where containers use the home: under this project's name, or, by an answering socket, under any.
async fn stopped(world: &World) -> Result<(), Error> {
    let running = || {
        let home = world.paths.home().display();
        Error::new(codes::RESTORE_RUNNING, format!("the stack of {home} runs")).hint("mailctl down")
    };
    if socket::accepts(&world.paths.run().join("mailctld/socketmap")).await.is_ok() {
        return Err(running());
    }
    let containers = match world.engine().await {
        Ok(engine) => engine.containers().await?,
        // Where no engine answers nothing is started, and what it had started answers on the socket above.
        Err(error) if error.code().exit == Exit::Unavailable => return Ok(()),
        Err(error) => return Err(error),
    };
    let home = world.paths.home().display().to_string();
    let runs = containers.iter().any(|found| {
        found.home == home && matches!(found.state, State::Running | State::Paused | State::Restarting)
    });
    if runs { Err(running()) } else { Ok(()) }
}

fn would(opened: &Opened<'_>, choice: &Choice, replaced: &[String], ui: &mut Ui) -> Result<(), Error> {
    let files = opened.manifest.entries.iter().filter(|entry| choice.wants(entry)).count();
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "dry_run": true, "from": opened.manifest.head, "parts": choice.parts, "entries": files,
            "replaces": replaced,
        }));
        return Ok(());
    }
    ui.say(format!("would bring back {}: {files} files and folders", what(choice)));
    for path in replaced {
        ui.say(format!("would move aside {path}"));
    }
    ui.say("nothing was changed");
    Ok(())
}

fn what(choice: &Choice) -> String {
    let parts = choice.parts.iter().map(|part| part.name().to_owned());
    let mail = choice.mailboxes.iter().map(|address| format!("the mail of {address}"));
    parts.chain(mail).collect::<Vec<_>>().join(", ")
}

fn tell(opened: &Opened<'_>, choice: &Choice, before: Option<&Path>, world: &World, ui: &mut Ui) {
    let head = &opened.manifest.head;
    let elsewhere = moved(opened, world);
    if ui.manner().json {
        return ui.json(&serde_json::json!({
            "restored": choice.parts, "mailboxes": choice.mailboxes, "before": before, "from": head,
            "other_host": elsewhere.is_some(),
        }));
    }
    ui.say(format!("{} of {} restored", what(choice), head.created));
    if let Some(before) = before {
        let before = before.display();
        ui.say(format!("what was there before is in {before}; when all is well: rm -r {before}"));
    }
    for address in choice.mailboxes.iter().filter(|address| !mailboxes::kept(&world.paths, address)) {
        ui.warn(format!("{address} has no mail now"));
    }
    if let Some(elsewhere) = elsewhere {
        ui.say(elsewhere);
    }
    ui.say("start it: mailctl up");
}

/// What to do where the backup was made on another machine, or under other addresses.
fn moved(opened: &Opened<'_>, world: &World) -> Option<String> {
    let head = &opened.manifest.head;
    let settings = world.settings().ok()?.settings;
    let here: Vec<String> = world.server(&settings).addresses.iter().map(ToString::to_string).collect();
    if head.machine == backup::machine() && head.addresses == here {
        return None;
    }
    let list =
        |all: &[String]| if all.is_empty() { "none that is public".to_owned() } else { all.join(", ") };
    let mut lines = vec![format!(
        "this is not where the backup was made ({}, addresses: {}); here: {}, addresses: {}",
        head.machine,
        list(&head.addresses),
        backup::machine(),
        list(&here)
    )];
    lines.push(format!(
        "  let {} lead here (A and AAAA), and the reverse name of the address to it",
        head.hostname
    ));
    lines.push(
        "  mailctl dns-records    (what to publish; SPF and dns.addresses may name the old address)"
            .to_owned(),
    );
    lines.push("  mailctl dns-check      (whether it is)".to_owned());
    lines.push("  stop the old server first, or both take mail, and each has a part of it".to_owned());
    Some(lines.join("\n"))
}
