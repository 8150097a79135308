//! What every port of every program says of TLS: Mozilla "intermediate", version 5, and which certificate.

use super::{Certificates, Named};
use crate::mail::{address::Domain, cert::Place};
use serde::Serialize;
use std::collections::BTreeMap;

/// Where containers see the certificates.
pub const INSIDE: &str = "/etc/mailctl-tls";

/// Cipher suites of TLS 1.2; those of TLS 1.3 need no list.
pub const CIPHERS: &[&str] = &[
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
    "DHE-RSA-CHACHA20-POLY1305",
];

/// Groups for the key exchange.
pub const CURVES: &[&str] = &["X25519", "prime256v1", "secp384r1"];

/// The certificates that every client gets who asks for none: as Postfix and Dovecot name them.
#[derive(Serialize)]
pub(super) struct Host {
    file: String,
    /// RSA beside it.
    rsa: Option<String>,
}

/// Who asks by this name gets this certificate.
#[derive(Serialize)]
pub(super) struct Name {
    /// As Dovecot has it: `mail.example.org`, `*.example.org`.
    name: String,
    /// As Postfix looks it up: `.example.org` for names below it.
    lookup: String,
    file: String,
    /// RSA beside it.
    rsa: Option<String>,
}

/// The server's own.
pub(super) fn host(certificates: &Certificates) -> Host {
    Host { file: file(&Place::Host), rsa: certificates.rsa.then(|| file(&Place::HostRsa)) }
}

/// Those of domains; wildcards first, for Dovecot takes the last that fits. A name that two certificates hold for is
/// the nearer domain's. HOSTNAME is always the server's own, also where a wildcard holds for it.
pub(super) fn names(hostname: &Domain, certificates: &Certificates) -> Vec<Name> {
    let mut domains: Vec<&Named> = certificates.domains.iter().collect();
    domains.sort_by_key(|named| named.domain.as_str().len());
    let mut all: BTreeMap<(bool, &str), Name> = BTreeMap::new();
    for named in domains {
        for name in &named.names {
            let parent = name.strip_prefix('*');
            let entry = Name {
                name: name.clone(),
                lookup: parent.unwrap_or(name).to_owned(),
                file: file(&Place::Domain(named.domain.clone())),
                rsa: None,
            };
            all.insert((parent.is_none(), name), entry);
        }
    }
    if !all.is_empty() {
        let (host, name) = (host(certificates), hostname.as_str());
        let entry = Name { name: name.to_owned(), lookup: name.to_owned(), file: host.file, rsa: host.rsa };
        all.insert((true, name), entry);
    }
    all.into_values().collect()
}

fn file(place: &Place) -> String {
    format!("{INSIDE}/live/{}", place.file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_certificate_and_the_hosts_is_its_own() {
        let domain = |name: &str| Domain::parse(name).unwrap();
        let named = |name: &str, names: &[&str]| Named {
            domain: domain(name),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let host = domain("mail.example.org");
        let none = Certificates { rsa: true, domains: vec![] };
        assert!(names(&host, &none).is_empty());
        let certificates = Certificates {
            rsa: true,
            domains: vec![
                named("a.example.net", &["mail.a.example.net"]),
                named("example.net", &["example.net", "mail.a.example.net", "*.example.net"]),
                named("example.org", &["*.example.org", "mail.example.org"]),
            ],
        };
        let names = names(&host, &certificates);
        let found: Vec<_> = names
            .iter()
            .map(|name| (name.lookup.as_str(), name.file.rsplit('/').next().unwrap(), name.rsa.is_some()))
            .collect();
        let wanted = [
            (".example.net", "example.net.pem", false),
            (".example.org", "example.org.pem", false),
            ("example.net", "example.net.pem", false),
            ("mail.a.example.net", "a.example.net.pem", false),
            ("mail.example.org", "host.pem", true),
        ];
        assert_eq!(found, wanted);
    }
}
