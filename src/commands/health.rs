//! `mailctl health [SERVICE]`: on the host it asks inside every container; `--inside` is the container's part.

use super::scene::Scene;
use crate::{
    error::{Error, codes},
    plan::{Service, observed::State},
    ui::Ui,
    world::{World, health},
};
use std::time::{Duration, Instant};

/// Ask the services, in their own protocols, whether they work
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only this one: mailctld, opendkim, dovecot or postfix
    service: Option<Service>,
    /// Ask from within the service's own container
    #[arg(long, hide = true, requires = "service")]
    inside: bool,
    /// IMAP is on
    #[arg(long, hide = true)]
    imap: bool,
    /// HTTP and HTTPS are on
    #[arg(long, hide = true)]
    web: bool,
    /// Only whether it answers, and wait so many seconds until it does
    #[arg(long, hide = true, value_name = "SECONDS")]
    ready: Option<u64>,
}

/// Between two tries of a service that is coming up.
const PAUSE: Duration = Duration::from_millis(25);

/// A wrong answer that stays the same for so long will not become a right one: what comes up says nothing
/// first, not something else.
const STEADY: Duration = Duration::from_secs(5);

/// Exit status 0 when all is well, 1 when something is wanting.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    if let (true, Some(service)) = (args.inside, args.service) {
        let scope = health::Scope { imap: args.imap, web: args.web, ready: args.ready.is_some() };
        let until = Instant::now() + Duration::from_secs(args.ready.unwrap_or(0));
        return match patiently(service, scope, until).await {
            Ok(line) => {
                ui.data(line);
                Ok(())
            }
            Err(error) => {
                // On stdout as well, as one line: the engine keeps it with the container's health.
                ui.data(error.to_string());
                Err(error)
            }
        };
    }
    let scene = Scene::look(world).await?;
    let mut sick = Vec::new();
    for spec in
        scene.stack.containers.iter().filter(|spec| args.service.is_none_or(|one| one == spec.service))
    {
        let running = scene.container(spec.service).filter(|found| found.state == State::Running);
        let answer = match running {
            None => Err("it does not run".to_owned()),
            Some(container) => scene.ask(spec, &container.id, None).await,
        };
        match answer {
            Ok(line) => ui.data(format!("{:<9} ok    {line}", spec.service)),
            Err(line) => {
                ui.data(format!("{:<9} FAIL  {line}", spec.service));
                sick.push(spec.service.name());
            }
        }
    }
    if sick.is_empty() {
        return Ok(());
    }
    Err(Error::new(codes::STACK_UNHEALTHY, format!("not well: {}", sick.join(", ")))
        .hint(format!("mailctl logs {}", sick[0])))
}

/// Asks until the answer is good, `until` is over, or it is clear that no good one will come.
async fn patiently(service: Service, scope: health::Scope, until: Instant) -> Result<String, Error> {
    let mut wrong: Option<(String, Instant)> = None;
    loop {
        let error = match health::check(service, scope).await {
            Ok(line) => return Ok(line),
            Err(error) => error,
        };
        // mailctld says "try later" for as long as it reads a large directory.
        let told = error.code() == codes::STACK_UNHEALTHY && service != Service::Mailctld;
        wrong = match (wrong, told.then(|| error.to_string())) {
            (Some((before, since)), Some(says)) if before == says => Some((before, since)),
            (_, says) => says.map(|says| (says, Instant::now())),
        };
        let steady = wrong.as_ref().is_some_and(|(_, since)| since.elapsed() >= STEADY);
        if steady || Instant::now() >= until {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
