//! Every way in which what runs can differ from what should run, and the steps that each leads to.

use super::{
    folders::Places,
    observed::{Container, Generation, Health, Loaded, Network, Observed, State},
    plan,
    service::Service,
    stack::Stack,
    step::Step,
};
use crate::{
    render::{ConfigFile, ConfigSet},
    settings::{load, source::Sources},
};

fn config(text: &str) -> ConfigSet {
    let file = |path: &str, text: &str| ConfigFile {
        path: path.to_owned(),
        text: text.to_owned(),
        mode: 0o644,
        gid: 0,
    };
    ConfigSet::new(vec![file("postfix/main.cf", text), file("dovecot/dovecot.conf", "x")])
}

fn stack_of(toml: &str) -> Stack {
    let env = "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=a@example.org\n";
    let sources = Sources { settings_env: Some(env), mailctl_toml: Some(toml), environment: &[] };
    let settings = load(&sources).unwrap().settings;
    let at = |name: &str| format!("/home/{name}");
    let places = Places {
        rendered: at("rendered"),
        run: at("run"),
        db: at("state/db"),
        policy: at("state/policy"),
        lists: at("lists"),
        srs: at("keys/srs"),
        mail: at("mail"),
        spool: at("spool"),
        tls: at("tls"),
        dkim: at("keys/dkim"),
        acme: at("acme"),
        challenges: at("acme/challenges"),
    };
    Stack::desired("test", "/home", &places, &settings, &config("a"), "mailctl:123", "c1")
}

fn stack() -> Stack {
    stack_of("")
}

/// What is seen when `stack` runs as it should.
fn settled(stack: &Stack) -> Observed {
    let containers = stack.containers.iter().map(|spec| Container {
        id: format!("id-{}", spec.service),
        name: spec.name.clone(),
        service: spec.service.name().to_owned(),
        spec: spec.digest(),
        home: spec.home.clone(),
        image: "sha256:1".to_owned(),
        state: State::Running,
        health: Health::Healthy,
        health_says: String::new(),
        since: String::new(),
        restarts: 0,
        exit_code: 0,
        networks: vec!["net".to_owned()],
        properties: spec.properties(),
        ports: vec![],
    });
    let loaded = Service::ALL.map(|service| {
        (service, Loaded { container: format!("id-{service}"), digest: stack.reads(service) })
    });
    Observed {
        image: Some("sha256:1".to_owned()),
        networks: vec![Network {
            id: "net".to_owned(),
            name: "test".to_owned(),
            ours: true,
            spec: stack.network.digest(),
            mtu: 1500,
        }],
        containers: containers.collect(),
        config: Some(Generation {
            number: 3,
            files: stack.config.clone(),
            recorded: stack.config.digest(""),
            checked: "sha256:1".to_owned(),
        }),
        next_generation: 4,
        loaded: loaded.into(),
        ..Default::default()
    }
}

fn container(observed: &mut Observed, service: Service) -> &mut Container {
    observed.containers.iter_mut().find(|found| found.service == service.name()).unwrap()
}

/// The steps as the words they begin with.
fn words(stack: &Stack, observed: &Observed) -> Vec<String> {
    let first = |step: &Step| step.to_string().split(&[':', '('][..]).next().unwrap().trim().to_owned();
    plan(stack, observed).steps.iter().map(first).collect()
}

/// Proves: invariant 4 (applying twice changes nothing)
#[test]
fn what_runs_as_it_should_needs_nothing() {
    assert_eq!(words(&stack(), &settled(&stack())), Vec::<String>::new());
}

#[test]
fn from_nothing_everything_is_made_in_order() {
    let observed = Observed { image: Some("sha256:1".to_owned()), next_generation: 1, ..Default::default() };
    assert_eq!(
        words(&stack(), &observed),
        [
            "write configuration 0001",
            "check configuration 0001 with the real programs",
            "switch to configuration 0001",
            "create network test",
            "create mailctld",
            "create opendkim",
            "create dovecot",
            "create postfix",
            "start mailctld",
            "start opendkim",
            "start dovecot",
            "start postfix",
        ]
    );
}

