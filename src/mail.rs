//! The words and rules of running mail. Pure: no I/O, no clock, no async.

pub mod address;
pub mod alert;
pub mod alias;
pub mod cert;
pub mod check;
pub mod directory;
pub mod dkim;
pub mod dmarc;
pub mod dns;
pub mod finding;
pub mod greylist;
pub mod habit;
pub mod limit;
pub mod mta_sts;
pub mod password;
pub mod penalty;
pub mod policy;
pub mod provider;
pub mod record;
pub mod relay;
pub mod rights;
pub mod rotation;
pub mod server;
pub mod spf;
pub mod tags;
pub mod zone;
