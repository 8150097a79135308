//! `CERTIFICATES` and `[acme]`: where certificates come from.

use super::{keys::find, source::Words, value};
use crate::mail::address::{Address, Domain};
use std::fmt;

/// The directory that is used where no other is named: the real one of Let's Encrypt.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// The one to try things at.
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// An authority that issues by ACME (RFC 8555), and how to deal with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acme {
    /// URL of its directory.
    pub directory: String,
    /// URL of the directory to try first after a refusal; `None` = there is none.
    pub staging: Option<String>,
    /// Whom the authority may write to.
    pub contact: Address,
    /// How a name is proven.
    pub challenge: Challenge,
    /// PEM file with roots that vouch for the directory's web server, beside those of the system.
    pub root_file: Option<String>,
    /// Account at the authority that ours is bound to (RFC 8555 §7.3.4).
    pub external: Option<External>,
    /// A certificate with an RSA key beside the one with a P-256 key.
    pub rsa: bool,
}

/// External account binding: what the authority's own account page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Its key identifier.
    pub id: String,
    /// The file with its key, in base64 as the authority shows it.
    pub key_file: String,
}

/// The ways to prove that a name is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// A file on port 80 (RFC 8555 §8.3).
    Http01,
    /// A certificate on port 443 (RFC 8737).
    TlsAlpn01,
    /// A record in DNS (RFC 8555 §8.4).
    Dns01,
}

impl Challenge {
    const ALL: [Self; 3] = [Self::Http01, Self::TlsAlpn01, Self::Dns01];

