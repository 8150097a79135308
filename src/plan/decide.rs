//! `plan`: desired and observed become steps.

use super::{
    mtu,
    observed::{Container, Generation, Network, Observed, State, old_generations},
    service::Service,
    spec::{ContainerSpec, JOB_IMAGE, JOB_UPDATES},
    stack::Stack,
    step::{Plan, Step},
};

/// The steps from `observed` to `stack`.
pub fn plan(stack: &Stack, observed: &Observed) -> Plan {
    let mut plan = Plan::default();
    if observed.image.is_none() {
        plan.steps.push(Step::BuildImage { tag: stack.image.clone() });
    }
    plan.steps.extend(
        observed
            .folders
            .iter()
            .map(|(folder, why)| Step::Folder { folder: folder.clone(), why: why.clone() }),
    );
    let current = config(stack, observed, &mut plan);
    let network = network(stack, observed);
    let fates: Vec<Fate> =
        stack.containers.iter().map(|spec| fate(spec, stack, observed, network.usable.as_deref())).collect();
    remove(stack, observed, &fates, &mut plan);
    plan.steps.extend(network.steps);
    bring_up(stack, observed, &fates, &mut plan);
    let mut old = old_generations(&observed.generations, Some(current));
    // Where the new one does not hold, this is the way back.
    old.retain(|&number| observed.config.as_ref().is_none_or(|before| before.number != number));
    if !old.is_empty() {
        plan.steps.push(Step::ForgetConfigs { numbers: old });
    }
    plan
}

/// Writes, checks and switches the configuration where the current one is not the wanted one. The result is the number
/// of the one that is live then.
fn config(stack: &Stack, observed: &Observed, plan: &mut Plan) -> u32 {
    let wanted = stack.config.digest("");
    let mut to = observed.next_generation;
    let from = observed.config.as_ref().map(|current| current.number);
    match &observed.config {
        None => {
            let why = "there is none yet".to_owned();
            plan.steps.push(Step::WriteConfig { number: to, why });
        }
        Some(current) => {
            let found = current.files.digest("");
            if found != current.recorded {
                plan.notes.push(edited(current));
            }
            if found == wanted {
                to = current.number;
            } else {
                plan.steps.push(Step::WriteConfig { number: to, why: difference(stack, current) });
            }
        }
    }
    let checked = observed
        .config
        .as_ref()
        .is_some_and(|current| current.number == to && Some(&current.checked) == observed.image.as_ref());
    if !checked {
        plan.steps.push(Step::CheckConfig { number: to });
    }
    if from != Some(to) {
        plan.steps.push(Step::SwitchConfig { from, to });
    }
    to
}

fn edited(current: &Generation) -> String {
    format!(
        "rendered/{:04} was edited by hand; such edits are replaced, not kept. \
         Put them into mailctl.toml ([postfix.main], …) or templates/.",
        current.number
    )
}

/// Which files differ, in one line.
fn difference(stack: &Stack, current: &Generation) -> String {
    let mut names: Vec<&str> = Vec::new();
    for file in stack.config.files() {
        if current.files.files().iter().find(|found| found.path == file.path) != Some(file) {
            names.push(&file.path);
        }
    }
    for file in current.files.files() {
        if !stack.config.files().iter().any(|wanted| wanted.path == file.path) {
            names.push(&file.path);
        }
    }
    match names.as_slice() {
        [one] => format!("{one} differs"),
        [first, rest @ ..] => format!("{first} and {} more differ", rest.len()),
        [] => "it is incomplete".to_owned(),
    }
}

struct Networks {
    steps: Vec<Step>,
    /// Id of the network that is as it should be.
    usable: Option<String>,
}

/// The first network that fits; on old engines there can be several of one name.
pub fn usable_network<'a>(stack: &Stack, observed: &'a Observed) -> Option<&'a Network> {
    let wanted = stack.network.digest();
    observed.networks.iter().find(|network| {
        let fits = network.ours && network.spec == wanted && network.name == stack.network.name;
        fits && mtu::fault(&stack.network, network, observed.uplink).is_none()
    })
}

/// Keeps that one, removes the others.
fn network(stack: &Stack, observed: &Observed) -> Networks {
    let usable = usable_network(stack, observed);
    let why = |network: &Network| {
        if usable.is_some() {
            return "there are two of it".to_owned();
        }
        mtu::fault(&stack.network, network, observed.uplink)
            .unwrap_or_else(|| "the settings ask for another one".to_owned())
    };
    let others = observed.networks.iter().filter(|network| network.ours);
    let mut steps: Vec<Step> = others
        .filter(|network| Some(&network.id) != usable.map(|usable| &usable.id))
        .map(|network| Step::RemoveNetwork {
            name: network.name.clone(),
            id: network.id.clone(),
            why: why(network),
        })
        .collect();
    if usable.is_none() {
        let mtu = mtu::wanted(&stack.network, observed.uplink);
        steps.push(Step::CreateNetwork { name: stack.network.name.clone(), mtu });
    }
    Networks { steps, usable: usable.map(|network| network.id.clone()) }
}

/// What becomes of a wanted container.
enum Fate {
    Make { why: String },
    Replace { id: String, name: String, why: String },
    Start { id: String, why: String },
    Unpause { id: String },
    Keep { id: String },
}

