//! `mailctl daemon`: the hot path. It never reaches the engine.
//!
//! - [`listener`] accepts, [`session`] reads and writes; both know nothing of what is said. [`house`] holds all doors.
//! - [`lookup`] and [`policy`] answer, from [`state`], which is memory only.
//! - [`milter`] is shown the header of each message, and says who may send it and what is removed from it.
//! - [`auth`] says who may log in, [`control`] lets commands see and change that.
//! - [`forward`] passes mail on that leads to other servers.
//! - [`http`] is what the Internet may ask beside mail, [`status`] what those may ask who run this.
//! - [`letters`] tells people what they must hear, by mail.
//! - [`memory`] holds what is remembered of messages and logins, and has it on the disk a moment later.
//! - [`lists`] keeps the block and allow lists of the files current.
//! - [`follow`] keeps the [`snapshot`] in it current; a directory that cannot be read is told in the log, and
//!   makes no one unknown.

mod auth;
pub mod config;
mod control;
mod follow;
pub mod forward;
mod house;
mod http;
mod letters;
mod listener;
mod lists;
mod log;
mod lookup;
pub mod memory;
mod milter;
mod policy;
mod session;
mod snapshot;
mod state;
mod status;
mod traffic;

use crate::error::{Error, codes};
use auth::Auth;
use config::Config;
use house::{House, Open};
use listener::{Behind, bind, bind_tcp};
use memory::{Memory, unix_now};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use state::State;
use std::{io::Write, path::Path, sync::Arc};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

/// Sessions at once on one socket. Postfix holds one per process that asks, and runs at most 100 of a kind.
const SESSIONS: usize = 1000;

/// The same for the policies, where each session of a large Postfix asks, and those of other hosts; an idle one costs a
/// few KiB. Neither is more than half of the files that we may have open.
const ASKING: usize = 12_000;

/// How long the last write may take when we are told to stop; the engine waits ten seconds in all.
const LAST_WRITE: std::time::Duration = std::time::Duration::from_secs(3);

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
    let again = Arc::new(Notify::new());
    let shelf = match &config.lists {
        Some(folder) => lists::first(&state, folder.clone()).await,
        None => None,
    };
    let mut memory = Memory::open(config.memory.as_deref()).await;
    let known = auth::Kept::new(&mut memory);
    let recall = Arc::new(policy::Recall::new(&mut memory));
    let facts = Arc::new(policy::Facts::new(memory.keys(), config.resolvers.clone()));
    let dnsbl = Arc::new(policy::Dnsbl::new(memory.keys(), facts.clone(), &config.dnsbl));
    let keeper = memory.begin(unix_now());
    let standing = keeper.standing();
    let kept = Arc::new(Notify::new());
    let keeper = tokio::spawn(keeper.keep(kept.clone()));
    let half = files() / 2;
    let (asking, looking) = (ASKING.min(half), SESSIONS.min(half));
    let mut house = House::default();
    let lists = shelf.map(|shelf| tokio::spawn(lists::follow(state.clone(), shelf)));
    let follower = tokio::spawn(follow::follow(state.clone(), config.database.clone(), again.clone()));
    let letters = Arc::new(letters::Letters::default());
    let policies =
        policy::Policy::new(state.clone(), recall.clone(), facts.clone(), dnsbl.clone(), letters.clone());
    let milter = milter::Milter::new(state.clone(), policies.tally(), facts.clone());
    let lately = policies.lately();
    let tester = tokio::spawn(dnsbl.clone().watch());
    let mut figures = status::Policies {
        tally: policies.tally(),
        recall,
        standing,
        facts: facts.clone(),
        milter: milter.counts(),
        dnsbl: dnsbl.clone(),
        forwarded: None,
        letters: letters.clone(),
    };
    house.open("socketmap", looking, socketmap, lookup::Lookup(state.clone()));
    if let Some(wanted) = config.policy_tcp {
        let (door, address) = bind_tcp(wanted).await?;
        if config.policy_proxies.is_empty() {
            house.open("policy-tcp", asking, door, policies.clone());
        } else {
            let proxies = config.policy_proxies.clone();
            house.open("policy-tcp", asking, door, Behind { proxies, protocol: policies.clone() });
        }
        tracing::info!(%address, "policy-tcp");
    }
    house.open("policy", asking, policy, policies);
    if let Some(socket) = &config.milter {
        house.open("milter", SESSIONS, bind(socket, config.group)?, milter);
    }
    figures.forwarded = match &config.forward {
        Some(wanted) => Some(house.forward(wanted, config.group, &state)?),
        None => None,
    };
    let web = match &config.web {
        Some(wanted) => Some(house.web(wanted, &args.config, &state).await?),
        None => None,
    };
    let logins = config.auth.as_ref().map(|wanted| house.logins(wanted, known)).transpose()?;
    if let (Some(socket), Some(auth)) = (&config.control, &logins) {
        let (auth, recall, dnsbl) = (auth.clone(), figures.recall.clone(), dnsbl.clone());
        house.control(socket, control::Control { auth, recall, lately, dnsbl, state: state.clone() })?;
    }
    if let Some(address) = config.status {
        house.status(address, &state, web.as_ref(), logins.clone(), figures).await?;
    }
    if let Some(postfix) = &config.letters {
        // Beside what it remembers.
        let file = config.memory.as_ref().map(|memory| memory.with_file_name("letters.json"));
        house.letters(letters::Postman::new(letters, state.clone(), postfix, file));
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving");

    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hup.recv() => {
                reload(&args.config, &config, &state, (&facts, &dnsbl), web.as_ref(), logins.as_deref());
                again.notify_one();
            }
        }
    }
    tracing::info!("stopping");
    follower.abort();
    tester.abort();
    lists.inspect(tokio::task::JoinHandle::abort);
    house.close().await;
    // When nobody asks any more: the last changes.
    kept.notify_one();
    if tokio::time::timeout(LAST_WRITE, keeper).await.is_err() {
        tracing::warn!("the disk was too slow for the last changes of what is remembered");
    }
    Ok(())
}

