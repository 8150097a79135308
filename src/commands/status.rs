//! `mailctl status`.

mod certificate;

use super::{names, scene::Scene};
use crate::{
    error::{Error, codes},
    plan::{
        self, Service,
        observed::{Container, Health, State},
        upgrade::Checked,
    },
    ui::Ui,
    world::{World, health},
};
use serde::Serialize;
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// How long mailctld may take to tell how its lists stand.
const LISTS: Duration = Duration::from_secs(1);

/// Show the services: state, health, ports, queue, and which certificate every port shows
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Do not ask the ports for their certificates
    #[arg(long)]
    quick: bool,
}

/// One service, as shown.
#[derive(Debug, Serialize)]
pub struct Shown {
    service: Service,
    container: String,
    state: Option<State>,
    health: Health,
    says: String,
    since: String,
    restarts: i64,
    ports: Vec<Published>,
}

#[derive(Debug, Serialize)]
struct Published {
    container: u16,
    host: u16,
    address: std::net::IpAddr,
}

/// Prints it; exit status 1 when something is wrong.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let scene = Scene::look(world).await?;
    let services = services(&scene);
    let queue = health::queue_length(&world.paths.spool());
    let generation = scene.observed.config.as_ref().map(|config| config.number);
    let (now, checked) = (names::now(), world.last_update_check());
    let checked = checked.filter(|last| Some(&last.image) == scene.observed.image.as_ref());
    let alerts = world.alerts()?;
    let alerts: Vec<_> = alerts.standing().into_iter().map(|entry| &entry.alert).collect();
    let pending = plan::plan(&scene.stack, &scene.observed).steps.len();
    let wrong: Vec<&str> =
        services.iter().filter(|shown| !shown.well()).map(|shown| shown.service.name()).collect();
    // Who is not well is told below; asking it for more would only take time.
    let asked = timeout(LISTS, world.lists_live());
    let lists = if wrong.is_empty() { asked.await.ok().and_then(Result::ok) } else { None };
    let standing = certificate::standing(world, &scene, args.quick, now).await?;
    let fault = standing.fault();
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "project": world.project, "home": world.paths.home(), "image": scene.stack.image,
            "configuration": generation, "queue": queue, "pending_steps": pending,
            "well": wrong.is_empty() && fault.is_none(), "services": services, "updates": checked, "alerts": alerts,
            "tls": standing, "lists": lists,
        }));
    } else {
        for shown in &services {
            ui.data(shown.line());
        }
        let generation = generation.map_or("none".to_owned(), |number| format!("{number:04}"));
        ui.data(format!(
            "image {}, configuration {generation}, {queue} message(s) in the queue",
            scene.stack.image
        ));
        standing.tell(ui);
        alerts.iter().for_each(|alert| ui.say(format!("alert: {}; {}", alert.what, alert.remedy)));
        for trouble in lists.iter().flat_map(|lists| &lists.troubles) {
            ui.warn(format!("lists/{}: {}; {}", trouble.file, trouble.what, trouble.instead));
        }
        for zone in lists.iter().flat_map(|lists| &lists.zones) {
            if let Some(why) = &zone.unfit {
                ui.warn(format!("blocklist {} is not asked: {why}; see mailctl help policy", zone.zone));
            }
        }
        for line in updates(checked.as_ref(), scene.settings.update_interval, now) {
            ui.say(line);
        }
        if pending > 0 {
            ui.say(format!("{pending} step(s) away from the settings; `mailctl plan` shows them"));
        }
    }
    match wrong.first() {
        None => fault.map_or(Ok(()), Err),
        Some(_) if scene.observed.containers.is_empty() => {
            Err(Error::new(codes::STACK_DOWN, "the stack does not run").hint("mailctl up"))
        }
        Some(first) => Err(Error::new(codes::STACK_UNHEALTHY, format!("not well: {}", wrong.join(", ")))
            .hint(format!("mailctl logs {first}"))
            .hint("mailctl up")),
    }
}

/// What is known of newer packages, and a reminder where that is old.
fn updates(checked: Option<&Checked>, interval: Option<u64>, now: i64) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(last) = checked {
        let age = names::age(now - last.at);
        lines.push(match last.upgrades.as_slice() {
            [] => format!("every package was the newest of its distribution {age} ago"),
            [one] => format!("{} has a newer version (seen {age} ago); mailctl upgrade", one.package),
            [first, rest @ ..] => format!(
                "{} and {} more package(s) have a newer version (seen {age} ago); mailctl upgrade",
                first.package,
                rest.len()
            ),
        });
    }
    let holds = |interval| checked.is_some_and(|last| last.holds(&last.image, now, interval));
    if interval.is_some_and(|interval| !holds(interval)) {
        lines.push("nobody has looked for newer packages lately; mailctl image check does".to_owned());
    }
    lines
}

