//! The engine asked behind the program's back: for faults that a test plants.

use serde_json::Value;
use std::process::Command;

/// A request to the engine's API; `None` where it answered with an error.
pub fn request(method: &str, path: &str) -> Option<Value> {
    let output = Command::new("curl")
        .args(["-sf", "-m", "30", "--unix-socket", "/var/run/docker.sock", "-X", method])
        .arg(format!("http://engine{path}"))
        .output()
        .unwrap();
    if !output.status.success() {
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

/// A POST with a JSON body; `None` where it answered with an error.
pub fn post(path: &str, body: &str) -> Option<Value> {
    let output = Command::new("curl")
        .args(["-sf", "-m", "30", "--unix-socket", "/var/run/docker.sock", "-X", "POST"])
        .args(["-H", "Content-Type: application/json", "-d", body])
        .arg(format!("http://engine{path}"))
        .output()
        .unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

/// Builds an image from this Dockerfile alone, under this tag.
pub fn build(dockerfile: &str, tag: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    let tar = folder.path().join("context.tar");
    let packed =
        Command::new("tar").arg("cf").arg(&tar).arg("-C").arg(folder.path()).arg("Dockerfile").status();
    assert!(packed.unwrap().success());
    let built = Command::new("curl")
        .args(["-sf", "-m", "60", "--unix-socket", "/var/run/docker.sock", "-X", "POST"])
        .args(["-H", "Content-Type: application/x-tar", "--data-binary"])
        .arg(format!("@{}", tar.display()))
        .arg(format!("http://engine/build?rm=true&t={tag}"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stdout);
    assert!(built.status.success() && !said.contains("errorDetail"), "{said}");
}

/// Process id of a service's first process, as the host sees it.
pub fn pid(project: &str, service: &str) -> Option<u64> {
    request("GET", &format!("/containers/{project}-{service}/json"))?["State"]["Pid"]
        .as_u64()
        .filter(|pid| *pid > 0)
}

/// Kills a service's first process as a crash would; a kill by the engine's API would count as an order to stop.
pub fn crash(project: &str, service: &str) {
    let pid = pid(project, service).unwrap();
    let done = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(done.success());
}

/// The host's address in a service's network.
pub fn gateway(project: &str, service: &str) -> String {
    let found = request("GET", &format!("/containers/{project}-{service}/json")).unwrap();
    let networks = found["NetworkSettings"]["Networks"].as_object().unwrap();
    networks.values().next().unwrap()["Gateway"].as_str().unwrap().to_owned()
}
