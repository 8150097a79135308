//! The DNS records that a server and its domains need so that others deliver to them and believe their mail.

pub mod form;
pub mod merge;
mod set;
pub mod terraform;

pub use set::{
    REPORTS_WELCOME, SETUP, Wishes, address_term, dmarc, for_domain, for_host, relay_term, services, spf,
    spf_of_greeting, tls_reports,
};

use super::dns::{Data, Name};
use std::fmt;

/// How much depends on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Mail is lost, refused or not believed without it.
    Required,
    /// Mail works, and works better or safer with it.
    Recommended,
    /// For those who want it, or only where something else holds; the purpose says what.
    Optional,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Required => "required",
            Self::Recommended => "recommended",
            Self::Optional => "optional",
        })
    }
}

/// One record to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its owner.
    pub name: Name,
    /// What it says.
    pub data: Data,
    /// Seconds for which others may keep it.
    pub ttl: u32,
    /// How much depends on it.
    pub need: Need,
    /// What it is for, in a few words.
    pub purpose: &'static str,
}

/// A line of a zone file that needs no `$ORIGIN` (RFC 1035 §5.1).
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = if self.name.is_root() { String::new() } else { self.name.to_string() };
        write!(f, "{owner}. {} IN {} {}", self.ttl, self.data.kind(), self.data)
    }
}

/// For a machine.
impl serde::Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut record = serializer.serialize_struct("Record", 7)?;
        record.serialize_field("name", &self.name)?;
        record.serialize_field("kind", &self.data.kind())?;
        record.serialize_field("ttl", &self.ttl)?;
        record.serialize_field("value", &form::value(&self.data))?;
        record.serialize_field("need", &self.need)?;
        record.serialize_field("purpose", self.purpose)?;
        record.serialize_field("zone", &self.to_string())?;
        record.end()
    }
}

/// Longest string within a TXT record (RFC 1035 §3.3.14).
pub const STRING: usize = 255;

/// A text as TXT data, in as few strings as it takes. The text is ASCII.
pub fn txt(text: &str) -> Data {
    strings(text.as_bytes())
}

/// Octets of any kind as TXT data.
pub fn strings(octets: &[u8]) -> Data {
    Data::Txt(octets.chunks(STRING).map(<[u8]>::to_vec).collect())
}
