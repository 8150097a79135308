//! Engines that are not there, not for us, too old, or asleep: each is named, with the next command.

use std::{
    io::{Read, Write},
    os::unix::net::UnixListener,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

fn mailctl(home: &Path, engine: &str, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mailctl"))
        .env("DOCKER_HOST", engine)
        .arg("--home")
        .arg(home)
        .args(words)
        .output()
        .unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An engine that gives every request the same answer; `None` = it takes the request and says nothing.
fn fake(socket: &Path, answer: Option<&'static str>) -> String {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if let Some(body) = answer {
                let mut request = [0; 4096];
                if stream.read(&mut request).unwrap_or(0) > 0 {
                    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
                    let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
                }
            } else {
                open.push(stream);
            }
        }
    });
    format!("unix://{}", socket.display())
}

/// Proves: fault 17 (engine socket missing)
#[test]
fn no_engine_is_told_with_the_command_that_installs_one() {
    let home = tempfile::tempdir().unwrap();
    let output = mailctl(home.path(), "unix:///nonexistent/docker.sock", &["image", "show"]);
    assert_eq!(output.status.code(), Some(69));
    let said = words(&output);
    assert!(said.contains("engine.missing") && said.contains("apt install docker.io"), "{said}");
    assert!(said.contains("systemctl start docker"), "{said}");
}

/// Proves: threat 18 (plain TCP refused)
#[test]
fn an_engine_elsewhere_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let output = mailctl(home.path(), "tcp://192.0.2.1:2375", &["image", "show"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(words(&output).contains("unset DOCKER_HOST"), "{}", words(&output));
}

#[test]
fn an_engine_that_is_too_old_is_named() {
    let home = tempfile::tempdir().unwrap();
    let engine = fake(&home.path().join("e.sock"), Some(r#"{"Version":"18.06.0","ApiVersion":"1.38"}"#));
    let output = mailctl(home.path(), &engine, &["image", "show"]);
    assert_eq!(output.status.code(), Some(69));
    let said = words(&output);
    assert!(said.contains("engine.old") && said.contains("18.06.0") && said.contains("1.40"), "{said}");
}

/// Proves: fault 17 (deadline of at most 10 s per call)
#[test]
fn an_engine_that_hangs_is_told_and_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let engine = fake(&home.path().join("e.sock"), None);
    let began = Instant::now();
    let output = mailctl(home.path(), &engine, &["image", "show"]);
    assert_eq!(output.status.code(), Some(75), "{}", words(&output));
    assert!(began.elapsed() < Duration::from_secs(15));
    assert!(words(&output).contains("engine.hangs"), "{}", words(&output));
}

/// Proves: fault 17, for an engine that is frozen and whose queue of connections is full.
#[test]
fn an_engine_that_takes_no_connection_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("e.sock");
    let address = rustix::net::SocketAddrUnix::new(&socket).unwrap();
    let open = || {
        let kind = rustix::net::SocketType::STREAM;
        let flags = rustix::net::SocketFlags::NONBLOCK | rustix::net::SocketFlags::CLOEXEC;
        rustix::net::socket_with(rustix::net::AddressFamily::UNIX, kind, flags, None).unwrap()
    };
    let listener = open();
    rustix::net::bind(&listener, &address).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    loop {
        let client = open();
        match rustix::net::connect(&client, &address) {
            Ok(()) => waiting.push(client),
            Err(error) => break assert_eq!(error, rustix::io::Errno::AGAIN),
        }
    }
    let began = Instant::now();
    let output = mailctl(home.path(), &format!("unix://{}", socket.display()), &["image", "show"]);
    assert_eq!(output.status.code(), Some(75), "{}", words(&output));
    assert!(began.elapsed() < Duration::from_secs(15));
    assert!(words(&output).contains("engine.hangs"), "{}", words(&output));
    assert!(!waiting.is_empty());
}

#[test]
fn an_engine_that_talks_nonsense_is_an_error_and_not_a_panic() {
    let home = tempfile::tempdir().unwrap();
    let engine = fake(&home.path().join("e.sock"), Some("{\"Version\": \"2"));
    let output = mailctl(home.path(), &engine, &["image", "show"]);
    assert_eq!(output.status.code(), Some(69), "{}", words(&output));
}

/// `version` is for reports of faults: it must work where nothing else does.
#[test]
fn version_needs_no_engine() {
    let home = tempfile::tempdir().unwrap();
    let output = mailctl(home.path(), "unix:///nonexistent/docker.sock", &["version"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("mailctl "));
}