/// How many files may be open: all that the hard limit allows. Engines start programs with a soft limit of 1024.
fn files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Where it may not be raised, what there was still holds.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).is_ok();
    let most = if raised { limit.maximum } else { limit.current };
    most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX)
}

/// A file that cannot be used changes nothing: what was rendered before still serves.
fn reload(
    file: &Path,
    running: &Config,
    state: &State,
    (facts, dnsbl): (&policy::Facts, &policy::Dnsbl),
    web: Option<&Open>,
    logins: Option<&Auth>,
) {
    if let Some(open) = web {
        open.again.notify_one();
    }
    let read = Config::read(file)
        .and_then(|config| web.map_or(Ok(()), |open| open.web.reload(file)).map(|()| config));
    match read {
        Ok(config) => {
            let sockets = |config: &Config| {
                let forward = config.forward.as_ref();
                let forward = forward.map(|forward| (forward.socket.clone(), forward.next_hop.clone()));
                (
                    config.socketmap.clone(),
                    config.policy.clone(),
                    config.milter.clone(),
                    config.group,
                    forward,
                )
            };
            let ports = |config: &Config| {
                (config.status, config.policy_tcp, config.policy_proxies.clone(), config.web.clone())
            };
            let doors = |config: &Config| {
                (config.control.clone(), config.auth.as_ref().map(|auth| (auth.socket.clone(), auth.group)))
            };
            if sockets(&config) != sockets(running)
                || ports(&config) != ports(running)
                || doors(&config) != doors(running)
                || config.database != running.database
                || config.lists != running.lists
            {
                tracing::warn!("other sockets, other ports or another database need a restart");
            }
            state.configure(&config);
            if let Some(forward) = &config.forward {
                forward::read_secrets(state, &forward.srs);
            }
            facts.configure(config.resolvers.clone());
            dnsbl.configure(&config.dnsbl);
            if let (Some(logins), Some(wanted)) = (logins, &config.auth) {
                logins.configure(wanted);
            }
            tracing::info!("configuration read anew");
        }
        Err(error) => tracing::error!(%error, "configuration not read, the old one stays"),
    }
}
