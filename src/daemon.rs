//! `mailctl daemon`: the hot path. It never reaches the engine.
//!
//! - [`listener`] accepts, [`session`] reads and writes; both know nothing of what is said.
//! - [`lookup`] and [`policy`] answer, from [`state`], which is memory only.
//! - [`follow`] keeps the [`snapshot`] in it current; a directory that cannot be read is told in the log, and
//!   makes no one unknown.

pub mod config;
mod follow;
mod listener;
mod log;
mod lookup;
mod policy;
mod session;
mod snapshot;
mod state;

use crate::error::{Error, codes};
use config::Config;
use listener::{Service, bind, listen};
use session::{Drain, Patience};
use state::State;
use std::{io::Write, path::Path, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
    time::timeout,
};

/// Sessions at once on one socket. Postfix holds one per process that asks, and runs at most 100 of a kind.
const SESSIONS: usize = 1000;

/// How long sessions may take to end when we are told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Answer Postfix from the directory (runs inside the stack)
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Its configuration, as `mailctl up` renders it
    #[arg(long, value_name = "FILE")]
    config: std::path::PathBuf,
}

/// Serves until SIGTERM or SIGINT; reads its file and the directory anew at SIGHUP.
pub async fn run(args: &Args, out: impl Write + Send + 'static) -> Result<(), Error> {
    let config = Config::read(&args.config)?;
    let hook = |kind| signal(kind).map_err(|e| Error::new(codes::IO, "cannot receive signals").cause(e));
    let (mut term, mut int) = (hook(SignalKind::terminate())?, hook(SignalKind::interrupt())?);
    let mut hup = hook(SignalKind::hangup())?;
    let socketmap = bind(&config.socketmap, config.group)?;
    let policy = bind(&config.policy, config.group)?;
    let _log = log::start(out);

    let state = Arc::new(State::new(&config));
    let drain = Arc::new(Drain::default());
    let again = Arc::new(Notify::new());
    let service = |name| Service { name, most: SESSIONS, patience: Patience::default() };
    let follower = tokio::spawn(follow::follow(state.clone(), config.database.clone(), again.clone()));
    let lookup = Arc::new(lookup::Lookup(state.clone()));
    let lookups = tokio::spawn(listen(socketmap, lookup, service("socketmap"), drain.clone()));
    let judge = Arc::new(policy::Policy(state.clone()));
    let policies = tokio::spawn(listen(policy, judge, service("policy"), drain.clone()));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving");

    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hup.recv() => reload(&args.config, &config, &state, &again),
        }
    }
    tracing::info!("stopping");
    follower.abort();
    drain.begin();
    let ended = async {
        let _ = lookups.await;
        let _ = policies.await;
    };
    if timeout(GRACE, ended).await.is_err() {
        tracing::warn!("some sessions did not end in time");
    }
    Ok(())
}

/// A file that cannot be used changes nothing: what was rendered before still serves.
fn reload(file: &Path, running: &Config, state: &State, again: &Notify) {
    match Config::read(file) {
        Ok(config) => {
            let fixed = |config: &Config| {
                (config.socketmap.clone(), config.policy.clone(), config.group, config.database.clone())
            };
            if fixed(&config) != fixed(running) {
                tracing::warn!("other sockets or another database need a restart");
            }
            state.configure(&config);
            again.notify_one();
            tracing::info!("configuration read anew");
        }
        Err(error) => tracing::error!(%error, "configuration not read, the old one stays"),
    }
}
