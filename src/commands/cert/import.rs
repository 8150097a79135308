//! `mailctl cert import`.

mod due;

pub use due::{due, take};

use super::{serve, show};
use crate::{
    commands::names,
    error::{Error, codes},
    mail::cert::{Certificate, Kind, Pair, Place, Source, Wanted},
    settings::Settings,
    ui::Ui,
    world::{
        World,
        keys::tls::{self, Change, Files},
    },
};
use std::path::PathBuf;

/// Serve another certificate on every port; sessions that are open go on
///
/// What is mismatched, expired, encrypted, for other names, or lacks its chain is refused, and nothing changes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder as certbot, nginx-proxy-manager, acme.sh, lego or Kubernetes leave it
    #[arg(value_name = "DIR", required_unless_present_any = ["cert", "again"], conflicts_with_all = ["cert", "key"])]
    folder: Option<PathBuf>,
    /// Certificate with its chain, in PEM form; twice for ECDSA and RSA side by side
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Vec<PathBuf>,
    /// Its private key, in PEM form and not encrypted; as often as --cert, in the same order
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Vec<PathBuf>,
    /// Only for clients that ask by a name in this domain, like mail.DOMAIN
    #[arg(long = "for", value_name = "DOMAIN")]
    domain: Option<String>,
    /// Look there again later, and serve what is new and good
    #[arg(long)]
    watch: bool,
    /// Look again where the settings and --watch say, and take what is new
    #[arg(long, conflicts_with_all = ["folder", "cert", "domain", "watch", "dry_run"])]
    again: bool,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Checks what was given, puts it in place in one step, and waits until every port serves it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    if args.again {
        return again(world, ui).await;
    }
    let settings = world.settings()?.settings;
    let place = match &args.domain {
        None => Place::Host,
        Some(text) => Place::Domain(served_domain(world, &settings, text, ui).await?),
    };
    let sources = sources(&args)?;
    not_the_settings(&place, &settings, &sources)?;
    let now = names::now();
    let pairs = pairs(&place, &sources, &settings, now)?;
    for pair in &pairs {
        // Right where all clients know an authority of one's own, or where it is to be accepted once by hand.
        if !tls::trusted(pair)? {
            ui.warn(format!(
                "no root that this system knows vouches for it; its issuer is {:?}",
                pair.leaf.issuer
            ));
        }
    }
    let change = change(&place, &pairs);
    let lock = world.lock()?;
    // One that cannot be read is no reason to refuse a better one.
    let before = tls::served(&world.paths).unwrap_or_default();
    let keys = tls::spki(&world.paths);
    let is = |pair: &Pair| before.iter().any(|one| one.certificate.fingerprint == pair.leaf.fingerprint);
    let same = pairs.iter().all(is);
    if !args.dry_run {
        if change.is_news(&world.paths) {
            tls::install(&world.paths, &change)?;
        }
        remember(world, &place, &sources, args.watch)?;
    }
    drop(lock);
    if !ui.manner().json {
        for pair in &pairs {
            show::print(ui, &pair.leaf, show::days(&pair.leaf, now));
        }
        ui.say(match (args.dry_run, same) {
            (true, _) => "it can be served; nothing was changed",
            (false, true) => "it is the one that was there already",
            (false, false) => "it is in place",
        });
    }
    if place == Place::Host
        && before.iter().any(|one| one.place == Place::Host && !one.certificate.self_signed)
    {
        new_keys(&pairs, &keys, ui);
    }
    let ports = if args.dry_run { Vec::new() } else { serve::everywhere(world, ui).await? };
    if ui.manner().json {
        let leaves: Vec<&Certificate> = pairs.iter().map(|pair| &pair.leaf).collect();
        ui.json(&serde_json::json!({
            "certificate": leaves.first(), "certificates": leaves, "for": place.to_string(),
            "installed": !args.dry_run, "same": same, "watched": args.watch && !args.dry_run, "ports": ports,
        }));
    } else if !ports.is_empty() {
        ui.say("every published port serves it");
    }
    Ok(())
}

async fn again(world: &World, ui: &mut Ui) -> Result<(), Error> {
    let news = due(world, ui).await?;
    if ui.manner().json {
        ui.json(&serde_json::json!({"installed": news}));
    } else if !news {
        ui.say("nothing to do: what is served is what lies there");
    }
    Ok(())
}

