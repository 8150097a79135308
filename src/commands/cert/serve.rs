//! From a set that was installed to one that is really served: every published port is asked what it shows.

use crate::{
    commands::{live, scene::Scene},
    error::{Error, codes},
    mail::{
        address::Domain,
        cert::{Certificate, Kind, Place},
    },
    plan::{Service, observed::State},
    settings::Raw,
    ui::Ui,
    world::{
        World,
        keys::tls::{self, Served},
        served::{self, Begin},
    },
};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

/// How long a port may go on with another certificate before that is a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one port gets to show its certificate.
const ANSWER: Duration = Duration::from_secs(5);

/// Ports that are asked at the same time.
const AT_ONCE: usize = 8;

/// Domains whose certificates a mere look asks about.
const LOOKED_AT: usize = 16;

/// What a port is to show to one question, and what it showed.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    service: Service,
    /// In the container.
    port: u16,
    /// On the host.
    address: SocketAddr,
    /// The name that was asked for.
    name: String,
    /// The one kind of key that was offered to take; `None` = any.
    kind: Option<Kind>,
    #[serde(skip)]
    wanted: Certificate,
    #[serde(skip)]
    begin: Begin,
    /// Serial number of the certificate that is installed.
    installed: String,
    /// Serial number of the one that it shows.
    serial: Option<String>,
    /// Whether it shows the one that is installed.
    served: bool,
    /// Why it shows none.
    fault: Option<String>,
}

/// After a new set of certificates is the live one: lets the services read it, without cutting a session, and waits
/// until every port shows it. The caller has let go of the lock. Where the stack does not run, `up` takes it up, and
/// nothing is asked.
pub async fn everywhere(world: &World, ui: &mut Ui) -> Result<Vec<Shown>, Error> {
    let all = if live::refresh(world, ui).await? { confirm(world, ui).await? } else { Vec::new() };
    let _lock = world.lock()?;
    tls::tidy(&world.paths)?;
    Ok(all)
}

/// Asks every published port for every certificate until each shows the one that is installed; after 60 s that is an
/// error that names port and serial numbers.
pub async fn confirm(world: &World, ui: &mut Ui) -> Result<Vec<Shown>, Error> {
    let began = Instant::now();
    let scene = Scene::look(world).await?;
    let mut all = questions(&scene, world, usize::MAX)?;
    let progress = ui.progress();
    progress.phase("asking every port for its certificate");
    let mut pause = Duration::from_millis(100);
    loop {
        ask(all.iter_mut().filter(|shown| !shown.served), ANSWER).await;
        let behind: Vec<&Shown> = all.iter().filter(|shown| !shown.served).collect();
        let Some(first) = behind.first() else { return Ok(all) };
        progress.detail(&first.to_string());
        if began.elapsed() + pause > PATIENCE {
            return Err(error(&behind));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(4));
    }
}

/// Where a port shows another certificate than the installed one (whoever installed it was stopped before the services
/// were told), lets them read it again, and waits until all show it; whether that was so.
pub async fn due(world: &World, ui: &mut Ui) -> Result<bool, Error> {
    let scene = match Scene::look(world).await {
        Err(error) if live::is_elsewhere(&error) => return Ok(false),
        scene => scene?,
    };
    let all = look(world, &scene, ANSWER).await?;
    let Some(behind) = all.iter().find(|shown| shown.shows_another()) else { return Ok(false) };
    ui.say(format!("{behind}; the services are told again"));
    everywhere(world, ui).await?;
    Ok(true)
}

/// What every published port shows now, asked once and within `limit`: the server's certificates everywhere, those of
/// domains at one door of each program, for each question is a connection.
pub async fn look(world: &World, scene: &Scene, limit: Duration) -> Result<Vec<Shown>, Error> {
    let mut all = questions(scene, world, LOOKED_AT)?;
    let asked = ask(all.iter_mut(), limit);
    // Who had no turn by then has shown nothing.
    let _ = tokio::time::timeout(limit, asked).await;
    Ok(all)
}

/// The error that tells of ports with another certificate than the installed one.
pub fn error(behind: &[&Shown]) -> Error {
    const LISTED: usize = 12;
    let mut ports: Vec<u16> = behind.iter().map(|shown| shown.port).collect();
    ports.dedup();
    let named: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let what = match named.as_slice() {
        [one] => format!("port {one} does not serve the certificate that is installed"),
        many => format!("ports {} do not serve the certificate that is installed", many.join(", ")),
    };
    let error = behind.iter().take(LISTED).fold(Error::new(codes::TLS_NOT_SERVED, what), Error::cause);
    let first = behind.first().map_or("postfix", |shown| shown.service.name());
    error.hint(format!("mailctl restart {first}")).hint(format!("mailctl logs {first}"))
}

