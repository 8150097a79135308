//! Ring: the program in a temporary home, without network and without an engine.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

#[path = "../common/mod.rs"]
mod common;

mod acme;
mod alias;
mod backup;
mod boot;
mod cert;
mod dns_check;
mod dns_faults;
mod dns_green;
mod dns_records;
mod engine;
mod explain;
mod forward;
mod help;
mod init;
mod keys;
mod limits;
mod lists;
mod publish;
mod reference;
mod rights;
mod settings;
mod settings_example;
mod state;
mod user;
