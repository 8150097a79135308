//! The stack on the real engine: from nothing to running, from every planted drift back, and never further
//! than the settings say.

use crate::common::{
    engine,
    stack::{Stack, eventually, said},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Stdio,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const SERVICES: [&str; 4] = ["mailctld", "opendkim", "dovecot", "postfix"];

fn ids(stack: &Stack) -> BTreeMap<&'static str, String> {
    let id = |service: &&'static str| {
        let found = engine::request("GET", &format!("/containers/{}-{service}/json", stack.project()))?;
        Some((*service, found["Id"].as_str()?.to_owned()))
    };
    SERVICES.iter().filter_map(id).collect()
}

fn steps(stack: &Stack) -> Vec<Value> {
    let plan: Value = serde_json::from_str(&stack.ok(&["plan", "--json"])).unwrap();
    plan["steps"].as_array().unwrap().clone()
}

fn well(stack: &Stack) {
    let status = stack.status();
    assert_eq!(status["well"], Value::Bool(true), "{status}");
    assert_eq!(status["pending_steps"], 0, "{status}");
}

/// Every file that mailctl itself writes, with inode and time.
fn written(folder: &Path, found: &mut BTreeMap<String, (u64, i64, i64)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let meta = entry.metadata().unwrap();
        let name = entry.path().display().to_string();
        // Sockets, queue, mail and SQLite's companions live their own lives.
        if ["/run", "/spool", "/mail", "/state/lock", "/state/db"].iter().any(|own| name.contains(own)) {
            continue;
        }
        found.insert(name, (meta.ino(), meta.mtime(), meta.mtime_nsec()));
        if meta.is_dir() {
            written(&entry.path(), found);
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// What the engine changed for this project in a span of time. The engine's own health checks are execs.
fn changes(project: &str, since: f64, until: f64) -> Vec<String> {
    let output = std::process::Command::new("curl")
        .args(["-s", "-m", "20", "--unix-socket", "/var/run/docker.sock", "-G", "http://engine/events"])
        .args([
            "--data-urlencode",
            &format!("since={since:.6}"),
            "--data-urlencode",
            &format!("until={until:.6}"),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| line.contains(project) && !line.contains("exec_") && !line.contains("health_status"))
        .map(str::to_owned)
        .collect()
}

/// Proves: S0-3, S1-1, house invariant 4 (0 writes, 0 changes by the engine)
#[test]
fn the_second_up_changes_nothing() {
    let stack = Stack::up("");
    well(&stack);
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    written(stack.home(), &mut before);
    let made = ids(&stack);
    assert_eq!(made.len(), 4);
    assert_eq!(steps(&stack), Vec::<Value>::new());
    let since = now();
    stack.ok(&["up"]);
    let changed = changes(stack.project(), since, now());
    written(stack.home(), &mut after);
    assert_eq!(changed, Vec::<String>::new());
    assert_eq!(before, after);
    assert_eq!(ids(&stack), made);
}

/// Proves: S0-10, S0-11, S1-15
#[test]
fn health_by_hand_and_by_the_engine_agree() {
    let stack = Stack::up("");
    let by_hand = stack.ok(&["health"]);
    assert_eq!(by_hand.lines().filter(|line| line.contains(" ok ")).count(), 4, "{by_hand}");
    assert!(stack.ok(&["health", "postfix"]).contains("25 and 587 answer"));
    eventually(90, "the engine calls all four healthy", || {
        let status = stack.status();
        let services = status["services"].as_array()?;
        services.iter().all(|service| service["health"] == "healthy").then_some(())
    });
    // A service that is stopped is told, and by the exit status too.
    engine::request("POST", &format!("/containers/{}-opendkim/pause", stack.project()));
    let output = stack.run(&["health", "opendkim"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(stack.run(&["status"]).status.code(), Some(1));
    stack.ok(&["up"]);
    well(&stack);
}

/// Proves: fault 16 (OpenDKIM hangs: alarm within 60 s), S1-15
#[test]
fn a_part_that_hangs_is_an_alarm_within_a_minute() {
    let stack = Stack::up("");
    eventually(90, "the engine calls it healthy", || {
        let status = stack.status();
        let services = status["services"].as_array()?;
        services.iter().all(|service| service["health"] == "healthy").then_some(())
    });
    // OpenDKIM itself, not `mailctl attend` over it.
    let first = engine::pid(stack.project(), "opendkim").unwrap();
    let pid = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .find(|pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            status.starts_with("Name:\topendkim\n") && status.contains(&format!("\nPPid:\t{first}\n"))
        })
        .unwrap();
    assert!(std::process::Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    let began = Instant::now();
    eventually(75, "the engine calls it unhealthy", || {
        let status = stack.status();
        let services = status["services"].as_array()?;
        let sick = services.iter().find(|service| service["service"] == "opendkim")?;
        (sick["health"] == "unhealthy").then_some(())
    });
    let took = began.elapsed();
    assert!(std::process::Command::new("kill").args(["-CONT", &pid]).status().unwrap().success());
    assert!(took <= Duration::from_secs(60), "{took:?}");
    eprintln!("alarm after {took:.0?}");
}

/// Proves: S1-19: a log of the start has the time, each setting, each step, and the line that ends it.
#[test]
fn the_log_of_a_start_has_times_and_every_setting() {
    let stack = Stack::prepared("[limits]\npids = 600\n");
    let settings = stack.home().join("settings.env");
    let text = fs::read_to_string(&settings).unwrap();
    let secret = "RELAY_HOST=[192.0.2.1]:587\nRELAY_USER=u\nRELAY_PASSWORD=very-secret-word\n";
    fs::write(&settings, format!("{text}{secret}")).unwrap();
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o600)).unwrap();
    let log = said(&stack.run(&["up"]));
    for line in log.lines() {
        let time = line.strip_prefix("[MAILCTL] ").unwrap_or_else(|| panic!("{line:?} has no time"));
        assert!(time.starts_with("20") && &time[19..21] == "Z ", "{line}");
    }
    for told in [
        "Configuring: HOSTNAME = mail.example.test",
        "Configuring: limits.pids = 600",
        "Configuring: RELAY_PASSWORD = (hidden)",
        "switch to configuration 0001",
        "start postfix",
        "mail.example.test accepts mail",
    ] {
        assert!(log.contains(told), "{told:?} is not in\n{log}");
    }
    assert!(!log.contains("very-secret-word"), "{log}");
    assert!(log.trim_end().ends_with("Z Mail server configuration complete"), "{log}");
    let again = said(&stack.run(&["up"]));
    assert!(again.contains("nothing to do") && !again.contains("Configuring"), "{again}");
    assert!(again.trim_end().ends_with("Z Mail server configuration complete"), "{again}");
    assert_eq!(said(&stack.run(&["up", "--quiet"])), "");
}

/// Proves: threat 32, fault 17 (container removed by hand), house invariant 4
#[test]
fn every_planted_drift_is_named_and_mended() {
    let stack = Stack::up("");
    let project = stack.project().to_owned();
    let container = |service: &str, rest: &str| format!("/containers/{project}-{service}{rest}");
    let mended = |what: &str, word: &str| {
        let planned = stack.ok(&["plan"]);
        assert!(planned.contains(word), "{what}: {word:?} is not in\n{planned}");
        stack.ok(&["up"]);
        well(&stack);
        assert_eq!(steps(&stack), Vec::<Value>::new(), "{what}");
    };

    engine::request("DELETE", &container("opendkim", "?force=true")).unwrap();
    mended("container removed", "create opendkim: it is missing");

    engine::request("POST", &container("dovecot", "/stop?t=5")).unwrap();
    mended("container stopped", "start dovecot: it had stopped");

    engine::request("POST", &container("mailctld", "/pause")).unwrap();
    mended("container frozen", "unpause mailctld");

    engine::post(&container("postfix", "/update"), r#"{"PidsLimit": 77}"#).unwrap();
    mended("limits changed", "pids is \"77\"");

    let network =
        engine::request("GET", &format!("/networks/{project}")).unwrap()["Id"].as_str().unwrap().to_owned();
    let body = format!(r#"{{"Container": "{project}-dovecot", "Force": true}}"#);
    engine::post(&format!("/networks/{network}/disconnect"), &body).unwrap();
    mended("taken off the network", "its network changed");

    let image = stack.status()["image"].as_str().unwrap().to_owned();
    let body = format!(
        r#"{{"Image": "{image}", "Cmd": ["sleep", "1"], "Labels": {{"org.mailctl.project": "{project}"}}}}"#
    );
    engine::post(&format!("/containers/create?name={project}-extra"), &body).unwrap();
    mended("a container too many", &format!("remove container {project}-extra"));

    let main = stack.home().join("rendered/current/postfix/main.cf");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, format!("{text}\nmessage_size_limit = 1\n")).unwrap();
    let told = stack.run(&["up", "--dry-run"]);
    assert!(said(&told).contains("edited by hand"), "{}", said(&told));
    mended("main.cf edited", "postfix/main.cf differs");
    assert!(!fs::read_to_string(&main).unwrap().contains("message_size_limit = 1\n"));

    fs::remove_file(stack.home().join("rendered/current")).unwrap();
    mended("no current configuration", "there is none yet");

    let sockets = stack.home().join("run/opendkim");
    fs::set_permissions(&sockets, fs::Permissions::from_mode(0o777)).unwrap();
    mended("socket folder open to all", "its mode is 0777");

    for service in SERVICES {
        engine::request("DELETE", &container(service, "?force=true")).unwrap();
    }
    engine::request("DELETE", &format!("/networks/{project}"));
    mended("network removed", "create network");
}

/// Proves: S1-23, fault 13 (live configuration untouched)
#[test]
fn a_broken_raw_setting_is_refused_with_the_programs_own_words() {
    let stack = Stack::up("");
    let (made, current) = (ids(&stack), fs::read_link(stack.home().join("rendered/current")).unwrap());
    let toml = stack.home().join("mailctl.toml");
    let good = fs::read_to_string(&toml).unwrap();
    fs::write(&toml, format!("{good}\n[postfix.main]\nqueue_minfree = \"plenty\"\n")).unwrap();
    let output = stack.run(&["up"]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    assert!(said(&output).contains("queue_minfree"), "{}", said(&output));
    assert_eq!(ids(&stack), made);
    assert_eq!(fs::read_link(stack.home().join("rendered/current")).unwrap(), current);
    assert!(stack.ok(&["health"]).contains("postfix   ok"));

    // What only shows when it runs is taken back: a service that answers wrongly, and one that ends again and
    // again. As soon as that is clear, and not when the time for a slow start is over.
    for (fault, says) in [
        ("[postfix.main]\nsmtpd_tls_chain_files = \"/nonexistent\"", "cannot agree on TLS"),
        ("[postfix.master]\n\"203.0.113.7:2525/inet\" = \"n - n - - smtpd\"", "because: it end"),
    ] {
        fs::write(&toml, format!("{good}\n{fault}\n")).unwrap();
        let began = Instant::now();
        let output = stack.run(&["up"]);
        let took = began.elapsed();
        assert_eq!(output.status.code(), Some(1), "{fault}: {}", said(&output));
        assert!(said(&output).contains("is live again") && said(&output).contains(says), "{}", said(&output));
        assert_eq!(fs::read_link(stack.home().join("rendered/current")).unwrap(), current);
        assert!(stack.ok(&["health"]).contains("postfix   ok"));
        assert!(took < Duration::from_secs(18), "{fault}: {took:?}");
        eprintln!("{fault}: taken back after {took:.1?}");
    }

    fs::write(&toml, good).unwrap();
    stack.ok(&["up"]);
    well(&stack);
}

/// Proves: "a port already taken: which port, which process"
#[test]
fn a_taken_port_is_named_with_its_process() {
    let stack = Stack::prepared("");
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let toml = stack.home().join("mailctl.toml");
    let text = fs::read_to_string(&toml).unwrap().replace("smtp = 0", &format!("smtp = {port}"));
    fs::write(&toml, text).unwrap();
    let output = stack.run(&["up"]);
    assert_eq!(output.status.code(), Some(69), "{}", said(&output));
    assert!(said(&output).contains(&format!("port {port}")), "{}", said(&output));
    assert!(said(&output).contains(&std::process::id().to_string()), "{}", said(&output));
    drop(holder);
    stack.ok(&["up"]);
    well(&stack);
}

/// Proves: S0-26 (trust), threat 2: a trusted range with an engine gateway in it is refused
#[test]
fn a_trusted_gateway_is_refused_before_anything_starts() {
    let stack = Stack::prepared("");
    let bridge = engine::request("GET", "/networks/bridge").unwrap();
    let subnet = bridge["IPAM"]["Config"][0]["Subnet"].as_str().unwrap().to_owned();
    let file = stack.home().join("settings.env");
    let text = fs::read_to_string(&file).unwrap();
    let refused = || {
        let output = stack.run(&["up"]);
        assert_eq!(output.status.code(), Some(78), "{}", said(&output));
        assert!(said(&output).contains("trust.gateway") && said(&output).contains('!'), "{}", said(&output));
        assert!(ids(&stack).is_empty());
    };
    fs::write(&file, format!("{text}\nTRUSTED_NETWORKS={subnet}\n")).unwrap();
    refused();
    // In Postfix's own words it is no better.
    fs::write(&file, text).unwrap();
    let file = stack.home().join("mailctl.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[postfix.main]\nmynetworks = \"127.0.0.0/8 {subnet}\"\n")).unwrap();
    refused();
}

/// Proves: "two CLIs at once", threat 31
#[test]
fn two_ups_at_once_make_one_stack() {
    let stack = Stack::prepared("");
    let start = || {
        stack
            .command(&["up"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let (one, two) = (start(), start());
    for child in [one, two] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(ids(&stack).len(), 4);
    well(&stack);
}

/// Proves: "interrupted anywhere: the next run converges", fault 10
#[test]
fn an_up_that_is_killed_anywhere_is_finished_by_the_next() {
    let stack = Stack::prepared("");
    // The image is there: kills fall into the steps of the plan.
    stack.ok(&["image", "build"]);
    for delay in [60, 200, 500, 900, 1300, 1800, 2400] {
        let mut child = stack
            .command(&["up"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        let _ = child.kill();
        child.wait().unwrap();
    }
    stack.ok(&["up"]);
    well(&stack);
    assert_eq!(ids(&stack).len(), 4);
    let leftovers = fs::read_dir(stack.home().join("rendered")).unwrap().flatten();
    let names: Vec<String> =
        leftovers.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().filter(|name| name.parse::<u32>().is_ok()).count() <= 6, "{names:?}");
}

/// Proves: "two stacks on one host"; a project belongs to one home
#[test]
fn two_stacks_live_side_by_side_and_a_project_has_one_home() {
    let one = Stack::up("");
    let other = one.neighbour();
    other.ok(&["up"]);
    well(&one);
    well(&other);
    let stolen = other.command_as(one.project(), &["up"]).output().unwrap();
    assert_eq!(stolen.status.code(), Some(64), "{}", said(&stolen));
    assert!(said(&stolen).contains("belongs to another home"), "{}", said(&stolen));
    other.ok(&["down"]);
    assert!(ids(&other).is_empty());
    well(&one);
}

/// Proves: S1-17 (stop, start, restart, reload, shell, logs)
#[test]
fn restart_reload_exec_logs_and_down() {
    let stack = Stack::up("");
    let before = ids(&stack);
    stack.ok(&["restart", "postfix"]);
    stack.ok(&["restart"]);
    stack.ok(&["reload"]);
    assert_eq!(ids(&stack), before, "restarting keeps the containers");
    well(&stack);
    assert!(stack.ok(&["exec", "postfix", "postconf", "-h", "myhostname"]).contains("mail.example.test"));
    // Its own status, as `docker exec` gives it, and its own words only.
    for (script, status) in [("exit 7", 7), ("exit 255", 255), ("kill -KILL $$", 137), ("exit 127", 127)] {
        let ran = stack.run(&["exec", "dovecot", "sh", "-c", &format!("echo out; echo err >&2; {script}")]);
        assert_eq!(ran.status.code(), Some(status), "{script}: {}", said(&ran));
        assert_eq!((&ran.stdout[..], &ran.stderr[..]), (&b"out\n"[..], &b"err\n"[..]), "{script}");
    }
    // Nobody has to press a key first: standard input stays open, and the command has ended.
    let mut waiting = stack.command(&["exec", "postfix", "true"]);
    let mut waiting =
        waiting.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let ended = eventually(10, "exec ends with its command", || waiting.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0));
    for (command, status, code) in
        [("nonesuch", 127, "command.absent"), ("/etc/passwd", 126, "command.unusable")]
    {
        let refused = stack.run(&["exec", "postfix", command]);
        assert_eq!(refused.status.code(), Some(status), "{command}: {}", said(&refused));
        assert!(refused.stdout.is_empty() && said(&refused).contains(code), "{command}: {}", said(&refused));
    }
    let logs = stack.ok(&["logs"]);
    for service in ["postfix", "dovecot", "mailctld"] {
        assert!(logs.contains(&format!("{service:<9} | ")), "{logs}");
    }
    assert!(stack.ok(&["logs", "--tail", "1", "postfix"]).lines().count() == 1);
    let version: Value = serde_json::from_str(&stack.ok(&["version", "--json"])).unwrap();
    assert!(version["packages"]["postfix"].as_str().unwrap().starts_with("3.10"), "{version}");
    stack.ok(&["down"]);
    assert!(ids(&stack).is_empty());
    assert!(engine::request("GET", &format!("/networks/{}", stack.project())).is_none());
    assert_eq!(stack.run(&["status"]).status.code(), Some(1));
    stack.ok(&["down"]);
}
