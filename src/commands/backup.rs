//! `mailctl backup`.

use super::names;
use crate::{
    error::{Error, codes},
    plan::backup::{FORMAT, Head, Manifest, Part, dated},
    settings::Settings,
    ui::{Progress, Ui},
    world::{
        World, atomic,
        backup::{self, Copied, Locks, Source, Tally, Target, Writer},
        io_error, store,
    },
};
use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use time::{OffsetDateTime, macros::format_description};

/// Save settings, state, keys and, on wish, mail in one file
///
/// While everything runs: the database is copied in one moment, and mail while more of it comes. The queue is
/// never in it, for what is in it would be sent a second time.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// File to write, or a folder in which each backup gets a dated name
    #[arg(value_name = "FILE|DIR")]
    target: PathBuf,
    /// Take the mail too
    #[arg(long)]
    mail: bool,
    /// Encrypt for whoever has the private key of this public key of age (age1…); may be repeated
    #[arg(long, value_name = "KEY", conflicts_with = "passphrase_file")]
    recipient: Vec<String>,
    /// Encrypt with the passphrase in this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// In a folder: remove all but the newest of this project's backups afterwards
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// Read everything, write nothing, and say how much it would be
    #[arg(long)]
    dry_run: bool,
}

/// What a backup came to.
struct Made {
    manifest: Manifest,
    mail: Option<Copied>,
    left_out: Vec<String>,
}

/// Writes it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let locks = match &args.passphrase_file {
        Some(file) => Some(Locks::from_passphrase_file(file)?),
        None if args.recipient.is_empty() => None,
        None => Some(backup::recipients(&args.recipient)?),
    };
    let place = Place::of(&args, world, locks.is_some())?;
    // A backup is wanted most where something is broken: settings that cannot be understood are no reason.
    let settings =
        world.settings().map(|loaded| loaded.settings).inspect_err(|error| ui.warn(error.to_string()));
    let settings = settings.ok();
    let target = if args.dry_run { None } else { Some(Target::open(&place.file)?) };
    let made = match (&target, &locks) {
        (None, _) => write(world, settings, &args, &place, io::sink(), ui).await?.1,
        (Some(target), None) => {
            let out = BufWriter::with_capacity(1 << 20, target.file());
            write(world, settings, &args, &place, out, ui).await?.1
        }
        (Some(target), Some(locks)) => {
            let fail = |e: io::Error| io_error("write", &place.file, &e);
            let out = BufWriter::with_capacity(1 << 20, target.file());
            let out = locks.wrap(out).map_err(fail)?;
            let (out, made) = write(world, settings, &args, &place, out, ui).await?;
            out.finish().and_then(|mut out| out.flush()).map_err(fail)?;
            made
        }
    };
    let size = target.map(Target::finish).transpose()?;
    let removed = if args.dry_run { Vec::new() } else { place.prune(&world.project, args.keep)? };
    tell(&args, &place, &made, size, locks.is_some(), &removed, ui);
    Ok(())
}

/// Where it goes.
struct Place {
    file: PathBuf,
    /// The folder with dated names, where one was named.
    folder: Option<PathBuf>,
}

impl Place {
    fn of(args: &Args, world: &World, encrypted: bool) -> Result<Self, Error> {
        let fail = |e: io::Error| io_error("write", &args.target, &e);
        let target = std::path::absolute(&args.target).map_err(fail)?;
        // A name that ends with a slash is a folder's, also of one that is still to be made.
        let named = args.target.as_os_str().as_encoded_bytes().ends_with(b"/");
        if named && !target.exists() && !args.dry_run {
            fs::create_dir_all(&target).map_err(fail)?;
            atomic::give(&target, atomic::shared(0o700, 0))?;
        }
        if named || target.is_dir() {
            let file = target.join(dated::name(&world.project, &stamp(), encrypted));
            return Ok(Self { file, folder: Some(target) });
        }
        if args.keep.is_some() {
            return Err(Error::new(codes::USAGE, format!("{} is no folder", args.target.display()))
                .cause("--keep removes older backups from a folder of them")
                .hint(format!("mailctl backup {}/ --keep 7", args.target.display())));
        }
        Ok(Self { file: target, folder: None })
    }

    /// Removes what is older than the newest `keep`, and what killed backups left.
    fn prune(&self, project: &str, keep: Option<u16>) -> Result<Vec<String>, Error> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        backup::sweep(folder, |name| dated::is_ours(project, name));
        let Some(keep) = keep else { return Ok(Vec::new()) };
        let names: Vec<String> = fs::read_dir(folder)
            .map_err(|e| io_error("read", folder, &e))?
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let outdated = dated::outdated(project, &names, keep.into());
        for name in &outdated {
            let path = folder.join(name);
            fs::remove_file(&path).map_err(|e| io_error("remove", &path, &e))?;
        }
        Ok(outdated.into_iter().map(str::to_owned).collect())
    }
}

/// Now, as in dated names: `20261121T153000Z`.
pub fn stamp() -> String {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    OffsetDateTime::now_utc().format(form).unwrap_or_default()
}