impl Shown {
    /// Whether the port shows what is installed.
    pub fn served(&self) -> bool {
        self.served
    }

    /// Whether it shows something else.
    pub fn shows_another(&self) -> bool {
        !self.served && self.serial.is_some()
    }

    /// In the container.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "port {}", self.port)?;
        if self.address.port() != self.port {
            write!(f, " ({} on the host)", self.address.port())?;
        }
        match (&self.serial, &self.fault) {
            (Some(serial), _) if *serial == self.installed && !self.served => {
                write!(f, " shows another certificate than the installed one, with the same serial {serial}")
            }
            (Some(serial), _) => write!(
                f,
                " shows serial {serial} to who asks for {}, installed is {}",
                self.name, self.installed
            ),
            (None, Some(fault)) => write!(f, " shows no certificate: {fault}"),
            (None, None) => write!(f, " did not answer in time"),
        }
    }
}

/// Which ports are to show what. For `domains` names at most; then at one door of each program only.
fn questions(scene: &Scene, world: &World, domains: usize) -> Result<Vec<Shown>, Error> {
    let installed = tls::served(&world.paths)?;
    let both = installed.iter().any(|one| one.place == Place::HostRsa);
    let hostname = scene.settings.hostname.as_str();
    let mut all = Vec::new();
    for service in Service::ALL {
        let running = scene.container(service).filter(|found| found.state == State::Running);
        let Some(container) = running.filter(|_| !own_words(service, &scene.settings.raw)) else { continue };
        let mut ports: Vec<(u16, SocketAddr, Begin)> = container
            .ports
            .iter()
            .filter_map(|&(port, on)| Some((port, reachable(on), Begin::at(port)?)))
            .collect();
        ports.sort_by_key(|&(port, address, _)| (port, address));
        ports.dedup_by_key(|&mut (port, address, _)| (port, address));
        for (at, &(port, address, begin)) in ports.iter().enumerate() {
            let ask = |name: &str, kind: Option<Kind>, wanted: &Certificate| Shown {
                service,
                port,
                address,
                name: name.to_owned(),
                kind,
                wanted: wanted.clone(),
                begin,
                installed: wanted.serial.clone(),
                serial: None,
                served: false,
                fault: None,
            };
            let mut named = 0;
            for one in &installed {
                let wanted = &one.certificate;
                match &one.place {
                    Place::Host => all.push(ask(hostname, both.then_some(Kind::Ecdsa), wanted)),
                    Place::HostRsa => all.push(ask(hostname, Some(Kind::Rsa), wanted)),
                    Place::Domain(domain) => {
                        named += 1;
                        let due = domains == usize::MAX || (at == 0 && named <= domains);
                        // mailctld chooses by the names that it serves itself.
                        let name = own_name(domain, one, &installed, hostname).filter(|_| due && port != 443);
                        all.extend(name.map(|name| ask(&name, None, wanted)));
                    }
                }
            }
        }
    }
    Ok(all)
}

/// Whether the operator's own words may choose another certificate: then nobody here knows which is right.
fn own_words(service: Service, raw: &Raw) -> bool {
    let names = raw.main.keys().chain(raw.master.keys());
    service == Service::Postfix && names.into_iter().any(|name| name.contains("tls_"))
}

/// A name by which clients get this certificate and no other: HOSTNAME is the server's own, and what two domains hold
/// for is the nearer one's.
fn own_name(domain: &Domain, one: &Served, installed: &[Served], hostname: &str) -> Option<String> {
    let nearer = |name: &String| {
        installed.iter().filter_map(|other| Some((other, other.place.domain()?))).any(|(other, of)| {
            of.as_str().len() > domain.as_str().len() && other.certificate.names_in(of).contains(name)
        })
    };
    let names = one.certificate.names_in(domain).into_iter();
    let mut own = names.filter(|name| name != hostname && !nearer(name));
    own.next().map(|name| name.replacen('*', "mailctl-asks", 1))
}

/// The address under which this host reaches a port that it publishes.
fn reachable(on: SocketAddr) -> SocketAddr {
    let ip = match on.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(ip, on.port())
}

async fn ask(all: impl Iterator<Item = &mut Shown>, limit: Duration) {
    let asked = stream::iter(all).for_each_concurrent(AT_ONCE, |shown| async move {
        let found = served::leaf(shown.address, shown.begin, &shown.name, shown.kind, limit).await;
        match found {
            Ok(leaf) => {
                shown.served = leaf.fingerprint == shown.wanted.fingerprint;
                shown.fault = None;
                shown.serial = Some(leaf.serial);
            }
            Err(error) => shown.fault = Some(error.to_string()),
        }
    });
    asked.await;
}
