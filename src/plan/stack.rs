//! `Stack`: everything that should run, from the settings.

use super::{
    folders::{self, Folder, Places},
    service::Service,
    spec::{self, ContainerSpec, HealthCheck, Mount, Port},
};
use crate::{
    render::{
        ConfigSet, ED25519_CONF, ids,
        mailctld::{POLICY_PORT, STATUS_PORT},
    },
    settings::Settings,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

/// The one bridge network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkSpec {
    /// The project's name.
    pub name: String,
    /// Fixed IPv4 subnet.
    pub subnet: Option<String>,
    /// IPv6 subnet; `None` = no IPv6.
    pub subnet6: Option<String>,
    /// Octets that a packet on it may have; `None` = what the host's way out takes. Not in the digest: whether what is
    /// there will do depends on the way out ([`super::mtu`]).
    #[serde(skip)]
    pub mtu: Option<u32>,
}

impl NetworkSpec {
    /// Sixteen hex digits over everything in it.
    pub fn digest(&self) -> String {
        spec::digest(self)
    }
}

/// What should run.
#[derive(Clone)]
pub struct Stack {
    /// Labels, container and network names.
    pub project: String,
    /// The home folder.
    pub home: String,
    /// Tag of the image.
    pub image: String,
    /// The network.
    pub network: NetworkSpec,
    /// The containers, first to start first.
    pub containers: Vec<ContainerSpec>,
    /// The folders they mount.
    pub folders: Vec<Folder>,
    /// The configuration they read.
    pub config: ConfigSet,
    /// Digest of the certificates and keys that are served.
    pub certificate: String,
}

impl Stack {
    /// The stack that `settings` describe.
    pub fn desired(
        project: &str,
        home: &str,
        places: &Places,
        settings: &Settings,
        config: &ConfigSet,
        image: &str,
        certificate: &str,
    ) -> Self {
        let network = NetworkSpec {
            name: project.to_owned(),
            subnet: settings.network.subnet.map(|net| net.to_string()),
            subnet6: settings.network.subnet6.map(|net| net.to_string()),
            mtu: settings.network.mtu,
        };
        let containers = Service::ALL
            .into_iter()
            .map(|service| {
                let needs = needs(service, places, settings);
                container(service, needs, &Common { project, home, image, places, settings })
            })
            .collect();
        Self {
            project: project.to_owned(),
            home: home.to_owned(),
            image: image.to_owned(),
            network,
            containers,
            folders: folders::wanted(places),
            config: config.clone(),
            certificate: certificate.to_owned(),
        }
    }

    /// Digest of all that a service reads when it starts or reloads.
    pub fn reads(&self, service: Service) -> String {
        let config = self.config.digest(&service.config_prefix());
        match service {
            Service::Postfix | Service::Dovecot | Service::Mailctld => {
                format!("{config}+{}", self.certificate)
            }
            Service::Opendkim => config,
        }
    }

    /// The sockets that a service serves with this configuration, relative to the `run` folder: when all
    /// accept, its peers may start or read theirs.
    pub fn sockets(&self, service: Service) -> Vec<&'static str> {
        let second = service == Service::Opendkim && self.config.holds(ED25519_CONF);
        let second = second.then_some("opendkim/milter-ed25519");
        service.sockets().iter().copied().chain(second).collect()
    }

    /// The container of a service.
    pub fn container(&self, service: Service) -> Option<&ContainerSpec> {
        self.containers.iter().find(|spec| spec.service == service)
    }
}

struct Common<'a> {
    project: &'a str,
    home: &'a str,
    image: &'a str,
    places: &'a Places,
    settings: &'a Settings,
}

/// In what the services differ.
struct Needs {
    command: &'static [&'static str],
    user: String,
    groups: Vec<u32>,
    capabilities: &'static [&'static str],
    mounts: Vec<Mount>,
    tmpfs: &'static [(&'static str, &'static str)],
    ports: Vec<(u16, u16)>,
    health: &'static [&'static str],
}

const MAILCTLD: &[&str] = &["mailctl", "daemon", "--config", "/etc/mailctl/current/mailctld/daemon.toml"];
const OPENDKIM: &[&str] = &["mailctl", "attend", "opendkim"];

