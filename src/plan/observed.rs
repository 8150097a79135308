//! `Observed`: what runs and what lies on the disk, as values.

use super::{folders::Folder, service::Service, spec::Properties};
use crate::render::ConfigSet;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

/// Everything that a plan depends on beside what is wanted.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The engine's id of the wanted image; `None` = it is not there.
    pub image: Option<String>,
    /// Networks that carry our project label or our network's name.
    pub networks: Vec<Network>,
    /// Containers that carry our project label.
    pub containers: Vec<Container>,
    /// The generation that `rendered/current` leads to.
    pub config: Option<Generation>,
    /// The number that the next generation gets.
    pub next_generation: u32,
    /// The numbers of all generations, oldest first.
    pub generations: Vec<u32>,
    /// What each service was last told to read: container id and digest of its files.
    pub loaded: BTreeMap<Service, Loaded>,
    /// Folders that are missing or wrong, and how.
    pub folders: Vec<(Folder, String)>,
    /// Gateways of every network of the engine, ours and others.
    pub gateways: Vec<Gateway>,
    /// Octets that a packet on the host's way out may have; `None` = it has none now.
    pub uplink: Option<u32>,
}

/// A network of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The engine's id: names are not unique on old engines.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it carries our project label.
    pub ours: bool,
    /// Its spec label.
    pub spec: String,
    /// Octets that a packet on it may have.
    pub mtu: u32,
}

/// The address under which the host appears in a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Name of the network.
    pub network: String,
    /// The address.
    pub address: IpAddr,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Made, never started.
    Created,
    /// Its program runs.
    Running,
    /// Frozen by hand.
    Paused,
    /// Its program ended and the engine is about to start it again.
    Restarting,
    /// Its program ended.
    Exited,
    /// Going away or broken.
    Dead,
}

/// The engine's view of a container's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// No check has succeeded yet.
    Starting,
    /// The last check succeeded.
    Healthy,
    /// Several checks in a row failed.
    Unhealthy,
    /// It has no health check.
    Unknown,
}

/// A container with our label.
#[derive(Clone, Debug)]
pub struct Container {
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its service label.
    pub service: String,
    /// Its spec label.
    pub spec: String,
    /// Its home label.
    pub home: String,
    /// Id of the image it was made from.
    pub image: String,
    /// What it is doing.
    pub state: State,
    /// How it feels.
    pub health: Health,
    /// The last line of its health check.
    pub health_says: String,
    /// When its program was started (RFC 3339).
    pub since: String,
    /// How often the engine started it again.
    pub restarts: i64,
    /// Exit status of its program, if it ended.
    pub exit_code: i64,
    /// Ids of the networks it is on.
    pub networks: Vec<String>,
    /// What it was made with.
    pub properties: Properties,
    /// Ports it is published on now: inside port, host address.
    pub ports: Vec<(u16, SocketAddr)>,
}

/// Generations that stay beside the current one.
const KEPT: usize = 5;

/// Those of `generations` that nobody needs once `current` is live: all but it and the newest of the others.
pub fn old_generations(generations: &[u32], current: Option<u32>) -> Vec<u32> {
    let mut others: Vec<u32> =
        generations.iter().copied().filter(|&number| Some(number) != current).collect();
    others.truncate(others.len().saturating_sub(KEPT));
    others
}

/// Rendered configuration on the disk.
#[derive(Clone)]
pub struct Generation {
    /// `NNNN`.
    pub number: u32,
    /// Its files as they are now.
    pub files: ConfigSet,
    /// The digest with which it was written: differs from that of `files` if someone edited it.
    pub recorded: String,
    /// Id of the image whose programs accepted it; empty = none did.
    pub checked: String,
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Rendered files can hold the relay's password.
        write!(f, "Generation({:04}, recorded {}, checked by {})", self.number, self.recorded, self.checked)
    }
}

/// What a service was last told to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The container then.
    pub container: String,
    /// Digest of the service's files then.
    pub digest: String,
}