/// Every service of the stack.
pub fn services(scene: &Scene) -> Vec<Shown> {
    Service::ALL.into_iter().map(|service| shown(service, scene.container(service))).collect()
}

/// Which ports each service is reached on.
pub fn published(scene: &Scene) -> Vec<(Service, String)> {
    let all = Service::ALL.into_iter().filter_map(|service| Some((service, scene.container(service)?)));
    all.filter(|(_, found)| !found.ports.is_empty())
        .map(|(service, found)| (service, ports(&found.ports)))
        .collect()
}

fn shown(service: Service, found: Option<&Container>) -> Shown {
    let health = found.map_or(Health::Unknown, |found| found.health);
    Shown {
        service,
        container: found.map(|found| found.name.clone()).unwrap_or_default(),
        state: found.map(|found| found.state),
        health,
        says: found
            .map(|found| found.health_says.lines().next().unwrap_or_default().to_owned())
            .unwrap_or_default(),
        since: found.map(|found| found.since.clone()).unwrap_or_default(),
        restarts: found.map_or(0, |found| found.restarts),
        ports: found
            .into_iter()
            .flat_map(|found| &found.ports)
            .map(|&(container, on)| Published { container, host: on.port(), address: on.ip() })
            .collect(),
    }
}

impl Shown {
    fn well(&self) -> bool {
        self.state == Some(State::Running) && self.health != Health::Unhealthy
    }

    fn line(&self) -> String {
        let state = match self.state {
            None => "missing",
            Some(State::Created) => "created",
            Some(State::Running) => "running",
            Some(State::Paused) => "paused",
            Some(State::Restarting) => "restarting",
            Some(State::Exited) => "stopped",
            Some(State::Dead) => "dead",
        };
        let health = match self.health {
            Health::Starting => "starting",
            Health::Healthy => "healthy",
            Health::Unhealthy => "UNHEALTHY",
            Health::Unknown => "-",
        };
        let since = self.since.get(..19).map_or("-".to_owned(), |time| format!("{time}Z"));
        let pairs: Vec<(u16, SocketAddr)> = self
            .ports
            .iter()
            .map(|port| (port.container, SocketAddr::new(port.address, port.host)))
            .collect();
        let says = if self.well() { String::new() } else { format!("  {}", self.says) };
        let line =
            format!("{:<9} {state:<10} {health:<9} since {since}  {}{says}", self.service, ports(&pairs));
        line.trim_end().to_owned()
    }
}

/// `25 587 2143->143`: the host's port, and the usual one where it differs.
fn ports(all: &[(u16, SocketAddr)]) -> String {
    let mut words: Vec<String> = Vec::new();
    for (inside, address) in all {
        let word = if address.port() == *inside {
            inside.to_string()
        } else {
            format!("{}->{inside}", address.port())
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::upgrade::Upgrade;

    /// Proves: S0-26 (UPDATE_CHECK, UPDATE_INTERVAL)
    #[test]
    fn newer_packages_are_told_and_an_old_look_is_reminded_of() {
        let upgrade = |package: &str| Upgrade {
            package: package.to_owned(),
            installed: "1".to_owned(),
            available: "2".to_owned(),
        };
        let found = |names: &[&str]| Checked {
            at: 0,
            image: "a".to_owned(),
            upgrades: names.iter().map(|name| upgrade(name)).collect(),
        };
        let told = |checked: Option<&Checked>, interval, now| updates(checked, interval, now).join("\n");
        assert_eq!(told(None, None, 0), "");
        assert!(told(None, Some(3600), 0).contains("mailctl image check"));
        let fresh = found(&[]);
        assert_eq!(
            told(Some(&fresh), Some(3600), 600),
            "every package was the newest of its distribution 10 min ago"
        );
        assert!(told(Some(&fresh), Some(3600), 7200).contains("2 h ago\nnobody has looked"));
        assert!(!told(Some(&fresh), None, 7200).contains("nobody"));
        let old = found(&["libssl3t64", "postfix", "tzdata"]);
        assert!(
            told(Some(&old), Some(3600), 60).starts_with("libssl3t64 and 2 more package(s) have a newer")
        );
    }

    #[test]
    fn ports_are_shown_once_and_as_the_host_has_them() {
        let all = [(25, "0.0.0.0:25"), (25, "[::]:25"), (143, "127.0.0.1:2143")]
            .map(|(inside, address)| (inside, address.parse().unwrap()));
        assert_eq!(ports(&all), "25 2143->143");
    }
}
