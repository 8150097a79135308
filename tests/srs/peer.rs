//! Other people's SRS.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// What either of them does; `None` = it would not.
pub trait Peer {
    /// From a sender to an address of ours.
    fn forward(&mut self, sender: &str) -> Option<String>;
    /// And back.
    fn reverse(&mut self, address: &str) -> Option<String>;
}

/// postsrsd 1.x, which Debian has: two ports, `tcp_table`.
pub struct Postsrsd {
    child: Child,
    forward: TcpStream,
    reverse: TcpStream,
    _folder: tempfile::TempDir,
}

impl Postsrsd {
    /// Starts it with these secrets.
    pub fn start(secrets: &str, domain: &str) -> Self {
        const PROGRAM: &str = "/usr/sbin/postsrsd";
        assert!(Path::new(PROGRAM).exists(), "postsrsd is missing: run .ci/provision test");
        let folder = tempfile::Builder::new().prefix("mailctl-srs-").tempdir().unwrap();
        let file = folder.path().join("secrets");
        fs::write(&file, secrets).unwrap();
        let [one, two] = free_ports();
        let mut command = Command::new(PROGRAM);
        command.args(["-4", "-l127.0.0.1", &format!("-f{one}"), &format!("-r{two}"), &format!("-d{domain}")]);
        command.arg(format!("-s{}", file.display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut started = Started(Some(child));
        let (forward, reverse) = (connect(one), connect(two));
        Self { child: started.0.take().unwrap(), forward, reverse, _folder: folder }
    }
}

fn ask(stream: &mut TcpStream, key: &str) -> Option<String> {
    let coded: String = key.bytes().map(|octet| format!("%{octet:02X}")).collect();
    stream.write_all(format!("get {coded}\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, stream).read_line(&mut line).unwrap();
    line.trim_end().strip_prefix("200 ").map(decoded)
}

impl Peer for Postsrsd {
    fn forward(&mut self, sender: &str) -> Option<String> {
        ask(&mut self.forward, sender)
    }
    fn reverse(&mut self, address: &str) -> Option<String> {
        ask(&mut self.reverse, address)
    }
}

impl Drop for Postsrsd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that may not answer yet; it ends with this, also when the test gives up.
struct Started(Option<Child>);

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn connect(port: u16) -> TcpStream {
    let begun = Instant::now();
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                stream.set_nodelay(true).unwrap();
                return stream;
            }
            Err(error) => {
                assert!(begun.elapsed() < Duration::from_secs(20), "postsrsd does not answer: {error}");
            }
        }
        std::thread::yield_now();
    }
}

fn free_ports() -> [u16; 2] {
    let bound = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    bound.map(|listener| listener.local_addr().unwrap().port())
}

/// `%XX`
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (code, rest) = part.split_at(2);
        format!("{text}{}{rest}", char::from(u8::from_str_radix(code, 16).unwrap()))
    })
}

/// Mail::SRS, asked a line at a time.
pub struct MailSrs {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const SCRIPT: &str = r#"
use strict; use Mail::SRS::Guarded;
my ($domain, @secrets) = @ARGV;
my $srs = new Mail::SRS::Guarded(Secret => [@secrets], MaxAge => 21, HashLength => 4, HashMin => 4);
$| = 1;
while (<STDIN>) {
    chomp; my ($way, $address) = split / /, $_, 2;
    my $out = eval { local $SIG{__WARN__} = sub {}; $way eq 'forward' ? $srs->forward($address, $domain) : $srs->reverse($address) };
    print defined $out ? "$out\n" : "-\n";
}
"#;

impl MailSrs {
    /// Starts it with these secrets.
    pub fn start(secrets: &str, domain: &str) -> Self {
        let mut command = Command::new("perl");
        command.args(["-e", SCRIPT, domain]).args(secrets.lines());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (asks, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, asks, answers }
    }

    fn ask(&mut self, way: &str, address: &str) -> Option<String> {
        writeln!(self.asks, "{way} {address}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "Mail::SRS is missing: run .ci/provision test");
        Some(line.trim_end().to_owned()).filter(|line| line != "-")
    }
}

impl Peer for MailSrs {
    fn forward(&mut self, sender: &str) -> Option<String> {
        self.ask("forward", sender)
    }
    fn reverse(&mut self, address: &str) -> Option<String> {
        self.ask("reverse", address)
    }
}

impl Drop for MailSrs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