async fn write<W: Write>(
    world: &World,
    settings: Option<Settings>,
    args: &Args,
    place: &Place,
    out: W,
    ui: &Ui,
) -> Result<(W, Made), Error> {
    let progress = ui.progress();
    progress.phase("copying settings, state and keys");
    let fail = |e: io::Error| io_error("write", &place.file, &e);
    // So long no other command changes anything; mail is copied without it, for that can take hours.
    let lock = world.lock()?;
    let draft = tempfile::Builder::new()
        .prefix(atomic::DRAFT)
        .suffix(".db")
        .tempfile_in(world.paths.state())
        .map_err(|e| io_error("write", &world.paths.state(), &e))?;
    atomic::sweep(&world.paths.state());
    let schema = match world.paths.database().exists() {
        true => Some(store::copy(&world.paths.database(), draft.path()).await?),
        false => None,
    };
    let head = head(world, settings.as_ref(), schema, args.mail);
    let copy = draft.path().to_owned();
    let source = Source {
        paths: &world.paths,
        database: schema.map(|_| copy.as_path()),
        target: place.folder.as_deref().unwrap_or(Path::new("")),
    };
    // Reading and writing files: nothing here waits for the network, and nobody else uses this runtime.
    tokio::task::block_in_place(|| {
        let mut told = Told::new(&progress);
        let mut report = |tally| told.tally(tally);
        let mut writer = Writer::begin(out, head, &mut report).map_err(fail)?;
        let left_out = backup::gather(&source, &mut writer)?;
        drop((draft, lock));
        let mail = if args.mail {
            progress.phase("copying mail");
            Some(backup::mail(&world.paths, &mut writer, &mut |mailbox| progress.doing(mailbox))?)
        } else {
            None
        };
        let (out, manifest) = writer.finish().map_err(fail)?;
        Ok((out, Made { manifest, mail, left_out }))
    })
}

/// Shows progress a few times a second.
pub struct Told<'a> {
    progress: &'a Progress,
    last: std::time::Instant,
}

impl<'a> Told<'a> {
    /// On this line.
    pub fn new(progress: &'a Progress) -> Self {
        Self { progress, last: std::time::Instant::now() }
    }

    /// So much is done.
    pub fn tally(&mut self, tally: Tally) {
        if self.last.elapsed().as_millis() > 200 {
            self.last = std::time::Instant::now();
            self.progress.detail(&format!("{} files, {}", tally.files, names::size(tally.octets)));
        }
    }
}

fn head(world: &World, settings: Option<&Settings>, schema: Option<i64>, mail: bool) -> Head {
    let server = settings.map(|settings| world.server(settings));
    Head {
        format: FORMAT,
        mailctl: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        project: world.project.clone(),
        hostname: settings.map(|settings| settings.hostname.to_string()).unwrap_or_default(),
        machine: backup::machine(),
        addresses: server
            .map(|server| server.addresses.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        created: OffsetDateTime::now_utc()
            .replace_nanosecond(0)
            .ok()
            .and_then(|now| now.format(&time::format_description::well_known::Rfc3339).ok())
            .unwrap_or_default(),
        parts: Part::ALL.into_iter().filter(|part| mail || *part != Part::Mail).collect(),
    }
}

fn tell(
    args: &Args,
    place: &Place,
    made: &Made,
    size: Option<u64>,
    encrypted: bool,
    removed: &[String],
    ui: &mut Ui,
) {
    let manifest = &made.manifest;
    let (removed_while, doubts) =
        made.mail.as_ref().map_or((0, Vec::new()), |mail| (mail.removed, mail.doubts.clone()));
    let left_out = [made.left_out.clone(), doubts].concat();
    for line in &left_out {
        ui.warn(format!("not in the backup, or not surely whole: {line}"));
    }
    if ui.manner().json {
        let parts: serde_json::Map<String, serde_json::Value> = manifest
            .head
            .parts
            .iter()
            .map(|part| (part.name().to_owned(), manifest.files(*part).into()))
            .collect();
        return ui.json(&serde_json::json!({
            "file": place.file, "size": size, "encrypted": encrypted, "dry_run": args.dry_run,
            "files": parts, "octets": manifest.octets(), "schema": manifest.head.schema,
            "mailboxes": made.mail.as_ref().map(|mail| mail.mailboxes),
            "messages": made.mail.as_ref().map(|mail| mail.messages),
            "removed_meanwhile": removed_while, "left_out": left_out,
            "pruned": removed,
        }));
    }
    for part in &manifest.head.parts {
        let more = match &made.mail {
            Some(mail) if *part == Part::Mail => {
                format!(", {} messages of {} mailboxes", mail.messages, mail.mailboxes)
            }
            _ => String::new(),
        };
        ui.say(format!("  {:<9} {} files{more}", part.name(), manifest.files(*part)));
    }
    match size {
        None => ui.say(format!(
            "would write {} of them to {}; nothing was written",
            names::size(manifest.octets()),
            place.file.display()
        )),
        Some(size) => {
            ui.data(place.file.display().to_string());
            ui.say(format!("{} written{}", names::size(size), if encrypted { ", encrypted" } else { "" }));
        }
    }
    if removed_while > 0 {
        ui.say(format!("{removed_while} message(s) were removed by their owners meanwhile"));
    }
    if !removed.is_empty() {
        ui.say(format!("removed {} older backup(s)", removed.len()));
    }
    if size.is_some() && !encrypted {
        ui.say(
            "it holds private keys and hashes of passwords and is not encrypted; --recipient age1… does that",
        );
    }
}
