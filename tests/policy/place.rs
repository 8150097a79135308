//! A daemon with policies, and connections to its doors.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

/// Longest wait for something that has no promise of its own.
pub const LONG: Duration = Duration::from_secs(20);

/// A home and the daemon over it; gone when dropped.
pub struct Place {
    home: tempfile::TempDir,
    daemon: Option<Child>,
    /// What it is started through, such as `prlimit`; its own words follow.
    pub through: Vec<String>,
    pub environment: Vec<(String, String)>,
}

impl Place {
    /// Configured with these lines; tables last.
    pub fn new(rules: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let place = Self { home, daemon: None, through: Vec::new(), environment: Vec::new() };
        place.configure(rules);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn configure(&self, rules: &str) {
        let text = format!(
            "hostname = \"mail.example.test\"\nadmin = \"boss@example.test\"\ndomains = [\"example.test\"]\n\
             delimiter = \"+\"\ndatabase = {:?}\nsocketmap = {:?}\npolicy = {:?}\nmemory = {:?}\n{rules}\n",
            self.path("directory.db"),
            self.path("map"),
            self.path("policy"),
            self.path("policy.db"),
        );
        fs::write(self.path("daemon.toml"), text).unwrap();
    }

    /// Starts it; returns when it takes connections.
    pub fn start(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let mut words = self.through.clone();
        words.push(env!("CARGO_BIN_EXE_mailctl").to_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(["daemon", "--config"]).arg(self.path("daemon.toml"));
        command.env_clear().envs(self.environment.iter().cloned()).stdout(log);
        self.daemon = Some(command.spawn().unwrap());
        soon("the daemon listens", || UnixStream::connect(self.path("policy")).is_ok());
    }

    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().unwrap().id()
    }

    /// `kill -9`.
    pub fn crash(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// It runs, and is the one that was started.
    pub fn lives(&mut self) -> bool {
        self.daemon.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// Where `policy_tcp` is served.
    pub fn tcp(&self) -> SocketAddr {
        // The log is written by a thread of its own.
        soon("the port is told", || self.log().contains("policy-tcp address="));
        let log = self.log();
        let (_, rest) = log.rsplit_once("policy-tcp address=").unwrap();
        rest.lines().next().unwrap().parse().unwrap()
    }

    pub fn connect(&self) -> Session<UnixStream> {
        let stream = UnixStream::connect(self.path("policy")).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Session(stream)
    }

    pub fn connect_tcp(&self) -> Session<TcpStream> {
        let stream = TcpStream::connect(self.tcp()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Session(stream)
    }

    /// What is said to these attributes, on a connection of its own.
    pub fn ask(&self, attributes: &str) -> String {
        self.connect().ask(attributes).unwrap()
    }

    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// Resident memory, in KiB.
    pub fn resident(&self) -> i64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// One connection, as Postfix holds it.
pub struct Session<S>(pub S);

impl<S: Read + Write> Session<S> {
    /// The action; `None` where the other side hung up instead.
    pub fn ask(&mut self, attributes: &str) -> Option<String> {
        let request = format!("request=smtpd_access_policy\n{}\n\n", attributes.replace(' ', "\n"));
        self.send(request.as_bytes()).then(|| self.answer()).flatten()
    }

    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    pub fn answer(&mut self) -> Option<String> {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\n\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).ok()?;
            answer.push(byte[0]);
        }
        let answer = String::from_utf8(answer).unwrap();
        Some(answer.trim_end().strip_prefix("action=").unwrap().to_owned())
    }

    /// The other side hung up and said nothing more.
    pub fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0; 64]) {
            Ok(0) => true,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
            Ok(_) => false,
        }
    }
}

/// Waits until `true`.
pub fn soon(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < LONG, "not within {LONG:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
