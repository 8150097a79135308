//! Real name servers that take changes: Debian's BIND and Knot, each with a folder and a loopback address of its own,
//! stopped by its process id.

use super::dns::free_address;
use std::{
    fs,
    net::{IpAddr, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The key that may change the zone: name and secret (base64).
pub const KEY: (&str, &str) = ("mail-key", "bm90IGEgc2VjcmV0LCBvbmx5IGEgdGVzdCBrZXkgISE=");

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `named`.
    Bind,
    /// `knotd`.
    Knot,
}

/// A running server.
pub struct NameServer {
    folder: tempfile::TempDir,
    child: Child,
    address: IpAddr,
}

impl NameServer {
    /// Serves `origin`, whose only name server it is, with these further records; [`KEY`] may change all below it
    /// but nothing else. `None` where the program is not installed.
    pub fn start(program: Program, origin: &str, records: &str) -> Option<Self> {
        let binary = match program {
            Program::Bind => "/usr/sbin/named",
            Program::Knot => "/usr/sbin/knotd",
        };
        if !Path::new(binary).exists() {
            return None;
        }
        let folder = tempfile::Builder::new().prefix("mailctl-dns-").tempdir().unwrap();
        let address = free_address();
        // BIND listens only at addresses that an interface has by name.
        ip(&["addr", "add", &format!("{address}/32"), "dev", "lo"]);
        let place = folder.path().display();
        let zone = format!(
            "$TTL 300\n$ORIGIN {origin}.\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A {address}\n{records}\n"
        );
        fs::write(folder.path().join("zone"), zone).unwrap();
        let (name, secret) = KEY;
        let configuration = match program {
            Program::Bind => format!(
                r#"options {{ directory "{place}"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }};
  pid-file "{place}/pid"; session-keyfile "{place}/session.key"; recursion no; dnssec-validation no; notify no; }};
controls {{ }};
key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "{origin}" {{ type primary; file "{place}/zone"; update-policy {{ grant {name} zonesub TXT TLSA MX A CAA SRV CNAME; }}; }};
"#
            ),
            Program::Knot => format!(
                "server:\n    rundir: {place}\n    listen: {address}@53\ndatabase:\n    storage: {place}/db\n\
                 key:\n  - id: {name}\n    algorithm: hmac-sha256\n    secret: {secret}\n\
                 acl:\n  - id: change\n    key: {name}\n    action: update\n    update-type: [TXT, TLSA, MX, A, CAA, SRV, CNAME]\n\
                 zone:\n  - domain: {origin}\n    storage: {place}\n    file: zone\n    acl: change\n"
            ),
        };
        fs::create_dir(folder.path().join("db")).unwrap();
        let file = folder.path().join("conf");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(binary);
        if program == Program::Bind {
            command.arg("-g");
        }
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = command
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self { folder, child, address };
        server.wait(origin);
        Some(server)
    }

    /// Until it answers for its zone: it listens before that.
    fn wait(&mut self, origin: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while !self.serves(origin) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "{ended:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn serves(&self, origin: &str) -> bool {
        let mut query = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in origin.split('.') {
            query.push(u8::try_from(label.len()).unwrap());
            query.extend(label.bytes());
        }
        query.extend([0, 0, 6, 0, 1]);
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut answer = [0; 512];
        let asked = socket.connect((self.address, 53)).and_then(|()| socket.send(&query));
        // NOERROR and one record (RFC 1035 §4.1.1).
        asked.and_then(|_| socket.recv(&mut answer)).is_ok() && answer[3] & 15 == 0 && answer[7] == 1
    }

    /// Its address; port 53.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        ip(&["addr", "del", &format!("{}/32", self.address), "dev", "lo"]);
    }
}

fn ip(words: &[&str]) {
    let done = Command::new("ip").args(words).output().unwrap();
    assert!(done.status.success() || std::thread::panicking(), "ip {words:?}: {done:?}");
}
