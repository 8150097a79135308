//! Where a certificate is served, and how its file in a set is called.

use crate::mail::address::Domain;
use std::fmt;

/// One place in a set of certificates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The server's own name, and every client that names none: ECDSA, or whatever there is.
    Host,
    /// RSA beside it, for clients that cannot do the other kind.
    HostRsa,
    /// Clients that ask by a name of this domain (server name indication, RFC 6066 §3).
    Domain(Domain),
}

impl Place {
    /// Its file, relative to the set.
    pub fn file(&self) -> String {
        match self {
            Self::Host => "host.pem".to_owned(),
            Self::HostRsa => "host-rsa.pem".to_owned(),
            Self::Domain(domain) => format!("sni/{domain}.pem"),
        }
    }

    /// The place whose file is called so.
    pub fn of(file: &str) -> Option<Self> {
        match file {
            "host.pem" => Some(Self::Host),
            "host-rsa.pem" => Some(Self::HostRsa),
            _ => {
                let name = file.strip_prefix("sni/")?.strip_suffix(".pem")?;
                Domain::parse(name).ok().filter(|domain| domain.as_str() == name).map(Self::Domain)
            }
        }
    }

    /// The domain, where it is one's.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Domain(domain) => Some(domain),
            Self::Host | Self::HostRsa => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::HostRsa => f.write_str("host, RSA"),
            Self::Domain(domain) => domain.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_file_and_no_other_file_is_one() {
        let domain = Domain::parse("example.org").unwrap();
        for place in [Place::Host, Place::HostRsa, Place::Domain(domain)] {
            assert_eq!(Place::of(&place.file()), Some(place));
        }
        for other in ["live.pem", "sni/x/y.pem", "sni/Example.org.pem", "sni/.pem", "sni/example.org", ".new"]
        {
            assert_eq!(Place::of(other), None, "{other}");
        }
    }
}
