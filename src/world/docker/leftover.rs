//! Ports that the engine holds for containers that are gone.
//!
//! An engine that ends without warning (power cut, kill) between publishing a container's ports and noting that the
//! container is on its network takes the ports again at its next start, for an address in the network, and then throws
//! away what it knew of the container (libnetwork issue 1790; tried with engine 26). No call of its API lets go of them
//! then. A start of the engine that follows an orderly end does.

use super::{Engine, call};
use crate::error::{Error, codes};
use bollard::{
    models::{ContainerSummary, ContainerSummaryStateEnum as State},
    query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder},
};

impl Engine {
    /// Whether a container has that port of the host, or is about to.
    pub async fn publishes(&self, port: u16) -> Result<bool, Error> {
        for found in self.every_container().await? {
            let live = matches!(found.state, Some(State::RUNNING | State::PAUSED | State::RESTARTING));
            if live && found.ports.iter().flatten().any(|known| known.public_port == Some(port)) {
                return Ok(true);
            }
            // One of ours that is not live is the one that could not be started.
            let ended = matches!(found.state, Some(State::EXITED | State::DEAD));
            if !(ended || self.is_ours(&found)) && self.asks_for(&found, port).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Names of the containers of others that run: those that a restart of the engine would interrupt.
    pub async fn neighbours(&self) -> Result<Vec<String>, Error> {
        let runs = |found: &ContainerSummary| {
            !matches!(found.state, Some(State::EXITED | State::DEAD | State::CREATED))
        };
        let found =
            self.every_container().await?.into_iter().filter(|found| runs(found) && !self.is_ours(found));
        let name = |found: ContainerSummary| found.names?.into_iter().next();
        Ok(found.filter_map(name).map(|name| name.trim_start_matches('/').to_owned()).collect())
    }

    async fn every_container(&self) -> Result<Vec<ContainerSummary>, Error> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        call("list containers", self.docker.list_containers(Some(options))).await
    }

    fn is_ours(&self, found: &ContainerSummary) -> bool {
        let label = found.labels.as_ref().and_then(|labels| labels.get(crate::plan::spec::LABEL_PROJECT));
        label == Some(&self.project)
    }

    async fn asks_for(&self, found: &ContainerSummary, port: u16) -> Result<bool, Error> {
        let id = found.id.as_deref().unwrap_or_default();
        let work = self.docker.inspect_container(id, None::<InspectContainerOptions>);
        let host = call("inspect a container", work).await?.host_config.unwrap_or_default();
        let bindings =
            host.port_bindings.into_iter().flatten().flat_map(|(_, bindings)| bindings.unwrap_or_default());
        let wanted = port.to_string();
        Ok(bindings.filter_map(|binding| binding.host_port).any(|asked| asked == wanted))
    }
}

/// The error that says so.
pub fn held(port: u16) -> Error {
    Error::new(codes::ENGINE_LEFTOVER, format!("the engine holds port {port} for a container that is gone"))
        .cause("it ended without warning while the container was started, as in a power cut, and lets go of the port only when it starts anew")
        .hint("systemctl restart docker, then: mailctl up")
}
