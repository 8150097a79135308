//! A program of the distribution with a folder and a loopback address of its own, stopped by its process id.

use super::dns::free_address;
use std::{
    fs,
    net::{IpAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Where a program will run: known before it starts, so others can be told.
pub struct Place {
    folder: tempfile::TempDir,
    address: IpAddr,
}

impl Place {
    /// An address with port 53 free.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("mailctl-dns-").tempdir().unwrap();
        let address = free_address();
        // BIND listens only at addresses that an interface has by name.
        ip(&["addr", "add", &format!("{address}/32"), "dev", "lo"]);
        Self { folder, address }
    }

    /// Its address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// A file in its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into its folder.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    /// Runs a program to its end in the folder; its standard output. It must end well.
    pub fn run(&self, program: &str, words: &[&str]) -> String {
        let done = Command::new(program).args(words).current_dir(self.folder.path()).output();
        let done = done.unwrap_or_else(|error| panic!("{program}: {error}; run .ci/provision test"));
        assert!(done.status.success(), "{program} {words:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// Starts the program there.
    pub fn start(self, program: &str, words: &[&str]) -> Process {
        assert!(Path::new(program).exists(), "{program} is missing: run .ci/provision test");
        let log = fs::File::create(self.file("log")).unwrap();
        let mut command = Command::new(program);
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Process { place: self, child }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        ip(&["addr", "del", &format!("{}/32", self.address), "dev", "lo"]);
    }
}

/// The program.
pub struct Process {
    place: Place,
    child: Child,
}

impl Process {
    /// Where it runs.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.place.file("log")).unwrap()
    }

    /// Until `ready`: a server listens before it can answer.
    pub fn wait(&mut self, mut ready: impl FnMut(&Place) -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        while !ready(&self.place) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "{ended:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Until it answers with a record of SOA for `origin`.
    pub fn wait_for_zone(&mut self, origin: &str) {
        self.wait(|place| serves(place.address, origin));
    }

    /// Ends it; its address stays taken, and nobody listens there.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serves(address: IpAddr, origin: &str) -> bool {
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in origin.split('.').filter(|label| !label.is_empty()) {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.bytes());
    }
    query.extend([0, 0, 6, 0, 1]);
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut answer = [0; 512];
    let asked = socket.connect((address, 53)).and_then(|()| socket.send(&query));
    // NOERROR and one record (RFC 1035 §4.1.1).
    asked.and_then(|_| socket.recv(&mut answer)).is_ok() && answer[3] & 15 == 0 && answer[7] == 1
}

fn ip(words: &[&str]) {
    let done = Command::new("ip").args(words).output().unwrap();
    assert!(done.status.success() || std::thread::panicking(), "ip {words:?}: {done:?}");
}
