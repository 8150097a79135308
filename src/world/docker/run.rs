//! A container for one program that ends.

use super::{Engine, call, call_within, exec::Outcome};
use crate::{
    error::Error,
    plan::spec::{LABEL_HOME, LABEL_PROJECT, LABEL_SERVICE, Mount},
};
use bollard::{
    models::{ContainerCreateBody, HostConfig},
    query_parameters::{
        CreateContainerOptions, LogsOptionsBuilder, StartContainerOptions, WaitContainerOptions,
    },
};
use futures_util::StreamExt;
use std::time::Duration;

/// Octets of memory, folders in memory included: a mirror's lists or a linter gone astray must not take the
/// host's.
const MEMORY: i64 = 1 << 30;
/// Processes and threads.
const PIDS: i64 = 200;

/// What to run, and what it may touch.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// The service label: a job that was interrupted is removed by the next plan as a stranger.
    pub label: &'static str,
    /// Image.
    pub image: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Host name it sees.
    pub hostname: String,
    /// Capabilities.
    pub capabilities: Vec<&'static str>,
    /// Folders of the host.
    pub mounts: Vec<Mount>,
    /// Folders in memory.
    pub tmpfs: Vec<(String, String)>,
    /// How far it reaches.
    pub reach: Reach,
}

/// How far a job reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere: no network at all.
    #[default]
    Nothing,
    /// The world, through the engine's default network.
    World,
    /// The world, through the host's own network: where packets of the engine's do not pass the host's way out.
    Host,
}

impl Engine {
    /// Runs it, waits for its end, removes it.
    pub async fn run(&self, job: &Job, limit: Duration) -> Result<Outcome, Error> {
        let doing = format!("run {}", job.command.join(" "));
        let made = call_within(
            Duration::from_secs(30),
            &doing,
            self.docker.create_container(None::<CreateContainerOptions>, self.job_body(job)),
        )
        .await?;
        let outcome = self.run_made(&made.id, &doing, limit).await;
        let removed = self.remove(&made.id).await;
        // What went wrong first is what is told.
        let outcome = outcome?;
        removed.map(|()| outcome)
    }

    async fn run_made(&self, id: &str, doing: &str, limit: Duration) -> Result<Outcome, Error> {
        call_within(
            Duration::from_secs(30),
            doing,
            self.docker.start_container(id, None::<StartContainerOptions>),
        )
        .await?;
        let status = call_within(limit, doing, async {
            use bollard::errors::Error as E;
            match self.docker.wait_container(id, None::<WaitContainerOptions>).next().await {
                Some(Ok(ended)) => Ok(ended.status_code),
                // A status that is not zero arrives as an error.
                Some(Err(E::DockerContainerWaitError { code, .. })) => Ok(code),
                Some(Err(error)) => Err(error),
                None => Err(E::DockerStreamError { error: "the engine did not say how it ended".to_owned() }),
            }
        })
        .await?;
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail("500").build();
        let output = call("read what a program said", async {
            let parts: Vec<_> = self.docker.logs(id, Some(options)).collect().await;
            let mut text = Vec::new();
            for part in parts {
                text.extend_from_slice(&part?.into_bytes());
            }
            Ok(String::from_utf8_lossy(&text).into_owned())
        })
        .await?;
        Ok(Outcome { status, output })
    }

    fn job_body(&self, job: &Job) -> ContainerCreateBody {
        let labels = [
            (LABEL_PROJECT, self.project.clone()),
            (LABEL_SERVICE, job.label.to_owned()),
            (LABEL_HOME, self.home.clone()),
        ];
        ContainerCreateBody {
            image: Some(job.image.clone()),
            cmd: Some(job.command.clone()),
            // On the host's own network a name of its own cannot be given by every engine.
            hostname: (job.reach != Reach::Host).then(|| job.hostname.clone()),
            labels: Some(labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            host_config: Some(host_config(job)),
            ..Default::default()
        }
    }
}

fn host_config(job: &Job) -> HostConfig {
    HostConfig {
        network_mode: Some(
            match job.reach {
                Reach::Nothing => "none",
                Reach::World => "bridge",
                Reach::Host => "host",
            }
            .to_owned(),
        ),
        binds: Some(job.mounts.iter().map(Mount::to_bind).collect()),
        tmpfs: Some(job.tmpfs.iter().cloned().collect()),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(job.capabilities.iter().map(ToString::to_string).collect()),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        readonly_rootfs: Some(true),
        memory: Some(MEMORY),
        memory_swap: Some(MEMORY),
        pids_limit: Some(PIDS),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: threats 32 (a container that is there for a moment is limited like those that stay).
    #[test]
    fn a_job_has_limits_and_no_rights() {
        let host = host_config(&Job::default());
        assert_eq!((host.memory, host.memory_swap), (Some(MEMORY), Some(MEMORY)));
        assert_eq!(host.pids_limit, Some(PIDS));
        assert_eq!((host.readonly_rootfs, host.cap_drop), (Some(true), Some(vec!["ALL".to_owned()])));
        assert_eq!(host.cap_add, Some(Vec::new()));
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert!(host.privileged.is_none());
    }
}
