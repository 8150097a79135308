//! A whole host in a container: systemd as its first process, and an engine of its own. Rebooted by a restart, cut
//! off by a kill. It is gone when the value is.

use crate::common::stack::eventually;
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The engine that runs the host.
const OUTSIDE: &str = "/var/run/docker.sock";

/// What systemd and an engine of its own need; no `--privileged`, and not CAP_SYS_RESOURCE.
const CAPABILITIES: [&str; 15] = [
    "SYS_ADMIN",
    "NET_ADMIN",
    "NET_RAW",
    "SYS_PTRACE",
    "SYS_CHROOT",
    "MKNOD",
    "AUDIT_WRITE",
    "SETFCAP",
    "DAC_READ_SEARCH",
    "LINUX_IMMUTABLE",
    "SYS_NICE",
    "SYS_BOOT",
    "SYSLOG",
    "IPC_LOCK",
    "LEASE",
];

/// The host.
pub struct Host {
    id: String,
}

impl Host {
    /// Boots one from `target/boot-host.tar`. `Err` = this kernel or this engine does not let a container be a host;
    /// it holds the refusal itself, which is all that may skip a test.
    pub fn boot() -> Result<Self, String> {
        let image = image();
        let host = json!({
            "CapAdd": CAPABILITIES,
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
            "MaskedPaths": [],
            "ReadonlyPaths": [],
            "CgroupnsMode": "host",
            "Binds": ["/sys/fs/cgroup:/sys/fs/cgroup:rw"],
            "Tmpfs": {"/run": "", "/run/lock": "", "/tmp": "exec"},
        });
        let body = json!({
            "Image": image, "Hostname": "host", "Env": ["container=docker"], "Cmd": ["/sbin/init"],
            "StopSignal": "SIGRTMIN+3", "StopTimeout": 60, "Volumes": {"/var/lib/docker": {}}, "HostConfig": host,
        });
        let made = ask(OUTSIDE, "POST", "/containers/create", &body);
        let id = made["Id"].as_str().ok_or_else(|| made["message"].to_string())?.to_owned();
        let booted = Self { id };
        let started = ask(OUTSIDE, "POST", &format!("/containers/{}/start", booted.id), &Value::Null);
        if let Some(refused) = started["message"].as_str() {
            return Err(refused.to_owned());
        }
        booted.up()?;
        Ok(booted)
    }

    /// Waits until systemd has booted it and its engine answers.
    fn up(&self) -> Result<(), String> {
        let state = eventually(240, "systemd has booted the host", || {
            if !self.inspect()["State"]["Running"].as_bool().unwrap() {
                return Some("ended".to_owned());
            }
            let said = self.try_run(&["systemctl", "is-system-running"])?.1;
            Some(said.trim().to_owned()).filter(|state| ["running", "degraded"].contains(&state.as_str()))
        });
        if state == "ended" {
            return Err(format!("its first process ended with {}", self.inspect()["State"]["ExitCode"]));
        }
        let (status, _) = self.run(&["systemctl", "is-active", "docker.service"]);
        if status != 0 {
            return Err(format!(
                "its engine does not start: {}",
                self.run(&["journalctl", "-u", "docker", "-n", "5"]).1
            ));
        }
        Ok(())
    }

    /// As an operator reboots it.
    pub fn reboot(&self) {
        ask(OUTSIDE, "POST", &format!("/containers/{}/restart", self.id), &Value::Null);
        self.up().unwrap();
    }

    /// As a power cut does, and the power comes back.
    pub fn cut(&self) {
        ask(OUTSIDE, "POST", &format!("/containers/{}/kill", self.id), &Value::Null);
        ask(OUTSIDE, "POST", &format!("/containers/{}/wait", self.id), &Value::Null);
        ask(OUTSIDE, "POST", &format!("/containers/{}/start", self.id), &Value::Null);
        self.up().unwrap();
    }

    fn inspect(&self) -> Value {
        ask(OUTSIDE, "GET", &format!("/containers/{}/json", self.id), &Value::Null)
    }

    /// Where its ports are reached.
    pub fn address(&self) -> String {
        let networks = self.inspect()["NetworkSettings"]["Networks"].clone();
        networks.as_object().unwrap().values().next().unwrap()["IPAddress"].as_str().unwrap().to_owned()
    }

