//! Recursive resolvers as Debian has them, in front of a world of the test's own.

use super::{
    process::{Place, Process},
    signed::World,
};
use std::net::{IpAddr, SocketAddr};

/// Which, and how it is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `unbound`, which validates.
    Unbound,
    /// `unbound`, which validates also for those who ask it not to (`ignore-cd-flag`).
    Strict,
    /// `unbound`, which says what it thinks of an answer and gives it anyway (`val-permissive-mode`).
    Permissive,
    /// `unbound` without its validator, with names in random case.
    Iterator,
    /// BIND, which validates.
    Bind,
    /// PowerDNS with `dnssec=off`: it hands on no signatures.
    Stripping,
    /// `dnsmasq` in front of a resolver at this address.
    Dnsmasq(IpAddr),
}

/// A running resolver.
pub struct Resolver(Process);

impl Resolver {
    /// In front of `world`.
    pub fn start(kind: Kind, world: &World) -> Self {
        let place = Place::new();
        place.write("hints", &format!(". 3600 NS ns.\nns. 3600 A {}\n", world.root()));
        place.write("anchor", &format!("{}\n", world.anchor()));
        let (program, words, text) = match kind {
            Kind::Bind => ("/usr/sbin/named", vec!["-g", "-c", "conf"], bind(&place, world)),
            Kind::Dnsmasq(upstream) => {
                let text = format!(
                    "no-resolv\nno-hosts\nserver={upstream}\nlisten-address={}\nbind-interfaces\nuser=root\n",
                    place.address()
                );
                ("/usr/sbin/dnsmasq", vec!["-k", "-C", "conf", "--pid-file", "--log-facility=-"], text)
            }
            Kind::Stripping => {
                let folder = place.file("").display().to_string();
                let text = format!(
                    "local-address={}\nlocal-port=53\nhint-file={folder}/hints\ndnssec=off\ndont-query=\nsocket-dir={folder}\n\
                     daemon=no\nwrite-pid=no\nserve-rfc1918=no\nexport-etc-hosts=off\nloglevel=3\n",
                    place.address()
                );
                place.write("recursor.conf", &text);
                let program = "/usr/sbin/pdns_recursor";
                let version = std::process::Command::new(program).arg("--version").output().unwrap();
                let version = [version.stdout, version.stderr].concat();
                let mut words = vec!["--config-dir=."];
                // From 5.2 on it wants YAML, unless it is told otherwise; 4.8 does not know that word.
                if String::from_utf8_lossy(&version).contains("Recursor 5.") {
                    words.push("--enable-old-settings");
                }
                (program, words, text)
            }
            _ => ("/usr/sbin/unbound", vec!["-d", "-p", "-c", "conf"], unbound(&place, kind)),
        };
        place.write("conf", &text);
        let mut process = place.start(program, &words);
        process.wait_for_zone(".");
        Self(process)
    }

    /// Where to ask it.
    pub fn at(&self) -> SocketAddr {
        (self.address(), 53).into()
    }

    /// Its address; port 53.
    pub fn address(&self) -> IpAddr {
        self.0.place().address()
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        self.0.log()
    }
}

fn unbound(place: &Place, kind: Kind) -> String {
    let folder = place.file("").display().to_string();
    let more = match kind {
        Kind::Strict => "ignore-cd-flag: yes",
        Kind::Permissive => "val-permissive-mode: yes",
        Kind::Iterator => "module-config: \"iterator\"\n  use-caps-for-id: yes",
        _ => "",
    };
    format!(
        "server:\n  interface: {}\n  directory: \"{folder}\"\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  use-syslog: no\n  \
         logfile: \"\"\n  verbosity: 1\n  val-log-level: 2\n  access-control: 127.0.0.0/8 allow\n  do-not-query-localhost: no\n  do-ip6: no\n  \
         root-hints: hints\n  trust-anchor-file: anchor\n  num-threads: 1\n  {more}\nremote-control:\n  control-enable: no\n",
        place.address()
    )
}

fn bind(place: &Place, world: &World) -> String {
    let folder = place.file("").display().to_string();
    let (_, key) = world.anchor().split_once(" DNSKEY ").unwrap();
    let mut words = key.split_whitespace();
    let numbers: Vec<&str> = words.by_ref().take(3).collect();
    let key: String = words.collect();
    format!(
        "options {{ directory \"{folder}\"; listen-on {{ {}; }}; listen-on-v6 {{ none; }}; pid-file none; session-keyfile none;\n  \
         recursion yes; allow-recursion {{ any; }}; dnssec-validation yes; empty-zones-enable no; }};\ncontrols {{ }};\n\
         trust-anchors {{ . static-key {} \"{key}\"; }};\nzone \".\" {{ type hint; file \"hints\"; }};\n",
        place.address(),
        numbers.join(" ")
    )
}
