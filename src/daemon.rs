//! `mailctl daemon`: the hot path. It answers Postfix from memory and never reaches the engine.
//!
//! - [`config`]: its file, written by `render::mailctld`.
//! - `snapshot`: the directory in memory, kept current from the store.
//! - `lookup`, `policy`: a request becomes an answer; plain functions.
//! - `listener`: sockets, limits, deadlines; the same for every protocol.

pub mod config;
mod listener;
mod lookup;
mod policy;
mod snapshot;

use crate::error::{Error, codes};
use config::Config;
use snapshot::Snapshot;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How long sessions may finish what they are at after SIGTERM.
const GRACE: Duration = Duration::from_secs(3);

/// Answer Postfix from the directory (runs inside the stack)
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Its configuration, as `mailctl up` renders it
    #[arg(long, value_name = "FILE")]
    config: std::path::PathBuf,
}

/// Runs until SIGTERM.
pub async fn run(args: &Args) -> Result<(), Error> {
    start_log();
    let config = Config::read(&args.config)?;
    let snapshot = Arc::new(Snapshot::new(config.place()));
    let (stop, stopped) = watch::channel(false);

    let maps = listener::bind(&config.socketmap)?;
    let policies = listener::bind(&config.policy)?;
    tokio::spawn(Arc::clone(&snapshot).follow(config.database.clone()));
    let about = Arc::clone(&snapshot);
    let maps = tokio::spawn(listener::serve(maps, stopped.clone(), move || {
        let snapshot = Arc::clone(&about);
        move |buffer: &[u8], out: &mut Vec<u8>| lookup::answer(&snapshot, buffer, out)
    }));
    let about = Arc::clone(&snapshot);
    let policies = tokio::spawn(listener::serve(policies, stopped, move || {
        let snapshot = Arc::clone(&about);
        move |buffer: &[u8], out: &mut Vec<u8>| policy::answer(&snapshot, buffer, out)
    }));
    tracing::info!(socketmap = %config.socketmap.display(), policy = %config.policy.display(), "mailctld answers");

    until_told_to_stop(&args.config, &snapshot).await?;
    tracing::info!("stopping");
    let _ = stop.send(true);
    let _ = tokio::time::timeout(GRACE, async { tokio::join!(maps, policies) }).await;
    Ok(())
}

/// SIGHUP reads the configuration anew; a bad one leaves the old in force.
async fn until_told_to_stop(file: &Path, snapshot: &Snapshot) -> Result<(), Error> {
    let handler = |kind| signal(kind).map_err(|e| Error::new(codes::IO, "cannot handle signals").cause(e));
    let mut hangup = handler(SignalKind::hangup())?;
    let mut terminate = handler(SignalKind::terminate())?;
    let mut interrupt = handler(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => match Config::read(file) {
                Ok(config) => {
                    snapshot.set_place(config.place());
                    tracing::info!("configuration read anew");
                }
                Err(error) => tracing::error!(%error, "configuration not read, the old one stays"),
            },
        }
    }
}

fn start_log() {
    let _ = tracing_subscriber::fmt().with_target(false).with_ansi(false).try_init();
}