    /// A file of it, as this process sees it.
    pub fn file(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.inspect()["State"]["Pid"]))
    }

    /// Its engine's socket, as this process sees it.
    fn inside(&self) -> String {
        self.file("/run/docker.sock").display().to_string()
    }

    /// Its engine's proxies of a port, by their process ids there.
    pub fn proxies(&self, port: u16) -> Vec<String> {
        let port = port.to_string();
        let is_one = |process: &fs::DirEntry| {
            let words = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
            let words: Vec<&str> = words.split('\0').collect();
            words[0].ends_with("docker-proxy") && words.windows(2).any(|pair| pair == ["-host-port", &port])
        };
        let processes = fs::read_dir(self.file("/proc")).unwrap().flatten().filter(is_one);
        processes.map(|process| process.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Asks its engine.
    pub fn engine(&self, path: &str) -> Value {
        ask(&self.inside(), "GET", path, &Value::Null)
    }

    /// Unpacks a tar at its root.
    pub fn unpack(&self, tar: &Path) {
        let path = format!("/containers/{}/archive?path=/", self.id);
        let done = curl(OUTSIDE, "PUT", &path, Some(("application/x-tar", tar.to_str().unwrap())));
        assert!(done.status.success() && done.stdout.is_empty(), "{}", String::from_utf8_lossy(&done.stdout));
    }

    /// Gives its engine an image of ours.
    pub fn load(&self, image: &str, folder: &Path) {
        let tar = folder.join("image.tar");
        let mut save = command(OUTSIDE, "GET", &format!("/images/{image}/get"));
        assert!(save.arg("-o").arg(&tar).status().unwrap().success());
        let body = Some(("application/x-tar", tar.to_str().unwrap()));
        let loaded = curl(&self.inside(), "POST", "/images/load", body);
        fs::remove_file(&tar).unwrap();
        let said = String::from_utf8_lossy(&loaded.stdout);
        assert!(said.contains("Loaded image"), "{said}");
    }

    /// Runs a program there; its exit status, and what it said on both outputs.
    pub fn run(&self, words: &[&str]) -> (i64, String) {
        self.try_run(words).unwrap_or_else(|| panic!("{words:?} could not be run"))
    }

    /// Runs it; it must end well.
    pub fn ok(&self, words: &[&str]) -> String {
        let (status, said) = self.run(words);
        assert_eq!(status, 0, "{words:?}: {said}");
        said
    }

    /// Starts it and does not wait.
    pub fn begin(&self, words: &[&str]) {
        let exec = self.exec(words, false).unwrap();
        let body = json!({"Detach": true});
        ask(OUTSIDE, "POST", &format!("/exec/{exec}/start"), &body);
    }

    fn exec(&self, words: &[&str], attached: bool) -> Option<String> {
        let body = json!({"Cmd": words, "AttachStdout": attached, "AttachStderr": attached});
        let made = ask(OUTSIDE, "POST", &format!("/containers/{}/exec", self.id), &body);
        made["Id"].as_str().map(str::to_owned)
    }

    fn try_run(&self, words: &[&str]) -> Option<(i64, String)> {
        let exec = self.exec(words, true)?;
        let output =
            send(OUTSIDE, "POST", &format!("/exec/{exec}/start"), &json!({"Detach": false, "Tty": false}));
        let status = ask(OUTSIDE, "GET", &format!("/exec/{exec}/json"), &Value::Null)["ExitCode"].as_i64();
        Some((status?, frames(&output.stdout)))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() && self.inspect()["State"]["Running"] == true {
            let said = self.try_run(&[
                "journalctl",
                "-b",
                "-u",
                "mailctl*",
                "-u",
                "docker",
                "-n",
                "60",
                "--no-pager",
            ]);
            let _ = std::io::stderr().write_all(said.unwrap_or_default().1.as_bytes());
        }
        ask(OUTSIDE, "DELETE", &format!("/containers/{}?force=1&v=1", self.id), &Value::Null);
    }
}

/// The image of the host: made once for each tar.
fn image() -> String {
    let tar = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/boot-host.tar"));
    let made =
        fs::metadata(&tar).expect("target/boot-host.tar is missing: .ci/provision test").modified().unwrap();
    let tag = made.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let image = format!("mailctl-boot-host:{tag}");
    if ask(OUTSIDE, "GET", &format!("/images/{image}/json"), &Value::Null)["Id"].is_null() {
        let path = format!("/images/create?fromSrc=-&repo=mailctl-boot-host&tag={tag}");
        curl(OUTSIDE, "POST", &path, Some(("application/x-tar", tar.to_str().unwrap())));
    }
    image
}

/// The engine's frames of output (Docker Engine API, "attach"): eight octets of header, four of them the length.
fn frames(mut octets: &[u8]) -> String {
    let mut text = Vec::new();
    while let Some((head, rest)) = octets.split_at_checked(8) {
        let length = u32::from_be_bytes(head[4..].try_into().unwrap()) as usize;
        let (frame, rest) = rest.split_at(length.min(rest.len()));
        text.extend_from_slice(frame);
        octets = rest;
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn ask(socket: &str, method: &str, path: &str, body: &Value) -> Value {
    serde_json::from_slice(&send(socket, method, path, body).stdout).unwrap_or(Value::Null)
}

fn send(socket: &str, method: &str, path: &str, body: &Value) -> Output {
    let mut command = command(socket, method, path);
    if !body.is_null() {
        command.args(["-H", "Content-Type: application/json", "-d", &body.to_string()]);
    }
    command.output().unwrap()
}

/// With a file as body.
fn curl(socket: &str, method: &str, path: &str, file: Option<(&str, &str)>) -> Output {
    let mut command = command(socket, method, path);
    if let Some((kind, file)) = file {
        command.args(["-H", &format!("Content-Type: {kind}"), "-H", "Expect:", "-T", file]);
    }
    command.output().unwrap()
}

fn command(socket: &str, method: &str, path: &str) -> Command {
    let mut command = Command::new("curl");
    command
        .args(["-s", "-m", "120", "--unix-socket", socket, "-X", method])
        .arg(format!("http://engine{path}"));
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    command
}
