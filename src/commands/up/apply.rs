//! Doing a plan. Nothing is decided here; what does not depend on each other is done at the same time.

use super::check;
use crate::{
    commands::scene::Scene,
    error::{Error, codes},
    plan::{Plan, Service, Step, usable_network},
    ui::{Progress, Ui},
    world::{World, socket},
};
use futures_util::future::{join_all, try_join_all};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

/// How long a service may take until its sockets accept; its peers are started then in any case.
const SOCKETS: Duration = Duration::from_secs(10);

/// Does every step.
pub async fn apply(world: &World, scene: &mut Scene, plan: &Plan, ui: &mut Ui) -> Result<(), Error> {
    let progress = ui.progress();
    let mut hands = Hands { world, scene, progress: &progress, warnings: Vec::new(), made: BTreeMap::new() };
    let result = hands.all(&plan.steps).await;
    let warnings = std::mem::take(&mut hands.warnings);
    drop(progress);
    for warning in warnings {
        ui.warn(warning);
    }
    result
}

struct Hands<'a> {
    world: &'a World,
    scene: &'a mut Scene,
    progress: &'a Progress,
    /// What the linters complained about without refusing.
    warnings: Vec<String>,
    /// Containers made by this plan.
    made: BTreeMap<Service, String>,
}

impl Hands<'_> {
    async fn all(&mut self, steps: &[Step]) -> Result<(), Error> {
        let mut network = None;
        let mut rest = steps;
        while let [step, after @ ..] = rest {
            rest = after;
            match step {
                Step::Create { .. } => {
                    let network = network_id(self.scene, network.as_deref())?;
                    let (batch, after) =
                        split(steps_from(steps, rest), |step| matches!(step, Step::Create { .. }));
                    self.create(batch, &network).await?;
                    rest = after;
                }
                Step::Start { .. } => {
                    let (batch, after) =
                        split(steps_from(steps, rest), |step| matches!(step, Step::Start { .. }));
                    self.start(batch).await?;
                    rest = after;
                }
                Step::Remove { .. } => {
                    let (batch, after) =
                        split(steps_from(steps, rest), |step| matches!(step, Step::Remove { .. }));
                    self.remove(batch).await?;
                    rest = after;
                }
                Step::CreateNetwork { mtu, .. } => network = Some(self.create_network(*mtu).await?),
                other => self.one(other).await?,
            }
        }
        Ok(())
    }

    async fn one(&mut self, step: &Step) -> Result<(), Error> {
        self.tell(std::slice::from_ref(step));
        let (world, engine) = (self.world, &self.scene.engine);
        match step {
            Step::Folder { folder, .. } => world.make_folder(folder),
            Step::WriteConfig { number, .. } => world.write_generation(*number, &self.scene.stack.config),
            Step::CheckConfig { number } => {
                self.progress.phase("checking the configuration");
                let complaints = check::check(world, self.scene, *number).await?;
                self.warnings.extend(complaints);
                Ok(())
            }
            Step::SwitchConfig { to, .. } => world.switch_generation(*to),
            Step::RemoveNetwork { id, .. } => engine.remove_network(id).await,
            Step::Unpause { id, .. } => engine.unpause(id).await,
            Step::Reload { service, id, signal, .. } => {
                engine.signal(id, *signal).await?;
                // Who reads its configuration next may be told there of a socket that is still to come.
                self.accepting(self.sockets(*service)).await;
                Ok(())
            }
            Step::ForgetConfigs { numbers } => world.forget_generations(numbers),
            Step::BuildImage { tag } => {
                Err(Error::new(codes::BUG, format!("image {tag} vanished while the plan was made"))
                    .hint("mailctl up"))
            }
            Step::Create { .. } | Step::Start { .. } | Step::Remove { .. } | Step::CreateNetwork { .. } => {
                Ok(())
            }
        }
    }

    fn tell(&self, batch: &[Step]) {
        batch.iter().for_each(|step| self.progress.doing(&step.to_string()));
    }

    /// A new network has a gateway of its own; the settings may trust it.
    async fn create_network(&mut self, mtu: Option<u32>) -> Result<String, Error> {
        self.progress.phase("creating the network");
        let id = self.scene.engine.create_network(&self.scene.stack.network, mtu).await?;
        self.scene.observed.gateways = self.scene.engine.networks().await?.1;
        if let Err(error) = self.scene.trust() {
            self.scene.engine.remove_network(&id).await?;
            return Err(error);
        }
        Ok(id)
    }

    async fn create(&mut self, batch: &[Step], network: &str) -> Result<(), Error> {
        self.progress.phase("creating the containers");
        self.tell(batch);
        let scene = &*self.scene;
        let made = batch.iter().filter_map(service_of).filter_map(|service| {
            let spec = scene.stack.container(service)?;
            Some(async move { Ok::<_, Error>((service, scene.engine.create(spec, network).await?)) })
        });
        self.made.extend(try_join_all(made).await?);
        Ok(())
    }

    /// Those with sockets first, all at once; who connects to them when they accept: an smtpd that finds none
    /// of them dies, and its master waits before it tries again.
    async fn start(&mut self, batch: &[Step]) -> Result<(), Error> {
        self.progress.phase("starting the services");
        self.tell(batch);
        let serves = |step: &&Step| service_of(step).is_some_and(|service| !service.sockets().is_empty());
        let (first, last): (Vec<&Step>, Vec<&Step>) = batch.iter().partition(serves);
        let scene = &*self.scene;
        try_join_all(first.iter().map(|step| start_one(scene, &self.made, step))).await?;
        if !last.is_empty() {
            let sockets = first.iter().filter_map(|step| service_of(step));
            self.accepting(sockets.flat_map(|service| self.sockets(service)).collect()).await;
        }
        try_join_all(last.iter().map(|step| start_one(scene, &self.made, step))).await?;
        Ok(())
    }

    fn sockets(&self, service: Service) -> Vec<PathBuf> {
        let run = self.world.paths.run();
        self.scene.stack.sockets(service).iter().map(|name| run.join(name)).collect()
    }

    /// Waits until every socket accepts. One that never does is found by the health checks, with its reason.
    async fn accepting(&self, mut sockets: Vec<PathBuf>) {
        let began = Instant::now();
        while began.elapsed() < SOCKETS {
            let refused = join_all(sockets.iter().map(|socket| socket::accepts(socket))).await;
            let mut refused = refused.into_iter().map(|answer| answer.is_err());
            sockets.retain(|_| refused.next() == Some(true));
            if sockets.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Politely: what runs is stopped first, so that no session is cut.
    async fn remove(&self, batch: &[Step]) -> Result<(), Error> {
        self.progress.phase("removing containers");
        self.tell(batch);
        let engine = &self.scene.engine;
        try_join_all(batch.iter().map(|step| async move {
            let Step::Remove { id, service, .. } = step else { return Ok(()) };
            engine.stop(id, service.map_or(1, |service| service.grace().min(20))).await?;
            engine.remove(id).await
        }))
        .await?;
        Ok(())
    }
}

async fn start_one(scene: &Scene, made: &BTreeMap<Service, String>, step: &Step) -> Result<(), Error> {
    let Step::Start { service, id, .. } = step else { return Ok(()) };
    let id = id.as_ref().or_else(|| made.get(service));
    match (id, scene.stack.container(*service)) {
        (Some(id), Some(spec)) => scene.engine.start(id, spec).await,
        _ => Err(Error::new(codes::BUG, format!("{service} was to be started and does not exist"))),
    }
}

fn service_of(step: &Step) -> Option<Service> {
    match step {
        Step::Create { service, .. } | Step::Start { service, .. } => Some(*service),
        _ => None,
    }
}

/// The network that a new container joins: the one just made, or the one that is there.
fn network_id(scene: &Scene, made: Option<&str>) -> Result<String, Error> {
    let found = usable_network(&scene.stack, &scene.observed);
    made.map(str::to_owned)
        .or_else(|| found.map(|network| network.id.clone()))
        .ok_or_else(|| Error::new(codes::BUG, "a container was to be made before its network"))
}

/// `rest` is what follows the step at hand: the steps from that step on.
fn steps_from<'a>(all: &'a [Step], rest: &'a [Step]) -> &'a [Step] {
    &all[all.len() - rest.len() - 1..]
}

/// The steps at the front that are alike, and those after them.
fn split(steps: &[Step], alike: impl Fn(&Step) -> bool) -> (&[Step], &[Step]) {
    let end = steps.iter().position(|step| !alike(step)).unwrap_or(steps.len());
    steps.split_at(end)
}
