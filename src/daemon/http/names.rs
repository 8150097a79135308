//! For which of our names a request is meant.

use super::Web;
use crate::mail::address::Domain;
use hyper::{Version, header::HOST, http::request::Parts};

/// A name of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The server's own.
    Host,
    /// A served domain.
    Domain(Domain),
    /// `mta-sts.` of a served domain (RFC 8461 §3.3).
    MtaSts(Domain),
    /// `autoconfig.` or `autodiscover.` of a served domain.
    Setup(Domain),
}

impl Named {
    /// The served domain in it.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Host => None,
            Self::Domain(domain) | Self::MtaSts(domain) | Self::Setup(domain) => Some(domain),
        }
    }
}

/// The request does not say clearly whom it is for (RFC 9112 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear;

/// The host that a request is for; `None` where it is no domain name. Two of them are one too many, and a request
/// target with a host of its own must agree: who reads one and who reads the other would be led apart.
pub fn host(request: &Parts) -> Result<Option<Domain>, Unclear> {
    let mut values = request.headers.get_all(HOST).iter();
    let (first, second) = (values.next(), values.next());
    let header = match first.map(|value| value.to_str()) {
        _ if second.is_some() => return Err(Unclear),
        Some(Err(_)) => return Err(Unclear),
        Some(Ok(text)) => Some(text),
        None if request.version >= Version::HTTP_11 => return Err(Unclear),
        None => None,
    };
    let target = request.uri.authority().map(|authority| authority.as_str());
    if let (Some(header), Some(target)) = (header, target)
        && !header.eq_ignore_ascii_case(target)
    {
        return Err(Unclear);
    }
    let Some(text) = target.or(header) else { return Ok(None) };
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => text,
    };
    if name.bytes().any(|byte| !byte.is_ascii_graphic() || b"/\\?#@".contains(&byte)) {
        return Err(Unclear);
    }
    Ok(Domain::parse(name).ok())
}

impl Web {
    /// Which of our names that is; `None` = none of ours. Domains are those that Postfix is told of at this moment.
    pub fn named(&self, host: &Domain) -> Option<Named> {
        if *host == self.pages().hostname {
            return Some(Named::Host);
        }
        let known = self.state.read();
        let below = |label: &str| {
            let domain = Domain::parse(host.as_str().strip_prefix(label)?).ok()?;
            known.serves(domain.as_str()).then_some(domain)
        };
        if let Some(domain) = below("mta-sts.") {
            return Some(Named::MtaSts(domain));
        }
        if let Some(domain) = below("autoconfig.").or_else(|| below("autodiscover.")) {
            return Some(Named::Setup(domain));
        }
        known.serves(host.as_str()).then(|| Named::Domain(host.clone()))
    }

    /// Whether mail for a domain is ours.
    pub fn serves(&self, domain: &Domain) -> bool {
        self.state.read().serves(domain.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn asked(target: &str, hosts: &[&str], version: Version) -> Result<Option<String>, Unclear> {
        let mut request = Request::builder().uri(target).version(version);
        for value in hosts {
            request = request.header(HOST, *value);
        }
        host(&request.body(()).unwrap().into_parts().0).map(|found| found.map(|name| name.to_string()))
    }

    /// Proves: RFC 9112 §3.2, threats 20 (Host header games).
    #[test]
    fn a_host_is_one_and_clear() {
        let name = |text: &str| Ok(Some(text.to_owned()));
        let v11 = Version::HTTP_11;
        assert_eq!(asked("/", &["Example.org"], v11), name("example.org"));
        assert_eq!(asked("/", &["example.org:8080"], v11), name("example.org"));
        assert_eq!(asked("http://example.org/", &["example.org"], v11), name("example.org"));
        assert_eq!(asked("/", &[], Version::HTTP_10), Ok(None));
        for (target, hosts) in [
            ("/", &[][..]),
            ("/", &["a.example", "a.example"]),
            ("http://a.example/", &["b.example"]),
            ("/", &["a.example/../b"]),
            ("/", &["user@a.example"]),
            ("/", &["a.example b.example"]),
        ] {
            assert_eq!(asked(target, hosts, v11), Err(Unclear), "{target} {hosts:?}");
        }
        for none in ["127.0.0.1", "[::1]:443", "localhost", "", "a..example", "-a.example"] {
            assert_eq!(asked("/", &[none], v11), Ok(None), "{none}");
        }
    }
}
