//! Socketmap lookups against a null server: `mailctl daemon` as a process with 100,000 mailboxes and
//! 1,000,000 aliases, and beside it a server that frames netstrings and answers a constant. Same load
//! generator, same run, turn about; so the ratio says what the directory costs.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and panics where it cannot go on"
)]

mod report;
mod scale;

use mailctl::world::paths::Paths;
use report::Goal;
use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

/// Many short ones: what else the machine does then meets both servers alike.
const ROUNDS: usize = 15;
const WARM: Duration = Duration::from_millis(50);
const ROUND: Duration = Duration::from_millis(300);
/// Lookups per second in the paced part: thousands of messages a second, a few times what two cores of
/// Postfix can take in.
const PACE: u32 = 20_000;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, socket] = &arguments[..]
        && mode == "--null"
    {
        return null(Path::new(socket)).await;
    }
    let home = tempfile::tempdir().unwrap();
    let peer = home.path().join("null");
    let constant =
        Guard(Command::new(std::env::current_exe().unwrap()).arg("--null").arg(&peer).spawn().unwrap());
    let (daemon, ours) = daemon(home.path()).await;
    let requests = Arc::new(requests());

    for connections in [1, 10, 100] {
        let (mut nulls, mut figures, mut ratios, mut p99s) = (vec![], vec![], vec![], vec![]);
        let (mut throttle, mut peer_throttle) = (vec![], vec![]);
        let (mut null_cost, mut cost) = (Cost::default(), Cost::default());
        for _ in 0..ROUNDS {
            let before = processor(&constant.0);
            let peer = load(&peer, connections, &requests, None).await;
            null_cost.add(&peer, processor(&constant.0) - before);
            peer_throttle.push(peer.p99.as_secs_f64() * 1000.0);
            let before = processor(&daemon.0);
            let mailctl = load(&ours, connections, &requests, None).await;
            cost.add(&mailctl, processor(&daemon.0) - before);
            ratios.push(mailctl.rate / peer.rate);
            nulls.push(peer.rate);
            figures.push(mailctl.rate);
            throttle.push(mailctl.p99.as_secs_f64() * 1000.0);
            let paced = load(&ours, connections, &requests, Some(PACE / connections as u32)).await;
            p99s.push(paced.p99.as_secs_f64() * 1000.0);
        }
        let name = |what| format!("socketmap {what}, {connections} connections");
        println!("  processor time per lookup: null server {null_cost}, mailctld {cost}");
        report::line(&name("null server"), median(&mut nulls), "/s", Goal::None);
        report::line(&name("mailctld"), median(&mut figures), "/s", Goal::None);
        report::line(&name("to null server"), median(&mut ratios), "", Goal::AtLeast(0.6));
        report::line(&name("p99 at 20000/s"), median(&mut p99s), "ms", Goal::AtMost(1.0));
        report::line(
            &name("null server's p99 at full throttle"),
            median(&mut peer_throttle),
            "ms",
            Goal::None,
        );
        report::line(&name("p99 at full throttle"), median(&mut throttle), "ms", Goal::AtMost(1.0));
    }
    report::line("mailctld memory, 100k mailboxes and 1M aliases", resident(&daemon.0), "MiB", Goal::None);
}