#[test]
fn a_missing_or_stopped_container_comes_back() {
    let mut observed = settled(&stack());
    observed.containers.retain(|found| found.service != "opendkim");
    assert_eq!(words(&stack(), &observed), ["create opendkim", "start opendkim"]);
    let mut observed = settled(&stack());
    container(&mut observed, Service::Postfix).state = State::Exited;
    assert_eq!(words(&stack(), &observed), ["start postfix"]);
    container(&mut observed, Service::Postfix).state = State::Paused;
    assert_eq!(words(&stack(), &observed), ["unpause postfix"]);
}

#[test]
fn a_container_that_was_changed_by_hand_is_replaced_and_the_change_named() {
    let mut observed = settled(&stack());
    container(&mut observed, Service::Postfix).properties.insert("memory", "1".to_owned());
    let steps = plan(&stack(), &observed).steps;
    assert!(steps[0].to_string().contains("memory is \"1\", should be"), "{}", steps[0]);
    assert_eq!(
        words(&stack(), &observed),
        ["remove container test-postfix", "create postfix", "start postfix"]
    );
}

#[test]
fn another_image_replaces_every_container() {
    let mut observed = settled(&stack());
    observed.image = Some("sha256:2".to_owned());
    let found = words(&stack(), &observed);
    assert_eq!(found[0], "check configuration 0003 with the real programs");
    assert_eq!(found.iter().filter(|word| word.starts_with("remove container")).count(), 4);
    observed.image = None;
    assert_eq!(words(&stack(), &observed)[0], "build image mailctl");
}

#[test]
fn what_nobody_asked_for_is_removed() {
    let mut observed = settled(&stack());
    let mut extra = observed.containers[0].clone();
    (extra.id, extra.service, extra.name) = ("x".to_owned(), "check".to_owned(), "left".to_owned());
    observed.containers.push(extra);
    assert_eq!(words(&stack(), &observed), ["remove container left"]);
}

#[test]
fn a_missing_network_takes_every_container_with_it() {
    let mut observed = settled(&stack());
    observed.networks.clear();
    let found = words(&stack(), &observed);
    assert_eq!(found[3], "remove container test-mailctld");
    assert_eq!(found[4], "create network test");
}

/// Proves: S1-16
#[test]
fn another_subnet_is_another_network() {
    let wanted = stack_of("[network]\nsubnet = \"172.30.0.0/24\"\n");
    let found = words(&wanted, &settled(&stack()));
    assert!(found.contains(&"remove network test".to_owned()), "{found:?}");
    assert!(found.contains(&"create network test".to_owned()));
}

/// Where the way out takes less than the engine's bridges the stack's network follows it, once and down only.
#[test]
fn the_network_takes_no_more_than_the_way_out() {
    let create = |stack: &Stack, uplink: Option<u32>| {
        let observed = Observed { uplink, ..Default::default() };
        let steps = plan(stack, &observed).steps;
        steps.iter().map(ToString::to_string).find(|step| step.starts_with("create network")).unwrap()
    };
    let six = "[network]\nsubnet6 = \"fd00:1::/64\"\n";
    let fixed = "[network]\nmtu = 1300\n";
    for (toml, uplink, wanted) in [
        ("", None, "create network test"),
        ("", Some(1500), "create network test"),
        ("", Some(9000), "create network test"),
        ("", Some(1400), "create network test: MTU 1400"),
        ("", Some(100), "create network test: MTU 576"),
        (six, Some(1000), "create network test: MTU 1280"),
        (fixed, Some(9000), "create network test: MTU 1300"),
        (fixed, None, "create network test: MTU 1300"),
    ] {
        assert_eq!(create(&stack_of(toml), uplink), wanted, "{toml} {uplink:?}");
    }
    // What is there (`mtu`), the way out, and why it goes.
    for (toml, mtu, uplink, why) in [
        ("", 1500, None, None),
        ("", 1500, Some(1500), None),
        ("", 1500, Some(9000), None),
        ("", 1400, Some(1500), None),
        ("", 1400, None, None),
        ("", 576, Some(100), None),
        ("", 1500, Some(1400), Some("its MTU is 1500, and the host's way out takes 1400")),
        (fixed, 1300, Some(1200), None),
        (fixed, 1500, None, Some("its MTU is 1500, network.mtu asks for 1300")),
    ] {
        let wanted = stack_of(toml);
        let mut observed = settled(&wanted);
        observed.networks[0].mtu = mtu;
        observed.uplink = uplink;
        let steps: Vec<String> = plan(&wanted, &observed).steps.iter().map(ToString::to_string).collect();
        let Some(why) = why else {
            assert!(steps.is_empty(), "{toml} {mtu} {uplink:?}: {steps:?}");
            continue;
        };
        assert!(steps.contains(&format!("remove network test: {why}")), "{steps:?}");
        assert!(
            steps.contains(&"remove container test-postfix: its network changed".to_owned()),
            "{steps:?}"
        );
    }
}

