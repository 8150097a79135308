//! What `mailctl daemon` serves over HTTP and HTTPS, asked by curl and openssl, and by clients that mean harm.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use common::certificate;
use mailctl::{
    render::{Facts, render},
    settings::{load, source::Sources},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(20);
const ENV: &str = "DOMAIN=example.test\nHOSTNAME=mail.example.test\nADMIN_EMAIL=boss@example.test\n";
const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA";

/// A home, the pages as they are rendered, certificates, and the daemon over all that.
struct Place {
    home: tempfile::TempDir,
    daemon: Option<Child>,
}

impl Place {
    fn new(mode: &str) -> Self {
        let home = tempfile::Builder::new().prefix("mailctl-test-").tempdir().unwrap();
        let place = Self { home, daemon: None };
        for folder in ["state", "mailctld", "acme/http-01", "acme/tls-alpn-01", "tls/sets"] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        fs::write(place.path("settings.env"), ENV).unwrap();
        place.render(mode);
        place.switch(1, &[("host", "mail.example.test")]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn render(&self, mode: &str) {
        let toml = format!("[mta_sts]\nmode = \"{mode}\"\n");
        let sources = Sources { settings_env: Some(ENV), mailctl_toml: Some(&toml), ..Sources::default() };
        let set = render(&load(&sources).unwrap().settings, &Facts::default()).unwrap();
        for file in set.files().iter().filter(|file| file.path.starts_with("mailctld/")) {
            fs::write(self.path(&file.path), &file.text).unwrap();
        }
        let text = format!(
            "hostname = \"mail.example.test\"\nadmin = \"boss@example.test\"\ndomains = [\"example.test\"]\n\
             delimiter = \"+\"\ndatabase = {:?}\nsocketmap = {:?}\npolicy = {:?}\nstatus = \"127.0.0.1:0\"\n\n\
             [web]\nhttp = \"127.0.0.1:0\"\nhttps = \"127.0.0.1:0\"\nchallenges = {:?}\ncertificates = {:?}\n",
            self.path("state/db/directory.db"),
            self.path("map"),
            self.path("policy"),
            self.path("acme"),
            self.path("tls/live"),
        );
        fs::write(self.path("mailctld/daemon.toml"), text).unwrap();
    }

    /// Lays down a set of self-signed certificates, file and name each, and leads `live` to it.
    fn switch(&self, number: u32, certificates: &[(&str, &str)]) {
        let set = self.path(&format!("tls/sets/{number:04}"));
        fs::create_dir_all(set.join("sni")).unwrap();
        for (file, name) in certificates {
            fs::write(set.join(format!("{file}.pem")), self.pair(name)).unwrap();
        }
        let link = self.path("tls/live.new");
        symlink(format!("sets/{number:04}"), &link).unwrap();
        fs::rename(link, self.path("tls/live")).unwrap();
    }

    /// Key and certificate for a name, in one text.
    fn pair(&self, name: &str) -> String {
        let folder = tempfile::tempdir_in(self.home.path()).unwrap();
        let (certificate, key) = certificate::pair(folder.path(), name);
        fs::read_to_string(key).unwrap() + &fs::read_to_string(certificate).unwrap()
    }

    /// Another process changes the directory.
    fn mailctl(&self, words: &[&str]) {
        common::home::change(self.home.path(), words);
    }

    fn start(&mut self) {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailctl"));
        command.env_clear().args(["daemon", "--config"]).arg(self.path("mailctld/daemon.toml")).stdout(log);
        self.daemon = Some(command.spawn().unwrap());
        soon(LONG, "it serves", || self.log().contains("serving"));
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// The port that the kernel gave a door, as the log tells it.
    fn port(&self, door: &str) -> u16 {
        let (log, mark) = (self.log(), format!(" {door} address=127.0.0.1:"));
        let (_, rest) = log.split_once(&mark).unwrap_or_else(|| panic!("no {door} in {log}"));
        rest.lines().next().unwrap().trim().parse().unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.daemon.as_ref().unwrap())
    }

    /// curl for `https://NAME/PATH` or `http://…` at our port, believing the certificates in `believe`.
    fn curl(&self, url: &str, more: &[&str]) -> Answer {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (name, path) = rest.split_once('/').unwrap();
        let port = self.port(scheme);
        let output = Command::new("curl")
            .env_clear()
            .args(["-sSk", "-m", "20", "--path-as-is", "--noproxy", "*", "-D", "-"])
            .args(["--resolve", &format!("{name}:{port}:127.0.0.1"), "-H", &format!("Host: {name}")])
            .args(more)
            .arg(format!("{scheme}://{name}:{port}/{path}"))
            .output()
            .unwrap();
        Answer::of(&output)
    }

    fn get(&self, url: &str) -> Answer {
        self.curl(url, &[])
    }

    /// openssl's client: what it says of the handshake.
    fn shake(&self, name: &str, more: &[&str]) -> String {
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &format!("127.0.0.1:{}", self.port("https"))])
            .args(["-servername", name])
            .args(more)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        common::stack::said(&output)
    }

    /// The name that the certificate shown for `name` is for.
    fn shown(&self, name: &str, more: &[&str]) -> String {
        let said = self.shake(name, more);
        let subject = said.lines().find_map(|line| line.strip_prefix("subject=CN"));
        subject.unwrap_or_else(|| panic!("no certificate: {said}")).trim_start_matches([' ', '=']).to_owned()
    }

    /// Bytes as they are, to a door; everything that comes back until the end.
    fn raw(&self, door: &str, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect(door);
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    fn connect(&self, door: &str) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port(door))).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        stream
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid().as_raw_nonzero())).unwrap().count()
    }

    /// Resident memory in KiB.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid().as_raw_nonzero())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn metric(&self, name: &str) -> Option<u64> {
        let page =
            String::from_utf8(self.raw("status", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).unwrap();
        page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// A response, as curl shows it.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    header: String,
    body: String,
}