fn fate(spec: &ContainerSpec, stack: &Stack, observed: &Observed, network: Option<&str>) -> Fate {
    let mut candidates = observed.containers.iter().filter(|found| found.service == spec.service.name());
    let Some(found) = candidates.next() else {
        return Fate::Make { why: "it is missing".to_owned() };
    };
    if let Some(why) = wrong(spec, stack, found, observed, network) {
        return Fate::Replace { id: found.id.clone(), name: found.name.clone(), why };
    }
    let id = found.id.clone();
    match found.state {
        State::Restarting if stale(stack, observed, spec.service, &id) => {
            Fate::Replace { id, name: found.name.clone(), why: "it ends again and again".to_owned() }
        }
        State::Running | State::Restarting => Fate::Keep { id },
        State::Paused => Fate::Unpause { id },
        State::Created => Fate::Start { id, why: "it was never started".to_owned() },
        State::Exited => Fate::Start { id, why: format!("it had stopped (status {})", found.exit_code) },
        State::Dead => {
            Fate::Replace { id, name: found.name.clone(), why: "the engine calls it dead".to_owned() }
        }
    }
}

/// Why a container cannot stay as it is.
fn wrong(
    spec: &ContainerSpec,
    stack: &Stack,
    found: &Container,
    observed: &Observed,
    network: Option<&str>,
) -> Option<String> {
    if found.name != spec.name {
        return Some(format!("its name should be {}", spec.name));
    }
    match &observed.image {
        None => return Some(format!("image {} has to be built", stack.image)),
        Some(image) if *image != found.image => return Some("it runs another image".to_owned()),
        Some(_) => {}
    }
    let wanted = spec.properties();
    let changed = wanted.iter().find(|(name, value)| found.properties.get(*name) != Some(value));
    if let Some((name, value)) = changed {
        let is = found.properties.get(name).map_or("", String::as_str);
        return Some(format!("{name} is {is:?}, should be {value:?}"));
    }
    if found.spec != spec.digest() {
        return Some("its settings changed".to_owned());
    }
    match network {
        Some(network) if found.networks == [network] => None,
        _ => Some("its network changed".to_owned()),
    }
}

/// Removes what is replaced and what nobody asked for, last to start first.
fn remove(stack: &Stack, observed: &Observed, fates: &[Fate], plan: &mut Plan) {
    for (spec, fate) in stack.containers.iter().zip(fates).rev() {
        if let Fate::Replace { id, name, why } = fate {
            plan.steps.push(Step::Remove {
                service: Some(spec.service),
                name: name.clone(),
                id: id.clone(),
                why: why.clone(),
            });
        }
        for extra in observed.containers.iter().filter(|found| found.service == spec.service.name()).skip(1) {
            let why = format!("there are two of {}", spec.service);
            plan.steps.push(Step::Remove {
                service: Some(spec.service),
                name: extra.name.clone(),
                id: extra.id.clone(),
                why,
            });
        }
    }
    // A job of another home, or one that another command waits for at this moment, is not left over.
    let left_over = |found: &Container| {
        let busy = [JOB_IMAGE, JOB_UPDATES].contains(&&*found.service) && found.state == State::Running;
        !busy && (found.home.is_empty() || found.home == stack.home)
    };
    let unknown = |found: &&Container| {
        left_over(found) && !stack.containers.iter().any(|spec| spec.service.name() == found.service)
    };
    plan.steps.extend(observed.containers.iter().filter(unknown).map(|found| Step::Remove {
        service: None,
        name: found.name.clone(),
        id: found.id.clone(),
        why: "nothing needs it".to_owned(),
    }));
}

/// Makes all that is missing first, so that starting is quick; then starts in order; then reloads.
fn bring_up(stack: &Stack, observed: &Observed, fates: &[Fate], plan: &mut Plan) {
    let pairs = || stack.containers.iter().map(|spec| spec.service).zip(fates);
    for (service, fate) in pairs() {
        if let Fate::Make { why } | Fate::Replace { why, .. } = fate {
            plan.steps.push(Step::Create { service, why: why.clone() });
        }
    }
    for (service, fate) in pairs() {
        match fate {
            Fate::Make { .. } => {
                plan.steps.push(Step::Start { service, id: None, why: "it is new".to_owned() });
            }
            Fate::Replace { .. } => {
                plan.steps.push(Step::Start { service, id: None, why: "it was replaced".to_owned() });
            }
            Fate::Start { id, why } => {
                plan.steps.push(Step::Start { service, id: Some(id.clone()), why: why.clone() });
            }
            Fate::Unpause { id } => plan.steps.push(Step::Unpause { service, id: id.clone() }),
            Fate::Keep { .. } => {}
        }
    }
    let mut dovecot_anew = false;
    for (service, fate) in pairs() {
        let (Fate::Keep { id } | Fate::Unpause { id }) = fate else {
            dovecot_anew |= service == Service::Dovecot;
            continue;
        };
        let stale = stale(stack, observed, service, id);
        dovecot_anew |= stale && service == Service::Dovecot;
        // Postfix's smtpd processes hold connections to Dovecot's old login processes.
        if stale || (dovecot_anew && service == Service::Postfix) {
            plan.steps.push(Step::Reload { service, id: id.clone(), signal: service.reload() });
        }
    }
}

/// Whether a running service was never told about its present configuration. This is what makes a run that
/// was killed between switching and reloading converge.
fn stale(stack: &Stack, observed: &Observed, service: Service, id: &str) -> bool {
    let wanted = stack.reads(service);
    observed.loaded.get(&service).is_none_or(|loaded| loaded.container != *id || loaded.digest != wanted)
}
