//! The texts that `mailctl up` rendered for this server, with places for what a request brings.

use crate::{
    daemon::config::Config,
    error::Error,
    mail::address::{Address, Domain},
    world::io_error,
};
use std::{fs, path::Path};

/// All of them, from one generation.
#[derive(Clone, Debug)]
pub struct Pages {
    /// The server's own name.
    pub hostname: Domain,
    /// The policy of MTA-STS, ready to be sent.
    pub policy: String,
    autoconfig: String,
    autodiscover: String,
    profile: String,
}

impl Pages {
    /// Those beside the daemon's configuration. The link to the live generation is followed once, so that all
    /// come from the same one.
    pub fn beside(file: &Path) -> Result<Self, Error> {
        let file = fs::canonicalize(file).map_err(|e| io_error("read", file, &e))?;
        let read = |name: &str| {
            let path = file.with_file_name(name);
            fs::read_to_string(&path).map_err(|e| io_error("read", &path, &e))
        };
        Ok(Self {
            hostname: Config::read(&file)?.hostname,
            policy: read("mta-sts.txt")?,
            autoconfig: read("autoconfig.xml")?,
            autodiscover: read("autodiscover.xml")?,
            profile: read("profile.mobileconfig")?,
        })
    }

    /// For Thunderbird and its like.
    pub fn autoconfig(&self, domain: &Domain) -> String {
        filled(&self.autoconfig, &[("%DOMAIN%", domain.as_str())])
    }

    /// For Outlook.
    pub fn autodiscover(&self, address: &Address) -> String {
        filled(&self.autodiscover, &[("%ADDRESS%", &address.to_string())])
    }

    /// For Apple's Mail.
    pub fn profile(&self, address: &Address) -> String {
        let (address, domain) = (address.to_string(), address.domain().as_str());
        let (own, account) = (uuid(&[&address, "profile"]), uuid(&[&address, "account"]));
        let values =
            [("%ADDRESS%", &*address), ("%DOMAIN%", domain), ("%UUID%", &own), ("%ACCOUNT_UUID%", &account)];
        filled(&self.profile, &values)
    }
}

/// Values in their places, as text of XML. In one pass: a value that looks like a place stays a value.
fn filled(page: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(page.len() + 100);
    let mut rest = page;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(place, _)| rest.starts_with(place)) {
            Some((place, value)) => {
                text.push_str(&escaped(value));
                rest = &rest[place.len()..];
            }
            None => {
                text.push('%');
                rest = &rest[1..];
            }
        }
    }
    text + rest
}

/// XML 1.0 §2.4.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&apos;"),
            other => text.push(other),
        }
    }
    text
}

/// The same for the same texts, always: a profile that is installed again replaces the one before (RFC 9562 §5.8).
fn uuid(texts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(texts.join("\0"));
    let mut number = [0; 16];
    number.copy_from_slice(&hash[..16]);
    number[6] = number[6] & 0x0f | 0x80;
    number[8] = number[8] & 0x3f | 0x80;
    let hex: String = number.iter().map(|octet| format!("{octet:02X}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: threats 11, 12 (what a request brings is text wherever it is put).
    #[test]
    fn values_are_text_and_no_more() {
        let filled = |value| filled("<a>%ADDRESS%</a>%EMAILADDRESS% 50%", &[("%ADDRESS%", value)]);
        assert_eq!(filled("a&b'<\">"), "<a>a&amp;b&apos;&lt;&quot;&gt;</a>%EMAILADDRESS% 50%");
        assert_eq!(filled("%ADDRESS%%DOMAIN%"), "<a>%ADDRESS%%DOMAIN%</a>%EMAILADDRESS% 50%");
        assert_eq!(uuid(&["a", "b"]), uuid(&["a", "b"]));
        assert_ne!(uuid(&["a", "b"]), uuid(&["ab", ""]));
        assert_eq!(uuid(&["a"]).len(), 36);
    }
}