/// Proves: invariant 4 (also where one more generation makes one too many)
#[test]
fn a_new_configuration_takes_the_oldest_with_it() {
    let mut wanted = stack();
    wanted.config = config("b");
    let forgotten = |observed: &Observed| {
        let steps = plan(&wanted, observed).steps;
        steps.iter().find_map(|step| match step {
            Step::ForgetConfigs { numbers } => Some(numbers.clone()),
            _ => None,
        })
    };
    let mut observed = settled(&stack());
    observed.generations = vec![1, 2, 3];
    assert_eq!(forgotten(&observed), None);
    observed.config.as_mut().unwrap().number = 9;
    (observed.generations, observed.next_generation) = ((4..=9).collect(), 10);
    assert_eq!(forgotten(&observed), Some(vec![4]));
    // Never the one to go back to, how many rejected ones there may be after it.
    observed.config.as_mut().unwrap().number = 4;
    assert_eq!(forgotten(&observed), None);
    observed.generations = vec![3, 4, 5, 6, 7, 8, 9];
    assert_eq!(forgotten(&observed), Some(vec![3]));
}

#[test]
fn the_second_network_of_one_name_goes() {
    let mut observed = settled(&stack());
    let mut second = observed.networks[0].clone();
    second.id = "net2".to_owned();
    observed.networks.push(second);
    assert_eq!(words(&stack(), &observed), ["remove network test"]);
}

#[test]
fn changed_settings_are_written_checked_switched_and_only_their_reader_reloads() {
    let mut wanted = stack();
    wanted.config = config("b");
    assert_eq!(
        words(&wanted, &settled(&stack())),
        [
            "write configuration 0004",
            "check configuration 0004 with the real programs",
            "switch configuration 0003 -> 0004",
            "reload postfix",
        ]
    );
}

/// Proves: invariant 3, threat 32 (detected and reported, never silently overwritten)
#[test]
fn an_edit_by_hand_is_reported_and_replaced() {
    let mut observed = settled(&stack());
    observed.config.as_mut().unwrap().files = config("edited");
    let plan = plan(&stack(), &observed);
    assert!(plan.notes[0].contains("rendered/0003 was edited by hand"));
    assert_eq!(plan.steps[0].to_string(), "write configuration 0004: postfix/main.cf differs");
    // Even where the edit happens to be what is wanted now, it is told.
    let mut observed = settled(&stack());
    observed.config.as_mut().unwrap().recorded = "0".to_owned();
    assert_eq!(super::plan(&stack(), &observed).notes.len(), 1);
}

/// Proves: S1-10, S0-12
#[test]
fn another_certificate_reloads_those_who_serve_it() {
    let mut wanted = stack();
    wanted.certificate = "c2".to_owned();
    let reloads = ["reload mailctld", "reload dovecot", "reload postfix"];
    assert_eq!(words(&wanted, &settled(&stack())), reloads);
}

#[test]
fn a_run_that_died_before_reloading_converges() {
    let mut observed = settled(&stack());
    observed.loaded.get_mut(&Service::Postfix).unwrap().digest = "old".to_owned();
    assert_eq!(words(&stack(), &observed), ["reload postfix"]);
    observed.loaded.clear();
    assert_eq!(words(&stack(), &observed).len(), 4);
}

