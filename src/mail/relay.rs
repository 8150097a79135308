//! Who may send to other servers: {trusted network, login} × {served domains, anywhere}.

use std::{fmt, str::FromStr};

/// `RELAY_MODE`. Mail for the served domains is taken from everybody in each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RelayMode {
    /// Nobody.
    Strict,
    /// Users who logged in.
    AllowSasl,
    /// Clients in trusted networks, without login.
    AllowNet,
    /// Both.
    #[default]
    AllowAuth,
}

impl RelayMode {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::Strict, "STRICT"),
        (Self::AllowSasl, "ALLOW_SASLAUTH_NODOMAIN"),
        (Self::AllowNet, "ALLOW_NETAUTH_NODOMAIN"),
        (Self::AllowAuth, "ALLOW_AUTH_NODOMAIN"),
    ];

    /// Whether a client in a trusted network may send anywhere.
    pub fn network(self) -> bool {
        matches!(self, Self::AllowNet | Self::AllowAuth)
    }

    /// Whether a user who logged in may send anywhere.
    pub fn login(self) -> bool {
        matches!(self, Self::AllowSasl | Self::AllowAuth)
    }
}

impl FromStr for RelayMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(mode, _)| *mode).ok_or_else(|| {
            let names = Self::NAMES.map(|(_, name)| name).join(", ");
            format!("must be one of {names}; restrictions of your own are smtpd_relay_restrictions in [postfix.main]")
        })
    }
}

impl fmt::Display for RelayMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.iter().find(|(mode, _)| mode == self);
        f.pad(found.map_or("", |(_, name)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S3-15, S3-16, S3-17, S3-18, S3-19 (any other value is refused and not taken for a list).
    #[test]
    fn the_four_presets_and_no_other() {
        for (name, network, login) in [
            ("STRICT", false, false),
            ("ALLOW_SASLAUTH_NODOMAIN", false, true),
            ("ALLOW_NETAUTH_NODOMAIN", true, false),
            ("ALLOW_AUTH_NODOMAIN", true, true),
        ] {
            let mode: RelayMode = name.parse().unwrap();
            assert_eq!((mode.network(), mode.login(), mode.to_string().as_str()), (network, login, name));
        }
        assert!(
            "permit_mynetworks reject".parse::<RelayMode>().unwrap_err().contains("smtpd_relay_restrictions")
        );
    }
}
