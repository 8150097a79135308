//! What this server is, as far as DNS has to say it: gathered from settings, interfaces, store and keys.

use super::{
    World,
    keys::{dkim, tls},
    store::Store,
};
use crate::{
    error::Error,
    mail::{
        address::Domain,
        dns::reserved,
        server::{Key, Served, Server, Services, Stage},
    },
    settings::Settings,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

impl World {
    /// The host. Its addresses are those of the settings, or else those with which this host would reach the
    /// Internet, where they can be reached from there: an address of a private network says nothing to others.
    pub fn server(&self, settings: &Settings) -> Server {
        let mut addresses = settings.dns.addresses.clone();
        if addresses.is_empty() {
            addresses = own_addresses();
        }
        let (on, ports) = (settings.protocols, settings.ports);
        let offered = |on: bool, port: u16| if on { port } else { 0 };
        Server {
            host: settings.hostname.clone(),
            addresses,
            services: Services {
                submissions: ports.submissions,
                submission: ports.submission,
                imaps: offered(on.imap, ports.imaps),
                imap: offered(on.imap, ports.imap),
                pop3s: offered(on.pop3, ports.pop3s),
                pop3: offered(on.pop3, ports.pop3),
                managesieve: offered(on.managesieve, ports.managesieve),
            },
            spki: tls::spki(&self.paths),
            policy: settings.policy(),
            relay: settings.relay.as_ref().map(|relay| relay.host.clone()),
        }
    }

    /// A domain with its keys.
    pub async fn served(&self, settings: &Settings, store: &Store, domain: &Domain) -> Result<Served, Error> {
        let stored = store.signers().await?;
        let all = dkim::list(&self.paths, domain)?;
        let preferred = settings.dkim_selector.as_ref();
        let signing = dkim::signing_among(&all, &self.paths, domain, &stored, preferred)?;
        let stages = store.stages(domain).await?;
        let keys = all.into_iter().map(|key| {
            let signs = signing.contains(&key.selector);
            let stored = stages.iter().find(|staged| staged.selector == key.selector);
            let stage = if signs { Stage::Active } else { stored.map_or(Stage::Idle, |staged| staged.stage) };
            Key { selector: key.selector, record: key.record, stage }
        });
        Ok(Served { domain: domain.clone(), keys: keys.collect() })
    }
}

/// The source addresses of the routes to the Internet. Nothing is sent: a UDP socket that is connected only asks
/// the kernel for its route.
fn own_addresses() -> Vec<IpAddr> {
    // Documentation addresses (RFC 5737, RFC 3849): no real host's, and routed like any other.
    let targets: [(IpAddr, IpAddr); 2] = [
        (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into()),
        (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    ];
    let route = |(from, to): (IpAddr, IpAddr)| {
        let socket = UdpSocket::bind(SocketAddr::new(from, 0)).ok()?;
        socket.connect(SocketAddr::new(to, 53)).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    };
    targets.into_iter().filter_map(route).filter(|address| is_public(*address)).collect()
}

/// Whether others on the Internet can reach an address: not private, local, shared or for documentation (IANA's
/// registries of special-purpose addresses, RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    // Of IPv6 only this part was ever given out (IANA: Global Unicast).
    let given = match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    };
    given && reserved(address).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for text in ["8.8.8.8", "100.63.0.1", "2a00::1", "198.20.0.1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "10.0.0.1",
            "172.20.1.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "192.0.2.1",
            "0.1.2.3",
            "255.255.255.255",
            "::1",
            "fd00::1",
            "fe80::1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        assert!(own_addresses().into_iter().all(is_public));
    }
}
