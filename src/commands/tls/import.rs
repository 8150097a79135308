//! `mailctl tls import`.

use super::show;
use crate::{
    commands::{live, names},
    error::{Error, codes},
    mail::cert::Certificate,
    ui::Ui,
    world::{
        World,
        keys::tls::{self, Files},
    },
};
use std::path::PathBuf;

/// Serve another certificate on every port; sessions that are open go on
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder as certbot or nginx-proxy-manager leave it (fullchain.pem, privkey.pem)
    #[arg(value_name = "DIR", required_unless_present_all = ["cert", "key"], conflicts_with_all = ["cert", "key"])]
    folder: Option<PathBuf>,
    /// Certificate with its chain, in PEM form
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key, in PEM form and not encrypted
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Checks the pair, then puts it in place in one step.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let files = match (args.folder, args.cert, args.key) {
        (Some(folder), ..) => Files::within(&folder)?,
        (None, Some(certificate), Some(key)) => Files { certificate, chain: None, key },
        _ => {
            return Err(Error::new(codes::USAGE, "say which certificate")
                .hint("mailctl tls import --cert FILE --key FILE"));
        }
    };
    let now = names::now();
    let pair = files.pair(&settings.hostname, now)?;
    let lock = world.lock()?;
    // One that cannot be read is no reason to refuse a better one.
    let before = tls::live(&world.paths).ok().flatten();
    let same =
        before.as_ref().map(|before: &Certificate| &before.fingerprint) == Some(&pair.leaf.fingerprint);
    if !args.dry_run {
        tls::install(&world.paths, &pair.pem)?;
    }
    drop(lock);
    if ui.manner().json {
        ui.json(&serde_json::json!({"certificate": pair.leaf, "installed": !args.dry_run, "same": same}));
    } else {
        show::print(ui, &pair.leaf, (pair.leaf.not_after - now).div_euclid(86_400));
        match (args.dry_run, same) {
            (true, _) => ui.say("it can be served; nothing was changed"),
            (false, true) => ui.say("it is the one that was there already"),
            (false, false) => ui.say("it is in place"),
        }
    }
    if args.dry_run { Ok(()) } else { live::refresh(world, ui).await }
}
