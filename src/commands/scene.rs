//! What most commands on the stack begin with: the settings, what should run, and what runs.

use crate::{
    error::{Error, codes},
    mail::cert::Place,
    plan::{
        Observed, Service, Stack,
        observed::{Container, Gateway, State},
        spec::ContainerSpec,
        trust,
    },
    render::{self, ConfigSet},
    settings::{Settings, Shown, trust::Trust},
    world::{World, docker::Engine, keys, uplink},
};
use std::time::Duration;

/// Desired and observed, and the engine between them.
pub struct Scene {
    /// The engine.
    pub engine: Engine,
    /// The settings.
    pub settings: Settings,
    /// Each of them with its origin, secrets hidden.
    pub origins: Vec<Shown>,
    /// What works in them but should not stay so.
    pub warnings: Vec<String>,
    /// What should run.
    pub stack: Stack,
    /// What runs.
    pub observed: Observed,
}

impl Scene {
    /// Reads settings and store, renders, asks the engine. Changes nothing.
    pub async fn look(world: &World) -> Result<Self, Error> {
        Self::with_image(world, world.image_tag()?).await
    }

    /// The same as if the stack were to run this image.
    pub async fn with_image(world: &World, image: String) -> Result<Self, Error> {
        let loaded = world.settings()?;
        let (settings, origins, warnings) = (loaded.settings, loaded.origins, loaded.warnings);
        let config = config(world, &settings).await?;
        let engine = world.engine().await?;
        let home = world.paths.home().display().to_string();
        let places = world.paths.places();
        let certificate = keys::tls::fingerprint(&world.paths);
        let stack = Stack::desired(&world.project, &home, &places, &settings, &config, &image, &certificate);
        let observed = observe(world, &engine, &stack).await?;
        let scene = Self { engine, settings, origins, warnings, stack, observed };
        scene.own(world)?;
        Ok(scene)
    }

    /// Looks again.
    pub async fn refresh(&mut self, world: &World) -> Result<(), Error> {
        self.observed = observe(world, &self.engine, &self.stack).await?;
        Ok(())
    }

    /// The container that runs a service, if there is one.
    pub fn container(&self, service: Service) -> Option<&Container> {
        self.observed.containers.iter().find(|found| found.service == service.name())
    }

    /// The container of a service, which must run.
    pub fn running(&self, service: Service) -> Result<&Container, Error> {
        match self.container(service) {
            Some(found) if found.state == State::Running => Ok(found),
            _ => Err(Error::new(codes::STACK_DOWN, format!("{service} does not run")).hint("mailctl up")),
        }
    }

    /// Asks a service's own health check in its container; with `ready`, only whether it answers within so
    /// many seconds.
    pub async fn ask(&self, spec: &ContainerSpec, id: &str, ready: Option<u64>) -> Result<String, String> {
        let seconds = ready.unwrap_or(0).to_string();
        let mut command: Vec<&str> = spec.health.command.iter().map(String::as_str).collect();
        if ready.is_some() {
            command.extend(["--ready", &seconds]);
        }
        let limit = Duration::from_secs(ready.unwrap_or(0) + 10);
        let outcome = self.engine.exec(id, &command, limit).await.map_err(|error| error.to_string())?;
        let line = outcome.output.lines().next().unwrap_or_default().to_owned();
        if outcome.status == 0 { Ok(line) } else { Err(line) }
    }

    /// Refuses a trusted network that holds a gateway of the engine, also in Postfix's own words as far as they
    /// are networks and no tables.
    pub fn trust(&self) -> Result<(), Error> {
        const RAW: &str = "mynetworks";
        let raw = self.settings.raw.main.get(RAW).and_then(|text| Trust::parse(text).ok());
        no_gateway("TRUSTED_NETWORKS", "settings.env", &self.settings.trusted, &self.observed.gateways)?;
        raw.map_or(Ok(()), |raw| no_gateway(RAW, "mailctl.toml", &raw, &self.observed.gateways))
    }

