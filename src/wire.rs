//! Protocols: bytes in, values out. No sockets, no clock.

pub mod auth_policy;
pub mod autodiscover;
pub mod control;
pub mod milter;
pub mod policy;
pub mod proxy;
pub mod query;
pub mod smtp;
pub mod socketmap;
pub mod syslog;
pub mod tsig;