    /// As ACME calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Dns01 => "dns-01",
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let words = Self::ALL.map(Self::name);
        let index = words.iter().position(|word| *word == text);
        index
            .map(|index| Self::ALL[index])
            .ok_or_else(|| format!("{text:?} is not one of {}", words.join(", ")))
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Words {
    /// `None` where certificates are made here or brought by the operator. Wrong values are faults also then: who
    /// turns ACME on should not learn of them at night.
    pub(super) fn acme(&mut self, admin: Option<&Address>, brought: bool) -> Option<Acme> {
        let on = self.or("CERTIFICATES", |text| value::one_of(text, &["self-signed", "acme"]), String::new());
        let contact = self.take("ACME_EMAIL", Address::parse);
        let directory = self.or("acme.directory", directory_url, String::new());
        let staging = self.take("acme.staging", directory_url);
        let challenge = self.or("acme.challenge", Challenge::parse, Challenge::Http01);
        let root_file = self.take("acme.root_file", value::absolute_path);
        let id = self.take("acme.eab_key_id", value::line);
        let key_file = self.take("acme.eab_key_file", value::absolute_path);
        let rsa = self.or("acme.rsa", value::flag, false);
        let pair = [("acme.eab_key_id", id.is_some()), ("acme.eab_key_file", key_file.is_some())];
        if let [(_, false), (have, true)] | [(have, true), (_, false)] = pair {
            let lack = if have == pair[0].0 { pair[1].0 } else { pair[0].0 };
            self.fault(
                self.origin(have),
                format!("{have} is set, but not {lack}"),
                Some(format!("set {lack}")),
            );
        }
        let dns_key = self.set.contains_key("dns.update_key_file");
        if on == "acme" && challenge == Challenge::Dns01 && !dns_key {
            let remedy = find("dns.update_key_file").map(|key| format!("set {}", key.name));
            let what = "acme.challenge is dns-01, and no key is set that could sign changes to DNS";
            self.fault(self.origin("acme.challenge"), what, remedy);
        }
        if on == "acme" && brought {
            let remedy = "remove CERTIFICATES=acme, or all of TLS_CERT_* and TLS_KEY_*".to_owned();
            let what = "CERTIFICATES is acme, and a certificate is also brought by TLS_CERT_*";
            self.fault(self.origin("CERTIFICATES"), what, Some(remedy));
        }
        let staging =
            staging.or_else(|| (directory == LETS_ENCRYPT).then(|| LETS_ENCRYPT_STAGING.to_owned()));
        let external = id.zip(key_file).map(|(id, key_file)| External { id, key_file });
        (on == "acme").then_some(Acme {
            directory,
            staging,
            contact: contact.or_else(|| admin.cloned())?,
            challenge,
            root_file,
            external,
            rsa,
        })
    }
}

/// `https://host[:port]/path`. The operator chooses the authority, so any address may be behind it; but not without
/// TLS, for the account's answers are believed (RFC 8555 §6.1).
fn directory_url(text: &str) -> Result<String, String> {
    let bad = |why: &str| format!("{text:?} {why}; write it like {LETS_ENCRYPT}");
    let rest = text.strip_prefix("https://").ok_or_else(|| bad("does not begin with https://"))?;
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let known =
        host.parse::<std::net::IpAddr>().is_ok() || host == "localhost" || Domain::parse(host).is_ok();
    if !known {
        return Err(bad("names no host"));
    }
    if port.is_some_and(|port| !matches!(port.parse::<u16>(), Ok(1..))) {
        return Err(bad("has no usable port"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '#') {
        return Err(bad("has a blank or # inside"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{load, source::Sources};

    const GOOD: &str = "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=admin@example.org\n";

    fn read(env: &str, toml: &str) -> Result<Option<Acme>, String> {
        let env = format!("{GOOD}{env}");
        let sources = Sources { settings_env: Some(&env), mailctl_toml: Some(toml), environment: &[] };
        load(&sources)
            .map(|loaded| loaded.settings.acme)
            .map_err(|faults| faults.iter().map(|fault| format!("{fault}\n")).collect())
    }

    #[test]
    fn acme_needs_one_line() {
        assert_eq!(read("", ""), Ok(None));
        let acme = read("CERTIFICATES=acme\n", "").unwrap().unwrap();
        assert_eq!(
            (acme.directory.as_str(), acme.staging.as_deref()),
            (LETS_ENCRYPT, Some(LETS_ENCRYPT_STAGING))
        );
        assert_eq!(
            (acme.contact.to_string().as_str(), acme.challenge),
            ("admin@example.org", Challenge::Http01)
        );
        let own =
            "[acme]\ndirectory = \"https://127.0.0.1:14000/dir\"\nrsa = true\nchallenge = \"tls-alpn-01\"\n";
        let acme = read("CERTIFICATES=acme\nACME_EMAIL=ca@example.net\n", own).unwrap().unwrap();
        assert_eq!((acme.staging, acme.rsa, acme.challenge), (None, true, Challenge::TlsAlpn01));
        assert_eq!(acme.contact.to_string(), "ca@example.net");
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (env, toml, part) in [
            ("CERTIFICATES=letsencrypt\n", "", "is not one of self-signed, acme"),
            ("", "[acme]\ndirectory = \"http://ca.example/dir\"\n", "https://"),
            ("", "[acme]\ndirectory = \"https://ca.example:0/dir\"\n", "port"),
            ("", "[acme]\ndirectory = \"https:///dir\"\n", "no host"),
            ("", "[acme]\nchallenge = \"dns01\"\n", "http-01, tls-alpn-01, dns-01"),
            ("CERTIFICATES=acme\n", "[acme]\nchallenge = \"dns-01\"\n", "set dns.update_key_file"),
            ("", "[acme]\neab_key_id = \"kid-1\"\n", "set acme.eab_key_file"),
            ("", "[acme]\neab_key_file = \"/k\"\n", "set acme.eab_key_id"),
            ("CERTIFICATES=acme\nTLS_CERT_DIR=/etc/letsencrypt/live/x\n", "", "remove CERTIFICATES=acme"),
            ("", "[acme]\nroot_file = \"root.pem\"\n", "does not begin with /"),
        ] {
            let told = read(env, toml).unwrap_err();
            assert!(told.contains(part), "{env}{toml}: {told}");
        }
    }
}