fn needs(service: Service, places: &Places, settings: &Settings) -> Needs {
    let socket =
        |service: Service| read_only(format!("{}/{service}", places.run), format!("/run/mailctl/{service}"));
    let own =
        |service: Service| writable(format!("{}/{service}", places.run), format!("/run/mailctl/{service}"));
    match service {
        // Serves from memory; reads the database's folder by its group, and has one of its own for what it remembers.
        Service::Mailctld => Needs {
            command: MAILCTLD,
            user: format!("{0}:{0}", ids::MAILCTL),
            groups: vec![ids::POSTFIX, ids::POSTDROP, ids::DOVECOT],
            capabilities: &[],
            mounts: vec![
                own(service),
                writable(format!("{}/auth", places.run), "/run/mailctl/auth"),
                writable(format!("{}/control", places.run), "/run/mailctl/control"),
                read_only(places.doors(), "/run/mailctl/postfix"),
                read_only(places.db.clone(), "/state"),
                writable(places.policy.clone(), "/policy"),
                read_only(places.lists.clone(), "/lists"),
                read_only(places.challenges.clone(), "/acme-challenges"),
                read_only(places.srs.clone(), "/etc/mailctl-srs"),
                read_only(places.tls.clone(), "/etc/mailctl-tls"),
            ],
            tmpfs: &[("/tmp", TMP)],
            ports: if settings.web.enabled {
                vec![(settings.ports.http, 80), (settings.ports.https, 443)]
            } else {
                vec![]
            },
            health: if settings.web.enabled { &["--web"] } else { &[] },
        },
        Service::Opendkim => Needs {
            command: OPENDKIM,
            // Root makes /dev/log, and gives itself up for OpenDKIM's user (SETUID) in every program that it
            // starts and signals (KILL). In Postfix's group first: their sockets must be Postfix's to use on
            // every file system, also where a folder's set-group bit does not count. In OpenDKIM's for the keys.
            user: format!("0:{}", ids::POSTFIX),
            groups: vec![ids::OPENDKIM],
            capabilities: &["KILL", "SETUID"],
            mounts: vec![own(service), read_only(places.dkim.clone(), "/etc/mailctl-dkim")],
            tmpfs: &[("/tmp", TMP)],
            ports: vec![],
            health: &[],
        },
        // CHOWN: sockets of other users; SETUID, SETGID: a process per user; SYS_CHROOT: login
        // processes; KILL: stopping those; DAC_OVERRIDE: Maildirs and sockets of other users.
        Service::Dovecot => Needs {
            command: &["dovecot", "-F"],
            user: String::new(),
            groups: vec![],
            capabilities: &["CHOWN", "DAC_OVERRIDE", "KILL", "SETGID", "SETUID", "SYS_CHROOT"],
            mounts: vec![
                own(service),
                read_only(format!("{}/auth", places.run), "/run/mailctl/auth"),
                read_only(places.db.clone(), "/state"),
                writable(places.mail.clone(), "/mail"),
                read_only(places.tls.clone(), "/etc/mailctl-tls"),
            ],
            tmpfs: &[
                ("/run/dovecot", "mode=755,size=16m"),
                ("/run/dovecot-state", "mode=755,size=16m"),
                ("/tmp", TMP),
            ],
            ports: dovecot_ports(settings),
            health: if settings.protocols.imap { &["--imap"] } else { &[] },
        },
        // CHOWN, FOWNER, DAC_OVERRIDE: the queue's folders belong to another user than master's;
        // SETUID, SETGID: every program but master gives root up; KILL: stopping those.
        Service::Postfix => Needs {
            command: &["postfix", "start-fg"],
            user: String::new(),
            groups: vec![],
            capabilities: &["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"],
            mounts: vec![
                socket(Service::Mailctld),
                socket(Service::Opendkim),
                socket(Service::Dovecot),
                writable(places.spool.clone(), "/var/spool/postfix"),
                read_only(places.tls.clone(), "/etc/mailctl-tls"),
            ],
            tmpfs: &[("/var/lib/postfix", "uid=5001,gid=5001,mode=700,size=16m"), ("/tmp", TMP)],
            ports: vec![
                (settings.ports.smtp, 25),
                (settings.ports.submissions, 465),
                (settings.ports.submission, 587),
            ],
            health: &[],
        },
    }
}

