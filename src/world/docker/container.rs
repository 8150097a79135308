//! Making, starting, telling and removing containers.

use super::{Engine, absent, call, call_within, held};
use crate::{
    error::{Error, codes},
    plan::{
        service::Signal,
        spec::{ContainerSpec, LABEL_HOME, LABEL_PROJECT, LABEL_SERVICE, LABEL_SPEC},
    },
    world::process,
};
use bollard::{
    models::{
        ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig,
        NetworkingConfig, PortBinding, PortMap, RestartPolicy, RestartPolicyNameEnum,
    },
    query_parameters::{
        CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
        StopContainerOptionsBuilder,
    },
};
use std::time::Duration;

const SECOND: i64 = 1_000_000_000;

impl Engine {
    /// Makes a container on network `network` (its id); the result is the container's id.
    pub async fn create(&self, spec: &ContainerSpec, network: &str) -> Result<String, Error> {
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
        let doing = format!("create container {}", spec.name);
        let made = call_within(
            Duration::from_secs(30),
            &doing,
            self.docker.create_container(Some(options), self.body(spec, network)),
        )
        .await
        .map_err(|error| name_taken(error, &spec.name))?;
        Ok(made.id)
    }

    /// Starts it.
    pub async fn start(&self, id: &str, spec: &ContainerSpec) -> Result<(), Error> {
        let work = self.docker.start_container(id, None::<StartContainerOptions>);
        let doing = format!("start container {}", spec.name);
        let Err(error) = call_within(Duration::from_secs(30), &doing, work).await else { return Ok(()) };
        match process::allocated(&error, spec) {
            Some(port) if !self.publishes(port).await? => Err(held(port)),
            _ => Err(process::port_taken(error, spec)),
        }
    }

    /// TERM, and after the grace KILL.
    pub async fn stop(&self, id: &str, grace: u32) -> Result<(), Error> {
        let options =
            StopContainerOptionsBuilder::default().t(i32::try_from(grace).unwrap_or(i32::MAX)).build();
        call_within(Duration::from_secs(u64::from(grace) + 15), "stop a container", async {
            let result = self.docker.stop_container(id, Some(options)).await;
            if absent(&result) { Ok(()) } else { result }
        })
        .await
    }

    /// Removes it, running or not; one that is gone already is as good.
    pub async fn remove(&self, id: &str) -> Result<(), Error> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        call_within(Duration::from_secs(30), "remove a container", async {
            let result = self.docker.remove_container(id, Some(options)).await;
            // 409: another call is removing it right now.
            let going = matches!(
                &result,
                Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. })
            );
            if absent(&result) || going { Ok(()) } else { result }
        })
        .await
    }

    /// Lets our program inside it signal its first process. Never by the engine's own call: with engine 20.10 a
    /// container that was sent any signal that way counts as stopped by hand, and is started again neither after
    /// a crash nor after a reboot.
    pub async fn signal(&self, id: &str, signal: Signal) -> Result<(), Error> {
        let outcome = self.exec(id, &["mailctl", "signal", signal.name()], Duration::from_secs(20)).await?;
        if outcome.status == 0 {
            return Ok(());
        }
        Err(Error::new(codes::ENGINE_REFUSED, format!("cannot send {} to a service", signal.name()))
            .cause(outcome.output.lines().next().unwrap_or_default()))
    }

    /// Lets a frozen one go on.
    pub async fn unpause(&self, id: &str) -> Result<(), Error> {
        call("unpause a container", self.docker.unpause_container(id)).await
    }

    pub(super) fn body(&self, spec: &ContainerSpec, network: &str) -> ContainerCreateBody {
        let labels = [
            (LABEL_PROJECT, self.project.clone()),
            (LABEL_SERVICE, spec.service.name().to_owned()),
            (LABEL_SPEC, spec.digest()),
            (LABEL_HOME, self.home.clone()),
        ];
        // Under its own name as well, whatever the project is called.
        let alias = spec.service.name().to_owned();
        let endpoint = EndpointSettings { aliases: Some(vec![alias]), ..Default::default() };
        ContainerCreateBody {
            image: Some(spec.image.clone()),
            hostname: Some(spec.hostname.clone()),
            user: Some(spec.user.clone()),
            cmd: Some(spec.command.clone()),
            env: Some(spec.environment.clone()),
            labels: Some(labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            exposed_ports: Some(spec.ports.iter().map(|port| format!("{}/tcp", port.inside)).collect()),
            stop_timeout: Some(i64::from(spec.stop_grace)),
            healthcheck: Some(health(spec)),
            host_config: Some(host_config(spec, network)),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some([(network.to_owned(), endpoint)].into()),
            }),
            ..Default::default()
        }
    }
}

fn health(spec: &ContainerSpec) -> HealthConfig {
    let mut test = vec!["CMD".to_owned()];
    test.extend(spec.health.command.iter().cloned());
    HealthConfig {
        test: Some(test),
        interval: Some(i64::from(spec.health.interval) * SECOND),
        timeout: Some(i64::from(spec.health.timeout) * SECOND),
        retries: Some(i64::from(spec.health.retries)),
        start_period: Some(i64::from(spec.health.start_period) * SECOND),
        // Old engines do not know it and wait a whole interval for the first check.
        start_interval: Some(SECOND),
    }
}

fn host_config(spec: &ContainerSpec, network: &str) -> HostConfig {
    let mut ports = PortMap::new();
    for port in &spec.ports {
        let binding =
            PortBinding { host_ip: Some(port.address.to_string()), host_port: Some(port.host.to_string()) };
        ports.entry(format!("{}/tcp", port.inside)).or_default().get_or_insert_default().push(binding);
    }
    let memory = i64::try_from(spec.memory).ok();
    HostConfig {
        network_mode: Some(network.to_owned()),
        binds: Some(spec.mounts.iter().map(crate::plan::spec::Mount::to_bind).collect()),
        tmpfs: Some(spec.tmpfs.clone().into_iter().collect()),
        port_bindings: Some(ports),
        group_add: Some(spec.groups.iter().map(u32::to_string).collect()),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(spec.capabilities.iter().map(ToString::to_string).collect()),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        readonly_rootfs: Some(true),
        memory,
        memory_swap: memory,
        nano_cpus: Some(i64::from(spec.millicpus) * 1_000_000),
        pids_limit: Some(i64::from(spec.pids)),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(
                [
                    ("max-size".to_owned(), spec.log_rotation.0.to_owned()),
                    ("max-file".to_owned(), spec.log_rotation.1.to_owned()),
                ]
                .into(),
            ),
        }),
        ..Default::default()
    }
}

fn name_taken(error: Error, name: &str) -> Error {
    if !error.causes().iter().any(|cause| cause.contains("already in use")) {
        return error;
    }
    Error::new(codes::STACK_FOREIGN, format!("the name {name} is taken by a container that is not ours"))
        .hint(format!("docker rm {name}, if nobody needs it"))
        .hint("or use another name for this stack: mailctl --project NAME up")
}
