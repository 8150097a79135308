//! Processes: who holds a port of this host, and the first one of a container.

use crate::{
    error::{Error, codes},
    plan::{recipe, service::Signal, spec::ContainerSpec},
    render::mailctld::{POLICY_PORT, STATUS_PORT},
};
use rustix::process::{Pid, kill_process};
use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::Path,
};

/// Signals process 1 of the container that we are in. The kernel drops what it has no handler for, so a program
/// that is just starting is not ended by it.
pub fn signal_first(signal: Signal) -> Result<(), Error> {
    let number = match signal {
        Signal::Hup => rustix::process::Signal::HUP,
        Signal::Usr1 => rustix::process::Signal::USR1,
    };
    // Outside of a container this is the host's init, which takes SIGHUP for an order to reload itself.
    if std::process::id() == 1 || !Path::new(recipe::PACKAGES).exists() {
        return Err(Error::new(codes::USAGE, "this is not a container of mailctl's").hint("mailctl reload"));
    }
    kill_process(Pid::INIT, number)
        .map_err(|e| Error::new(codes::IO, format!("cannot send {} to process 1", signal.name())).cause(e))
}

/// Turns the engine's "address already in use" into which port and, where `/proc` shows it, which process.
pub fn port_taken(error: Error, spec: &ContainerSpec) -> Error {
    let text = error.causes().join(" ");
    let taken = ["already in use", ALLOCATED].iter().any(|sign| text.contains(sign));
    match port_in(&text, spec).filter(|_| taken) {
        Some(port) => named(port, spec),
        None => error,
    }
}

/// How the engine says that it has given a port away itself; of other programs it says "address already in use".
const ALLOCATED: &str = "port is already allocated";

/// The port of `spec` that the engine says to have given away already.
pub fn allocated(error: &Error, spec: &ContainerSpec) -> Option<u16> {
    let text = error.causes().join(" ");
    port_in(&text, spec).filter(|_| text.contains(ALLOCATED))
}

fn port_in(text: &str, spec: &ContainerSpec) -> Option<u16> {
    spec.ports.iter().map(|port| port.host).find(|&port| port != 0 && names(text, port))
}

/// The first port of `spec` that somebody listens on who is not one of our containers (`ours`: what they publish). Found
/// before anything is taken down to make room for what could then not start.
pub fn in_the_way(spec: &ContainerSpec, ours: &[SocketAddr]) -> Option<u16> {
    let wanted = spec.ports.iter().filter(|port| port.host != 0).find(|port| {
        let own = ours.iter().any(|own| own.port() == port.host);
        !own && listening().any(|there| meets(there, SocketAddr::new(port.address, port.host)))
    });
    wanted.map(|port| port.host)
}

/// Whether what listens on the port is the engine's own proxy.
pub fn is_engines(port: u16) -> bool {
    listener(port).is_some_and(|(_, name)| name == PROXY)
}

const PROXY: &str = "docker-proxy";

/// Whether one address and port cannot be had while the other is. A wildcard of IPv6 most often stands for IPv4 too.
fn meets(there: SocketAddr, wanted: SocketAddr) -> bool {
    let (one, other) = (there.ip().to_canonical(), wanted.ip().to_canonical());
    let alike = one == other
        || (one.is_ipv4() == other.is_ipv4() && (one.is_unspecified() || other.is_unspecified()))
        || (one.is_ipv6() && one.is_unspecified());
    there.port() == wanted.port() && alike
}

/// Where anybody on this host listens.
fn listening() -> impl Iterator<Item = SocketAddr> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().filter_map(|file| fs::read_to_string(file).ok());
    tables.flat_map(|table| {
        let listens = |line: &str| {
            let mut columns = line.split_whitespace().skip(1);
            let (address, port) = columns.next()?.split_once(':')?;
            // Column 3 is the state; 0A = listening.
            (columns.nth(1)? == "0A").then_some(())?;
            Some(SocketAddr::new(kernel_address(address)?, u16::from_str_radix(port, 16).ok()?))
        };
        table.lines().skip(1).filter_map(listens).collect::<Vec<_>>()
    })
}