#[test]
fn postfix_lets_go_of_dovecots_old_processes() {
    let mut observed = settled(&stack());
    observed.loaded.get_mut(&Service::Dovecot).unwrap().digest = "old".to_owned();
    assert_eq!(words(&stack(), &observed), ["reload dovecot", "reload postfix"]);
}

#[test]
fn a_container_that_keeps_ending_gets_its_new_configuration_by_being_made_anew() {
    let mut observed = settled(&stack());
    container(&mut observed, Service::Opendkim).state = State::Restarting;
    assert!(plan(&stack(), &observed).is_empty());
    observed.loaded.clear();
    assert!(words(&stack(), &observed).contains(&"create opendkim".to_owned()));
}

/// Proves: S1-2, S1-18, S0-24 and S4-6 (25, 465, 143, 993, 4190; 80 and 443 come with certificates and the status
/// page), S4-7 (ports of one's own), S4-6, S4-23
#[test]
fn ports_follow_the_settings() {
    let ports = |stack: &Stack, service| -> Vec<String> {
        let spec = stack.container(service).unwrap();
        spec.ports.iter().map(|port| format!("{}:{}->{}", port.address, port.host, port.inside)).collect()
    };
    let found = ports(&stack(), Service::Postfix);
    assert_eq!(found, ["0.0.0.0:25->25", "0.0.0.0:465->465", "0.0.0.0:587->587"]);
    let inside = |stack: &Stack, service| -> Vec<u16> {
        stack.container(service).unwrap().ports.iter().map(|port| port.inside).collect()
    };
    assert_eq!(inside(&stack(), Service::Dovecot), [143, 993, 110, 995, 4190]);
    assert!(inside(&stack(), Service::Opendkim).is_empty());
    assert_eq!(ports(&stack(), Service::Mailctld), ["0.0.0.0:80->80", "0.0.0.0:443->443"]);
    let told = stack_of("[ports]\nhttp = 8080\nhttps = 8443\n[metrics]\nlisten = \"127.0.0.1:9000\"\n");
    let found = ports(&told, Service::Mailctld);
    assert_eq!(found, ["0.0.0.0:8080->80", "0.0.0.0:8443->443", "127.0.0.1:9000->9154"]);
    let six = stack_of("[ports]\nsmtp = 2525\n[network]\nsubnet6 = \"fd00:1::/64\"\n");
    let found = ports(&six, Service::Postfix);
    assert!(found.contains(&":::2525->25".to_owned()) && found.contains(&"0.0.0.0:2525->25".to_owned()));
}

/// Proves: S0-24
#[test]
fn every_container_is_locked_down() {
    for spec in &stack().containers {
        let properties = spec.properties();
        assert_eq!(properties["read-only root"], "true");
        assert_eq!(properties["no-new-privileges"], "true");
        assert_eq!(properties["restart"], "unless-stopped");
        assert_eq!(properties["log rotation"], "json-file 20m x 5");
        assert!(spec.memory > 0 && spec.pids > 0);
        // S1-15 but for the interval: an alarm within a minute (fault 16), of which the check itself takes 4 s.
        let health = &spec.health;
        assert_eq!((health.timeout, health.retries, health.start_period), (10, 3, 40));
        assert!(health.retries * (health.interval + 4) <= 55, "{health:?}");
        assert!(!spec.mounts.iter().any(|mount| mount.host.contains("docker.sock")));
        let keys = spec.mounts.iter().any(|mount| mount.inside == "/etc/mailctl-dkim");
        assert_eq!(keys, spec.service == Service::Opendkim, "keys are mounted only where they are used");
    }
}

/// The manual shows the rights that are really given.
#[test]
fn the_manual_names_the_capabilities_of_every_service() {
    let page = include_str!("../manual/containers.md");
    for spec in &stack().containers {
        let row = page.lines().find(|line| line.starts_with(&format!("| {} ", spec.service.name()))).unwrap();
        let words =
            if spec.capabilities.is_empty() { "none".to_owned() } else { spec.capabilities.join(" ") };
        assert_eq!(row.split('|').nth(3).unwrap().trim(), words);
        assert_eq!(row.contains("| root "), spec.user.is_empty(), "{row}");
    }
}