impl Answer {
    fn of(output: &Output) -> Self {
        let text = common::stack::said(output);
        let (header, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = header.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Self { status, header: header.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn has(&self, line: &str) -> bool {
        self.header.lines().any(|have| have.trim() == line)
    }
}

fn soon(limit: Duration, what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

/// Proves: S4-6, threats 26 (tokens only, no traversal, no redirect out), 10.
#[test]
fn tokens_are_served_and_nothing_beside_them() {
    let mut place = Place::new("none");
    put(&place.path("acme/secret"), "secret");
    put(&place.path("acme/http-01").join(TOKEN), "token.thumbprint");
    put(&place.path("acme/tls-alpn-01/example.test.pem"), "secret");
    put(&place.path("acme/http-01/.hidden"), "secret");
    symlink("../secret", place.path("acme/http-01/link")).unwrap();
    place.start();
    let at =
        |host: &str, token: &str| place.get(&format!("http://{host}/.well-known/acme-challenge/{token}"));
    // By any name: orders hold names that are not served for mail, and proxies have names of their own.
    for host in ["mail.example.test", "autoconfig.example.test", "other.example.net", "192.0.2.1"] {
        let answer = at(host, TOKEN);
        assert_eq!((answer.status, answer.body.as_str()), (200, "token.thumbprint"), "{answer:?}");
        assert!(answer.has("content-type: application/octet-stream") && answer.has("connection: close"));
    }
    let secure = place.get(&format!("https://mail.example.test/.well-known/acme-challenge/{TOKEN}"));
    assert_eq!(secure.body, "token.thumbprint");
    let posted =
        place.curl(&format!("http://mail.example.test/.well-known/acme-challenge/{TOKEN}"), &["-d", "x=y"]);
    assert_eq!(posted.status, 405);
    for token in [
        "",
        "link",
        ".hidden",
        "..",
        "../secret",
        "..%2fsecret",
        "%2e%2e/secret",
        "../tls-alpn-01/example.test.pem",
        "..%5csecret",
        "%00",
        "/etc/passwd",
        "./../http-01/../secret",
    ] {
        let answer = at("mail.example.test", token);
        assert_eq!((answer.status, answer.body.as_str()), (404, "404 Not Found\n"), "{token}: {answer:?}");
    }
    // Around the prefix there is only the way to HTTPS, and never to anybody else.
    for path in ["", ".well-known/acme-challenge", "acme/secret", "/evil.example/x", "%0d%0aX:%20y"] {
        let answer = place.get(&format!("http://mail.example.test/{path}"));
        assert_eq!(answer.status, 301, "{path}: {answer:?}");
        assert!(
            answer.has(&format!("location: https://mail.example.test/{}", path.to_ascii_lowercase())),
            "{answer:?}"
        );
    }
    assert_eq!(place.get("http://evil.example/").status, 404);
    assert_eq!(place.get("https://mail.example.test/").status, 404);
}

/// A web server that was there before, and how it is started in a folder; it says "theirs" to all that is its own.
struct Front {
    child: Child,
    port: u16,
}

impl Front {
    fn start(folder: &Path, program: &str, words: &[&str], text: &dyn Fn(u16) -> String) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        fs::write(folder.join("front.conf"), text(port)).unwrap();
        let log = fs::File::create(folder.join("front.log")).unwrap();
        let mut command = Command::new(program);
        command.args(words).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn();
        let child = child.unwrap_or_else(|error| panic!("{program}: {error}; run .ci/provision test"));
        let front = Self { child, port };
        let log = || fs::read_to_string(folder.join("front.log")).unwrap();
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < LONG, "{program}: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        front
    }

    fn get(&self, path: &str) -> Answer {
        let url = format!("http://mail.example.test:{}{path}", self.port);
        let output = Command::new("curl")
            .env_clear()
            .args(["-sS", "-m", "20", "--path-as-is", "--noproxy", "*", "-D", "-"])
            .args(["--resolve", &format!("mail.example.test:{}:127.0.0.1", self.port)])
            .args(["-H", "Host: mail.example.test", &url])
            .output()
            .unwrap();
        Answer::of(&output)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // All three end their workers at this signal.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// The lines below the manual's word for a web server, with the names and the port of this test.
fn recipe(of: &str, port: u16) -> String {
    let page = include_str!("../src/manual/web.md");
    let (_, rest) = page.split_once(&format!("\n- {of}")).unwrap_or_else(|| panic!("no recipe for {of}"));
    let (_, rest) = rest.split_once("\n\n").unwrap();
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("      "));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
        .replace("mail.example.org", "mail.example.test")
}

/// Proves: S4-23: with what the manual says, nginx, Apache and Caddy pass the challenge on, and nothing else.
#[test]
fn a_web_server_that_was_there_passes_the_challenge_on() {
    let mut place = Place::new("none");
    put(&place.path("acme/secret"), "secret");
    put(&place.path("acme/http-01").join(TOKEN), "token.thumbprint");
    place.start();
    let ours = place.port("http");
    let nginx = |port: u16| {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {name};\n")).concat();
        format!(
            "daemon off;\npid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
             server {{\nlisten 127.0.0.1:{port};\n{}\nlocation / {{ return 200 \"theirs\"; }}\n}}\n}}\n",
            recipe("nginx", ours)
        )
    };
    let apache = |port: u16| {
        let modules = ["mpm_event", "authz_core", "alias", "proxy", "proxy_http"];
        let modules =
            modules.map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
        format!(
            "{}ServerName front\nPidFile apache.pid\nErrorLog /dev/stderr\nUser www-data\nGroup www-data\n\
             Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName mail.example.test\n{}\n\
             RedirectMatch 410 ^/theirs\n</VirtualHost>\n",
            modules.concat(),
            recipe("Apache", ours)
        )
    };
    let caddy = |port: u16| {
        let recipe = recipe("Caddy", ours);
        let recipe = recipe.trim_end().strip_suffix('}').unwrap();
        format!(
            "{{\nadmin off\nauto_https off\nhttp_port {port}\ndefault_bind 127.0.0.1\n}}\n\
             {recipe}\nhandle {{\nrespond \"theirs\"\n}}\n}}\n"
        )
    };
    type Words<'a> = (&'a str, Vec<&'a str>, &'a dyn Fn(u16) -> String);
    let folder = || tempfile::Builder::new().prefix("mailctl-front-").tempdir().unwrap();
    let folders = [folder(), folder(), folder()];
    let root = folders[1].path().display().to_string();
    let conf = folders[1].path().join("front.conf").display().to_string();
    let nginx_root = format!("{}/", folders[0].path().display());
    let fronts: [Words<'_>; 3] = [
        ("nginx", vec!["-p", &nginx_root, "-c", "front.conf", "-e", "stderr"], &nginx),
        ("apache2", vec!["-d", &root, "-f", &conf, "-DFOREGROUND"], &apache),
        ("caddy", vec!["run", "--config", "front.conf", "--adapter", "caddyfile"], &caddy),
    ];
    for ((program, words, text), folder) in fronts.iter().zip(&folders) {
        let program = ["/usr/sbin", "/usr/bin"].map(|at| format!("{at}/{program}"));
        let program = program.iter().find(|path| Path::new(path).exists());
        let program = program.unwrap_or_else(|| panic!("{words:?} is missing: run .ci/provision test"));
        let front = Front::start(folder.path(), program, words, text);
        let answer = front.get(&format!("/.well-known/acme-challenge/{TOKEN}"));
        assert_eq!((answer.status, answer.body.as_str()), (200, "token.thumbprint"), "{program}: {answer:?}");
        for path in ["../secret", "%2e%2e/secret", "..%2fsecret", "none", "../../../acme/secret"] {
            let answer = front.get(&format!("/.well-known/acme-challenge/{path}"));
            assert!(
                !answer.body.contains("secret") && answer.body != "token.thumbprint",
                "{program}: {answer:?}"
            );
        }
        let own = front.get("/theirs");
        assert!(own.body.contains("theirs") || own.status == 410, "{program}: {own:?}");
    }
}

/// Proves: issue 5 (MTA-STS policy and client setup served), threats 29 (no mailbox is disclosed), 20 (Host header
/// games), RFC 8461 §3.2, RFC 9110 §7.4.
#[test]
fn each_name_says_its_own_and_no_mailbox_is_disclosed() {
    let mut place = Place::new("enforce");
    place.mailctl(&["user", "add", "ann@example.test", "--password-stdin"]);
    place.start();
    soon(LONG, "a certificate is shown", || place.get("https://mail.example.test/").status == 404);

    let policy = place.get("https://mta-sts.example.test/.well-known/mta-sts.txt");
    assert_eq!(
        policy.body,
        "version: STSv1\r\nmode: enforce\r\nmx: mail.example.test\r\nmax_age: 604800\r\n"
    );
    assert!(policy.status == 200 && policy.has("content-type: text/plain"), "{policy:?}");
    // Not in clear, not by another name, not for whom we do not serve.
    for (url, status) in [
        ("http://mta-sts.example.test/.well-known/mta-sts.txt", 301),
        ("https://mail.example.test/.well-known/mta-sts.txt", 404),
        ("https://mta-sts.example.net/.well-known/mta-sts.txt", 404),
        ("https://mta-sts.more.test/.well-known/mta-sts.txt", 404),
        ("https://mta-sts.example.test/mail/config-v1.1.xml", 404),
    ] {
        assert_eq!(place.get(url).status, status, "{url}");
    }
    // A certificate for one name proves nothing about another.
    let asked = b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.test\r\n\r\n";
    let request = place.path("request");
    fs::write(&request, asked).unwrap();
    let output = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{}", place.port("https"))])
        .args(["-servername", "mail.example.test"])
        .stdin(fs::File::open(&request).unwrap())
        .output()
        .unwrap();
    assert!(common::stack::said(&output).contains("HTTP/1.1 421 "), "{}", common::stack::said(&output));

    // The domains are those of this moment.
    place.mailctl(&["domain", "add", "more.test"]);
    soon(LONG, "a new domain is served", || {
        place.get("https://mta-sts.more.test/.well-known/mta-sts.txt").body == policy.body
    });

    for (scheme, host, path) in [
        ("http", "autoconfig.example.test", "mail/config-v1.1.xml"),
        ("https", "autoconfig.example.test", "mail/config-v1.1.xml?emailaddress=ann%40example.test"),
        (
            "https",
            "example.test",
            ".well-known/autoconfig/mail/config-v1.1.xml?emailaddress=nobody@example.test",
        ),
        (
            "https",
            "autoconfig.more.test",
            "mail/config-v1.1.xml?emailaddress=%3Cx%3E@example.test&emailaddress=b",
        ),
    ] {
        let answer = place.get(&format!("{scheme}://{host}/{path}"));
        assert!(answer.status == 200 && answer.has("content-type: text/xml; charset=utf-8"), "{answer:?}");
        let found = xml(&answer.body);
        let domain = if host.contains("more") { "more.test" } else { "example.test" };
        for text in
            [domain, "mail.example.test", "993", "995", "465", "587", "%EMAILADDRESS%", "password-cleartext"]
        {
            assert!(found.lines().any(|line| line == text), "{text} is not in {found}");
        }
    }
    let guest = "mail/config-v1.1.xml?emailaddress=ann@more.test";
    assert!(xml(&place.get(&format!("http://autoconfig.example.test/{guest}")).body).contains("more.test"));
    let stranger = "mail/config-v1.1.xml?emailaddress=ann@example.net";
    assert_eq!(place.get(&format!("http://autoconfig.example.test/{stranger}")).status, 404);

    let asked = |address: &str, schema: &str| {
        let body = format!(
            "<Autodiscover><Request><EMailAddress>{address}</EMailAddress>\
             <AcceptableResponseSchema>x/{schema}/y</AcceptableResponseSchema></Request></Autodiscover>"
        );
        place.curl("https://autodiscover.example.test/AutoDiscover/AutoDiscover.xml", &["-d", &body])
    };
    let (there, absent) = (asked("ann@example.test", "outlook"), asked("bob@example.test", "outlook"));
    let found = xml(&there.body);
    for text in ["ann@example.test", "IMAP", "993", "POP3", "995", "SMTP", "465", "settings"] {
        assert!(found.lines().any(|line| line == text), "{text} is not in {found}");
    }
    assert_eq!(there.body.replace("ann@", "bob@"), absent.body);
    assert_eq!(
        xml(&asked("o&apos;hara&amp;co@example.test", "outlook").body).matches("o'hara&co@").count(),
        4
    );
    assert!(asked("ann@example.net", "outlook").body.contains("<ErrorCode>601</ErrorCode>"));
    assert!(asked("ann@example.test", "mobilesync").body.contains("<ErrorCode>601</ErrorCode>"));
    assert!(asked("<x/>", "outlook").body.contains("<ErrorCode>600</ErrorCode>"));
    assert_eq!(asked(&"a".repeat(20_000), "outlook").status, 413);
    let moved = place.get("http://autodiscover.example.test/autodiscover/autodiscover.xml");
    assert!(moved.status == 302, "{moved:?}");
    assert!(moved.has("location: https://mail.example.test/autodiscover/autodiscover.xml"), "{moved:?}");

    let profile =
        place.get("https://mail.example.test/mail/apple.mobileconfig?emailaddress=o'hara@example.test");
    assert!(profile.has("content-type: application/x-apple-aspen-config"), "{profile:?}");
    assert!(xml(&profile.body).contains("o'hara@example.test"), "{profile:?}");

    // Another policy is served after a hangup, with no session cut.
    place.render("testing");
    kill_process(place.pid(), Signal::HUP).unwrap();
    soon(LONG, "the new policy is served", || {
        place.get("https://mta-sts.example.test/.well-known/mta-sts.txt").body.contains("mode: testing")
    });
}

/// The texts of a document, a line each, as another parser reads them.
fn xml(text: &str) -> String {
    let script = "import sys, xml.etree.ElementTree as E\n\
                  print('\\n'.join(t.strip() for t in E.fromstring(sys.stdin.buffer.read()).itertext() if t.strip()))";
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "not XML: {text}");
    String::from_utf8(output.stdout).unwrap()
}

/// Proves: issue 5 (SNI, reread, both kinds of keys), fault 21 (a bad one leaves the old), threats 27.
#[test]
fn the_certificate_is_the_one_for_the_name() {
    let mut place = Place::new("none");
    place.switch(2, &[("host", "mail.example.test"), ("sni/example.test", "autoconfig.example.test")]);
    place.start();
    soon(LONG, "a certificate is shown", || place.get("https://mail.example.test/").status == 404);
    assert_eq!(place.shown("mail.example.test", &[]), "mail.example.test");
    assert_eq!(place.shown("AutoConfig.example.test", &[]), "autoconfig.example.test");
    assert_eq!(place.shown("unknown.example.test", &[]), "mail.example.test");
    for old in ["-tls1_1", "-tls1"] {
        assert!(!place.shake("mail.example.test", &[old]).contains("BEGIN CERTIFICATE"), "{old}");
    }
    assert!(place.shake("mail.example.test", &["-alpn", "http/1.1"]).contains("ALPN protocol: http/1.1"));

    // Where the link leads elsewhere, that is shown, without a word from anybody.
    place.switch(3, &[("host", "new.example.test")]);
    soon(Duration::from_secs(3), "the new certificate", || {
        place.shown("x.example.test", &[]) == "new.example.test"
    });
    let rsa = "openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=rsa.example.test \
               -addext subjectAltName=DNS:rsa.example.test -keyout rsa.key -out rsa.crt";
    let mut words = rsa.split_whitespace();
    let made =
        Command::new(words.next().unwrap()).args(words).current_dir(place.home.path()).output().unwrap();
    assert!(made.status.success());
    let pem = ["rsa.key", "rsa.crt"].map(|name| fs::read_to_string(place.path(name)).unwrap()).concat();
    put(&place.path("tls/sets/0003/host-rsa.pem"), &pem);
    let old = ["-tls1_2", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"];
    soon(Duration::from_secs(3), "the second certificate", || {
        place.shake("x", &old).contains("CN = rsa.example.test")
            || place.shake("x", &old).contains("CN=rsa.example.test")
    });
    assert_eq!(place.shown("x.example.test", &[]), "new.example.test");

    // What cannot be used is told, and changes nothing. A good one in between, or the same fault is told once only.
    let good = fs::read_to_string(place.path("tls/sets/0003/host.pem")).unwrap();
    let told = |place: &Place, word: &str| place.log().matches(word).count();
    let foreign = place.pair("a.example.test").split_once("-----BEGIN CERT").unwrap().0.to_owned();
    for broken in [
        "",
        "nonsense",
        &format!(
            "{foreign}{}",
            place
                .pair("b.example.test")
                .split_once("-----BEGIN CERT")
                .map(|(_, rest)| format!("-----BEGIN CERT{rest}"))
                .unwrap()
        ),
    ] {
        let before = ["certificates not read", "certificates read"].map(|word| told(&place, word));
        put(&place.path("tls/sets/0003/host.pem"), broken);
        kill_process(place.pid(), Signal::HUP).unwrap();
        soon(LONG, "it is found out", || told(&place, "certificates not read") > before[0]);
        assert_eq!(place.shown("x.example.test", &[]), "new.example.test");
        put(&place.path("tls/sets/0003/host.pem"), &good);
        kill_process(place.pid(), Signal::HUP).unwrap();
        soon(LONG, "a good one is read", || told(&place, "certificates read") > before[1]);
    }
    assert!(place.log().contains("do not belong together"), "{}", place.log());
    assert!(place.metric("mailctl_certificate_not_after_seconds{name=\"new.example.test\"}").is_some());
}

/// Proves: RFC 8737 §3, §4: a name is proven by its certificate, and nothing is spoken on such a connection.
#[test]
fn a_name_is_proven_to_a_validator() {
    let mut place = Place::new("none");
    place.start();
    soon(LONG, "a certificate is shown", || place.get("https://mail.example.test/").status == 404);
    let folder = tempfile::tempdir().unwrap();
    let critical = "1.3.6.1.5.5.7.1.31=critical,DER:0420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=proof", "-addext", "subjectAltName=DNS:example.test", "-addext", critical])
        .args(["-keyout", "key", "-out", "crt"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", common::stack::said(&made));
    let pem = ["key", "crt"].map(|name| fs::read_to_string(folder.path().join(name)).unwrap()).concat();
    put(&place.path("acme/tls-alpn-01/example.test.pem"), &pem);
    let proof = place.shake("example.test", &["-alpn", "acme-tls/1"]);
    assert!(proof.contains("ALPN protocol: acme-tls/1"), "{proof}");
    assert_eq!(place.shown("example.test", &["-alpn", "acme-tls/1"]), "proof");
    // Whoever also wants the web gets the web.
    assert_eq!(place.shown("example.test", &["-alpn", "acme-tls/1,http/1.1"]), "mail.example.test");
    for name in ["other.test", "../example.test", "localhost"] {
        assert!(!place.shake(name, &["-alpn", "acme-tls/1"]).contains("BEGIN CERTIFICATE"), "{name}");
    }
    let request = place.path("request");
    fs::write(&request, "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.test\r\n\r\n")
        .unwrap();
    let output = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{}", place.port("https"))])
        .args(["-servername", "example.test", "-alpn", "acme-tls/1"])
        .stdin(fs::File::open(&request).unwrap())
        .output()
        .unwrap();
    assert!(!common::stack::said(&output).contains("HTTP/1.1"), "{}", common::stack::said(&output));
}

/// Proves: threats 20 (slow bytes, huge headers, many connections, nonsense), fault 25, 28: 10,000 malformed requests
/// leave neither descriptors nor memory behind, and hold up nobody.
#[test]
fn hostile_clients_hold_up_nobody_and_leave_nothing() {
    let mut place = Place::new("none");
    put(&place.path("acme/http-01").join(TOKEN), "token.thumbprint");
    place.mailctl(&["user", "add", "ann@example.test", "--password-stdin"]);
    place.start();
    soon(LONG, "a certificate is shown", || place.get("https://mail.example.test/").status == 404);
    let honest = format!("http://mail.example.test/.well-known/acme-challenge/{TOKEN}");
    let longest = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(40_000));
    let huge = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(40_000));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(200));
    let nonsense: Vec<&[u8]> = vec![
        b"",
        b"\0\0\0\0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no hello",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: mail.example.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
        b"POST / HTTP/1.1\r\nHost: mail.example.test\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: mail.example.test\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"EHLO client.example.net\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT mail.example.test:25 HTTP/1.1\r\nHost: mail.example.test:25\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: mail.example.test\r\n\r\n",
        longest.as_bytes(),
        huge.as_bytes(),
        many.as_bytes(),
    ];
    for bytes in &nonsense {
        for door in ["http", "https", "status"] {
            let answer = String::from_utf8_lossy(&place.raw(door, bytes)).into_owned();
            let refused = ["HTTP/1.1 4", "HTTP/1.0 4"].iter().any(|start| answer.starts_with(start));
            assert!(refused || !answer.contains("HTTP/"), "{door}: {bytes:?}: {answer}");
        }
    }
    // One request to a connection: a second one behind the first is not read.
    let two =
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\nGET / HTTP/1.1\r\nHost: mail.example.test\r\n\r\n";
    assert_eq!(String::from_utf8_lossy(&place.raw("http", two)).matches("HTTP/1.1 ").count(), 1);

    let rounds = |count: usize| {
        for number in 0..count {
            let door = if number % 8 == 7 { "https" } else { "http" };
            drop(place.raw(door, nonsense[number % nonsense.len()]));
            if number % 1000 == 0 {
                assert_eq!(place.get(&honest).status, 200);
            }
        }
    };
    rounds(500);
    let (before, memory) = (place.descriptors(), place.memory());
    let began = Instant::now();
    rounds(10_000);
    eprintln!("10,000 malformed requests in {:.1?}", began.elapsed());
    soon(LONG, "as many descriptors as before", || place.descriptors() <= before);
    let grown = place.memory().saturating_sub(memory);
    assert!(grown < 8 << 10, "{grown} KiB more");

    // Who says nothing, or one byte now and then, is cut off; who brings a crowd is turned away.
    let mut slow = place.connect("http");
    slow.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
    let mut silent = place.connect("https");
    let crowd: Vec<TcpStream> = (0..200).map(|_| place.connect("http")).collect();
    soon(LONG, "the crowd is turned away", || {
        place.metric("mailctl_connections_open{door=\"http\"}") <= Some(64)
    });
    let began = Instant::now();
    soon(Duration::from_secs(15), "the slow one is cut off", || {
        // Its slowness is what is tried, not a wait.
        std::thread::sleep(Duration::from_millis(500));
        slow.write_all(b"x").is_err()
    });
    assert!(began.elapsed() > Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(silent.read(&mut [0; 16]).unwrap_or(0), 0);
    drop(crowd);
    soon(LONG, "everybody is let in again", || place.get(&honest).status == 200);
    assert!(place.log().lines().count() < 100, "the log was filled");

    // And told to stop it stops, whoever is there.
    let _held = place.connect("http");
    kill_process(place.pid(), Signal::TERM).unwrap();
    let mut daemon = place.daemon.take().unwrap();
    soon(Duration::from_secs(5), "it stops", || daemon.try_wait().unwrap().is_some());
}

/// Proves: S3-28 (metrics), threats 19: how it does is told at its own port, and nowhere on the web.
#[test]
fn health_and_metrics_have_a_door_of_their_own() {
    let mut place = Place::new("none");
    fs::remove_file(place.path("tls/live")).unwrap();
    place.start();
    let health = || {
        let answer = place.raw("status", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
        String::from_utf8(answer).unwrap().replace("\r\n", "\n")
    };
    assert!(health().starts_with("HTTP/1.1 503 ") && health().contains("directory"), "{}", health());
    place.mailctl(&["user", "add", "ann@example.test", "--password-stdin"]);
    soon(LONG, "the directory is read", || health().contains("no certificate"));
    place.switch(1, &[]);
    soon(LONG, "the certificate is read", || health().ends_with("\nok\n"));
    for (name, value) in [
        ("mailctl_directory_names{kind=\"mailbox\"}", 1),
        ("mailctl_directory_read", 1),
        ("mailctl_connections_open{door=\"http\"}", 0),
    ] {
        // The directory may have been read between its making and the first mailbox in it.
        soon(LONG, name, || place.metric(name) == Some(value));
    }
    assert!(place.metric("mailctl_start_time_seconds") > Some(1_700_000_000));
    for path in ["health", "metrics"] {
        assert_eq!(place.get(&format!("https://mail.example.test/{path}")).status, 404);
        assert_eq!(place.get(&format!("http://mail.example.test/{path}")).status, 301);
    }
}
