//! Questions to DNS, with a deadline. Only what DNS says counts: `/etc/hosts` is not what other servers see.

use crate::mail::address::Domain;
use hickory_resolver::{
    ResolverBuilder, TokioResolver,
    config::ResolveHosts,
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{Name, RData},
};
use std::{future::Future, net::IpAddr, time::Duration};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What DNS says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// This.
    Found(T),
    /// That there is nothing of the kind.
    Nothing,
    /// Nothing at all, for this reason.
    Silent(String),
}

/// The resolver of this host.
pub struct Dns(TokioResolver);

impl Dns {
    /// As `/etc/resolv.conf` has it; the error is one clear line.
    pub fn system() -> Result<Self, String> {
        Self::with(TokioResolver::builder_tokio().map_err(|e| e.to_string())?)
    }

    fn with(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<Self, String> {
        let options = builder.options_mut();
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = Duration::from_millis(900);
        options.attempts = 1;
        builder.build().map(Self).map_err(|e| e.to_string())
    }

    /// A and AAAA.
    pub async fn addresses(&self, name: &Domain) -> Answer<Vec<IpAddr>> {
        answer(async { Ok(self.0.lookup_ip(absolute(name)?).await?.iter().collect()) }).await
    }

    /// The hosts that take mail for `domain`, best first, without the final dot.
    pub async fn mail_servers(&self, domain: &Domain) -> Answer<Vec<String>> {
        answer(async {
            let found = self.0.mx_lookup(absolute(domain)?).await?;
            let mut servers: Vec<(u16, String)> = found
                .answers()
                .iter()
                .filter_map(|record| match &record.data {
                    RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii().to_ascii_lowercase())),
                    _ => None,
                })
                .collect();
            servers.sort();
            let names = servers.into_iter().map(|(_, name)| name.trim_end_matches('.').to_owned());
            // "." alone is a domain that takes no mail (RFC 7505).
            Ok(names.filter(|name| !name.is_empty()).collect())
        })
        .await
    }
}

/// With the final dot: the search list of the host is not asked.
fn absolute(name: &Domain) -> Result<Name, NetError> {
    Name::from_ascii(format!("{name}.")).map_err(NetError::from)
}

async fn answer<T>(asking: impl Future<Output = Result<Vec<T>, NetError>>) -> Answer<Vec<T>> {
    match tokio::time::timeout(PATIENCE, asking).await {
        Err(_) => Answer::Silent("no answer within 2 s".to_owned()),
        Ok(Ok(list)) if list.is_empty() => Answer::Nothing,
        Ok(Ok(list)) => Answer::Found(list),
        Ok(Err(error)) if error.is_nx_domain() || error.is_no_records_found() => Answer::Nothing,
        Ok(Err(error)) => Answer::Silent(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::config::{NameServerConfig, ResolverConfig};
    use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

    /// A name server of the test's own (RFC 1035 §4.1): `mail.` has an address, `example.` an MX, `null.` the
    /// null MX, `slow.` gets no answer, all else does not exist.
    fn server() -> SocketAddr {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut query) {
                if let Some(reply) = reply(&query[..length]) {
                    let _ = socket.send_to(&reply, peer);
                }
            }
        });
        address
    }

    fn reply(query: &[u8]) -> Option<Vec<u8>> {
        let name_end = 12 + query[12..].iter().position(|byte| *byte == 0)? + 1;
        let question = &query[12..name_end + 4];
        let kind = query[name_end + 1];
        let first = &query[13..13 + usize::from(query[12])];
        let mx = |host: &[u8]| [&[0, 10][..], host].concat();
        let data: Option<Vec<u8>> = match (first, kind) {
            (b"slow", _) => return None,
            (b"mail", 1) => Some(vec![192, 0, 2, 25]),
            (b"example", 15) => Some(mx(b"\x04mail\x07example\x03org\0")),
            (b"null", 15) => Some(mx(b"\0")),
            _ => None,
        };
        let exists = [&b"mail"[..], b"example", b"null"].contains(&first);
        let mut reply = query[..2].to_vec();
        reply.extend([0x81, if exists { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
        reply.extend(question);
        if let Some(data) = data {
            reply.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
            reply.extend(data);
        }
        Some(reply)
    }

    fn dns() -> Dns {
        let at = server();
        let mut server = NameServerConfig::udp(at.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = at.port());
        let config = ResolverConfig::from_name_servers(vec![server]);
        Dns::with(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())).unwrap()
    }

    #[tokio::test]
    async fn found_nothing_and_silent_are_three_things() {
        let dns = dns();
        let name = |text: &str| Domain::parse(text).unwrap();
        assert_eq!(
            dns.addresses(&name("mail.example.org")).await,
            Answer::Found(vec![IpAddr::from([192, 0, 2, 25])])
        );
        assert_eq!(
            dns.mail_servers(&name("example.org")).await,
            Answer::Found(vec!["mail.example.org".to_owned()])
        );
        assert_eq!(dns.mail_servers(&name("null.org")).await, Answer::Nothing);
        assert_eq!(dns.addresses(&name("example.org")).await, Answer::Nothing);
        assert_eq!(dns.mail_servers(&name("absent.org")).await, Answer::Nothing);
        let began = std::time::Instant::now();
        assert!(matches!(dns.addresses(&name("slow.org")).await, Answer::Silent(_)));
        assert!(began.elapsed() < Duration::from_millis(2500));
    }
}
