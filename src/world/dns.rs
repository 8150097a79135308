//! Questions to DNS, with a deadline. Only what DNS says counts: `/etc/hosts` is not what other servers see.

use crate::mail::address::Domain;
use hickory_resolver::{
    TokioResolver,
    config::ResolveHosts,
    net::NetError,
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
        let mut builder = TokioResolver::builder_tokio().map_err(|e| e.to_string())?;
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
