//! The daemon's own file.

use super::forward::Hop;
use crate::{
    error::{Error, codes},
    mail::{
        address::{Address, Domain},
        directory::Place,
        dnsbl::Zone,
        policy::Rules,
        rights::Restriction,
    },
    settings::trust::Trust,
    world::io_error,
};
use ipnet::IpNet;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// `mailctld/daemon.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's own name.
    pub hostname: Domain,
    /// Who gets mail for the role addresses.
    pub admin: Address,
    /// Served domains of the settings; those of the store come from the store.
    pub domains: Vec<Domain>,
    /// Between a mailbox's name and a tag.
    pub delimiter: char,
    /// What users may send as.
    #[serde(default)]
    pub sender_restrictions: Restriction,
    /// The directory database.
    pub database: PathBuf,
    /// Unix socket of the lookups.
    pub socketmap: PathBuf,
    /// Unix socket of the policy requests.
    pub policy: PathBuf,
    /// Unix socket on which messages are shown to it (milter); none without it.
    #[serde(default)]
    pub milter: Option<PathBuf>,
    /// Where the same is asked over TCP, by other hosts' Postfix; nowhere without it.
    #[serde(default)]
    pub policy_tcp: Option<SocketAddr>,
    /// Proxies before it, each connection beginning with a PROXY header; with none, clients connect themselves.
    #[serde(default, deserialize_with = "networks")]
    pub policy_proxies: Vec<IpNet>,
    /// Group that may connect to the sockets; without it, that of their folder.
    #[serde(default)]
    pub group: Option<u32>,
    /// Where it tells how it does; nowhere without it.
    #[serde(default)]
    pub status: Option<SocketAddr>,
    /// Clients that no policy is for, in the form of TRUSTED_NETWORKS.
    #[serde(default = "Trust::loopback", deserialize_with = "trust")]
    pub trusted: Trust,
    /// What may pass; everything without it.
    #[serde(default)]
    pub policies: Rules,
    /// Who is asked about names in DNS; without any, those of `/etc/resolv.conf`.
    #[serde(default)]
    pub resolvers: Vec<SocketAddr>,
    /// Blocklists in DNS that are asked about strangers.
    #[serde(default, deserialize_with = "zones")]
    pub dnsbl: Vec<Zone>,
    /// Where it keeps what it remembers of messages and logins; in memory only without it.
    #[serde(default)]
    pub memory: Option<PathBuf>,
    /// Folder with block and allow lists in files; none without it.
    #[serde(default)]
    pub lists: Option<PathBuf>,
    /// `name:port` of Postfix, which takes letters to people; nobody is written to without it.
    #[serde(default)]
    pub letters: Option<String>,
    /// What it does with mail that leads to other servers; Postfix does it alone without it.
    #[serde(default)]
    pub forward: Option<Forward>,
    /// Unix socket on which commands ask it; none without it.
    #[serde(default)]
    pub control: Option<PathBuf>,
    /// Where Dovecot asks about logins, and what is answered; nowhere without it.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// What it serves to the Internet; nothing without it.
    #[serde(default)]
    pub web: Option<Web>,
}

/// Logins. Times are seconds; [`crate::mail::penalty::Rules`] has the meanings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the rules have the same names")]
pub struct Auth {
    /// Unix socket for Dovecot.
    pub socket: PathBuf,
    /// Group that may connect to it; without it, that of its folder.
    #[serde(default)]
    pub group: Option<u32>,
    pub enabled: bool,
    pub failures: u32,
    pub network_failures: u32,
    pub account_failures: u32,
    pub window: u64,
    pub ban_time: u64,
    pub longest_ban: u64,
    pub count_repeats: bool,
    /// Networks in the form of `TRUSTED_NETWORKS`.
    #[serde(default)]
    pub spared: Vec<String>,
}

/// Mail that leads to other servers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// Unix socket on which Postfix hands it over (LMTP).
    pub socket: PathBuf,
    /// The next server.
    pub next_hop: Hop,
    /// File with the secrets for senders (SRS).
    pub srs: PathBuf,
    /// Whether messages tell that they were forwarded, and for whom.
    #[serde(default)]
    pub tell: bool,
}

/// HTTP and HTTPS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// Address and port for HTTP.
    pub http: SocketAddr,
    /// Address and port for HTTPS.
    pub https: SocketAddr,
    /// Folder with the challenges of ACME, `http-01` and `tls-alpn-01` in it.
    pub challenges: PathBuf,
    /// Folder with the certificates, or a link to one.
    pub certificates: PathBuf,
}

fn zones<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Zone>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

fn trust<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Trust, D::Error> {
    let text = String::deserialize(deserializer)?;
    Trust::parse(&text).map_err(serde::de::Error::custom)
}

fn networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

impl Config {
    /// Reads and parses it.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|e| io_error("read", file, &e))?;
        toml::from_str(&text).map_err(|e| {
            Error::new(codes::SETTINGS_INVALID, format!("{} is not a daemon's configuration", file.display()))
                .cause(e)
                .hint("mailctl up")
        })
    }

    /// What the walk through the directory needs to know.
    pub fn place(&self) -> Place {
        Place { hostname: self.hostname.clone(), admin: self.admin.clone(), delimiter: self.delimiter }
    }
}
