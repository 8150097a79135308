//! Reading back what runs.

use super::{Engine, absent, call};
use crate::{
    error::Error,
    plan::{
        observed::{Container, Health, State},
        spec::{LABEL_HOME, LABEL_SERVICE, LABEL_SPEC, Properties, sorted},
    },
};
use bollard::{
    models::{ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum, HostConfig, PortMap},
    query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder},
};
use std::net::SocketAddr;

impl Engine {
    /// Every container with our label, running or not, in the order of their names.
    pub async fn containers(&self) -> Result<Vec<Container>, Error> {
        let options =
            ListContainersOptionsBuilder::default().all(true).filters(&self.project_filter()).build();
        let listed = call("list containers", self.docker.list_containers(Some(options))).await?;
        let ids = listed.into_iter().filter_map(|summary| summary.id);
        let found = futures_util::future::try_join_all(ids.map(|id| self.container(id))).await?;
        let mut found: Vec<Container> = found.into_iter().flatten().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// One container; `None` = it is gone.
    pub async fn container(&self, id: String) -> Result<Option<Container>, Error> {
        let inspected = call("inspect a container", async {
            let result = self.docker.inspect_container(&id, None::<InspectContainerOptions>).await;
            if absent(&result) { Ok(None) } else { result.map(Some) }
        })
        .await?;
        Ok(inspected.map(|inspected| read(id, inspected)))
    }
}

fn read(id: String, found: ContainerInspectResponse) -> Container {
    let properties = properties(&found);
    let state = found.state.unwrap_or_default();
    let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
    let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
    let network = found.network_settings.unwrap_or_default();
    // Before the first start the engine knows only which network was asked for.
    let asked = found.host_config.and_then(|host| host.network_mode).unwrap_or_default();
    let health = state.health.unwrap_or_default();
    Container {
        id,
        name: found.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        service: label(LABEL_SERVICE),
        spec: label(LABEL_SPEC),
        home: label(LABEL_HOME),
        image: found.image.unwrap_or_default(),
        state: match state.status {
            Some(ContainerStateStatusEnum::CREATED) => State::Created,
            Some(ContainerStateStatusEnum::RUNNING) => State::Running,
            Some(ContainerStateStatusEnum::PAUSED) => State::Paused,
            Some(ContainerStateStatusEnum::RESTARTING) => State::Restarting,
            Some(ContainerStateStatusEnum::EXITED) => State::Exited,
            _ => State::Dead,
        },
        health: match health.status {
            Some(HealthStatusEnum::STARTING) => Health::Starting,
            Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
            // While nobody checks (paused, just unpaused) old engines say "unhealthy" without any failure.
            Some(HealthStatusEnum::UNHEALTHY) if health.failing_streak == Some(0) => Health::Starting,
            Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
            _ => Health::Unknown,
        },
        health_says: health
            .log
            .and_then(|log| log.into_iter().next_back()?.output)
            .map(|text| text.trim().to_owned())
            .unwrap_or_default(),
        since: state.started_at.unwrap_or_default(),
        restarts: found.restart_count.unwrap_or_default(),
        exit_code: state.exit_code.unwrap_or_default(),
        networks: network
            .networks
            .unwrap_or_default()
            .into_values()
            .map(|endpoint| endpoint.network_id.filter(|id| !id.is_empty()).unwrap_or_else(|| asked.clone()))
            .collect(),
        properties,
        ports: network.ports.as_ref().map(ports).unwrap_or_default(),
    }
}

fn ports(map: &PortMap) -> Vec<(u16, SocketAddr)> {
    let mut found: Vec<(u16, SocketAddr)> = map
        .iter()
        .flat_map(|(inside, bindings)| {
            bindings.iter().flatten().filter_map(|binding| {
                let address = binding.host_ip.as_deref()?.parse().ok()?;
                let port = binding.host_port.as_deref()?.parse().ok()?;
                Some((inside_port(inside)?, SocketAddr::new(address, port)))
            })
        })
        .collect();
    found.sort();
    found
}

fn inside_port(text: &str) -> Option<u16> {
    text.split('/').next()?.parse().ok()
}

/// The words of `ContainerSpec::properties`, from what the engine reports.
fn properties(found: &ContainerInspectResponse) -> Properties {
    let config = found.config.clone().unwrap_or_default();
    let host = found.host_config.clone().unwrap_or_default();
    let mut properties = Properties::new();
    properties.insert("command", config.cmd.unwrap_or_default().join(" "));
    properties.insert("user", config.user.unwrap_or_default());
    properties.insert("groups", sorted(host.group_add.clone().unwrap_or_default()));
    properties.insert("capabilities", capabilities(&host));
    properties.insert("mounts", sorted(host.binds.clone().unwrap_or_default()));
    let tmpfs = host.tmpfs.clone().unwrap_or_default();
    properties.insert("tmpfs", sorted(tmpfs.iter().map(|(path, options)| format!("{path}:{options}"))));
    properties.insert("ports", sorted(asked_ports(&host)));
    properties.insert("memory", host.memory.unwrap_or_default().to_string());
    properties.insert("millicpus", (host.nano_cpus.unwrap_or_default() / 1_000_000).to_string());
    properties.insert("pids", host.pids_limit.unwrap_or_default().to_string());
    let restart = host.restart_policy.and_then(|policy| policy.name);
    properties.insert("restart", restart.map(|name| name.to_string()).unwrap_or_default());
    properties.insert("read-only root", host.readonly_rootfs.unwrap_or_default().to_string());
    let options = host.security_opt.unwrap_or_default();
    let locked =
        options.iter().any(|option| option.starts_with("no-new-privileges") && !option.ends_with("false"));
    properties.insert("no-new-privileges", locked.to_string());
    let test = config.healthcheck.and_then(|check| check.test).unwrap_or_default();
    properties.insert("health check", test.iter().skip(1).cloned().collect::<Vec<_>>().join(" "));
    let log = host.log_config.unwrap_or_default();
    let log_options = log.config.unwrap_or_default();
    let option = |name: &str| log_options.get(name).cloned().unwrap_or_default();
    let rotation = format!("{} {} x {}", log.typ.unwrap_or_default(), option("max-size"), option("max-file"));
    properties.insert("log rotation", rotation);
    properties
}

/// What it may do; anything but "drop all, add these" shows, and so does `--privileged`.
fn capabilities(host: &HostConfig) -> String {
    let added = host.cap_add.clone().unwrap_or_default();
    let mut words: Vec<String> =
        added.iter().map(|name| name.strip_prefix("CAP_").unwrap_or(name).to_owned()).collect();
    if host.cap_drop.as_deref().is_none_or(|dropped| dropped != ["ALL"]) {
        words.push("and the engine's defaults".to_owned());
    }
    if host.privileged == Some(true) {
        words.push("privileged".to_owned());
    }
    sorted(words)
}

fn asked_ports(host: &HostConfig) -> Vec<String> {
    host.port_bindings
        .iter()
        .flatten()
        .flat_map(|(inside, bindings)| {
            bindings.iter().flatten().map(move |binding| {
                format!(
                    "{}:{}->{}",
                    binding.host_ip.as_deref().unwrap_or_default(),
                    binding.host_port.as_deref().unwrap_or("0"),
                    inside_port(inside).unwrap_or_default()
                )
            })
        })
        .collect()
}