const TMP: &str = "mode=1777,size=64m";

fn dovecot_ports(settings: &Settings) -> Vec<(u16, u16)> {
    let (on, ports) = (settings.protocols, settings.ports);
    [
        (on.imap, ports.imap, 143),
        (on.imap, ports.imaps, 993),
        (on.pop3, ports.pop3, 110),
        (on.pop3, ports.pop3s, 995),
        (on.managesieve, ports.managesieve, 4190),
    ]
    .into_iter()
    .filter(|(on, ..)| *on)
    .map(|(_, host, inside)| (host, inside))
    .collect()
}

fn container(service: Service, needs: Needs, common: &Common<'_>) -> ContainerSpec {
    let settings = common.settings;
    let mut mounts = needs.mounts;
    mounts.push(read_only(common.places.rendered.clone(), "/etc/mailctl"));
    mounts.sort();
    let mut health = vec!["mailctl".to_owned(), "health".to_owned(), "--inside".to_owned()];
    health.extend(needs.health.iter().map(ToString::to_string));
    health.push(service.name().to_owned());
    ContainerSpec {
        service,
        name: format!("{}-{service}", common.project),
        image: common.image.to_owned(),
        hostname: hostname(settings, service),
        command: needs.command.iter().map(ToString::to_string).collect(),
        user: needs.user,
        groups: needs.groups,
        capabilities: needs.capabilities.to_vec(),
        environment: vec![format!("TZ={}", settings.timezone)],
        mounts,
        tmpfs: needs
            .tmpfs
            .iter()
            .map(|(path, options)| (path.to_string(), options.to_string()))
            .collect::<BTreeMap<_, _>>(),
        ports: ports(service, settings, &needs.ports),
        memory: settings.limits.memory,
        millicpus: settings.limits.millicpus,
        pids: settings.limits.pids,
        stop_grace: service.grace(),
        // An alarm within 60 s: three times 14 s and the 4 s that the check gives itself (`world::health`).
        health: HealthCheck { command: health, interval: 14, timeout: 10, retries: 3, start_period: 40 },
        // The health check alone writes 7 MB a day into Postfix's log: this is a fortnight of a quiet server.
        log_rotation: ("20m", "5"),
        home: common.home.to_owned(),
    }
}

/// What is published for everybody, and where metrics are read and policies asked.
fn ports(service: Service, settings: &Settings, needed: &[(u16, u16)]) -> Vec<Port> {
    let mut ports = published(settings, needed);
    if service == Service::Mailctld {
        let own = [(settings.web.metrics, STATUS_PORT), (settings.policy_door.listen, POLICY_PORT)];
        ports.extend(own.into_iter().filter_map(|(place, inside)| {
            place.map(|place| Port { address: place.ip(), host: place.port(), inside })
        }));
    }
    ports
}

/// The kernel takes 64 octets; a longer name is only in the configuration.
fn hostname(settings: &Settings, service: Service) -> String {
    let name = settings.hostname.as_str();
    if name.len() <= 63 { name.to_owned() } else { service.name().to_owned() }
}

/// IPv4 and IPv6 are published separately and by name. IPv6 only where the containers have IPv6 themselves:
/// otherwise the engine would pass IPv6 clients on under its gateway's IPv4 address.
fn published(settings: &Settings, ports: &[(u16, u16)]) -> Vec<Port> {
    let listen = settings.network.listen;
    let mut addresses = vec![listen];
    if listen.is_unspecified() && listen.is_ipv4() && settings.network.subnet6.is_some() {
        addresses.push(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    }
    addresses
        .iter()
        .flat_map(|&address| ports.iter().map(move |&(host, inside)| Port { address, host, inside }))
        .collect()
}

fn read_only(host: impl Into<String>, inside: impl Into<String>) -> Mount {
    Mount { host: host.into(), inside: inside.into(), read_only: true }
}

fn writable(host: impl Into<String>, inside: impl Into<String>) -> Mount {
    Mount { host: host.into(), inside: inside.into(), read_only: false }
}
