//! `mailctl daemon` over a home, so that commands on that home ask a running one, and the test asks it as Postfix does.

use super::home::Home;
use std::{
    fs,
    io::{Read, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

/// Longest wait for something that has no promise of its own.
const LONG: Duration = Duration::from_secs(20);

/// One that runs; gone when dropped.
pub struct Mailctld {
    home: PathBuf,
    daemon: Child,
}

impl Mailctld {
    /// Starts one for `example.org` over the home's directory; `rules` are further lines of its file, tables last.
    pub fn start(home: &Home, rules: &str) -> Self {
        let path = |name: &str| home.path().join(name);
        fs::create_dir_all(path("run/control")).unwrap();
        let (keys, tables) = match rules.find('[') {
            Some(at) => rules.split_at(rules[..at].rfind('\n').map_or(0, |line| line + 1)),
            None => (rules, ""),
        };
        let text = format!(
            "hostname = \"mail.example.org\"\nadmin = \"admin@example.org\"\ndomains = [\"example.org\"]\n\
             delimiter = \"+\"\ndatabase = {:?}\nsocketmap = {:?}\npolicy = {:?}\ncontrol = {:?}\nmemory = {:?}\n\
             status = \"127.0.0.1:0\"\ntrusted = \"127.0.0.0/8 10.0.0.0/8\"\n{keys}\n[auth]\nsocket = {:?}\n\
             enabled = true\nfailures = 5\nnetwork_failures = 25\naccount_failures = 50\nwindow = 600\n\
             ban_time = 600\nlongest_ban = 86400\ncount_repeats = false\n{tables}\n",
            path("state/db/directory.db"),
            path("run/map"),
            path("run/policy"),
            path("run/control/mailctld"),
            path("run/policy.db"),
            path("run/auth"),
        );
        fs::write(path("daemon.toml"), text).unwrap();
        let log = fs::File::create(path("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
        command.env_clear().args(["daemon", "--config"]).arg(path("daemon.toml")).stdout(log);
        let started = Self { home: home.path().to_owned(), daemon: command.spawn().unwrap() };
        started.soon("the daemon listens", || {
            ["run/policy", "run/control/mailctld"].iter().all(|door| UnixStream::connect(path(door)).is_ok())
        });
        started
            .soon("it has read the directory", || started.metrics().contains("\nmailctl_directory_read 1"));
        started
    }

    /// The action that Postfix is told for these attributes, which have blanks between them.
    pub fn ask(&self, attributes: &str) -> String {
        let mut stream = UnixStream::connect(self.home.join("run/policy")).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let request = format!("request=smtpd_access_policy\n{}\n\n", attributes.replace(' ', "\n"));
        stream.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut octet) = (Vec::new(), [0]);
        while !answer.ends_with(b"\n\n") {
            stream.read_exact(&mut octet).unwrap();
            answer.push(octet[0]);
        }
        String::from_utf8(answer).unwrap().trim_end().replace("action=", "")
    }

    /// The page of figures.
    pub fn metrics(&self) -> String {
        let mut stream = std::net::TcpStream::connect(self.status()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    fn status(&self) -> SocketAddr {
        let found = || {
            let log = log(&self.home);
            let (_, rest) = log.rsplit_once("status address=")?;
            rest.split_once('\n')?.0.trim().parse().ok()
        };
        // The log is written by a thread of its own.
        self.soon("the port is told", || found().is_some());
        found().unwrap()
    }

    /// Waits until `true`.
    pub fn soon(&self, what: &str, mut is: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is() {
            assert!(began.elapsed() < LONG, "not within {LONG:?}: {what}\n{}", log(&self.home));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn log(home: &Path) -> String {
    fs::read_to_string(home.join("log")).unwrap_or_default()
}

impl Drop for Mailctld {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
