//! Where somebody else leaves a certificate.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A place on the disk that is looked at again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A folder as certbot, nginx-proxy-manager, acme.sh, lego or Kubernetes leave it.
    Folder(String),
    /// A certificate with its chain, and its key.
    Files {
        /// In PEM form.
        certificate: String,
        /// In PEM form, not encrypted.
        key: String,
    },
    /// The settings themselves hold both. Never remembered, and never shown.
    #[serde(skip_deserializing)]
    Settings(#[serde(skip)] Inline),
}

/// A certificate with its chain, and its key, as text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Inline {
    /// In PEM form.
    pub certificate: String,
    /// In PEM form, not encrypted.
    pub key: String,
}

impl fmt::Debug for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inline")
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => f.write_str(folder),
            Self::Files { certificate, key } => write!(f, "{certificate} with {key}"),
            Self::Settings(_) => f.write_str("TLS_CERT_PEM and TLS_KEY_PEM"),
        }
    }
}