    /// Refuses keys that others can read, and a stack without a certificate.
    pub fn keys(&self, world: &World) -> Result<(), Error> {
        if !keys::tls::served(&world.paths)?.iter().any(|served| served.place == Place::Host) {
            return Err(Error::new(codes::TLS_UNUSABLE, "there is no certificate yet")
                .cause(format!("{} is missing", world.paths.certificate(&Place::Host).display()))
                .hint("mailctl init")
                .hint("mailctl cert import …"));
        }
        // Folders that the plan puts right itself are no reason to refuse.
        let mended = |path: &std::path::Path| {
            self.observed.folders.iter().any(|(folder, _)| std::path::Path::new(&folder.path) == path)
        };
        let findings: Vec<_> =
            keys::check(&world.paths).into_iter().filter(|finding| !mended(&finding.path)).collect();
        let Some(first) = findings.first() else { return Ok(()) };
        let error =
            Error::new(codes::KEYS_EXPOSED, "keys are not safe as they lie there; nothing was started");
        let error = findings.iter().fold(error, |error, finding| {
            error.cause(format!("{} {}", finding.path.display(), finding.what))
        });
        Err(error.hint(first.remedy.clone()))
    }

    /// Containers of our project that another home made are not ours to change.
    fn own(&self, world: &World) -> Result<(), Error> {
        own(&self.observed.containers, &self.stack.home, &world.project)?;
        if let Some(network) = self.observed.networks.iter().find(|network| !network.ours) {
            return Err(Error::new(
                codes::STACK_FOREIGN,
                format!("the network {} is not ours", network.name),
            )
            .hint("use another name for this stack: mailctl --project NAME up"));
        }
        Ok(())
    }
}

fn no_gateway(key: &str, file: &str, networks: &Trust, gateways: &[Gateway]) -> Result<(), Error> {
    let Some(fault) = trust::fault(networks, gateways) else { return Ok(()) };
    let (trusted, gateway) = (fault.trusted, fault.gateway);
    Err(Error::new(codes::TRUST_GATEWAY, format!("{key} holds {trusted}, which everyone can come from"))
        .cause(format!(
            "{} is the gateway of the engine's network {}; connections from outside can appear under it",
            gateway.address, gateway.network
        ))
        .hint(format!("exclude it: {key} = \"!{} {trusted} …\" in {file}", gateway.address)))
}

/// The configuration that settings, store, keys and templates ask for.
pub async fn config(world: &World, settings: &Settings) -> Result<ConfigSet, Error> {
    let store = world.store_to_read().await?;
    let facts = world.facts(settings, &store).await;
    store.close().await;
    render::render(settings, &facts?).map_err(render_failed)
}

/// Refuses to touch containers that another home made under our project's name.
pub fn own(containers: &[Container], home: &str, project: &str) -> Result<(), Error> {
    let serves = |found: &Container| Service::ALL.iter().any(|service| service.name() == found.service);
    let foreign = |found: &&Container| serves(found) && !found.home.is_empty() && found.home != home;
    let Some(found) = containers.iter().find(foreign) else {
        return Ok(());
    };
    Err(Error::new(codes::STACK_FOREIGN, format!("project {project} belongs to another home"))
        .cause(format!("container {} was made for {}", found.name, found.home))
        .hint(format!("mailctl --home {} …, or another --project", found.home)))
}

/// A template or raw setting that cannot be rendered.
fn render_failed(fault: render::Fault) -> Error {
    Error::new(codes::CONFIG_REJECTED, "the configuration cannot be rendered")
        .cause(fault)
        .hint("mailctl config check")
}

async fn observe(world: &World, engine: &Engine, stack: &Stack) -> Result<Observed, Error> {
    let (image, networks, containers) =
        tokio::try_join!(engine.image(&stack.image), engine.networks(), engine.containers())?;
    let (networks, gateways) = networks;
    Ok(Observed {
        image: image.map(|image| image.id),
        networks,
        containers,
        config: world.generation()?,
        next_generation: world.next_generation(),
        generations: world.generation_numbers(),
        loaded: world.loaded(),
        folders: world.wrong_folders(&stack.folders),
        gateways,
        uplink: uplink::mtu(stack.network.subnet6.is_some()),
    })
}
