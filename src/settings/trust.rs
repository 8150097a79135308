//! `Trust`: the networks that may relay without login, in Postfix's `mynetworks` order (first match wins).

use ipnet::IpNet;
use std::net::IpAddr;

/// An ordered list of networks, each taken in or, with `!`, left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust(Vec<(bool, IpNet)>);

impl Trust {
    /// Loopback only: the default.
    pub fn loopback() -> Self {
        Self(vec![
            (true, IpNet::from(ipnet::Ipv4Net::new_assert([127, 0, 0, 0].into(), 8))),
            (true, IpNet::from(ipnet::Ipv6Net::new_assert(std::net::Ipv6Addr::LOCALHOST, 128))),
        ])
    }

    /// Parses blank- or comma-separated `10.0.0.0/8`, `192.0.2.7`, `[2001:db8::]/32`, `!10.0.0.1`.
    /// Loopback is always in. The error is one clear line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut entries = Vec::new();
        for word in text.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
            let (taken, net) = word.strip_prefix('!').map_or((true, word), |net| (false, net));
            let plain = net.replace(['[', ']'], "");
            let net = plain.parse::<IpNet>().or_else(|_| plain.parse::<IpAddr>().map(IpNet::from)).map_err(
                |_| format!("{word:?} is not a network; write it like 192.0.2.0/24 or [2001:db8::]/32"),
            )?;
            if net.addr() != net.network() {
                return Err(format!("{word:?} has host bits set; did you mean {}?", net.trunc()));
            }
            entries.push((taken, net));
        }
        entries.extend(Self::loopback().0);
        Ok(Self(entries))
    }

    /// The entries in their order, `false` for those that are left out.
    pub fn into_entries(self) -> Vec<(bool, IpNet)> {
        self.0
    }

    /// Whether a client at `address` is trusted.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().find(|(_, net)| net.contains(&address)).is_some_and(|(taken, _)| *taken)
    }

    /// The network that makes `address` trusted, as the operator wrote it (canonical form).
    pub fn network_of(&self, address: IpAddr) -> Option<IpNet> {
        self.0.iter().find(|(_, net)| net.contains(&address)).filter(|(taken, _)| *taken).map(|(_, net)| *net)
    }

    /// A network so wide that trusting it makes an open relay.
    pub fn too_wide(&self) -> Option<IpNet> {
        let wide = |net: &IpNet| match net {
            IpNet::V4(net) => net.prefix_len() < 8,
            IpNet::V6(net) => net.prefix_len() < 16,
        };
        self.0.iter().find(|(taken, net)| *taken && wide(net)).map(|(_, net)| *net)
    }

    /// The entries in Postfix's form: `!10.0.0.1/32`, `[::1]/128`.
    pub fn to_postfix(&self) -> Vec<String> {
        let form = |net: &IpNet| match net {
            IpNet::V4(net) => net.to_string(),
            IpNet::V6(net) => format!("[{}]/{}", net.addr(), net.prefix_len()),
        };
        self.0.iter().map(|(taken, net)| format!("{}{}", if *taken { "" } else { "!" }, form(net))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_match_wins_and_loopback_is_always_in() {
        let trust = Trust::parse("!172.20.0.1, 172.20.0.0/16 [2001:db8::]/32").unwrap();
        assert!(!trust.holds("172.20.0.1".parse().unwrap()));
        assert!(trust.holds("172.20.0.9".parse().unwrap()));
        assert!(trust.holds("127.0.0.1".parse().unwrap()));
        assert_eq!(trust.to_postfix()[2], "[2001:db8::]/32");
        assert!(Trust::parse("10.0.0.1/8").unwrap_err().contains("10.0.0.0/8"));
        assert!(Trust::parse("nonsense").is_err());
    }
}
