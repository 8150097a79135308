//! The policy servers that people use, from the distribution: started as their packages start them, with room for
//! what the load brings. One that is not installed is skipped.

use crate::{
    load::{Connection, Place, Requests, all, load_on, median, request},
    report::{Goal, line},
    servers::{Guard, Server},
};
use std::{
    fs,
    io::ErrorKind,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 100;
/// Known ones are asked about; fewer than ours has: that is for the peer.
const TRIPLETS: usize = 1000;

/// A policy server of somebody else.
pub struct Peer {
    pub place: Place,
    _running: Option<Running>,
}

/// A process, or the one that a pid file names, for those that go to the background.
enum Running {
    Here(#[expect(dead_code, reason = "ends with it")] Guard),
    Behind(PathBuf),
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Self::Behind(file) = self
            && let Ok(pid) = fs::read_to_string(file)
        {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}

/// The program, where it is installed; else that is said.
fn program(name: &str, package: &str) -> Option<String> {
    let found = ["/usr/sbin", "/usr/bin"].map(|folder| format!("{folder}/{name}"));
    let found = found.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        println!("  {package} is not installed: skipped");
    }
    found
}

fn start(home: &Path, words: &[&str]) -> Child {
    let log = fs::File::create(home.join("log")).unwrap();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
    command.spawn().unwrap()
}

/// Greylisting as ours: a second, and every client's triplets by themselves.
pub async fn postgrey(home: &Path) -> Option<Peer> {
    let program = program("postgrey", "postgrey")?;
    fs::create_dir_all(home).unwrap();
    let socket = home.join("socket");
    let words = [
        &*program,
        &format!("--unix={}", socket.display()),
        &format!("--dbdir={}", home.display()),
        "--delay=1",
        "--auto-whitelist-clients=0",
        "--user=root",
        "--group=root",
    ];
    let running = Running::Here(Guard(start(home, &words)));
    let peer = Peer { place: Place::Unix(socket), _running: Some(running) };
    peer.place.ready().await;
    Some(peer)
}

/// Its own defaults, and no DNS for the networks of the load: faster than it ever is.
pub fn policyd_spf(home: &Path) -> Option<Peer> {
    let program = program("policyd-spf", "postfix-policyd-spf-python")?;
    fs::create_dir_all(home).unwrap();
    let file = home.join("policyd-spf.conf");
    let text = "debugLevel = 1\nTestOnly = 1\nHELO_reject = Fail\nMail_From_reject = Fail\nPermError_reject = False\n\
                TempError_Defer = False\nskip_addresses = 127.0.0.0/8,198.18.0.0/15\n";
    fs::write(&file, text).unwrap();
    let words = vec![program, file.display().to_string()];
    Some(Peer { place: Place::Spawn(words), _running: None })
}

/// A limit per client.
pub async fn postfwd(home: &Path) -> Option<Peer> {
    let program = program("postfwd2", "postfwd")?;
    fs::create_dir_all(home).unwrap();
    // Free a moment ago; it cannot tell which port it took.
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let pid = home.join("pid");
    let words = [
        &*program,
        "--daemon",
        "-r",
        "id=R1; action=rate(client_address/1000000/60/450 4.7.1 too much)",
        "--server_socket",
        &format!("tcp:{at}"),
        "--pidfile",
        &pid.display().to_string(),
        "-u",
        "root",
        "-g",
        "root",
    ];
    assert!(start(home, &words).wait().unwrap().success());
    let peer = Peer { place: Place::Tcp(at), _running: Some(Running::Behind(pid)) };
    peer.place.ready().await;
    Some(peer)
}

/// A limit per client and per login, in SQLite.
pub async fn policyd_rate_limit(home: &Path) -> Option<Peer> {
    let program = program("policyd-rate-limit", "policyd-rate-limit")?;
    fs::create_dir_all(home).unwrap();
    let socket = home.join("socket");
    let file = home.join("policyd-rate-limit.yaml");
    let text = format!(
        "debug: True\nuser: root\ngroup: root\npidfile: {:?}\nsqlite_config:\n    database: {:?}\nbackend: 0\nSOCKET: {socket:?}\n\
         socket_permission: 0666\nlimits:\n    - [1000000, 60]\n    - [10000000, 86400]\nlimits_by_id: {{}}\nlimit_by_sasl: True\n\
         limit_by_sender: False\nlimit_by_ip: True\nlimited_networks: [\"0.0.0.0/0\"]\nsuccess_action: dunno\n\
         fail_action: \"defer_if_permit too much\"\ndb_error_action: dunno\nreport: False\ndelay_to_close: 300\n",
        home.join("pid"),
        home.join("counts.sqlite3"),
    );
    fs::write(&file, text).unwrap();
    let running = Running::Here(Guard(start(home, &[&program, "--file", &file.display().to_string()])));
    let peer = Peer { place: Place::Unix(socket), _running: Some(running) };
    peer.place.ready().await;
    Some(peer)
}

/// Ours beside each, at a hundred connections.
pub async fn beside(home: &Path, ours: &Server) {
    let requests: Requests = Arc::new((0..TRIPLETS).map(request).collect());
    if let Some(peer) = postgrey(&home.join("postgrey")).await {
        all(&peer.place, &requests, b"action=").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        all(&peer.place, &requests, b"action=").await;
        compare("postgrey", &peer, ours, &requests, Goal::AtLeast(80.0)).await;
    }
    if let Some(peer) = policyd_spf(&home.join("spf")) {
        compare("policyd-spf without DNS", &peer, ours, &requests, Goal::AtLeast(60.0)).await;
    }
    if let Some(peer) = postfwd(&home.join("postfwd")).await {
        compare("postfwd2", &peer, ours, &requests, Goal::None).await;
    }
    if let Some(peer) = policyd_rate_limit(&home.join("rate")).await {
        compare("policyd-rate-limit", &peer, ours, &requests, Goal::None).await;
    }
}

/// Longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection, from a server that lets a few wait at a time.
async fn patiently(place: &Place) -> Connection {
    let began = Instant::now();
    loop {
        match place.connect().await {
            Ok(connection) => return connection,
            Err(error) if error.kind() == ErrorKind::WouldBlock && began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("cannot connect: {error}"),
        }
    }
}

async fn compare(name: &str, peer: &Peer, ours: &Server, requests: &Requests, goal: Goal) {
    let place = if matches!(peer.place, Place::Tcp(_)) { &ours.tcp } else { &ours.unix };
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        theirs.push(patiently(&peer.place).await);
        own.push(place.connect().await.unwrap());
    }
    // Programs that are started for each connection have started.
    for connection in &mut theirs {
        connection.ask(&requests[0]).await.unwrap();
    }
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let rate = load_on(&mut theirs, requests).await.rate;
        ratios.push(load_on(&mut own, requests).await.rate / rate.max(1.0));
        rates.push(rate);
    }
    line(&format!("policy peers: {name}, 100"), median(&mut rates), "/s", Goal::None);
    line(&format!("policy peers: mailctld to {name}"), median(&mut ratios), "", goal);
}
