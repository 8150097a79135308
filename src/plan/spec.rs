//! `ContainerSpec`: one container, completely. What is not here is not asked of the engine.

use super::service::Service;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, net::IpAddr};

/// Label with the project's name, on everything we make.
pub const LABEL_PROJECT: &str = "org.mailctl.project";
/// Label with the service's name, on containers.
pub const LABEL_SERVICE: &str = "org.mailctl.service";
/// Label with [`ContainerSpec::digest`] or [`super::stack::NetworkSpec::digest`].
pub const LABEL_SPEC: &str = "org.mailctl.spec";
/// Label with the folder that a container belongs to.
pub const LABEL_HOME: &str = "org.mailctl.home";

/// Service label of the container in which a new image is tried out.
pub const JOB_IMAGE: &str = "image-check";
/// Service label of the container that asks for newer packages.
pub const JOB_UPDATES: &str = "update-check";

/// A folder of the host inside a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mount {
    /// On the host.
    pub host: String,
    /// In the container.
    pub inside: String,
    /// Whether the container can only read it.
    pub read_only: bool,
}

/// A published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Port {
    /// Address of the host.
    pub address: IpAddr,
    /// Port of the host; 0 = any free one, chosen by the engine at each start.
    pub host: u16,
    /// Port in the container.
    pub inside: u16,
}

/// The check that the engine runs in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Seconds between two checks.
    pub interval: u32,
    /// Seconds that one may take.
    pub timeout: u32,
    /// Failures in a row that make the container unhealthy.
    pub retries: u32,
    /// Seconds after the start in which failures do not count.
    pub start_period: u32,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerSpec {
    /// Which service it runs.
    pub service: Service,
    /// Its name: `<project>-<service>`.
    pub name: String,
    /// Image tag.
    pub image: String,
    /// Host name that the program sees.
    pub hostname: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// `uid:gid`; empty = root inside, with the capabilities below and no others.
    pub user: String,
    /// Further groups of the first process.
    pub groups: Vec<u32>,
    /// Capabilities, without `CAP_`; every other one is dropped.
    pub capabilities: Vec<&'static str>,
    /// `KEY=value`.
    pub environment: Vec<String>,
    /// Folders of the host.
    pub mounts: Vec<Mount>,
    /// Folders in memory, with mount options.
    pub tmpfs: BTreeMap<String, String>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Octets of memory; as much again as swap is not given.
    pub memory: u64,
    /// Thousandths of a processor.
    pub millicpus: u32,
    /// Processes and threads.
    pub pids: u32,
    /// Seconds between TERM and KILL.
    pub stop_grace: u32,
    /// The engine's health check.
    pub health: HealthCheck,
    /// Log rotation: size of a file, number of files.
    pub log_rotation: (&'static str, &'static str),
    /// The home folder, as a label: two homes must not fight over one project name.
    pub home: String,
}

impl ContainerSpec {
    /// Sixteen hex digits over everything in it.
    pub fn digest(&self) -> String {
        digest(self)
    }

    /// The properties that can be read back from a running container, in words. The same words are made from
    /// what the engine reports, so a change by hand (`docker update`) is found and named.
    pub fn properties(&self) -> Properties {
        let mut found = Properties::new();
        found.insert("command", self.command.join(" "));
        found.insert("user", self.user.clone());
        found.insert("groups", sorted(self.groups.iter().map(u32::to_string)));
        found.insert("capabilities", sorted(self.capabilities.iter().map(ToString::to_string)));
        found.insert("mounts", sorted(self.mounts.iter().map(Mount::to_bind)));
        found.insert("tmpfs", sorted(self.tmpfs.iter().map(|(path, options)| format!("{path}:{options}"))));
        found.insert(
            "ports",
            sorted(self.ports.iter().map(|port| format!("{}:{}->{}", port.address, port.host, port.inside))),
        );
        found.insert("memory", self.memory.to_string());
        found.insert("millicpus", self.millicpus.to_string());
        found.insert("pids", self.pids.to_string());
        found.insert("restart", "unless-stopped".to_owned());
        found.insert("read-only root", "true".to_owned());
        found.insert("no-new-privileges", "true".to_owned());
        found.insert("health check", self.health.command.join(" "));
        found.insert("log rotation", format!("json-file {} x {}", self.log_rotation.0, self.log_rotation.1));
        found
    }
}

/// Named properties of a container, comparable between wanted and found.
pub type Properties = BTreeMap<&'static str, String>;

/// Words in a stable order.
pub fn sorted(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    words.sort();
    words.join(" ")
}

/// Sixteen hex digits over a value's JSON.
pub fn digest(value: &impl Serialize) -> String {
    // These are plain structs of strings and numbers: they always serialise.
    let text = serde_json::to_vec(value).unwrap_or_default();
    Sha256::digest(&text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Mount {
    /// The engine's `host:inside[:ro]`.
    pub fn to_bind(&self) -> String {
        format!("{}:{}{}", self.host, self.inside, if self.read_only { ":ro" } else { "" })
    }
}
