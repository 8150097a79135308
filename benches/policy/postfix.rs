//! End to end: smtp-source sends through a real Postfix of its own, which throws everything away; only the policy server
//! that it asks differs.

use crate::{
    load::{Place, median},
    peers::{Peer, policyd_rate_limit, policyd_spf, postgrey},
    report::{Goal, line},
    servers::Server,
};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const ROUNDS: usize = 5;
/// Of one round: a second with ours, many with the others.
const MESSAGES: &str = "300";
const SESSIONS: &str = "20";

/// A Postfix of ours, with an smtpd for each way to ask.
struct Postfix {
    home: PathBuf,
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Command::new("postfix").arg("-c").arg(self.home.join("etc")).arg("stop").output();
    }
}

/// A door of it, and whom it asks at RCPT.
struct Door {
    at: SocketAddr,
    asks: Vec<String>,
}

impl Door {
    fn new(asks: Vec<String>) -> Self {
        // Free a moment ago.
        Self { at: TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(), asks }
    }
}

impl Postfix {
    fn start(home: &Path, doors: &[&Door], spawned: &[(&str, &[String])]) -> Self {
        let (etc, queue, data) = (home.join("etc"), home.join("queue"), home.join("data"));
        for folder in [&etc, &queue, &data] {
            fs::create_dir_all(folder).unwrap();
        }
        let owner = Command::new("chown").arg("postfix").arg(&data).status().unwrap();
        assert!(owner.success());
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\nmyhostname = mail.example.org\n\
             mydestination = example.org\nlocal_transport = discard:\nlocal_recipient_maps =\nalias_maps =\nalias_database =\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks =\nmaillog_file = {}\n\
             maillog_file_prefixes = {}\nsmtpd_client_connection_count_limit = 0\nsmtpd_client_connection_rate_limit = 0\n\
             smtpd_peername_lookup = no\nsmtpd_relay_restrictions =\nsmtpd_policy_service_timeout = 20s\n\
             spf_time_limit = 3600s\n",
            queue.display(),
            data.display(),
            home.join("log").display(),
            home.display(),
        );
        fs::write(etc.join("main.cf"), main).unwrap();
        let mut master = String::from(
            "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
             rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
             trace unix - - n - 0 bounce\nverify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\n\
             proxymap unix - - n - - proxymap\nshowq unix n - n - - showq\nerror unix - - n - - error\n\
             retry unix - - n - - error\ndiscard unix - - n - - discard\nlocal unix - n n - - local\n\
             anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 postlogd\n",
        );
        for door in doors {
            let asks: Vec<String> =
                door.asks.iter().map(|ask| format!("check_policy_service,{ask}")).collect();
            let restrictions =
                [vec!["reject_unauth_destination".to_owned()], asks, vec!["permit".to_owned()]]
                    .concat()
                    .join(",");
            master += &format!(
                "{} inet n - n - - smtpd\n  -o smtpd_recipient_restrictions={restrictions}\n",
                door.at
            );
        }
        for (name, words) in spawned {
            master += &format!("{name} unix - n n - 0 spawn\n  user=nobody argv={}\n", words.join(" "));
        }
        fs::write(etc.join("master.cf"), master).unwrap();
        let postfix = Self { home: home.to_owned() };
        let started = Command::new("postfix").arg("-c").arg(&etc).arg("start").output().unwrap();
        assert!(started.status.success(), "{started:?}");
        let began = Instant::now();
        while doors.iter().any(|door| std::net::TcpStream::connect(door.at).is_err()) {
            assert!(began.elapsed() < Duration::from_secs(30), "Postfix does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        postfix
    }

    /// Messages per second, through this door.
    fn send(&self, door: &Door) -> f64 {
        let began = Instant::now();
        let at = format!("inet:{}:{}", door.at.ip(), door.at.port());
        let sent = Command::new("timeout")
            .args([
                "60",
                "smtp-source",
                "-s",
                SESSIONS,
                "-m",
                MESSAGES,
                "-l",
                "4000",
                "-f",
                "news@shop.example.net",
                "-t",
                "ann@example.org",
                &at,
            ])
            .output()
            .unwrap();
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        let took = began.elapsed();
        self.emptied();
        MESSAGES.parse::<f64>().unwrap() / took.as_secs_f64()
    }

    /// What one round leaves to do is no burden for the next.
    fn emptied(&self) {
        let left = || {
            ["incoming", "active", "maildrop"].iter().any(|name| {
                fs::read_dir(self.home.join("queue").join(name)).is_ok_and(|mut files| files.next().is_some())
            })
        };
        let began = Instant::now();
        while left() {
            assert!(began.elapsed() < Duration::from_secs(60), "the queue stays full");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// With ours, with the null server, and with three of others together; turn about.
pub async fn through(home: &Path, null: &Server, ours: &Server) {
    if !Path::new("/usr/sbin/smtp-source").exists() {
        println!("  postfix is not installed: skipped");
        return;
    }
    let (grey, spf, rate) = (
        postgrey(&home.join("postgrey")).await,
        policyd_spf(&home.join("spf")),
        policyd_rate_limit(&home.join("rate")).await,
    );
    let nobody = Door::new(vec![]);
    let constant = Door::new(vec![service(null)]);
    let mailctld = Door::new(vec![service(ours)]);
    let mut doors = vec![&nobody, &constant, &mailctld];
    let (mut theirs, mut spawned) = (None, Vec::new());
    if let (Some(grey), Some(spf), Some(rate)) = (&grey, &spf, &rate) {
        let asks = vec![unix(grey), "unix:private/spf".to_owned(), unix(rate)];
        let door = theirs.insert(Door::new(asks));
        doors.push(door);
        if let Place::Spawn(words) = &spf.place {
            spawned.push(("spf", words.as_slice()));
        }
    }
    let postfix = Postfix::start(&home.join("postfix"), &doors, &spawned);
    // The triplet is unknown until it came back.
    for door in &doors {
        try_once(door);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    doors.iter().for_each(|door| _ = postfix.send(door));

    let (mut alone, mut beside_null, mut beside_peers, mut own) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let [bare, null, mailctld] = [&nobody, &constant, &mailctld].map(|door| postfix.send(door));
        alone.push(mailctld / bare);
        beside_null.push(mailctld / null);
        own.push(mailctld);
        if let Some(door) = &theirs {
            beside_peers.push(mailctld / postfix.send(door));
        }
    }
    line("smtp-source through Postfix and mailctld", median(&mut own), "/s", Goal::None);
    line("through Postfix: to no policy at all", median(&mut alone), "", Goal::None);
    line("through Postfix: to the null policy server", median(&mut beside_null), "", Goal::AtLeast(0.97));
    if !beside_peers.is_empty() {
        let name = "through Postfix: to postgrey, policyd-spf, policyd-rate-limit";
        line(name, median(&mut beside_peers), "", Goal::AtLeast(2.0));
    }
}

/// One message that may be refused for now.
fn try_once(door: &Door) {
    let at = format!("inet:{}:{}", door.at.ip(), door.at.port());
    let _ = Command::new("smtp-source")
        .args(["-f", "news@shop.example.net", "-t", "ann@example.org", &at])
        .output();
}

fn service(server: &Server) -> String {
    named(&server.unix)
}

fn unix(peer: &Peer) -> String {
    named(&peer.place)
}

fn named(place: &Place) -> String {
    match place {
        Place::Unix(path) => format!("unix:{}", path.display()),
        Place::Tcp(at) => format!("inet:{at}"),
        Place::Spawn(_) => unreachable!("Postfix starts these itself"),
    }
}
