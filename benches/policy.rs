//! Policy requests against a null server: `mailctl daemon` as a process with limits and greylisting on, and beside it a
//! server that looks for the end of a request and answers a constant. Same load generator, same run, turn about.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and panics where it cannot go on"
)]

mod report;

use report::{Goal, line};
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
const ROUNDS: usize = 11;
const WARM: Duration = Duration::from_millis(50);
const ROUND: Duration = Duration::from_millis(300);
/// Triplets that are asked about, all known.
const TRIPLETS: usize = 100_000;
/// Triplets in memory at the end.
const MILLION: usize = 1_000_000;

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
    let _constant =
        Guard(Command::new(std::env::current_exe().unwrap()).arg("--null").arg(&peer).spawn().unwrap());
    let (daemon, ours) = daemon(home.path()).await;
    ready(&peer).await;

    // Known senders, as nearly all are: each comes, and comes again when the second of the delay is over.
    let triplets: Arc<Vec<Vec<u8>>> = Arc::new((0..TRIPLETS).map(request).collect());
    all(&ours, &triplets, b"action=").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    all(&ours, &triplets, b"action=DUNNO").await;

    for connections in [1, 10, 100] {
        let (mut nulls, mut figures, mut ratios, mut p99s) = (vec![], vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let null = load(&peer, connections, &triplets).await;
            let mailctl = load(&ours, connections, &triplets).await;
            ratios.push(mailctl.rate / null.rate);
            p99s.push(mailctl.p99.as_secs_f64() / null.p99.as_secs_f64());
            nulls.push(null.rate);
            figures.push(mailctl.rate);
        }
        let name = |what| format!("policy {what}, unix, {connections} connections");
        line(&name("null server"), median(&mut nulls), "/s", Goal::None);
        line(&name("mailctld"), median(&mut figures), "/s", Goal::None);
        line(&name("to null server"), median(&mut ratios), "", Goal::AtLeast(0.75));
        line(&name("p99 to null server's"), median(&mut p99s), "", Goal::AtMost(1.5));
    }

    let more: Arc<Vec<Vec<u8>>> = Arc::new((TRIPLETS..MILLION).map(request).collect());
    all(&ours, &more, b"action=").await;
    line("mailctld memory, 1M triplets", resident(&daemon.0), "MiB", Goal::AtMost(200.0));
}

/// A child that does not outlive the bench.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The real binary, with a memory on the disk.
async fn daemon(home: &Path) -> (Guard, PathBuf) {
    let (socket, file) = (home.join("policy"), home.join("daemon.toml"));
    let text = format!(
        "hostname = \"mail.example.org\"\nadmin = \"ann@example.org\"\ndomains = [\"example.org\"]\ndelimiter = \"+\"\n\
         database = {:?}\nsocketmap = {:?}\npolicy = {socket:?}\nmemory = {:?}\n\
         [policies.rates]\nclient = \"messages 200/m 3000/h, recipients 1000/m 10000/h\"\n\
         sender_domain = \"messages 500/m 10000/h\"\n\
         [policies.greylist]\nmode = \"all\"\ndelay = 1\nwindow = 3600\nkeep = 86400\nafter = 0\nipv4 = 24\nipv6 = 64\n",
        home.join("directory.db"),
        home.join("map"),
        home.join("policy.db"),
    );
    std::fs::write(&file, text).unwrap();
    let log = std::fs::File::create(home.join("log")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_mailctl"))
        .args(["daemon", "--config"])
        .arg(&file)
        .stdout(log)
        .spawn();
    let child = Guard(child.unwrap());
    ready(&socket).await;
    (child, socket)
}

async fn ready(socket: &Path) {
    let began = Instant::now();
    while UnixStream::connect(socket).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "{socket:?} is not served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What Postfix 3.10 sends at RCPT.
fn request(number: usize) -> Vec<u8> {
    let (high, low) = (number / 250 % 250, number % 250);
    format!(
        "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=198.{}.{high}.{low}\n\
         client_name=mx{number}.shop{}.example.net\nclient_port=50222\nreverse_client_name=mx{number}.shop{}.example.net\n\
         server_address=192.0.2.25\nserver_port=25\nhelo_name=mx{number}.shop{}.example.net\nsender=news@shop{number}.example.net\n\
         recipient=ann@example.org\nrecipient_count=0\nqueue_id=\ninstance=1f2.6740a1b2.c3d4e.0\nsize=14221\netrn_domain=\n\
         stress=\nsasl_method=\nsasl_username=\nsasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\n\
         ccert_pubkey_fingerprint=\nencryption_protocol=TLSv1.3\nencryption_cipher=TLS_AES_256_GCM_SHA384\n\
         encryption_keysize=256\npolicy_context=\ncompatibility_level=3.10\nmail_version=3.10.5\n\n",
        18 + number / 62_500,
        number % 9000,
        number % 9000,
        number % 9000,
    )
    .into_bytes()
}

/// Asks about each once, over ten connections; every answer begins like this.
async fn all(socket: &Path, requests: &Arc<Vec<Vec<u8>>>, answer: &'static [u8]) {
    let tasks = (0..10).map(|part| {
        let (socket, requests) = (socket.to_owned(), Arc::clone(requests));
        tokio::spawn(async move {
            let mut stream = UnixStream::connect(&socket).await.unwrap();
            let mut buffer = Vec::with_capacity(1024);
            for request in requests.iter().skip(part).step_by(10) {
                ask(&mut stream, request, &mut buffer).await.unwrap();
                assert!(buffer.starts_with(answer), "{}", String::from_utf8_lossy(&buffer));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

struct Figures {
    rate: f64,
    p99: Duration,
}

/// Every connection asks, waits for the answer, and asks again.
async fn load(socket: &Path, connections: usize, requests: &Arc<Vec<Vec<u8>>>) -> Figures {
    let begin = Instant::now() + WARM;
    let end = begin + ROUND;
    let mut tasks = Vec::new();
    for number in 0..connections {
        let mut stream = UnixStream::connect(socket).await.unwrap();
        let requests = Arc::clone(requests);
        tasks.push(tokio::spawn(async move {
            let (mut times, mut buffer) = (Vec::with_capacity(200_000), Vec::with_capacity(4096));
            let mut at = number * 7919 % requests.len();
            loop {
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

/// One question, one whole answer in `buffer`.
async fn ask(stream: &mut UnixStream, request: &[u8], buffer: &mut Vec<u8>) -> std::io::Result<()> {
    buffer.clear();
    stream.write_all(request).await?;
    while !buffer.ends_with(b"\n\n") {
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// The peer: the end of a request, and always the same answer.
async fn null(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut buffer = Vec::with_capacity(4096);
            while let Ok(1..) = stream.read_buf(&mut buffer).await {
                if buffer.ends_with(b"\n\n") {
                    buffer.clear();
                    if stream.write_all(b"action=DUNNO\n\n").await.is_err() {
                        return;
                    }
                }
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