/// A child that does not outlive the bench.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The real binary over a filled store; ready when it knows the last alias.
async fn daemon(home: &Path) -> (Guard, PathBuf) {
    let paths = Paths::new(home.to_owned());
    let began = Instant::now();
    scale::fill(&paths).await;
    println!("  filled in {:.1} s", began.elapsed().as_secs_f64());
    let (socket, policy, file) = (home.join("map"), home.join("policy"), home.join("daemon.toml"));
    let text = format!(
        "hostname = \"mail.example.org\"\nadmin = \"{}\"\ndomains = [\"example.org\"]\ndelimiter = \"+\"\n\
         database = {:?}\nsocketmap = {socket:?}\npolicy = {policy:?}\n",
        scale::mailbox(0),
        paths.database(),
    );
    std::fs::write(&file, text).unwrap();
    let began = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_mailctl")).arg("daemon").arg("--config").arg(&file).spawn();
    let child = Guard(child.unwrap());
    let probe = request("aliases", &scale::alias(scale::ALIASES - 1));
    while began.elapsed() < Duration::from_secs(60) {
        if let Ok(mut stream) = UnixStream::connect(&socket).await
            && let Ok(answer) = ask(&mut stream, &probe, &mut Vec::new()).await
            && answer.contains("OK ")
        {
            report::line(
                "mailctld from start to first answer",
                began.elapsed().as_secs_f64(),
                "s",
                Goal::None,
            );
            return (child, socket);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the daemon does not answer");
}

fn request(map: &str, key: &str) -> Vec<u8> {
    format!("{}:{map} {key},", map.len() + 1 + key.len()).into_bytes()
}

/// What Postfix asks: for every recipient the domain, the alias, the mailbox; for some the sender's owner.
/// One address in five exists nowhere.
fn requests() -> Vec<Vec<u8>> {
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut requests = Vec::new();
    for _ in 0..30_000 {
        let address = match next(10) {
            0 | 1 => format!("nobody{}@{}", next(1_000_000), scale::domain(next(20))),
            2..=4 => scale::alias(next(scale::ALIASES)),
            _ => scale::mailbox(next(scale::MAILBOXES)),
        };
        let (_, domain) = address.split_once('@').unwrap();
        requests.push(request("domains", domain));
        requests.push(request("aliases", &address));
        requests.push(request("mailboxes", &address));
        if next(5) == 0 {
            requests.push(request("senders", &address));
        }
    }
    requests
}

/// Processor time of a server over all lookups; a busy machine changes it least.
#[derive(Default)]
struct Cost(f64, f64);

impl Cost {
    fn add(&mut self, figures: &Figures, seconds: f64) {
        self.0 += seconds;
        // Warming up costs, too.
        self.1 += figures.rate * (ROUND + WARM).as_secs_f64();
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} us", self.0 / self.1 * 1e6)
    }
}

/// Seconds that a process has had of the processors (proc(5): fields 14 and 15, in hundredths).
fn processor(child: &Child) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

struct Figures {
    rate: f64,
    p99: Duration,
}

/// Every connection asks, waits for the answer, and asks again; at `pace` questions a second, or at once.
async fn load(socket: &Path, connections: usize, requests: &Arc<Vec<Vec<u8>>>, pace: Option<u32>) -> Figures {
    let begin = Instant::now() + WARM;
    let end = begin + ROUND;
    let mut tasks = Vec::new();
    for number in 0..connections {
        let mut stream = UnixStream::connect(socket).await.unwrap();
        let requests = Arc::clone(requests);
        tasks.push(tokio::spawn(async move {
            let (mut times, mut buffer) = (Vec::with_capacity(200_000), Vec::with_capacity(4096));
            let mut at = number * 7919 % requests.len();
            let step = pace.map(|pace| Duration::from_secs(1) / pace);
            let mut due = begin - WARM + step.unwrap_or_default() * number as u32 / connections as u32;
            loop {
                if let Some(step) = step {
                    tokio::time::sleep_until(due.into()).await;
                    due += step;
                }
                let began = Instant::now();
                if began >= end {
                    return times;
                }
                ask(&mut stream, &requests[at], &mut buffer).await.unwrap();
                if began >= begin {
                    times.push(began.elapsed());
                }
                at = (at + 1) % requests.len();
            }
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    times.sort();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    Figures { rate: times.len() as f64 / ROUND.as_secs_f64(), p99 }
}

/// One question, one whole answer.
async fn ask<'a>(
    stream: &mut UnixStream,
    request: &[u8],
    buffer: &'a mut Vec<u8>,
) -> std::io::Result<std::borrow::Cow<'a, str>> {
    buffer.clear();
    stream.write_all(request).await?;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if frame(buffer).is_some() {
            return Ok(String::from_utf8_lossy(buffer));
        }
    }
}

/// Length of the netstring at the front of `buffer`, where it is whole.
fn frame(buffer: &[u8]) -> Option<usize> {
    let colon = buffer.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&buffer[..colon]).ok()?.parse().ok()?;
    let whole = colon + 1 + length + 1;
    (buffer.len() >= whole).then_some(whole)
}

/// The peer: framing, and always the same answer.
async fn null(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let (mut buffer, mut out) = (Vec::with_capacity(4096), Vec::with_capacity(1024));
            while let Ok(1..) = stream.read_buf(&mut buffer).await {
                let mut used = 0;
                while let Some(length) = frame(&buffer[used..]) {
                    used += length;
                    out.extend_from_slice(b"4:OK 1,");
                }
                buffer.drain(..used);
                if stream.write_all(&out).await.is_err() {
                    return;
                }
                out.clear();
            }
        });
    }
}

/// The middle one; a shared machine has outliers on both sides.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn resident(daemon: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
