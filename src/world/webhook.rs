//! One POST to a web server that the operator named. It leads nowhere but to the Internet, or into networks that were
//! named as well.

use super::dns::{Answer, Dns};
use crate::{
    mail::{address::Domain, dns::reserved},
    settings::Webhook,
};
use ipnet::IpNet;
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Longest wait for the whole exchange.
const PATIENCE: Duration = Duration::from_secs(5);

/// Posts `body` as JSON; the error is one line without the URL, which may hold a secret.
pub async fn post(dns: &Dns, webhook: &Webhook, body: &serde_json::Value) -> Result<(), String> {
    let url = Url::parse(webhook.url.reveal()).map_err(|error| format!("the URL cannot be read: {error}"))?;
    if url.scheme() != "https" {
        return Err("only https is spoken".to_owned());
    }
    // An address passes by the resolver, which looks where a name leads.
    let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    if let Some(address) = literal {
        open(address, &webhook.networks)?;
    }
    let client = Client::builder()
        .https_only(true)
        .no_proxy()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .dns_resolver(Ours { dns: dns.clone(), networks: webhook.networks.clone() })
        .user_agent(concat!("mailctl/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(told)?;
    // Its answer is not read: the status says all.
    let response = client.post(url).json(body).send().await.map_err(told)?;
    match response.status() {
        status if status.is_success() => Ok(()),
        status if status.is_redirection() => {
            Err(format!("it answered {} and leads elsewhere, where nothing is sent", status.as_u16()))
        }
        status => Err(format!("it answered {}", status.as_u16())),
    }
}

/// Our own resolver, for reqwest.
struct Ours {
    dns: Dns,
    networks: Vec<IpNet>,
}

impl Resolve for Ours {
    fn resolve(&self, name: Name) -> Resolving {
        let (dns, networks) = (self.dns.clone(), self.networks.clone());
        Box::pin(async move {
            Ok(Box::new(reachable(&dns, name.as_str(), &networks).await?.into_iter()) as Addrs)
        })
    }
}

/// Every address is looked at, and the connection goes to one of those that were.
async fn reachable(dns: &Dns, host: &str, networks: &[IpNet]) -> Result<Vec<SocketAddr>, String> {
    let name = Domain::parse(host).map_err(|error| error.to_string())?;
    let addresses = match dns.addresses(&name).await {
        Answer::Found(addresses) => addresses,
        Answer::Nothing => return Err(format!("{host} has no address")),
        Answer::Silent(why) => return Err(format!("{host} could not be looked up: {why}")),
    };
    let mut refused = None;
    let mut found = Vec::new();
    for address in addresses {
        match open(address, networks) {
            // Port 0 becomes the port of the URL.
            Ok(()) => found.push(SocketAddr::new(address, 0)),
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(why) if found.is_empty() => Err(why),
        _ => Ok(found),
    }
}

fn open(address: IpAddr, networks: &[IpNet]) -> Result<(), String> {
    match reserved(address) {
        Some(what) if !networks.iter().any(|network| network.contains(&address)) => Err(format!(
            "it leads to {address} ({what}), where nothing is sent; ALERT_WEBHOOK_NETWORKS can allow it"
        )),
        _ => Ok(()),
    }
}

/// The innermost cause, never the URL.
fn told(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", PATIENCE.as_secs());
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: threats 28 (private, loopback and link-local only where somebody said so).
    #[test]
    fn only_named_networks_of_special_addresses_are_open() {
        let networks: Vec<IpNet> = vec!["10.1.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()];
        for (address, is_open) in [
            ("8.8.8.8", true),
            ("10.1.2.3", true),
            ("::1", true),
            ("10.2.2.3", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("::ffff:127.0.0.1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(open(address.parse().unwrap(), &networks).is_ok(), is_open, "{address}");
        }
    }
}