async fn served_domain(
    world: &World,
    settings: &Settings,
    text: &str,
    ui: &mut Ui,
) -> Result<crate::mail::address::Domain, Error> {
    let domain = names::domain(text, ui)?;
    let store = world.store_to_read().await?;
    let served = names::domains(settings, &store).await;
    store.close().await;
    names::known(&served?, &domain)?;
    Ok(domain)
}

fn sources(args: &Args) -> Result<Vec<Source>, Error> {
    let text = |path: &PathBuf| -> Result<String, Error> {
        let usable = std::path::absolute(path).ok().and_then(|path| path.into_os_string().into_string().ok());
        usable.ok_or_else(|| Error::new(codes::USAGE, format!("cannot use the path {}", path.display())))
    };
    if let Some(folder) = &args.folder {
        return Ok(vec![Source::Folder(text(folder)?)]);
    }
    let most = if args.domain.is_some() { 1 } else { 2 };
    if args.cert.len() != args.key.len() || args.cert.len() > most {
        let what =
            format!("{} of --cert and {} of --key do not go together", args.cert.len(), args.key.len());
        return Err(Error::new(codes::USAGE, what)
            .hint("mailctl cert import --cert FILE --key FILE")
            .hint("mailctl cert import --cert ECDSA --key ECDSA --cert RSA --key RSA"));
    }
    let files = args.cert.iter().zip(&args.key);
    files
        .map(|(certificate, key)| Ok(Source::Files { certificate: text(certificate)?, key: text(key)? }))
        .collect()
}

/// What the settings name would come back with the next look.
fn not_the_settings(place: &Place, settings: &Settings, given: &[Source]) -> Result<(), Error> {
    match &settings.certificate {
        Some(named) if *place == Place::Host && given != [named.clone()] => {
            Err(Error::new(codes::TLS_UNUSABLE, "the settings say where the server's certificate comes from")
                .cause(format!("it is taken from {named}, and would be again"))
                .hint("remove TLS_CERT_DIR, TLS_CERT_FILE, TLS_KEY_FILE, TLS_CERT_PEM and TLS_KEY_PEM from settings.env first"))
        }
        _ => Ok(()),
    }
}

/// Reads and judges what the sources hold for a place, ECDSA first; two only where they are of different kinds.
fn pairs(place: &Place, sources: &[Source], settings: &Settings, now: i64) -> Result<Vec<Pair>, Error> {
    let wanted = match place {
        Place::Domain(domain) => Wanted::Domain(domain),
        Place::Host | Place::HostRsa => Wanted::Host(&settings.hostname),
    };
    let read = |source: &Source| Files::pair_of(source, &wanted, now);
    let mut pairs: Vec<Pair> = sources.iter().map(read).collect::<Result<_, Error>>()?;
    pairs.sort_by_key(|pair| pair.kind == Kind::Rsa);
    match pairs.as_slice() {
        [one, other] if one.kind == other.kind => {
            let what =
                "two certificates go side by side only where one has an ECDSA key and the other an RSA key";
            Err(Error::new(codes::TLS_UNUSABLE, what))
        }
        _ => Ok(pairs),
    }
}

fn change(place: &Place, pairs: &[Pair]) -> Change {
    let mut change = Change::default();
    if *place == Place::Host {
        change = change.withdraw(Place::HostRsa);
    }
    for (at, pair) in pairs.iter().enumerate() {
        change = change.serve(if at == 0 { place.clone() } else { Place::HostRsa }, pair);
    }
    change
}

/// Notes where to look again; a certificate that was brought in without that is not to be replaced from elsewhere.
fn remember(world: &World, place: &Place, sources: &[Source], watch: bool) -> Result<(), Error> {
    let mut watched = tls::watched(&world.paths)?;
    if watch {
        watched.insert(place.clone(), sources.to_vec());
    } else {
        watched.remove(place);
    }
    tls::watch(&world.paths, &watched)
}

/// Who publishes TLSA must know before others find another key.
fn new_keys(pairs: &[Pair], before: &[[u8; 32]], ui: &mut Ui) {
    let new: Vec<String> = pairs
        .iter()
        .filter(|pair| !before.contains(&pair.spki))
        .map(|pair| pair.spki.iter().map(|octet| format!("{octet:02x}")).collect())
        .collect();
    if let Some(first) = new.first() {
        ui.say(format!("note: its key is another one; where TLSA is published it must say 3 1 1 {first}"));
        ui.say("  mailctl dns-records shows it once it is served; --dry-run of this tells it beforehand");
    }
}
