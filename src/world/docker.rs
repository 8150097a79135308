//! `Engine`: Docker Engine through its API, never through the `docker` command.
//!
//! Traps that shaped this (engine 20.10 and 28): a network's name is not unique on old engines, so networks are
//! listed by label and used by id; an exec's exit status comes only from inspecting it after its output ended;
//! a wait for a non-zero exit arrives as an error; body streams are not covered by the client's time limit.

mod container;
mod context;
mod exec;
mod forget;
mod image;
mod leftover;
mod logs;
mod network;
mod observe;
mod run;
mod tag;

pub use exec::{Ended, Outcome, Window};
pub use image::{Image, Progress};
pub use leftover::held;
pub use logs::Line;
pub use run::{Job, Reach};

use super::{World, socket};
use crate::error::{Error, codes};
use bollard::Docker;
use std::{future::Future, path::Path, time::Duration};

/// Where the engine listens unless `DOCKER_HOST` says otherwise.
const SOCKET: &str = "/var/run/docker.sock";
/// No answer to one call may take longer; a hanging engine is told, not waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The oldest API with everything that we ask for (Docker Engine 19.03).
const OLDEST: (u32, u32) = (1, 40);

/// A connection to the engine, for one project.
#[derive(Clone)]
pub struct Engine {
    docker: Docker,
    project: String,
    version: String,
    home: String,
}

impl World {
    /// Whether the engine is the host's own, as its distribution starts it.
    pub fn uses_the_hosts_engine(&self) -> bool {
        let usual = [format!("unix://{SOCKET}"), format!("unix://{}", &SOCKET["/var".len()..])];
        self.engine.as_ref().is_none_or(|address| usual.contains(address))
    }

    /// Connects, and makes sure that the engine answers and is new enough.
    pub async fn engine(&self) -> Result<Engine, Error> {
        let address = self.engine.clone().unwrap_or_else(|| format!("unix://{SOCKET}"));
        let Some(path) = address.strip_prefix("unix://") else {
            return Err(Error::new(codes::ENGINE_MISSING, format!("cannot use the engine at {address}"))
                .cause("mailctl gives the engine folders of this host, so the engine must be on it")
                .hint("unset DOCKER_HOST"));
        };
        reachable(Path::new(path)).await?;
        let docker = Docker::connect_with_unix(path, 120, bollard::API_DEFAULT_VERSION)
            .map_err(|e| failed("connect to the engine", &e))?;
        let version = call("ask the engine for its version", docker.version()).await?;
        let api = version.api_version.unwrap_or_default();
        if parse_api(&api) < Some(OLDEST) {
            let name = version.version.unwrap_or_default();
            return Err(Error::new(codes::ENGINE_OLD, format!("Docker Engine {name} is too old"))
                .cause(format!("its API is {api}, at least {}.{} is needed", OLDEST.0, OLDEST.1))
                .hint("apt install docker.io"));
        }
        Ok(Engine {
            docker,
            project: self.project.clone(),
            version: version.version.unwrap_or_default(),
            home: self.paths.home().display().to_string(),
        })
    }
}

impl Engine {
    /// The engine's own version.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn project_filter(&self) -> std::collections::HashMap<String, Vec<String>> {
        let label = format!("{}={}", crate::plan::spec::LABEL_PROJECT, self.project);
        [("label".to_owned(), vec![label])].into()
    }
}

/// Tells a missing socket from a forbidden one; the client library calls both "client error".
async fn reachable(path: &Path) -> Result<(), Error> {
    let Err(error) = socket::accepts(path).await else { return Ok(()) };
    let missing = || Error::new(codes::ENGINE_MISSING, "no Docker Engine answers on this host");
    Err(match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            Error::new(codes::ENGINE_DENIED, format!("you may not use the engine at {}", path.display()))
                .cause(error)
                .hint("run mailctl as root (sudo mailctl …)")
        }
        std::io::ErrorKind::NotFound => missing()
            .cause(format!("there is no {}", path.display()))
            .hint("apt install docker.io")
            .hint("systemctl start docker"),
        std::io::ErrorKind::TimedOut => Error::new(codes::ENGINE_HANGS, "cannot connect to the engine")
            .cause(format!("it takes no connection at {}", path.display()))
            .hint("systemctl status docker"),
        _ => missing().cause(format!("{}: {error}", path.display())).hint("systemctl start docker"),
    })
}

fn parse_api(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// One call with a deadline.
async fn call<T>(
    doing: &str,
    work: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, Error> {
    call_within(PATIENCE, doing, work).await
}

async fn call_within<T>(
    limit: Duration,
    doing: &str,
    work: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(|e| failed(doing, &e)),
        Err(_) => Err(Error::new(codes::ENGINE_HANGS, format!("cannot {doing}"))
            .cause(format!("the engine did not answer within {} s", limit.as_secs()))
            .hint("systemctl status docker")),
    }
}

/// The engine's refusal, as it is told to a person.
fn failed(doing: &str, error: &bollard::errors::Error) -> Error {
    use bollard::errors::Error as E;
    let error = match error {
        E::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        E::DockerStreamError { error } => error.trim().to_owned(),
        E::RequestTimeoutError => {
            return Error::new(codes::ENGINE_HANGS, format!("cannot {doing}"))
                .cause("the engine does not answer")
                .hint("systemctl status docker");
        }
        other => chain(other),
    };
    Error::new(codes::ENGINE_REFUSED, format!("cannot {doing}"))
        .cause(error)
        .hint("journalctl -u docker -n 50")
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// Whether the engine says that the thing is not there.
fn absent<T>(result: &Result<T, bollard::errors::Error>) -> bool {
    matches!(result, Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_compare_as_numbers() {
        assert!(parse_api("1.9") < Some(OLDEST));
        assert!(parse_api("1.41") >= Some(OLDEST));
        assert!(parse_api("nonsense") < Some(OLDEST));
    }
}
