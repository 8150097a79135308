//! The two servers that are measured against each other: `mailctl daemon`, and one that parses nothing.

use crate::load::Place;
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
};

/// For Postfix, whose processes are not root.
pub fn for_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}

/// A process that does not outlive the bench.
pub struct Guard(pub Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server over both kinds of socket.
pub struct Server {
    pub process: Guard,
    pub unix: Place,
    pub tcp: Place,
}

/// How much may pass; above what the load brings.
pub const RATES: &str = "[policies.rates]\nclient = \"messages 200000/m 3000000/h, recipients 1000000/m 10000000/h\"\n\
     sender_domain = \"messages 500000/m 10000000/h\"\n";
/// Nobody asks DNS.
pub const NO_SPF: &str = "[policies.spf]\nmode = \"off\"\n";
/// A verdict is waited for where it is not known, and may refuse.
pub const SPF: &str = "[policies.spf]\nmode = \"reject\"\n";
/// Who came again after a second is known.
pub const GREYLIST: &str = "[policies.greylist]\nmode = \"all\"\ndelay = 1\nwindow = 3600\nkeep = 86400\nafter = 0\nipv4 = 24\nipv6 = 64\n";

/// The real binary, with a memory on the disk.
pub async fn mailctld(home: &Path, rules: &str) -> Server {
    fs::create_dir_all(home).unwrap();
    for_all(home);
    let (socket, file, log) = (home.join("policy"), home.join("daemon.toml"), home.join("log"));
    let text = format!(
        "hostname = \"mail.example.org\"\nadmin = \"ann@example.org\"\ndomains = [\"example.org\"]\ndelimiter = \"+\"\n\
         database = {:?}\nsocketmap = {:?}\npolicy = {socket:?}\npolicy_tcp = \"127.0.0.1:0\"\nmemory = {:?}\ntrusted = \"!127.0.0.0/8\"\n{rules}",
        home.join("directory.db"),
        home.join("map"),
        home.join("policy.db"),
    );
    fs::write(&file, text).unwrap();
    let out = fs::File::create(&log).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_mailctl"))
        .args(["daemon", "--config"])
        .arg(&file)
        .stdout(out)
        .spawn();
    let process = Guard(child.unwrap());
    let tcp = told(&log, "policy-tcp address=").await;
    let server = Server { process, unix: Place::Unix(socket.clone()), tcp: Place::Tcp(tcp) };
    server.unix.ready().await;
    for_all(&socket);
    server
}

/// The server that parses nothing, as a process of its own like ours.
pub async fn constant(home: &Path) -> Server {
    fs::create_dir_all(home).unwrap();
    for_all(home);
    let (socket, log) = (home.join("null"), home.join("log"));
    let out = fs::File::create(&log).unwrap();
    let child = Command::new(std::env::current_exe().unwrap()).arg("--null").arg(&socket).stdout(out).spawn();
    let process = Guard(child.unwrap());
    let tcp = told(&log, "address=").await;
    let server = Server { process, unix: Place::Unix(socket.clone()), tcp: Place::Tcp(tcp) };
    server.unix.ready().await;
    for_all(&socket);
    server
}

/// The port that the kernel chose.
async fn told(log: &Path, mark: &str) -> SocketAddr {
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(log).unwrap();
        let address = text.split_once(mark).and_then(|(_, rest)| rest.lines().next());
        if let Some(Ok(address)) = address.map(str::parse) {
            return address;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no port in {log:?}: {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The null server itself: the end of a request, and always the same answer.
pub async fn null(socket: PathBuf) {
    let unix = UnixListener::bind(socket).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("address={}", tcp.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = tcp.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(dunno(stream));
        }
    });
    loop {
        let (stream, _) = unix.accept().await.unwrap();
        tokio::spawn(dunno(stream));
    }
}

async fn dunno(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = Vec::with_capacity(4096);
    while let Ok(1..) = stream.read_buf(&mut buffer).await {
        if buffer.ends_with(b"\n\n") {
            buffer.clear();
            if stream.write_all(b"action=DUNNO\n\n").await.is_err() {
                return;
            }
        }
    }
}

impl Server {
    /// Resident memory, in MiB.
    pub fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Processor time so far (proc_pid_stat(5): utime and stime, in ticks of 10 ms).
    pub fn worked(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.0.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        Duration::from_millis(fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
    }
}
