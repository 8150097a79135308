//! One small text from a web server that a record names, like a policy of MTA-STS. What stands in DNS is written by
//! strangers, so a name that leads into our own network is not followed there.

use super::Dns;
use crate::mail::{
    address::Domain,
    dns::{Fetched, reserved},
};
use reqwest::{
    Certificate, Client, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use rustls::CertificateError;
use std::{
    error::Error as Cause,
    io,
    net::{IpAddr, SocketAddr},
    sync::Weak,
    time::Duration,
};

/// Longest wait for the whole text. RFC 8461 §3.3 suggests a minute to mail servers; a person waits here.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest text, in octets, that RFC 8461 §3.3 suggests to take.
const LONGEST: usize = 64 * 1024;

impl Dns {
    /// What stands at an `https://` URL. Never waits longer than ten seconds. Redirects, other schemes, addresses
    /// that the Internet does not lead to and more than 64 KiB are refused.
    pub async fn fetch(&self, url: &str) -> Fetched {
        let find = || {
            let (dns, url) = (self.clone(), url.to_owned());
            async move {
                let getting = tokio::time::timeout(PATIENCE, dns.get(&url)).await;
                getting.unwrap_or_else(|_| Err(silent("no answer within 10 s"))).unwrap_or_else(|why| why)
            }
        };
        let (found, _) = self.0.pages.get(url.to_owned(), find).await;
        found.unwrap_or_else(|| silent("asking failed"))
    }

    async fn get(&self, url: &str) -> Result<Fetched, Fetched> {
        let url = Url::parse(url).map_err(|error| silent(format!("{url}: {error}")))?;
        if url.scheme() != "https" {
            return Err(silent("only https is followed"));
        }
        // By its name only: an address would pass by the resolver, which looks where it leads.
        if url.host_str().is_none_or(|host| host.starts_with('[') || host.parse::<IpAddr>().is_ok()) {
            return Err(silent("an address instead of a name is not followed"));
        }
        let client = self.0.client.get_or_init(|| self.client()).as_ref().map_err(silent)?;
        let response = client.get(url).send().await.map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let media = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|media| media.split(';').next()).unwrap_or_default();
        let media = media.trim().to_ascii_lowercase();
        let text = body(response).await?;
        Ok(Fetched::Body { status, media, text })
    }

    fn client(&self) -> Result<Client, String> {
        let roots = self.0.asking.roots.iter().map(|root| Certificate::from_der(root));
        let roots = roots.collect::<Result<Vec<_>, _>>().map_err(|error| chain(&error))?;
        Client::builder()
            .https_only(true)
            // Neither proxies of the environment, which would look the name up themselves …
            .no_proxy()
            // … nor redirects, which RFC 8461 §3.3 forbids.
            .redirect(Policy::none())
            .tls_certs_merge(roots)
            .dns_resolver(Ours(std::sync::Arc::downgrade(&self.0)))
            .user_agent(concat!("mailctl/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| chain(&error))
    }

    /// The addresses of `host` that may be fetched from.
    async fn reachable(&self, host: &str) -> Result<Vec<SocketAddr>, String> {
        let name = Domain::parse(host).map_err(|error| error.to_string())?;
        let addresses = match self.addresses(&name).await {
            super::Answer::Found(addresses) => addresses,
            super::Answer::Nothing => return Err(format!("{host} has no address")),
            super::Answer::Silent(why) => return Err(format!("{host} could not be looked up: {why}")),
        };
        let allowed = &self.0.asking.allowed;
        let closed = |address: IpAddr| {
            reserved(address).filter(|_| !allowed.iter().any(|range| range.contains(&address)))
        };
        let open = addresses.iter().filter(|address| closed(**address).is_none());
        // Port 0 becomes the port of the URL.
        let open: Vec<SocketAddr> = open.map(|address| SocketAddr::new(*address, 0)).collect();
        match addresses.first() {
            Some(first) if open.is_empty() => Err(format!(
                "{host} leads to {first} ({}), where nothing is fetched from",
                closed(*first).unwrap_or_default()
            )),
            _ => Ok(open),
        }
    }
}

/// Our own resolver for reqwest.
struct Ours(Weak<super::Inner>);

impl Resolve for Ours {
    fn resolve(&self, name: Name) -> Resolving {
        let dns = self.0.upgrade().map(Dns);
        Box::pin(async move {
            let dns = dns.ok_or("nobody waits for the answer any more")?;
            let open = dns.reachable(name.as_str()).await?;
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

async fn body(mut response: Response) -> Result<String, Fetched> {
    let mut octets = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
        octets.extend_from_slice(&chunk);
        if octets.len() > LONGEST {
            return Err(silent("the text is longer than 64 KiB"));
        }
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

fn silent(why: impl ToString) -> Fetched {
    Fetched::Silent(why.to_string())
}

/// A certificate that does not hold is another finding than a server that does not answer.
fn fault(error: &reqwest::Error) -> Fetched {
    let mut cause: Option<&(dyn Cause + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Fetched::Untrusted(distrust(why));
        }
        // An I/O error passes over what is inside of it when asked for its source.
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = inside.map(|inside| inside as &(dyn Cause + 'static)).or_else(|| error.source());
    }
    silent(chain(error))
}

fn distrust(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is not signed by an authority that this host trusts".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is not valid for this name".to_owned()
        }
        why => why.to_string(),
    }
}

/// The innermost cause, which says what really happened.
fn chain(error: &dyn Cause) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
