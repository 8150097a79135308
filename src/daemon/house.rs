//! `House`: all doors of the daemon, opened one after the other and closed together.

use super::{
    auth::{self, Auth, Kept, Logins},
    config,
    control::{self, Control},
    forward::{self, Forward},
    http::{self, Web, certificate::Live, plain::Plain, tls::Secure},
    letters::Postman,
    listener::{Door, Service, Speak, bind, bind_for, bind_tcp, listen},
    session::Drain,
    state::State,
    status::{self, Status},
    traffic::Traffic,
};
use crate::error::Error;
use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::Notify,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

/// How long sessions may take to end when we are told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// The doors that are open.
#[derive(Default)]
pub struct House {
    drain: Arc<Drain>,
    open: JoinSet<()>,
    traffic: Vec<(&'static str, Arc<Traffic>)>,
    beside: Vec<AbortHandle>,
}

/// The web, once it is served.
pub struct Open {
    /// What answers.
    pub web: Arc<Web>,
    /// What 443 shows.
    pub certificates: Arc<Live>,
    /// Look for other certificates now.
    pub again: Arc<Notify>,
}

impl House {
    /// Serves `protocol` to who comes to `door`, to at most `most` at a time.
    pub fn open<D: Door>(
        &mut self,
        name: &'static str,
        most: usize,
        door: D,
        protocol: impl Speak<D::Stream>,
    ) {
        let traffic: Arc<Traffic> = Arc::default();
        self.traffic.push((name, traffic.clone()));
        let service = Service { name, most, traffic };
        self.open.spawn(listen(door, Arc::new(protocol), service, self.drain.clone()));
    }

    /// Opens 80 and 443; `file` is the configuration, beside which the pages lie.
    pub async fn web(&mut self, to: &config::Web, file: &Path, state: &Arc<State>) -> Result<Open, Error> {
        let web = Arc::new(Web::new(state.clone(), to.challenges.clone(), file)?);
        let certificates = Arc::new(Live::new(to.certificates.clone()));
        let again = Arc::new(Notify::new());
        let (plain, address) = bind_tcp(to.http).await?;
        self.open("http", http::MOST, plain, Plain(web.clone()));
        tracing::info!(%address, "http");
        let (secure, address) = bind_tcp(to.https).await?;
        self.beside.push(tokio::spawn(certificates.clone().follow(again.clone())).abort_handle());
        let door = Secure { web: web.clone(), certificates: certificates.clone() };
        self.open("https", http::MOST, secure, door);
        tracing::info!(%address, "https");
        Ok(Open { web, certificates, again })
    }

    /// Opens the door for mail that leads to other servers.
    pub fn forward(
        &mut self,
        to: &config::Forward,
        group: Option<u32>,
        state: &Arc<State>,
    ) -> Result<Arc<forward::Counts>, Error> {
        forward::read_secrets(state, &to.srs);
        let name = state.read().place.hostname.to_string();
        let forward = Forward::new(state.clone(), to.next_hop.clone(), name);
        self.open("forward", forward::MOST, bind(&to.socket, group)?, forward.clone());
        let counts = forward.counts();
        self.beside.push(tokio::spawn(forward.sweep()).abort_handle());
        Ok(counts)
    }

    /// Opens the door for Dovecot.
    pub fn logins(&mut self, config: &config::Auth, kept: Kept) -> Result<Arc<Auth>, Error> {
        let auth = Arc::new(Auth::new(config, kept));
        self.open("auth", auth::MOST, bind(&config.socket, config.group)?, Logins(auth.clone()));
        self.beside.push(tokio::spawn(auth.clone().sweep()).abort_handle());
        Ok(auth)
    }

    /// Tells people what they must hear.
    pub fn letters(&mut self, postman: Postman) {
        self.beside.push(tokio::spawn(postman.go()).abort_handle());
    }

    /// Opens the door for commands: only root, who may do everything, and mailctld's own user come in.
    pub fn control(&mut self, socket: &Path, control: Control) -> Result<(), Error> {
        self.open("control", control::MOST, bind_for(socket, None, 0o600)?, control);
        Ok(())
    }

    /// Tells how all doors do that are open by now.
    pub async fn status(
        &mut self,
        to: SocketAddr,
        state: &Arc<State>,
        web: Option<&Open>,
        auth: Option<Arc<Auth>>,
        policies: status::Policies,
    ) -> Result<(), Error> {
        let (door, address) = bind_tcp(to).await?;
        let status = Status {
            state: state.clone(),
            web: web.map(|open| (open.web.clone(), open.certificates.clone())),
            auth,
            policies,
            doors: self.traffic.clone(),
            started: SystemTime::now(),
        };
        self.open("status", status::MOST, door, status);
        tracing::info!(%address, "status");
        Ok(())
    }

    /// Lets nobody in any more, and waits for those who are in.
    pub async fn close(mut self) {
        self.drain.begin();
        self.beside.iter().for_each(AbortHandle::abort);
        let ended = async { while self.open.join_next().await.is_some() {} };
        if timeout(GRACE, ended).await.is_err() {
            tracing::warn!("some sessions did not end in time");
        }
    }
}
