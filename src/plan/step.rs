//! `Plan`: the steps, each with its reason. Everything is decided here; doing them decides nothing.

use super::{
    folders::Folder,
    service::{Service, Signal},
};
use serde::Serialize;
use std::fmt;

/// One change to the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Build the image.
    BuildImage {
        /// Its tag.
        tag: String,
    },
    /// Make a folder, or give it its owner and mode.
    Folder {
        /// The folder as it must be.
        folder: Folder,
        /// What is wrong with it.
        why: String,
    },
    /// Write a whole generation of configuration.
    WriteConfig {
        /// Its number.
        number: u32,
        /// What is wrong with the current one.
        why: String,
    },
    /// Let the real programs check a generation.
    CheckConfig {
        /// Its number.
        number: u32,
    },
    /// Make a generation the current one.
    SwitchConfig {
        /// From this one, if there was one.
        from: Option<u32>,
        /// To this one.
        to: u32,
    },
    /// Remove a container.
    Remove {
        /// Which service it runs; `None` = none that we know.
        service: Option<Service>,
        /// Its name.
        name: String,
        /// The engine's id.
        id: String,
        /// Why.
        why: String,
    },
    /// Remove a network.
    RemoveNetwork {
        /// Its name.
        name: String,
        /// The engine's id.
        id: String,
        /// Why.
        why: String,
    },
    /// Make the network.
    CreateNetwork {
        /// Its name.
        name: String,
        /// Octets that a packet on it may have; `None` = as the engine has it.
        mtu: Option<u32>,
    },
    /// Make a container.
    Create {
        /// Which.
        service: Service,
        /// Why.
        why: String,
    },
    /// Let a frozen container go on.
    Unpause {
        /// Which.
        service: Service,
        /// The engine's id.
        id: String,
    },
    /// Start a container that exists or was just made.
    Start {
        /// Which.
        service: Service,
        /// The engine's id; `None` = the one made by this plan.
        id: Option<String>,
        /// Why.
        why: String,
    },
    /// Tell a running program to read its configuration.
    Reload {
        /// Which.
        service: Service,
        /// The engine's id.
        id: String,
        /// How.
        signal: Signal,
    },
    /// Delete generations that nobody needs any more.
    ForgetConfigs {
        /// Their numbers.
        numbers: Vec<u32>,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuildImage { tag } => write!(f, "build image {tag}"),
            Self::Folder { folder, why } => write!(f, "prepare {}: {why}", folder.path),
            Self::WriteConfig { number, why } => write!(f, "write configuration {number:04}: {why}"),
            Self::CheckConfig { number } => {
                write!(f, "check configuration {number:04} with the real programs")
            }
            Self::SwitchConfig { from: Some(from), to } => {
                write!(f, "switch configuration {from:04} -> {to:04}")
            }
            Self::SwitchConfig { from: None, to } => write!(f, "switch to configuration {to:04}"),
            Self::Remove { name, why, .. } => write!(f, "remove container {name}: {why}"),
            Self::RemoveNetwork { name, why, .. } => write!(f, "remove network {name}: {why}"),
            Self::CreateNetwork { name, mtu: None } => write!(f, "create network {name}"),
            Self::CreateNetwork { name, mtu: Some(mtu) } => write!(f, "create network {name}: MTU {mtu}"),
            Self::Create { service, why } => write!(f, "create {service}: {why}"),
            Self::Unpause { service, .. } => write!(f, "unpause {service}: it was frozen"),
            Self::Start { service, why, .. } => write!(f, "start {service}: {why}"),
            Self::Reload { service, signal, .. } => {
                write!(f, "reload {service} ({}): its configuration changed", signal.name())
            }
            Self::ForgetConfigs { numbers } => write!(f, "delete {} old configuration(s)", numbers.len()),
        }
    }
}

/// The way from what runs to what should run; empty when they are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// In the order of doing.
    pub steps: Vec<Step>,
    /// Things to tell that no step says: files edited by hand.
    pub notes: Vec<String>,
}

impl Plan {
    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
