//! `Service`: the programs of the stack, in the order in which they are started.

use serde::Serialize;
use std::{fmt, str::FromStr};

/// One container each. The order is the order of starting: who serves a socket comes before who connects to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// `mailctl daemon`: who exists and where mail goes.
    Mailctld,
    /// Signs and verifies.
    Opendkim,
    /// Mailboxes and logins.
    Dovecot,
    /// SMTP and the queue.
    Postfix,
}

/// How a running service is told to read its configuration anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Signal {
    /// Postfix's master, Dovecot's master, `mailctl daemon`.
    #[serde(rename = "SIGHUP")]
    Hup,
    /// OpenDKIM.
    #[serde(rename = "SIGUSR1")]
    Usr1,
}

impl Signal {
    /// The name that the engine knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hup => "SIGHUP",
            Self::Usr1 => "SIGUSR1",
        }
    }
}

impl FromStr for Signal {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Hup, Self::Usr1].into_iter().find(|signal| signal.name() == text);
        known.ok_or_else(|| format!("no signal {text:?} here; there are SIGHUP and SIGUSR1"))
    }
}

impl Service {
    /// All of them, first to start first.
    pub const ALL: [Self; 4] = [Self::Mailctld, Self::Opendkim, Self::Dovecot, Self::Postfix];

    /// As in container names and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mailctld => "mailctld",
            Self::Opendkim => "opendkim",
            Self::Dovecot => "dovecot",
            Self::Postfix => "postfix",
        }
    }

    /// What makes it read its configuration again.
    pub fn reload(self) -> Signal {
        match self {
            Self::Opendkim => Signal::Usr1,
            Self::Mailctld | Self::Dovecot | Self::Postfix => Signal::Hup,
        }
    }

    /// Seconds between TERM and KILL. OpenDKIM looks for the signal only every five seconds and has nothing to
    /// lose: while it is away Postfix answers 4xx.
    pub fn grace(self) -> u32 {
        match self {
            Self::Opendkim => 1,
            Self::Mailctld | Self::Dovecot | Self::Postfix => 60,
        }
    }

    /// The folder of its files in a generation, with the final slash.
    pub fn config_prefix(self) -> String {
        format!("{}/", self.name())
    }

    /// The sockets that it always serves, relative to the `run` folder.
    pub fn sockets(self) -> &'static [&'static str] {
        match self {
            Self::Mailctld => &[
                "mailctld/socketmap",
                "mailctld/policy",
                "mailctld/milter",
                "mailctld/forward",
                "auth/policy",
                "control/mailctld",
            ],
            Self::Opendkim => &["opendkim/milter"],
            Self::Dovecot => &["dovecot/auth", "dovecot/lmtp", "dovecot/quota"],
            Self::Postfix => &[],
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Service {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|service| service.name() == text)
            .ok_or_else(|| format!("no service {text:?}; there are mailctld, opendkim, dovecot and postfix"))
    }
}