/// An address as `/proc/net` has it: words of 32 bits, each in the byte order of this host.
fn kernel_address(hex: &str) -> Option<IpAddr> {
    let words: Vec<[u8; 4]> = (0..hex.len() / 8)
        .map(|at| Some(u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes()))
        .collect::<Option<_>>()?;
    match words[..] {
        [word] => Some(IpAddr::from(word)),
        [_, _, _, _] => <[u8; 16]>::try_from(words.concat()).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Which port, by whom, and what can be done.
pub fn named(port: u16, spec: &ContainerSpec) -> Error {
    let taken = Error::new(codes::PORT_TAKEN, format!("port {port} of this host is taken"));
    let taken = match listener(port) {
        Some((_, name)) if name == PROXY => {
            taken.cause("another container publishes it").hint(format!("docker ps --filter publish={port}"))
        }
        Some((pid, name)) => taken
            .cause(format!("process {pid} ({name}) listens on it"))
            .hint(format!("systemctl disable --now {}", unit(&name))),
        None => taken
            .cause("a process that cannot be seen from here listens on it")
            .hint(format!("ss -ltnp 'sport = :{port}'")),
    };
    let inside = spec.ports.iter().find(|published| published.host == port).map(|published| published.inside);
    match inside {
        Some(inside @ (80 | 443)) => {
            let (key, instead) = if inside == 80 { ("http", 8080) } else { ("https", 8443) };
            taken
                .hint(format!(
                    "or leave it to that program: set ports.{key} = {instead} in mailctl.toml, and see: mailctl \
                     help web"
                ))
                .hint("or do without: set ENABLE_WEB=false in settings.env, then: mailctl up")
        }
        Some(POLICY_PORT) => taken.hint("or set another policy.listen in mailctl.toml, then: mailctl up"),
        Some(STATUS_PORT) => taken.hint("or set another metrics.listen in mailctl.toml, then: mailctl up"),
        _ => taken.hint("or set another port in [ports] of mailctl.toml, then: mailctl up"),
    }
}

/// The unit that a process most likely belongs to; the master of a host's own Postfix has a name of its own.
fn unit(process: &str) -> &str {
    if process == "master" { "postfix" } else { process }
}

/// Whether an engine's message speaks of this port: `0.0.0.0:25: bind: …`, `for 0.0.0.0:25 failed`.
fn names(text: &str, port: u16) -> bool {
    let mark = format!(":{port}");
    text.match_indices(&mark)
        .any(|(at, _)| !text[at + mark.len()..].starts_with(|next: char| next.is_ascii_digit()))
}

/// The process that listens on a TCP port: the socket's inode from `/proc/net`, its holder from `/proc/*/fd`.
pub fn listener(port: u16) -> Option<(u32, String)> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let link = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let holds = fs::read_dir(process.path().join("fd"))
            .into_iter()
            .flatten()
            .flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == Path::new(&link)));
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

/// Columns of `/proc/net/tcp`: 1 = local address:port, 3 = state (0A = listening), 9 = inode.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let listening = columns.get(3) == Some(&"0A") && columns.get(1)?.ends_with(&suffix);
        listening.then(|| columns.get(9)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_sentence_names_the_port() {
        let text = "driver failed: Error starting userland proxy: listen tcp4 0.0.0.0:25: bind: address already in use";
        assert!(names(text, 25));
        assert!(!names("Bind for 0.0.0.0:2525 failed", 25));
    }

    #[test]
    fn addresses_meet_where_the_kernel_says_so() {
        let place = |text: &str| text.parse::<SocketAddr>().unwrap();
        for (there, wanted, meet) in [
            ("0.0.0.0:80", "0.0.0.0:80", true),
            ("127.0.0.1:80", "0.0.0.0:80", true),
            ("0.0.0.0:80", "192.0.2.1:80", true),
            ("[::]:80", "0.0.0.0:80", true),
            ("192.0.2.2:80", "192.0.2.1:80", false),
            ("[::1]:80", "0.0.0.0:80", false),
            ("0.0.0.0:80", "[::]:80", false),
            ("0.0.0.0:81", "0.0.0.0:80", false),
        ] {
            assert_eq!(meets(place(there), place(wanted)), meet, "{there} {wanted}");
        }
        assert_eq!(kernel_address("ZZ"), None);
        let socket =
            std::net::TcpListener::bind("[::1]:0").or_else(|_| std::net::TcpListener::bind("127.0.0.1:0"));
        let (v6, v4) = (socket.unwrap(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        for socket in [v6, v4] {
            assert!(listening().any(|there| there == socket.local_addr().unwrap()));
        }
    }

    #[test]
    fn a_listener_of_this_process_is_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (pid, _) = listener(socket.local_addr().unwrap().port()).unwrap();
        assert_eq!(pid, std::process::id());
    }
}
