//! Debian's Pebble, a proxy before it that does what Pebble cannot (429, 5xx, silence, half an answer, words that are
//! not JSON, advice when to renew), and the web server that shows what proves the names.

mod proxy;
pub mod renewals;
pub mod restarts;
pub mod scene;
pub mod shown;

use super::https::Authority;
use base64::Engine;
use serde_json::{Value, json};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 429, with `Retry-After` in seconds.
    TooMany(u64),
    /// 503 with a page of HTML.
    Unavailable,
    /// No answer; Pebble has done what was asked all the same.
    Hang,
    /// No answer; Pebble was never asked.
    Deaf,
    /// Half of the answer's body, then the end.
    Cut,
    /// 200, and something that is not JSON.
    Nonsense,
    /// 404: there is no such thing here.
    Missing,
}

/// What the proxy saw.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Path of the request.
    pub path: String,
    /// Status that Pebble answered with; 0 = it was not asked.
    pub status: u16,
}

type Decide = dyn Fn(&str) -> Option<Trouble> + Send + Sync;

/// An authority: Pebble, and the proxy before it. Both end with it.
pub struct Pebble {
    child: Child,
    folder: tempfile::TempDir,
    at: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    pebble: SocketAddr,
    manage: SocketAddr,
    at: SocketAddr,
    decide: Mutex<Arc<Decide>>,
    seen: Mutex<Vec<Seen>>,
    /// Begin and end of the window of advice, as RFC 3339 has them.
    advice: Mutex<Option<(String, String)>>,
    ended: AtomicBool,
    /// Connections of clients.
    open: AtomicUsize,
}

/// How Pebble is to be.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// Percent of good nonces that it refuses.
    pub bad_nonces: u32,
    /// Orders on one page of an account's list; 0 = three.
    pub page: u32,
    /// Key identifier and key (base64url) without which it makes no account.
    pub binding: Option<(String, String)>,
}

impl Pebble {
    /// One that asks `dns`, and validates at the usual ports.
    pub fn start(dns: SocketAddr, manner: &Manner) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::Builder::new().prefix("mailctl-acme-").tempdir().unwrap();
        let authority = Authority::new();
        let (certificate, key) = authority.issue(&["localhost", "127.0.0.1"]);
        let file = |name: &str| folder.path().join(name);
        fs::write(file("root.pem"), pem("CERTIFICATE", &authority.root())).unwrap();
        fs::write(file("api.pem"), pem("CERTIFICATE", &certificate)).unwrap();
        fs::write(file("api.key"), pem("PRIVATE KEY", &key)).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        let (pebble, manage) = (free(), free());
        let mut config = json!({
            "listenAddress": pebble.to_string(), "managementListenAddress": manage.to_string(),
            "certificate": file("api.pem"), "privateKey": file("api.key"), "httpPort": 80, "tlsPort": 443,
            "ocspResponderURL": "", "externalAccountBindingRequired": manner.binding.is_some(),
            "retryAfter": {"authz": 0, "order": 0},
        });
        if let Some((id, key)) = &manner.binding {
            config["externalAccountMACKeys"] = json!({id: key});
        }
        fs::write(file("config.json"), json!({"pebble": config}).to_string()).unwrap();
        let log = fs::File::create(file("log")).unwrap();
        let page = if manner.page == 0 { 3 } else { manner.page };
        let child = Command::new("/usr/bin/pebble")
            .args(["-strict=false", "-dnsserver", &dns.to_string(), "-config"])
            .arg(file("config.json"))
            .env_clear()
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_AUTHZREUSE", "0")
            .env("PEBBLE_WFE_ORDERS_PER_PAGE", page.to_string())
            .env("PEBBLE_WFE_NONCEREJECT", manner.bad_nonces.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("pebble: {error}; run .ci/provision test"));
        let shared = Arc::new(Shared {
            pebble,
            manage,
            at,
            decide: Mutex::new(Arc::new(|_: &str| None)),
            seen: Mutex::default(),
            advice: Mutex::default(),
            ended: AtomicBool::new(false),
            open: AtomicUsize::new(0),
        });
        let acceptor = proxy::acceptor(&certificate, &key);
        let of_proxy = Arc::clone(&shared);
        std::thread::spawn(move || proxy::run(&listener, &acceptor, &of_proxy));
        let started = Self { child, folder, at, shared };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(pebble).is_err() || TcpStream::connect(manage).is_err() {
            assert!(Instant::now() < until, "{}", started.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        started
    }

    /// URL of its directory, with the proxy in between.
    pub fn directory(&self) -> String {
        format!("https://{}/dir", self.at)
    }

    /// PEM file with the root that vouches for its web server.
    pub fn root_file(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// What Pebble wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// `decide` gets the path of every request.
    pub fn trouble(&self, decide: impl Fn(&str) -> Option<Trouble> + Send + Sync + 'static) {
        *self.shared.decide.lock().unwrap() = Arc::new(decide);
    }

    /// From here on it advises to renew between these two (RFC 3339).
    pub fn advise(&self, start: &str, end: &str) {
        *self.shared.advice.lock().unwrap() = Some((start.to_owned(), end.to_owned()));
    }

    /// Waits until everything that clients sent has arrived, and they are gone.
    pub fn quiet(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.shared.open.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < until, "somebody is still connected");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Everything that was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Orders that Pebble has taken.
    pub fn orders(&self) -> usize {
        self.created("/order-plz")
    }

    /// How often this path was asked, whoever answered.
    pub fn asked(&self, path: &str) -> usize {
        self.shared.seen.lock().unwrap().iter().filter(|seen| seen.path.starts_with(path)).count()
    }

    /// Accounts that Pebble has made.
    pub fn accounts(&self) -> usize {
        self.created("/sign-me-up")
    }

    fn created(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path && seen.status == 201).count()
    }

    /// The root of what it issues (PEM), asked of its management port.
    pub fn issuing_root(&self) -> String {
        self.manage("/roots/0")
    }

    /// What it knows of a certificate.
    pub fn status(&self, serial: &str) -> Value {
        let serial = serial.to_ascii_lowercase();
        let serial = serial.trim_start_matches('0');
        serde_json::from_str(&self.manage(&format!("/cert-status-by-serial/{serial}"))).unwrap()
    }

    fn manage(&self, path: &str) -> String {
        let url = format!("https://{}{path}", self.shared.manage);
        let said = Command::new("curl").args(["-sk", "-m", "10", &url]).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        String::from_utf8(said.stdout).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.at);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
